"""Tables as Komodo reads them into its structs: fields by any of their names, unknown ones found, enums by type."""

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from homeops.errors import nearest
from homeops.komodo.toml.findings import Effect, Scope
from homeops.komodo.toml.syntax import Node, Table
from homeops.komodo.toml.values import (
    Read,
    Unfit,
    anything,
    choice,
    flag,
    lines,
    many,
    of_number,
    one_or_many,
    text,
    texts,
    unfit,
    version,
)
from homeops.model.config.build import ImageRegistryConfig
from homeops.model.config.execution import EXECUTIONS, Execution
from homeops.model.config.signal import TerminationSignal
from homeops.model.config.variable import Permission
from homeops.model.config.version import Version
from homeops.model.fields import (
    Alias,
    KomodoModel,
    LineText,
    Number,
    OrPath,
    Reference,
    References,
    Spellings,
    TextList,
)

_BESIDE_NAME = ("name", "description", "template", "tags", "deploy", "after")
"""What stands beside a resource's name and not in its config."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name in the model, its reader, and whether it must be there."""

    name: str
    read: Read
    required: bool


@dataclass(frozen=True)
class Struct:
    """A model as a table. ``names`` are all names of its fields, in the model's order."""

    model: type[KomodoModel]
    names: dict[str, Field]

    def __call__(self, node: Node, scope: Scope) -> KomodoModel:
        """The model of the fields that fit."""
        return self.made(node.at, self.fields(node, scope))

    def fields(self, node: Node, scope: Scope) -> dict[str, Any]:
        """The fields that are there and fit; raises Unfit where one that must be there does not."""
        members = self._members(node)
        values: dict[str, Any] = {}
        named: dict[str, str] = {}
        broken: Unfit | None = None
        for key, member in members.items():
            field = self.names.get(key)
            if field is None:
                self._unknown(key, member, scope)
                continue
            if field.name in named:
                what = f"stands here twice, as {named[field.name]} and as {key}"
                scope.find(member.at, f"{field.name}: {what}", Effect.REJECTED, "take one of them out")
                continue
            named[field.name] = key
            try:
                values[field.name] = field.read(member, scope)
            except Unfit as wrong:
                told = Unfit(wrong.at, f"{key}: {wrong.what}", wrong.hint)
                if field.required and broken is None:
                    broken = told
                else:
                    scope.find(told.at, told.what, Effect.REJECTED, told.hint)
        if broken is not None:
            raise broken
        return values

    def made(self, at: int, values: dict[str, Any]) -> KomodoModel:
        """The model of values that were read; raises Unfit where one that must be there is missing."""
        for field in self.names.values():
            if field.required and field.name not in values:
                raise Unfit(at, f"{field.name} is missing")
        return self.model.model_construct(set(values), **values)

    def _members(self, node: Node) -> dict[str, Node]:
        match node.value:
            case Table(members=members):
                return members
            case [Node(value=Table()), *_]:
                raise Unfit(node.at, "must be one table, not a list of them", "write [single] brackets for its header")
            case list() if len(node.value) <= len(self.model.model_fields):
                # Core also takes a struct as the list of its fields.
                return dict(zip(self.model.model_fields, node.value, strict=False))
            case _:
                raise unfit(node, "a table")

    def _unknown(self, key: str, member: Node, scope: Scope) -> None:
        if key in _BESIDE_NAME and key not in self.names:
            scope.find(member.at, f'unknown key "{key}"', Effect.IGNORED, f"write {key} beside name, above the config")
            return
        scope.find(member.at, f'unknown key "{key}"{nearest(key, self.names)}', Effect.IGNORED)


@cache
def struct(model: type[KomodoModel]) -> Struct:
    """The table of a model."""
    names: dict[str, Field] = {}
    for name, info in model.model_fields.items():
        field = Field(name, _reader(info.annotation, info.metadata), info.is_required())
        for known in (name, *(alias for mark in info.metadata for alias in aliases(mark))):
            names[known] = field
    return Struct(model, names)


def aliases(mark: object) -> Iterable[str]:
    """The further names that a mark gives a field."""
    match mark:
        case Reference(_, str(alias)):
            return (alias,)
        case References(_, names) | Alias(names):
            return names
        case _:
            return ()


_LINES = {
    "environment": lines(("variable", text), " = ", "value"),
    "label": lines(("variable", text), ": ", "value"),
    "conversion": lines(("local", text), ": ", "container"),
}


