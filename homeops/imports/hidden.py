"""Secrets that a configuration holds in clear, taken out of it: none is ever written.

A field that Komodo keeps for a secret (a webhook's, a passkey, where an alert goes) is declared as ``env:NAME``: its
value comes from the environment of whoever runs Pulumi. Where it says ``[[NAME]]`` it stays, and is no secret.

An entry that looks like a secret, in a text that Komodo fills with variables (an environment, an inline compose file, a
command), becomes ``[[NAME]]``, and ``NAME`` a secret variable of the fleet. Its look is all there is to go by: a name
such as ``DB_PASSWORD`` or ``API_KEY``, credentials in an address, the form of a token.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from homeops.imports.report import Note, Sort
from homeops.komodo.secret_values import SOURCE, is_for_komodo
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel, Sensitive, marked
from homeops.model.graph import Resource
from homeops.model.wire import defaults, minimal
from homeops.secrets.masking import SECRET_NAME

_KEY = re.compile(rf"[\"']?{SECRET_NAME}[\"']?", re.IGNORECASE)
_ENTRY = re.compile(
    r"^(?P<before>[ \t]*(?:-[ \t]+)?(?:export[ \t]+|ENV[ \t]+|ARG[ \t]+)?(?P<key>[\"']?[A-Za-z_][A-Za-z0-9_.-]*[\"']?)"
    r"[ \t]*[=:][ \t]*)(?P<quote>[\"']?)(?P<value>[^\n]*?)(?P=quote)(?P<after>[ \t]*(?:[ \t]#[^\n]*)?)$",
    re.MULTILINE,
)
_QUOTED = re.compile(
    rf"(?P<key>{SECRET_NAME})[\"']?\s*[=:]\s*(?P<quote>[\"'`])(?P<value>[^\"'`\n]+)(?P=quote)", re.IGNORECASE
)
_LOGIN = re.compile(r"://[^/\s:@$\[]+:(?P<value>[^@\s/$\[]+)@")
_TOKEN = re.compile(
    r"AGE-SECRET-KEY-1[A-Z0-9]+|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|sk-[A-Za-z0-9_-]{20,}|AKIA[A-Z0-9]{16})|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
    re.DOTALL,
)
_HARMLESS = re.compile(
    r"|true|false|yes|no|on|off|none|null|\d{1,6}[a-z]{0,2}|[/~.][^\s]*|https?://[^@\s]*|.*(?:\$|\[\[|<%).*",
    re.IGNORECASE | re.DOTALL,
)
"""Values of keys that only sound secret: switches, numbers and times, paths, addresses, what refers to another."""

INTERPOLATED: dict[str, tuple[str, ...]] = {
    "Stack": (
        "file_contents",
        "environment",
        "pre_deploy.command",
        "post_deploy.command",
        "compose_cmd_wrapper",
        "extra_args",
        "build_extra_args",
    ),
    "Deployment": ("environment", "ports", "volumes", "labels", "command", "extra_args"),
    "Build": ("build_args", "secret_args", "labels", "pre_build.command", "dockerfile", "extra_args"),
    "Repo": ("environment", "on_clone.command", "on_pull.command"),
    "Action": ("file_contents",),
}
"""The texts of each kind in which Komodo replaces ``[[NAME]]`` (lib/interpolate, api/execute/action.rs)."""

_Config = TypeVar("_Config", bound=KomodoModel)


@dataclass
class Hidden:
    """What is taken out of the resources of one import."""

    variables: set[str]
    """Names of variables that exist already."""
    notes: list[Note] = field(default_factory=list[Note])
    exports: list[str] = field(default_factory=list[str])
    made: list[Resource] = field(default_factory=list[Resource])
    """The secret variables that stand for what was taken out of texts."""

    def without_secrets(self, resource: Resource, where: str) -> KomodoModel | None:
        """The configuration without its secrets; None where it cannot be without them."""
        config = resource.config
        if isinstance(config, VariableConfig):
            return self._variable(resource.name, config, where)
        prefix = f"{resource.kind}_{resource.name}"
        config = self._fields(config, prefix, where, "")
        for path in INTERPOLATED.get(resource.kind, ()):
            config = self._interpolated(config, path, prefix, where)
        left = sorted({path for path, text in _texts(config, "") if looks_secret(text)})
        if left:
            what = f"{left[0]} looks as if it holds a secret, which is not written"
            hint = (
                f"make it a secret variable of Komodo, write [[NAME]] in its place{_once(resource)}, and import again"
            )
            self.notes.append(Note(Sort.LEFT_OUT, where, what, hint))
            return None
        return config

    def _variable(self, name: str, config: VariableConfig, where: str) -> VariableConfig:
        if not config.value or not (config.is_secret or _is_secret(name, config.value)):
            return config
        self._export(name, where, "" if config.is_secret else ", which sounds secret, and is open in Komodo")
        return config.model_copy(update={"value": f"{SOURCE}{name}"})

    def _fields(self, config: _Config, prefix: str, where: str, path: str) -> _Config:
        changes: dict[str, Any] = {}
        sensitive = marked(type(config), Sensitive)
        for name in type(config).model_fields:
            value = getattr(config, name)
            if isinstance(value, KomodoModel):
                new: Any = self._fields(value, prefix, where, f"{path}{name}.")
                if new is not value:
                    changes[name] = new
            elif name in sensitive and value and value != defaults(type(config)).get(name) and not _is_open(value):
                export = self._export(_variable_name(f"{prefix}_{name}"), where, "", f"{path}{name}")
                changes[name] = f"{SOURCE}{export}"
        return config.model_copy(update=changes) if changes else config

    def _export(self, name: str, where: str, more: str, field: str = "value") -> str:
        self.exports.append(name)
        self.notes.append(Note(Sort.ELSEWHERE, where, f"its {field}{more}", f"export {name}=..."))
        return name

    def _interpolated(self, config: KomodoModel, path: str, prefix: str, where: str) -> KomodoModel:
        if getattr(config, "skip_secret_interp", False):
            return config

        def replaced(text: str) -> str:
            def stand_in(key: str) -> str:
                return self._stands_for(f"{prefix.partition('_')[2]}_{key}", key, path, where)

            # All arguments of that name are secrets, whatever their own names are.
            return _replaced(text, stand_in, every=path == "secret_args")

        name, _, nested = path.partition(".")
        value = getattr(config, name)
        if nested:
            text = getattr(value, nested)
            new: Any = value.model_copy(update={nested: replaced(text)}) if looks_secret(text) else value
        elif isinstance(value, list):
            new = [replaced(str(item)) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        else:
            new = replaced(value)
        return config if new == value else config.model_copy(update={name: new})

    def _stands_for(self, wanted: str, key: str, path: str, where: str) -> str:
        name = _variable_name(wanted)
        number = 2
        while name in self.variables:
            name, number = f"{_variable_name(wanted)}_{number}", number + 1
        self.variables.add(name)
        self.exports.append(name)
        secret = VariableConfig(value=f"{SOURCE}{name}", is_secret=True)
        self.made.append(Resource("Variable", name, secret, where=f'variable "{name}"'))
        what = f"{key} in {path} is [[{name}]] now, a secret variable that the fleet declares and Komodo has not yet"
        self.notes.append(Note(Sort.CHANGED, where, what, f"export {name}=..., or move it to the stack's .sops.env"))
        return f"[[{name}]]"


def looks_secret(text: str) -> bool:
    """Whether something in a text looks like a secret in clear."""
    return _replaced(text, lambda _key: "") != text


def without_secrets(text: str) -> str:
    """A text for people with what looks like a secret taken out."""
    return _replaced(text, lambda _key: "...")


def _replaced(text: str, stand_in: Callable[[str], str], *, every: bool = False) -> str:
    def entry(found: re.Match[str]) -> str:
        key, value = found["key"].strip("\"'"), found["value"].strip()
        if not (_is_secret(key, value) or (every and value and "[[" not in value)):
            return found[0]
        return f"{found['before']}{found['quote']}{stand_in(key)}{found['quote']}{found['after']}"

    def part(found: re.Match[str]) -> str:
        value = found["value"]
        key = found.groupdict().get("key") or "password"
        if _HARMLESS.fullmatch(value):
            return found[0]
        start, end = found.start("value") - found.start(), found.end("value") - found.start()
        return f"{found[0][:start]}{stand_in(key)}{found[0][end:]}"

    if not every and not _MAY_BE.search(text):
        return text
    text = _ENTRY.sub(entry, text)
    text = _QUOTED.sub(part, text)
    text = _LOGIN.sub(part, text)
    return _TOKEN.sub(lambda _found: stand_in("token"), text)


_MAY_BE = re.compile(rf"{_KEY.pattern}\s*[=:]|://[^/\s:@]+:|{_TOKEN.pattern}", re.IGNORECASE | re.DOTALL)
"""What a text has that is worth a closer look."""


def _is_open(text: str) -> bool:
    """Whether a text for a secret holds none: Komodo puts it in."""
    return is_for_komodo(text) and not looks_secret(text)


def _is_secret(key: str, value: str) -> bool:
    return bool(_KEY.fullmatch(key)) and not _HARMLESS.fullmatch(value)


def _variable_name(text: str) -> str:
    name = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")
    return f"_{name}" if name[:1].isdigit() else name


def _texts(config: KomodoModel, prefix: str) -> Iterator[tuple[str, str]]:
    """Every text that is not a field for secrets."""
    sensitive = marked(type(config), Sensitive)
    for name in type(config).model_fields:
        value = getattr(config, name)
        match value:
            case str() if name not in sensitive:
                yield f"{prefix}{name}", value
            case KomodoModel():
                yield from _texts(value, f"{prefix}{name}.")
            case dict():
                yield f"{prefix}{name}", json.dumps(minimal(value))
            case list():
                for item in value:  # pyright: ignore[reportUnknownVariableType]
                    if isinstance(item, str):
                        yield f"{prefix}{name}", item
                    elif isinstance(item, KomodoModel):
                        yield from _texts(item, f"{prefix}{name}.")
            case _:
                pass


def _once(resource: Resource) -> str:
    return " (skip_secret_interp off)" if getattr(resource.config, "skip_secret_interp", False) else ""
