"""Variables (api/write/variable.rs, api/read/variable.rs)."""

import re
from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions_logs import log
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.update_documents import SYSTEM_TARGET, finish, new_update

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_NAME_LIMIT = 500
_VALUE_LIMIT = 10_000
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _check(what: str, text: str, shortest: int, longest: int) -> None:
    """Lengths are counted in bytes, though Core speaks of characters (helpers/validations.rs)."""
    size, control = len(text.encode()), _CONTROL.search(text)
    reasons: list[str] = []
    if size < shortest:
        reasons = [f"Input too short. Must be at least {shortest} characters."]
    elif size > longest:
        reasons = [f"Input too long. Must be at most {longest} characters."]
    elif control is not None:
        reasons = [f'Control character at index {control.start()}. Input: "{text}"']
    elif what == "name" and _NAME.fullmatch(text) is None:
        reasons = ["Invalid characters in input", "Only alphanumeric characters and underscores are allowed"]
    if reasons:
        raise Refusal(f"Failed to validate variable {what}", reasons, status=400)


def _admin_only(caller: Document, verb: str) -> None:
    if not caller["admin"]:
        raise Refusal(f"Only Admins can {verb} Variables", status=403)


def _find(core: "Core", name: str) -> Document:
    variable = core.state.variables.get(name)
    if variable is None:
        raise Refusal(f"no variable found with given name: {name}")
    return variable


def _shown(variable: Document, caller: Document) -> Document:
    """A variable as Core answers it: no empty description, and a secret only for admins."""
    shown = {key: value for key, value in variable.items() if key != "description" or value}
    if variable["is_secret"] and not caller["admin"]:
        shown["value"] = "#" * len(variable["value"].encode())
    return shown


def _record(core: "Core", caller: Document, operation: str, stage: str, told: str) -> None:
    update = new_update(core, operation, SYSTEM_TARGET, caller["_id"]["$oid"])
    update["logs"] = [log(stage, stdout=told)]
    finish(core, update)


def _printed(variable: Document) -> str:
    """A variable as the Update of its creation or deletion shows it, its value in clear."""
    return "\n".join(
        (
            "Variable {",
            f"    name: {_quoted(variable['name'])},",
            f"    description: {_quoted(variable['description'])},",
            f"    value: {_quoted(variable['value'])},",
            f"    is_secret: {'true' if variable['is_secret'] else 'false'},",
            "}",
        )
    )


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def _quoted(text: str) -> str:
    """A text as Rust prints it for debugging."""
    characters = (
        _ESCAPES.get(character) or (character if character.isprintable() else f"\\u{{{ord(character):x}}}")
        for character in text
    )
    return f'"{"".join(characters)}"'


@answers("write", "CreateVariable")
def create_variable(core: "Core", caller: Document, params: Document) -> Any:
    """A new variable."""
    _admin_only(caller, "create")
    name, value = params["name"], params["value"]
    _check("name", name, 1, _NAME_LIMIT)
    _check("value", value, 0, _VALUE_LIMIT)
    if name in core.state.variables:
        raise Refusal("Failed to create Variable on db", [f"Kind: E11000 duplicate key error: name {name}"])
    variable: Document = {
        "name": name,
        "description": params["description"],
        "value": value,
        "is_secret": params["is_secret"],
    }
    core.state.variables[name] = variable
    _record(core, caller, "CreateVariable", "Create Variable", _printed(variable))
    return _shown(variable, caller)


@answers("write", "UpdateVariableValue")
def update_variable_value(core: "Core", caller: Document, params: Document) -> Any:
    """Another value; the same one makes no Update. A secret's old value is masked in the Update, its new one is not."""
    _admin_only(caller, "update")
    name, value = params["name"], params["value"]
    _check("name", name, 1, _NAME_LIMIT)
    _check("value", value, 0, _VALUE_LIMIT)
    variable = _find(core, name)
    old = variable["value"]
    if old == value:
        return _shown(variable, caller)
    variable["value"] = value
    _record(
        core,
        caller,
        "UpdateVariableValue",
        "Update Variable Value",
        f"{_label('variable')}: '{name}'\n"
        f'{_label("from")}: <span class="text-red-500">{"#" * len(old) if variable["is_secret"] else old}</span>\n'
        f'{_label("to")}:   <span class="text-green-500">{value}</span>',
    )
    return _shown(variable, caller)


def _label(text: str) -> str:
    return f'<span class="text-muted-foreground">{text}</span>'


@answers("write", "UpdateVariableDescription")
def update_variable_description(core: "Core", caller: Document, params: Document) -> Any:
    """Another description; there is no Update of it."""
    _admin_only(caller, "update")
    variable = _find(core, params["name"])
    variable["description"] = params["description"]
    return _shown(variable, caller)


@answers("write", "UpdateVariableIsSecret")
def update_variable_is_secret(core: "Core", caller: Document, params: Document) -> Any:
    """Hide a variable or show it; there is no Update of it."""
    _admin_only(caller, "update")
    variable = _find(core, params["name"])
    variable["is_secret"] = params["is_secret"]
    return _shown(variable, caller)


@answers("write", "DeleteVariable")
def delete_variable(core: "Core", caller: Document, params: Document) -> Any:
    """Delete a variable; whether something uses it is not looked at."""
    _admin_only(caller, "delete")
    variable = _find(core, params["name"])
    del core.state.variables[variable["name"]]
    _record(core, caller, "DeleteVariable", "Delete Variable", _printed(variable))
    return _shown(variable, caller)


@answers("read", "GetVariable")
def get_variable(core: "Core", caller: Document, params: Document) -> Any:
    """One variable."""
    return _shown(_find(core, params["name"]), caller)


@answers("read", "ListVariables")
def list_variables(core: "Core", caller: Document, _params: Document) -> Any:
    """All variables by name."""
    return [_shown(variable, caller) for _name, variable in sorted(core.state.variables.items())]
