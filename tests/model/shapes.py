"""The shape of a value (field names, types, enumerations) read from the OpenAPI document and from a model, to compare.

A shape is plain data: ``"string"``, ``["array", shape]``, ``{"field": shape}``, ``["one of", {tag: shape}]``, ...
"""

from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel

from homeops.model.config.execution import Execution
from homeops.model.fields import Number
from tests.komodo.openapi import document

Shape = Any
_NUMBERS = {"i32": "int32", "i64": "int64", "u8": "int32 >= 0", "u32": "int32 >= 0", "f32": "float", "f64": "double"}


def schema(name: str) -> dict[str, Any]:
    """A schema of the document."""
    return cast(dict[str, Any], document()["components"]["schemas"][name])


def shape_of_schema(node: dict[str, Any]) -> Shape:
    """The shape of a schema of the document."""
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        return {"i64": "int64", "I64": "int64", "Execution": "execution"}.get(name) or shape_of_schema(schema(name))
    if "oneOf" in node:
        return _shape_of_union(cast(list[dict[str, Any]], node["oneOf"]))
    if "enum" in node:
        # The document has the name of bollard's empty variant, not the empty text that stands for it on the wire.
        return ["enum", sorted("" if value == "EMPTY" else value for value in node["enum"])]
    kind = node.get("type")
    if isinstance(kind, list):
        kinds = cast(list[str], kind)
        assert len(kinds) == 2
        assert "null" in kinds
        return ["or null", shape_of_schema({**node, "type": next(name for name in kinds if name != "null")})]
    if kind == "array":
        return ["array", shape_of_schema(node["items"])]
    if "additionalProperties" in node:
        keys = node["propertyNames"]
        value = node["additionalProperties"]
        return ["map", shape_of_schema(keys), shape_of_schema(value) if value else "anything"]
    if kind == "object":
        return {name: shape_of_schema(field) for name, field in node.get("properties", {}).items()}
    if kind in ("integer", "number"):
        return f"{node['format']} >= 0" if "minimum" in node else node["format"]
    assert kind in ("string", "boolean"), node
    return kind


def _shape_of_union(members: list[dict[str, Any]]) -> Shape:
    if members[0] == {"type": "null"}:
        return ["or null", shape_of_schema(members[1])]
    tags: dict[str, Shape] = {}
    for member in members:
        fields = dict(member["properties"])
        (tag,) = fields.pop("type")["enum"]
        tags[tag] = {name: shape_of_schema(field) for name, field in fields.items()}
    return ["one of", tags]


def shape_of_model(model: type[BaseModel]) -> Shape:
    """The shape of a model."""
    return {name: _shape_of_type(field.annotation, tuple(field.metadata)) for name, field in model.model_fields.items()}


def shape_of_type(annotation: Any) -> Shape:
    """The shape of an annotation, such as a union of models."""
    return _shape_of_type(annotation, ())


def _shape_of_type(annotation: Any, marks: tuple[Any, ...]) -> Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shape_of_type(arguments[0], (*marks, *arguments[1:]))
    if origin in (Union, UnionType):
        return _shape_of_members(arguments)
    if origin is Literal:
        return ["enum", sorted(arguments)]
    if origin is list:
        return ["array", _shape_of_type(arguments[0], ())]
    if origin is dict:
        return ["map", *(_shape_of_type(argument, ()) for argument in arguments)]
    if annotation is Any:
        return "anything"
    if isinstance(annotation, type) and issubclass(annotation, Execution):
        return "execution"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _shape_of_tagged(annotation) if annotation.__name__ == "ResourceTarget" else shape_of_model(annotation)
    if annotation in (int, float):
        (number,) = (mark for mark in marks if isinstance(mark, Number))
        return _NUMBERS[number.rust]
    return {str: "string", bool: "boolean"}[annotation]


def _shape_of_members(members: tuple[Any, ...]) -> Shape:
    if type(None) in members:
        (other,) = (member for member in members if member is not type(None))
        return ["or null", _shape_of_type(other, ())]
    tags: dict[str, Shape] = {}
    for member in members:
        fields = dict(shape_of_model(member))
        (tag,) = fields.pop("type")[1]
        tags[tag] = fields
    return ["one of", tags]


def _shape_of_tagged(model: type[BaseModel]) -> Shape:
    """One model for all members of a union that have the same fields beside their tag."""
    fields = dict(shape_of_model(model))
    return ["one of", dict.fromkeys(fields.pop("type")[1], fields)]


def required_of(node: dict[str, Any]) -> set[str]:
    """The fields of a schema that must be given."""
    return set(node.get("required", ()))


def executions_of_document() -> dict[str, dict[str, Any]]:
    """Each execution's parameters, by name."""
    found: dict[str, dict[str, Any]] = {}
    for member in schema("Execution")["oneOf"]:
        (name,) = member["properties"]["type"]["enum"]
        found[name] = schema(str(member["properties"]["params"]["$ref"]).rpartition("/")[2])
    return found
