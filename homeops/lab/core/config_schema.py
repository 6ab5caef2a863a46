"""The schema of each kind's configuration, taken from homeops/model: Core's ``Partial...Config`` structs."""

import types
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from homeops.lab.core.json_source import Reader
from homeops.lab.core.komodo_types import (
    FileContents,
    ItemOrItems,
    ItemOrPath,
    Lines,
    TextOrTexts,
    VersionOrText,
    Without,
)
from homeops.lab.core.schema import (
    Field,
    Flag,
    Floating,
    Listing,
    Mapping,
    Maybe,
    PlainValue,
    Struct,
    Text,
    TextEnum,
    Whole,
    plain_enum,
)
from homeops.lab.core.schema_tagged import Tagged
from homeops.model.config.alerter import ResourceTarget
from homeops.model.config.build import ImageRegistryConfig
from homeops.model.config.builder import ProviderAccount
from homeops.model.config.execution import EXECUTIONS, Execution
from homeops.model.config.version import Version
from homeops.model.fields import (
    Alias,
    LineText,
    Number,
    OrPath,
    Reference,
    References,
    Spellings,
    TextList,
    TrimmedText,
)
from homeops.model.kinds import KINDS

# What Komodo calls the structs and enums that the models call otherwise.
_NAMES = {
    "CustomEndpoint": "CustomAlerterEndpoint",
    "SlackEndpoint": "SlackAlerterEndpoint",
    "DiscordEndpoint": "DiscordAlerterEndpoint",
    "NtfyEndpoint": "NtfyAlerterEndpoint",
    "PushoverEndpoint": "PushoverAlerterEndpoint",
}
_ENUMS = {"endpoint": "AlerterEndpoint", "image": "DeploymentImage"}
_VARIANT_STRUCTS = {
    "ExternalImage": "struct variant DeploymentImage::Image",
    "BuiltImage": "struct variant DeploymentImage::Build",
}


@cache
def config_type(kind: str) -> Reader:
    """The partial configuration of a kind, as Create and Update take it."""
    if kind == "Builder":
        members = _union(KINDS[kind].shape)
        inner = {_tag(model): _partial(model.model_fields["params"].annotation) for model in members}
        return Tagged("PartialBuilderConfig", plain_enum(*inner), inner.__getitem__)
    return _partial(KINDS[kind].shape)


def _partial(model: Any) -> Struct:
    fields = [_field(name, info, partial=True) for name, info in model.model_fields.items()]
    return Struct(f"Partial{model.__name__}", fields, partial=True)


def _model_type(model: type[BaseModel]) -> Reader:
    struct = _struct(model)
    if model is ProviderAccount:
        return Without(replace(struct, fields=[*struct.fields, Field("token", Text(), default="")]), "token")
    return struct


@cache
def _struct(model: type[BaseModel]) -> Struct:
    fields = [_field(name, info, partial=False) for name, info in model.model_fields.items()]
    return Struct(_NAMES.get(model.__name__, model.__name__), fields, expected=_VARIANT_STRUCTS.get(model.__name__, ""))


@cache
def execution_struct(name: str) -> Struct:
    """The parameters of an execution."""
    return _struct_of_execution(name, EXECUTIONS[name])


def _struct_of_execution(name: str, model: type[Execution]) -> Struct:
    return Struct(name, [_field(field, info, partial=False) for field, info in model.model_fields.items()])


@cache
def execution_type() -> Tagged:
    """Any execution, as a Procedure holds it."""
    return Tagged("Execution", plain_enum(*EXECUTIONS), execution_struct)


def _field(name: str, info: FieldInfo, *, partial: bool) -> Field:
    aliases = tuple(alias for mark in info.metadata for alias in _aliases(mark))
    if not partial:
        default = info.get_default(call_default_factory=True)
        if default is PydanticUndefined:
            return Field(name, _type(name, info), aliases)
        return Field(name, _type(name, info), aliases, _plain(default), listed=not _optional(info.annotation))
    special = _special(info, null=True)
    if special is not None:
        return Field(name, special, aliases, None)
    # Core gives just these lists a default of their own.
    listed = any(isinstance(mark, OrPath) for entry in get_args(info.annotation) for mark in get_args(entry))
    return Field(name, Maybe(_type(name, info)), aliases, None, listed=listed)


def _aliases(mark: object) -> Iterable[str]:
    match mark:
        case Reference(_, str(alias)):
            return (alias,)
        case References(_, aliases) | Alias(aliases):
            return aliases
        case _:
            return ()


def _special(info: FieldInfo, *, null: bool) -> Reader | None:
    """A type with a reader of Komodo's own, which deals with null itself."""
    if info.annotation == list[ImageRegistryConfig]:
        return ItemOrItems(_struct(ImageRegistryConfig))
    for mark in info.metadata:
        match mark:
            case TrimmedText():
                return FileContents(null=null)
            case LineText(form):
                return Lines(form, null=null)
            case TextList():
                return TextOrTexts(null=null)
            case _:
                pass
    return None


def _type(name: str, info: FieldInfo) -> Reader:
    special = _special(info, null=False)
    if special is not None:
        return special
    return _annotated(name, info.annotation, info.metadata)


def _annotated(name: str, annotation: Any, marks: Iterable[object]) -> Reader:
    for mark in marks:
        if isinstance(mark, Number):
            return Floating(mark.rust) if mark.rust.startswith("f") else Whole(mark.rust)
    others = {variant: spellings for mark in marks if isinstance(mark, Spellings) for variant, spellings in mark.others}
    match get_origin(annotation):
        case None:
            return _plain_type(annotation)
        case origin if origin is Literal:
            return TextEnum([(variant, others.get(variant, ())) for variant in get_args(annotation)])
        case origin if origin is list:
            return Listing(_inner(name, get_args(annotation)[0]))
        case origin if origin is dict:
            return Mapping(_inner(name, get_args(annotation)[1]))
        case origin if origin is Annotated:
            return _inner(name, annotation)
        case _ if _optional(annotation):
            [inner] = [part for part in get_args(annotation) if part is not types.NoneType]
            return Maybe(_inner(name, inner))
        case _:
            members = _union(annotation)
            inner = {_tag(model): _struct(model.model_fields["params"].annotation) for model in members}
            return Tagged(_ENUMS[name], plain_enum(*inner), inner.__getitem__)


def _inner(name: str, annotation: Any) -> Reader:
    if get_origin(annotation) is not Annotated:
        return _annotated(name, annotation, ())
    base, *marks = get_args(annotation)
    if base is Execution or any(mark is Execution for mark in marks):
        return execution_type()
    if any(isinstance(mark, OrPath) for mark in marks):
        return ItemOrPath(_struct(base))
    return _annotated(name, base, marks)


def _plain_type(annotation: Any) -> Reader:
    if annotation is str:
        return Text()
    if annotation is bool:
        return Flag()
    if annotation is Any or annotation is object:
        return PlainValue()
    if annotation is Version:
        return VersionOrText()
    if annotation is ResourceTarget:
        targets = get_args(ResourceTarget.model_fields["type"].annotation)
        return Tagged("ResourceTarget", plain_enum(*targets), lambda _target: Text(), ("type", "id"))
    if annotation is Execution:
        return execution_type()
    return _model_type(annotation)


def _optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and types.NoneType in get_args(annotation)


def _union(annotation: Any) -> tuple[Any, ...]:
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return get_args(base)


def _tag(model: Any) -> str:
    return get_args(model.model_fields["type"].annotation)[0]


def _plain(default: Any) -> Any:
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json")
    return default
