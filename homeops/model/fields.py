"""Field types of Komodo's configurations: a plain Python type and a mark that says how Core stores it.

Core rewrites some values when it stores them (client/core/rs/src/deserializers/). The marks carry that knowledge with
the field, so that the canonical form, the TOML and the simulated Core read it from one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class KomodoModel(BaseModel):
    """A value with Komodo's own field names; immutable, and an unknown field is an error."""

    # Validators are built when first used: most runs use few of the hundred models.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


@dataclass(frozen=True, slots=True)
class TrimmedText:
    """Trailing white space becomes one newline; an empty text stays empty (file_contents.rs)."""


@dataclass(frozen=True, slots=True)
class LineText:
    """One entry a line; a missing last newline is added, nothing else changes (environment.rs, labels.rs, ...).

    ``form`` is the kind of entry: what Core accepts as a list in its place and whether it checks the lines on write.
    """

    form: Literal["environment", "label", "conversion", "signal"]


@dataclass(frozen=True, slots=True)
class TextList:
    """A list of texts that Core also takes as one text, split at commas and newlines (string_list.rs).

    ``drops_blank``: entries of spaces alone (not of other white space) vanish when Core stores them.
    """

    drops_blank: bool = False


@dataclass(frozen=True, slots=True)
class ContainerName:
    """A name that Core rewrites to one that Docker takes for a container, unless it is blank (deployment.rs)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name or id of another resource; Core stores and returns the id. ``alias`` is the second name of the field."""

    kind: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class References:
    """A list of names or ids of other resources; ``aliases`` are further names of the field."""

    kind: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the given Rust type. Core refuses ``24.0`` for an integer and keeps f32 in single precision."""

    rust: Literal["i32", "i64", "u8", "u32", "u64", "f32", "f64"]


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A value that must not be shown: Core returns it in clear to whoever may read the resource."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Further names under which Core accepts the field."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spellings:
    """Further spellings of the values of an enumeration: each value with the others that Core takes for it."""

    others: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class OrPath:
    """An object with a ``path`` that Core also takes as the path alone, everything else being default."""


_LARGEST_F32 = 3.4028235e38

FileText = Annotated[str, TrimmedText()]
EnvironmentText = Annotated[str, LineText("environment")]
LabelText = Annotated[str, LineText("label")]
ConversionText = Annotated[str, LineText("conversion")]
SignalText = Annotated[str, LineText("signal")]
ContainerNameText = Annotated[str, ContainerName()]
StringList = Annotated[list[str], TextList()]
ArgumentList = Annotated[list[str], TextList(drops_blank=True)]
SensitiveText = Annotated[str, Sensitive()]
I32 = Annotated[int, Number("i32"), Field(ge=-(2**31), le=2**31 - 1)]
I64 = Annotated[int, Number("i64"), Field(ge=-(2**63), le=2**63 - 1)]
U8 = Annotated[int, Number("u8"), Field(ge=0, le=2**8 - 1)]
U32 = Annotated[int, Number("u32"), Field(ge=0, le=2**32 - 1)]
U64 = Annotated[int, Number("u64"), Field(ge=0, le=2**64 - 1)]
# Beyond its range an f32 becomes infinite, which JSON cannot say.
F32 = Annotated[float, Number("f32"), Field(ge=-_LARGEST_F32, le=_LARGEST_F32, allow_inf_nan=False)]
F64 = Annotated[float, Number("f64"), Field(allow_inf_nan=False)]

_Mark = TypeVar("_Mark")


def marked(model: type[BaseModel], *marks: type[_Mark]) -> Mapping[str, _Mark]:
    """The fields of a model that carry one of the marks, each with its mark."""
    return _marked(model, marks)


@cache
def _marked(model: type[BaseModel], marks: tuple[type, ...]) -> Mapping[str, Any]:
    return {
        name: mark for name, field in model.model_fields.items() for mark in field.metadata if isinstance(mark, marks)
    }
