"""Which keywords of a declaration make a field of its object what Komodo has: the conventions, read backwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeops.komodo.operations import Declared
from homeops.model.conventions import builder_fields, variables_of
from homeops.model.declaration import Declaration
from homeops.model.fields import LineText, TrimmedText, marked
from homeops.model.host import PERIPHERY_PORT, periphery_address
from homeops.model.stack import Stack
from homeops.model.stack_paths import STACKS
from homeops.model.wire import defaults


@dataclass(frozen=True, slots=True)
class Named:
    """Another declaration, by kind and name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class OfTheSite:
    """A fact that stands in the settings; ``key`` below ``homeops:``."""

    key: str
    value: str


Keywords = Mapping[str, Any]
"""The value of each keyword; None for one that is to be taken away."""


def keywords(declaration: Declaration, live: Declared, path: str) -> Keywords | OfTheSite:
    """The keywords for a field, ``description`` or ``config.environment``, as Komodo has it."""
    given = declaration.model_fields_set
    match declaration.kind, path.removeprefix("config."):
        case _, "description":
            return {"description": live.description or None}
        case _, "tags":
            return {"tags": list(live.tags) or None}
        case _, "template":
            return {"template": live.template or None}
        case "Builder", _:
            return _builder(live)
        case "Server", "address" if "address" not in given and (host := _host_of(_value(live, "address"))):
            return OfTheSite(f"hosts.{declaration.name}.address", host)
        case "Stack" | "Deployment" | "Repo", "server_id":
            return {"host": _named("Server", live, "server_id"), **_own_directory(declaration)}
        case "Swarm", "server_ids":
            return {"hosts": [Named("Server", name) for name in _value(live, "server_ids")]}
        case "Build", "builder_id":
            return {"builder": _named("Builder", live, "builder_id")}
        case "Build", "build_path" if "build_path" not in given:
            return {"directory": _value(live, "build_path")}
        case "Stack", "environment" if "environment" not in given:
            return _environment("env", live, "environment")
        case "Build", "build_args" if "build_args" not in given:
            return _environment("args", live, "build_args")
        case _, field:
            return {field: None if field in given and _is_default(live, field) else _bare(live, field)}


def _value(live: Declared, field: str) -> Any:
    return getattr(live.config, field)


def _is_default(live: Declared, field: str) -> bool:
    return _value(live, field) == defaults(type(live.config)).get(field)


def _bare(live: Declared, field: str) -> Any:
    """The value without the last newline of a text, which Core adds by itself."""
    value = _value(live, field)
    marks = marked(type(live.config), TrimmedText, LineText)
    return value.removesuffix("\n") if field in marks and value.count("\n") == 1 else value


def _named(kind: str, live: Declared, field: str) -> Named | None:
    name = _value(live, field)
    return Named(kind, name) if name else None


def _own_directory(declaration: Declaration) -> Keywords:
    """The directory that follows from the host, when the host becomes another."""
    if not isinstance(declaration, Stack) or declaration.directory:
        return {}
    return {"directory": declaration.path.removeprefix(f"{STACKS}/")}


def _environment(keyword: str, live: Declared, field: str) -> Keywords:
    """As a dictionary where that says the same, else the text itself."""
    text = _value(live, field)
    variables = variables_of(text)
    if variables is not None:
        return {keyword: variables or None}
    return {keyword: None, field: _bare(live, field)}


def _builder(live: Declared) -> Keywords:
    fields = builder_fields(live.config)
    if "hosts" in fields:
        fields["hosts"] = [Named("Server", name) for name in fields["hosts"]]
    return {"hosts": None, "url": None, "aws": None, **fields} if fields else {}


def _host_of(address: str) -> str:
    """The host in the address that a fleet gives its Servers by itself; empty for another form."""
    host = address.removeprefix("https://").removesuffix(f":{PERIPHERY_PORT}")
    return host if periphery_address(host) == address else ""
