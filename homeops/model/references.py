"""The references inside a configuration, found by the marks of its fields."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from homeops.model.config.alerter import ResourceTarget
from homeops.model.fields import KomodoModel, Reference, References, marked

VARIABLE = re.compile(r"\[\[([^\[\]\s]+)\]\]")
"""How a text refers to one of Komodo's variables; with spaces inside it is no reference."""

_Config = TypeVar("_Config", bound=KomodoModel)


@dataclass(frozen=True, slots=True)
class Mention:
    """One reference: the field's path, the kind it points at, and the name (or id) that stands there."""

    path: str
    kind: str
    name: str


def mentions(config: KomodoModel, path: str = "") -> Iterator[Mention]:
    """Every reference in a configuration, nested ones and those to variables in texts included."""
    if isinstance(config, ResourceTarget):
        if config.type != "System":
            yield Mention(f"{path}.id", config.type, config.id)
        return
    marks = marked(type(config), Reference, References)
    for field in type(config).model_fields:
        value = getattr(config, field)
        here = f"{path}.{field}" if path else field
        mark = marks.get(field)
        match value:
            case str() if isinstance(mark, Reference):
                if value:
                    yield Mention(here, mark.kind, value)
            case list() if isinstance(mark, References):
                for place, name in enumerate(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
                    yield Mention(f"{here}[{place}]", mark.kind, str(name))  # pyright: ignore[reportUnknownArgumentType]
            case str() if "[[" in value:
                yield from (Mention(here, "Variable", name) for name in VARIABLE.findall(value))
            case KomodoModel():
                yield from mentions(value, here)
            case list():
                for place, item in enumerate(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
                    if isinstance(item, KomodoModel):
                        yield from mentions(item, f"{here}[{place}]")
                    elif isinstance(item, str) and "[[" in item:
                        yield from (Mention(f"{here}[{place}]", "Variable", name) for name in VARIABLE.findall(item))
            case _:
                pass


def rename_references(config: _Config, rename: Callable[[str, str], str]) -> _Config:
    """The configuration with every reference replaced by ``rename(kind, name)``; the same object when none changes."""
    changes: dict[str, Any] = {}
    if isinstance(config, ResourceTarget):
        changes = {"id": rename(config.type, config.id)} if config.type != "System" else {}
    marks = marked(type(config), Reference, References)
    for field in type(config).model_fields:
        value = getattr(config, field)
        mark = marks.get(field)
        new: Any = value
        match value:
            case str() if isinstance(mark, Reference):
                new = rename(mark.kind, value) if value else value
            case list() if isinstance(mark, References):
                new = [rename(mark.kind, str(name)) for name in value]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            case KomodoModel():
                new = rename_references(value, rename)
            case list():
                new = [rename_references(item, rename) if isinstance(item, KomodoModel) else item for item in value]  # pyright: ignore[reportUnknownVariableType]
            case _:
                pass
        if new is not value and new != value:
            changes[field] = new
    return config.model_copy(update=changes) if changes else config
