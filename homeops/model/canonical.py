"""The canonical form: a configuration as Core would store it, so that what is compared is what would be.

Storing it again changes nothing: ``canonical(canonical(x)) == canonical(x)``.
"""

import struct
from typing import Any, TypeVar

from homeops.model.fields import ContainerName, KomodoModel, LineText, Number, TextList, TrimmedText, marked
from homeops.model.names import WHITE_SPACE, stored_name

_Config = TypeVar("_Config", bound=KomodoModel)

_REWRITTEN: tuple[type[object], ...] = (TrimmedText, LineText, ContainerName, TextList, Number)


def trimmed_text(text: str) -> str:
    """As ``file_contents`` is stored: no trailing white space, one newline; a text of white space alone is empty."""
    kept = text.rstrip(WHITE_SPACE)
    return f"{kept}\n" if kept else ""


def line_text(text: str) -> str:
    """As ``environment`` is stored: a last newline is added where it is missing; an empty text stays empty."""
    return text if not text or text.endswith("\n") else f"{text}\n"


def single_precision(number: float) -> float:
    """As an f32 is stored and shown: the shortest decimal that is the same f32."""
    packed = struct.unpack("f", struct.pack("f", number))[0]
    for digits in range(1, 10):
        short = float(f"{packed:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == packed:
            return short
    return packed


def canonical(config: _Config) -> _Config:
    """The configuration as Core stores it; the same object when it is canonical already."""
    changes: dict[str, Any] = {}
    marks = marked(type(config), *_REWRITTEN)
    for name in type(config).model_fields:
        value = getattr(config, name)
        new = _stored(value, marks.get(name))
        if new is not value and new != value:
            changes[name] = new
    return config.model_copy(update=changes) if changes else config


def _stored(value: Any, mark: object) -> Any:
    match value, mark:
        case str(), TrimmedText():
            return trimmed_text(value)
        case str(), LineText():
            return line_text(value)
        case str(), ContainerName():
            return stored_name("Deployment", value) if value.strip(WHITE_SPACE) else value
        case float() | int(), Number(rust="f32"):
            return single_precision(value)
        case KomodoModel(), _:
            return canonical(value)
        case list(), TextList(drops_blank=True):
            return [item for item in value if str(item).strip(" ")]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case list(), _:
            return [canonical(item) if isinstance(item, KomodoModel) else item for item in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