def _reader(annotation: Any, marks: Iterable[object]) -> Read:
    """The reader of a type with its marks."""
    marks = tuple(marks)
    for mark in marks:
        match mark:
            case Number():
                return of_number(mark)
            case LineText(form):
                return _signals() if form == "signal" else _LINES[form]
            case TextList():
                return texts
            case OrPath():
                return _or_path(annotation)
            case _:
                pass
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _reader(arguments[0], (*arguments[1:], *marks))
    if origin is Literal:
        return choice(arguments, _spellings(marks))
    if origin is list:
        item = _reader(arguments[0], ())
        return one_or_many(item) if arguments[0] is ImageRegistryConfig else many(item)
    if origin is dict:
        return anything if arguments[1] is Any else _mapping(_reader(arguments[0], ()), _reader(arguments[1], ()))
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not types.NoneType]
        return _reader(members[0], marks) if len(members) == 1 else tagged(tuple(members))
    return _plain(annotation)


def _spellings(marks: Iterable[object]) -> dict[str, str]:
    pairs = (pair for mark in marks if isinstance(mark, Spellings) for pair in mark.others)
    return {other: name for name, others in pairs for other in others}


def _plain(annotation: Any) -> Read:
    simple: dict[Any, Read] = {str: text, bool: flag, Version: version, Any: anything, Permission: _permission}
    if annotation in simple:
        return simple[annotation]
    return _execution if annotation is Execution else _later(annotation)


def _later(model: type[KomodoModel]) -> Read:
    """The struct of a model, built when it is first needed."""
    return lambda node, scope: struct(model)(node, scope)


@cache
def _signals() -> Read:
    return lines(("signal", _reader(TerminationSignal, ())), ": ", "label")


def _or_path(model: type[KomodoModel]) -> Read:
    def read(node: Node, scope: Scope) -> KomodoModel:
        if isinstance(node.value, str):
            return model.model_construct({"path"}, path=node.value)
        if isinstance(node.value, Table):
            return struct(model)(node, scope)
        raise unfit(node, "a path, or a table with one")

    return read


def _mapping(key: Read, value: Read) -> Read:
    def read(node: Node, scope: Scope) -> dict[Any, Any]:
        if not isinstance(node.value, Table):
            raise unfit(node, "a table")
        found: dict[Any, Any] = {}
        for name, member in node.value.members.items():
            try:
                found[key(Node(member.at, name), scope)] = value(member, scope)
            except Unfit as wrong:
                scope.find(wrong.at, wrong.what, Effect.REJECTED, wrong.hint)
        return found

    return read


def _permission(node: Node, scope: Scope) -> Permission:
    """A level, or a table of level and specific permissions."""
    if isinstance(node.value, str):
        level = _reader(Permission.model_fields["level"].annotation, ())(node, scope)
        return Permission.model_construct({"level"}, level=level)
    if not isinstance(node.value, Table):
        raise unfit(node, "a level, or a table with one")
    read = struct(Permission)(node, scope)
    assert isinstance(read, Permission)  # noqa: S101 - for the type checker
    return read.model_copy(update={"specific": list(dict.fromkeys(read.specific))})


def tagged(members: tuple[type[KomodoModel], ...]) -> Read:
    """One of several models by its ``type``, with ``params``."""
    by_type = {get_args(member.model_fields["type"].annotation)[0]: member for member in members}

    def read(node: Node, scope: Scope) -> KomodoModel:
        type_, params = type_and_params(node, scope, choice(tuple(by_type), {}))
        model = by_type[type_]
        inner = struct(model.model_fields["params"].annotation)  # pyright: ignore[reportArgumentType]
        return model.model_construct({"type", "params"}, type=type_, params=inner(params, scope))

    return read


def type_and_params(node: Node, scope: Scope, known: Read) -> tuple[str, Node]:
    """The two members of an enum's table; both must be there."""
    if isinstance(node.value, list) and len(node.value) == 2:
        return known(node.value[0], scope), node.value[1]
    if not isinstance(node.value, Table):
        raise unfit(node, "a table with type and params")
    members = node.value.members
    for key in ("type", "params"):
        if key not in members:
            hint = "write params = {} when there are none" if key == "params" else ""
            raise Unfit(node.at, f"{key} is missing", hint)
    for key, member in _others(members):
        scope.find(member.at, f'unknown key "{key}"', Effect.IGNORED, f"write params.{key}")
    return known(members["type"], scope), members["params"]


def _others(members: dict[str, Node]) -> Iterator[tuple[str, Node]]:
    return ((key, member) for key, member in members.items() if key not in ("type", "params"))


_EXECUTION = choice(tuple(EXECUTIONS), {}, "an execution of Komodo")


def _execution(node: Node, scope: Scope) -> KomodoModel:
    type_, params = type_and_params(node, scope, _EXECUTION)
    return struct(EXECUTIONS[type_])(params, scope)
