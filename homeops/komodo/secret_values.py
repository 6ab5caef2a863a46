"""Secrets in a configuration: a declaration names where the value is, and only the request to Core holds it.

``env:NAME`` is the value of an environment variable of whoever runs Pulumi. State, previews and messages hold that
text, never the value. ``[[NAME]]`` is put in by Komodo when it uses the text, and is no secret anywhere.
"""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from homeops.errors import Problem, SecretsError
from homeops.model.fields import KomodoModel, Sensitive, marked
from homeops.model.wire import defaults

SOURCE = "env:"
NOT_SHOWN = "(another value, not shown)"

_VARIABLE = re.compile(r"\[\[\w+\]\]")

_Config = TypeVar("_Config", bound=KomodoModel)


def is_source(text: str) -> bool:
    """Whether the text names where a secret is."""
    return text.startswith(SOURCE)


def is_for_komodo(text: str) -> bool:
    """Whether Komodo puts the secret in: a variable, or a secret of Core's own configuration."""
    return _VARIABLE.search(text) is not None


def reveal(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The value behind ``env:NAME``; raises SecretsError when the variable is not set."""
    if not is_source(text):
        return text
    name = text.removeprefix(SOURCE)
    if name not in environment:
        raise SecretsError(Problem("", f"the environment variable {name} is not set", f"export {name}=..."))
    return environment[name]


def conceal(live: str, declared: str, default: str = "", environment: Mapping[str, str] = os.environ) -> str:
    """What may be shown of a live value: the declaration when it stands for that value, else that it is another."""
    if live in (default, declared):
        return live
    if is_source(declared) and environment.get(declared.removeprefix(SOURCE)) == live:
        return declared
    return NOT_SHOWN


def revealed(config: _Config) -> _Config:
    """The configuration with every secret in it: for a request, and for nothing else."""
    return _replaced(config, lambda _model, _name, text: reveal(text))


def concealed(live: _Config, declared: KomodoModel | None) -> _Config:
    """The live configuration without secrets; ``declared`` tells which sources stand for live values."""
    sources = dict(_sources(declared)) if declared is not None else {}

    def shown(model: KomodoModel, name: str, text: str) -> str:
        return conceal(text, sources.get((type(model), name), ""), str(defaults(type(model)).get(name, "")))

    return _replaced(live, shown)


def plain_secrets(config: KomodoModel) -> list[str]:
    """The fields that hold a secret in clear, which a declaration must not."""
    found: list[str] = []

    def note(model: KomodoModel, name: str, text: str) -> str:
        harmless = (defaults(type(model)).get(name), NOT_SHOWN)
        if text and text not in harmless and not is_source(text) and not is_for_komodo(text):
            found.append(name)
        return text

    _replaced(config, note)
    return found


def _sources(config: KomodoModel) -> list[tuple[tuple[type[KomodoModel], str], str]]:
    found: list[tuple[tuple[type[KomodoModel], str], str]] = []

    def note(model: KomodoModel, name: str, text: str) -> str:
        found.append(((type(model), name), text))
        return text

    _replaced(config, note)
    return found


def _replaced(config: _Config, change: Callable[[KomodoModel, str, str], str]) -> _Config:
    changes: dict[str, Any] = {}
    for name in marked(type(config), Sensitive):
        text = getattr(config, name)
        new = change(config, name, text)
        if new != text:
            changes[name] = new
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, KomodoModel):
            new_value = _replaced(value, change)
            if new_value is not value:
                changes[name] = new_value
    return config.model_copy(update=changes) if changes else config
