"""Types that a body is read into, with serde's rules: texts, numbers, lists, structs, enums."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from homeops.lab.core.json_source import ANYTHING, Reader, Source, plain
from homeops.lab.core.misfit import Misfit, unknown_variant, wrong_length, wrong_type, wrong_value

_RANGES = {
    "u8": (0, 2**8 - 1),
    "u32": (0, 2**32 - 1),
    "u64": (0, 2**64 - 1),
    "i32": (-(2**31), 2**31 - 1),
    "i64": (-(2**63), 2**63 - 1),
}


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    def read(self, source: Source) -> str:
        """The string as it is."""
        return source.scalar() if source.shape() == "string" else source.refuse("a string")


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""

    def read(self, source: Source) -> bool:
        """The boolean."""
        return source.scalar() if source.shape() == "boolean" else source.refuse("a boolean")


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer of a Rust type; a number with a decimal point is none."""

    rust: str

    def read(self, source: Source) -> int:
        """The integer."""
        if source.shape() != "number":
            return source.refuse(self.rust)
        value = source.scalar()
        return source.settled(lambda: self._checked(value))

    def _checked(self, value: int | float) -> int:
        if isinstance(value, float):
            raise wrong_type(value, self.rust)
        low, high = _RANGES[self.rust]
        if not low <= value <= high:
            raise wrong_value(value, self.rust)
        return value


@dataclass(frozen=True, slots=True)
class Floating:
    """A floating point number, f32 or f64; integers are taken."""

    rust: str

    def read(self, source: Source) -> float:
        """The number, in single precision for f32."""
        if source.shape() != "number":
            return source.refuse(self.rust)
        value = float(source.scalar())
        return single_precision(value) if self.rust == "f32" else value


def single_precision(value: float) -> float:
    """The shortest decimal that has the value's single precision; too large a number is infinite."""
    rounded = _single(value)
    shorter = (float(f"{rounded:.{digits}g}") for digits in range(1, 10))
    return next((number for number in shorter if _single(number) == rounded), rounded)


def _single(value: float) -> float:
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


@dataclass(frozen=True, slots=True)
class Maybe:
    """``Option``: null is None."""

    inner: Reader

    def read(self, source: Source) -> Any:
        """The value or None."""
        return source.scalar() if source.shape() == "null" else self.inner.read(source)


@dataclass(frozen=True, slots=True)
class Listing:
    """``Vec``, or ``IndexSet`` where ``expected`` says so."""

    inner: Reader
    expected: str = "a sequence"

    def read(self, source: Source) -> list[Any]:
        """The list."""
        if source.shape() != "array":
            return source.refuse(self.expected)
        return source.array(lambda _index: self.inner, lambda values: values)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map from text to something."""

    inner: Reader

    def read(self, source: Source) -> dict[str, Any]:
        """The map."""
        if source.shape() != "object":
            return source.refuse("a map")
        values: dict[str, Any] = {}
        return source.object(lambda _key: self.inner, values.__setitem__, lambda: values)


@dataclass(frozen=True, slots=True)
class PlainObject:
    """An object of any content; ``expected`` is how serde calls it."""

    expected: str

    def read(self, source: Source) -> Any:
        """Plain JSON."""
        return plain(ANYTHING.read(source)) if source.shape() == "object" else source.refuse(self.expected)


@dataclass(frozen=True, slots=True)
class PlainValue:
    """Any JSON at all."""

    def read(self, source: Source) -> Any:
        """Plain JSON."""
        return plain(ANYTHING.read(source))


@dataclass(frozen=True)
class TextEnum:
    """An enum without data. ``variants`` have further spellings; texts name all of them, sorted per variant."""

    variants: Sequence[tuple[str, Sequence[str]]]

    @cached_property
    def _canonical(self) -> dict[str, str]:
        return {name: variant for variant, others in self.variants for name in (variant, *others)}

    @cached_property
    def _shown(self) -> list[str]:
        return [name for variant, others in self.variants for name in sorted((variant, *others))]

    def variant(self, name: str) -> str:
        """The canonical name; raises Misfit."""
        found = self._canonical.get(name)
        if found is None:
            raise unknown_variant(name, self._shown)
        return found

    def read(self, source: Source) -> str:
        """The canonical name."""
        return source.variant(self.variant)


def plain_enum(*names: str) -> TextEnum:
    """An enum whose variants have one name each."""
    return TextEnum([(name, ()) for name in names])


class _Required:
    """The default of a field that has none."""


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct.

    ``default``: what it is when absent, or REQUIRED; an optional field is None when absent from an object, but must be
    there in a list unless ``listed`` says that it has a default there too. ``aliases`` are further names.
    """

    name: str
    type: Reader
    aliases: Sequence[str] = ()
    default: Any = REQUIRED
    listed: bool = True


@dataclass(frozen=True)
class Struct:
    """A struct. It is also taken as a list of its fields in order, unless ``expected`` calls it something else.

    ``partial``: fields that are null or absent are left out of the value.
    """

    name: str
    fields: Sequence[Field]
    partial: bool = False
    expected: str = field(default="")

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {name: member for member in self.fields for name in (member.name, *member.aliases)}

    @property
    def _expected(self) -> str:
        return self.expected or f"struct {self.name}"

    def read(self, source: Source) -> dict[str, Any]:
        """The fields by canonical name, in the struct's order."""
        match source.shape():
            case "object":
                return self.read_object(source)
            case "array" if not self.expected:
                return source.array(
                    lambda index: self.fields[index].type if index < len(self.fields) else None, self._from_list
                )
            case _:
                # A struct of an enum is read by way of ``deserialize_any``.
                return source.refuse(self._expected, entered=bool(self.expected))

    def read_object(self, source: Source) -> dict[str, Any]:
        """The fields of an object."""
        values: dict[str, Any] = {}
        seen: set[str] = set()

        def member(key: str) -> Reader:
            found = self._by_name.get(key)
            if found is None:
                return ANYTHING
            if found.name in seen:
                raise Misfit(f"duplicate field `{found.name}`")
            seen.add(found.name)
            return found.type

        def store(key: str, value: Any) -> None:
            if key in self._by_name:
                values[self._by_name[key].name] = value

        return source.object(member, store, lambda: self._complete(values))

    def _complete(self, values: dict[str, Any]) -> dict[str, Any]:
        whole: dict[str, Any] = {}
        for member in self.fields:
            if member.name in values:
                whole[member.name] = values[member.name]
            elif member.default is REQUIRED:
                raise Misfit(f"missing field `{member.name}`")
            else:
                whole[member.name] = fresh(member.default)
        return self._kept(whole)

    def _from_list(self, values: list[Any]) -> dict[str, Any]:
        whole = dict(zip((member.name for member in self.fields), values, strict=False))
        for index, member in enumerate(self.fields[len(values) :], len(values)):
            if member.default is REQUIRED or not member.listed:
                count = len(self.fields)
                raise wrong_length(index, f"{self._expected} with {count} element{'' if count == 1 else 's'}")
            whole[member.name] = fresh(member.default)
        return self._kept(whole)

    def _kept(self, whole: dict[str, Any]) -> dict[str, Any]:
        if not self.partial:
            return whole
        return {name: value for name, value in whole.items() if value is not None}


def fresh(value: Any) -> Any:
    """A default that nobody shares."""
    match value:
        case dict():
            return {name: fresh(entry) for name, entry in cast(dict[str, Any], value).items()}
        case list():
            return [fresh(entry) for entry in cast(list[Any], value)]
        case _:
            return value
