"""Configurations as JSON: whole, as Komodo's API takes them, or without defaults, as a person wants to read them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from homeops.model.config.execution import Execution, execution_type
from homeops.model.fields import KomodoModel

DISCRIMINATOR = "type"


@cache
def defaults(config: type[KomodoModel]) -> Mapping[str, Any]:
    """The value of each field that has one without being declared."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in config.model_fields.items()
        if not field.is_required()
    }


def whole(value: Any) -> Any:
    """JSON with every field."""
    match value:
        case Execution():
            params = {name: whole(getattr(value, name)) for name in type(value).model_fields}
            return {"type": execution_type(type(value)), "params": params}
        case KomodoModel():
            return {name: whole(getattr(value, name)) for name in type(value).model_fields}
        case list():
            return [whole(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return {key: whole(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def minimal(value: Any) -> Any:
    """JSON without the fields that have their default; the type of a union's member always stays."""
    match value:
        case Execution():
            return {"type": execution_type(type(value)), "params": _declared(value)}
        case KomodoModel():
            return _declared(value)
        case list():
            return [minimal(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return {key: minimal(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def _declared(model: KomodoModel) -> dict[str, Any]:
    default = defaults(type(model))
    return {
        name: minimal(value)
        for name, value in ((name, getattr(model, name)) for name in type(model).model_fields)
        if name == DISCRIMINATOR or name not in default or value != default[name]
    }
