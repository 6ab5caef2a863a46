"""Resources to Komodo's TOML: what differs from the defaults, names for references, in the order of Komodo's fields."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, cast

from homeops.komodo.toml import text as written
from homeops.komodo.toml.structs import aliases
from homeops.model.canonical import canonical
from homeops.model.config.action import ActionConfig
from homeops.model.config.execution import Execution, execution_type
from homeops.model.config.procedure import ProcedureConfig, ProcedureStage
from homeops.model.config.variable import Permission
from homeops.model.config.version import Version
from homeops.model.fields import KomodoModel, Reference, References, TrimmedText
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from homeops.model.wire import DISCRIMINATOR, defaults

Pair = tuple[str, str]
"""A key and its value as they are written."""


def write_toml(resources: Iterable[Resource]) -> str:
    """Resources as one text, in their order; Tags are left out, which Komodo's TOML cannot declare.

    Raises FleetError for a value that TOML cannot say.
    """
    return "\n".join(declaration(resource) for resource in resources if resource.kind != "Tag")


def declaration(resource: Resource) -> str:
    """The TOML of one resource."""
    kind = KINDS[resource.kind]
    config = canonical(resource.config)
    head = list(_head(resource))
    if not kind.resource:
        return _lines(f"[[{kind.table}]]", [*head, *_pairs(config)])
    stages: list[ProcedureStage] = []
    if isinstance(config, ProcedureConfig):
        stages, config = config.stages, config.model_copy(update={"stages": []})
    text = _lines(f"[[{kind.table}]]", head)
    if pairs := list(_pairs(config)):
        text += _lines(f"[{kind.table}.config]", pairs)
    return text + "".join(_lines(f"\n[[{kind.table}.config.stage]]", _pairs(stage)) for stage in stages)


def _lines(header: str, pairs: Iterable[Pair]) -> str:
    return "".join([f"{header}\n", *(f"{key} = {value}\n" for key, value in pairs)])


def _head(resource: Resource) -> Iterator[Pair]:
    yield "name", written.line(resource.name)
    if resource.description:
        yield "description", written.text(resource.description)
    if resource.template:
        yield "template", "true"
    for key, names in (("tags", resource.tags), ("after", resource.after)):
        if names:
            yield key, written.items([written.line(name) for name in names])
    if resource.deploy:
        yield "deploy", "true"


def _pairs(model: KomodoModel, prefix: str = "", *, inline: bool = False) -> Iterator[Pair]:
    """The fields that differ from their defaults; nested ones by dotted keys. ``inline``: texts stay on one line."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name != DISCRIMINATOR and _is_default(model, name, value):
            continue
        yield from _written(f"{prefix}{_name(type(model), name)}", value, _marks(type(model), name), inline)


def _is_default(model: KomodoModel, name: str, value: Any) -> bool:
    if isinstance(model, ActionConfig) and name == "file_contents":
        # A new Action gets an example script from Core where nothing is said of it.
        return False
    default = defaults(type(model))
    # The parameters of a union's member must be there, if only as {}.
    return name in default and default[name] == value and not (name == "params" and DISCRIMINATOR in default)


def _written(key: str, value: Any, marks: tuple[object, ...], inline: bool) -> Iterator[Pair]:
    match value:
        case Version():
            yield key, written.line(str(value))
        case Execution():
            yield f"{key}.type", written.line(execution_type(type(value)))
            yield from list(_pairs(value, f"{key}.params.", inline=inline)) or [(f"{key}.params", "{}")]
        case KomodoModel():
            yield from list(_pairs(value, f"{key}.", inline=inline)) or [(key, "{}")]
        case dict():
            yield from _members(key, cast(dict[str, Any], value))
        case list():
            yield key, _items(cast(list[Any], value))
        case str():
            yield key, written.line(value) if inline else _text(value, marks)
        case _:
            yield key, written.scalar(value)


def _members(key: str, members: dict[str, Any]) -> Iterator[Pair]:
    if not members:
        yield key, "{}"
    for name, value in members.items():
        text = _permission(value) if isinstance(value, Permission) else written.plain(value)
        yield f"{key}.{written.key(name)}", text


def _permission(permission: Permission) -> str:
    if not permission.specific:
        return written.line(permission.level)
    return written.inline_table(list(_pairs(permission, inline=True)))


def _items(values: list[Any]) -> str:
    return written.items(
        [_item(value) for value in values], tables=any(isinstance(value, KomodoModel) for value in values)
    )


def _item(value: Any) -> str:
    if isinstance(value, KomodoModel):
        return written.inline_table(list(_pairs(value, inline=True)))
    return written.scalar(value)


def _text(value: str, marks: tuple[object, ...]) -> str:
    command = value.removesuffix("\n")
    if any(isinstance(mark, TrimmedText) for mark in marks) and "\n" not in command:
        # Komodo ends it with a newline itself.
        return written.line(command)
    return written.text(value)


@cache
def _marks(model: type[KomodoModel], name: str) -> tuple[object, ...]:
    return tuple(model.model_fields[name].metadata)


@cache
def _name(model: type[KomodoModel], name: str) -> str:
    """What a field is called: for references as Komodo's own export does, ``server`` instead of ``server_id``."""
    references = (mark for mark in _marks(model, name) if isinstance(mark, Reference | References))
    known = [alias for mark in references for alias in aliases(mark)]
    return known[-1] if known else name
