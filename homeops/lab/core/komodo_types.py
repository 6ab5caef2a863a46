"""Types that Komodo reads in ways of its own (client/core/rs/src/deserializers/), and rewrites as it reads."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from homeops.lab.core.json_source import Reader, Source
from homeops.lab.core.misfit import Misfit, wrong_value
from homeops.lab.core.schema import Field, Listing, Struct, Text, TextEnum, Whole, fresh, plain_enum

# What Rust's ``trim_end`` takes for white space.
WHITE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_TEXTS = Listing(Text())


def split_texts(text: str) -> list[str]:
    """A text as a list: split at commas and newlines, trimmed, without comments and empty entries (parsers.rs)."""
    lines = (line.strip(WHITE) for line in text.split("\n"))
    kept = (line.split(" #")[0] for line in lines if line and not line.startswith("#"))
    entries = (entry.strip(WHITE) for line in kept for entry in line.split(","))
    return [entry for entry in entries if entry]


@dataclass(frozen=True, slots=True)
class TextOrTexts:
    """A list of texts, or one text that is split."""

    null: bool = False

    def read(self, source: Source) -> list[str] | None:
        """The list, or None for null where that is allowed."""
        match source.shape():
            case "string":
                return split_texts(source.scalar())
            case "array":
                return source.array(lambda _index: Text(), lambda values: values)
            case "null" if self.null:
                return source.scalar()
            case _:
                return source.refuse(f"{_null(self.null)}string or Vec<String>", entered=True)


def _null(allowed: bool) -> str:
    return "null or " if allowed else ""


@dataclass(frozen=True, slots=True)
class FileContents:
    """A text whose trailing white space becomes one newline."""

    null: bool = False

    def read(self, source: Source) -> str | None:
        """The text, or None for null where that is allowed."""
        match source.shape():
            case "string":
                text = str(source.scalar()).rstrip(WHITE)
                return f"{text}\n" if text else ""
            case "null" if self.null:
                return source.scalar()
            case _:
                return source.refuse(f"{_null(self.null)}string", entered=True)


_SIGNALS = TextEnum((("SIGHUP", ("1",)), ("SIGINT", ("2",)), ("SIGQUIT", ("3",)), ("SIGTERM", ("15",))))


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a list that is written as lines."""

    struct: Struct
    between: str

    def line(self, value: dict[str, Any]) -> str:
        left, right = (value[member.name] for member in self.struct.fields)
        return f"  {left}{self.between}{right}"


def _pair(name: str, left: str, right: str, left_type: Reader = Text()) -> Struct:  # noqa: B008 - it has no state
    return Struct(name, (Field(left, left_type), Field(right, Text())))


_ENTRIES = {
    "environment": _Entry(_pair("EnvironmentVar", "variable", "value"), " = "),
    "label": _Entry(_pair("EnvironmentVar", "variable", "value"), ": "),
    "conversion": _Entry(_pair("Conversion", "local", "container"), ": "),
    "signal": _Entry(_pair("TerminationSignalLabel", "signal", "label", _SIGNALS), ": "),
}


@dataclass(frozen=True, slots=True)
class Lines:
    """Entries as one text, or as a list of pairs that is written out; a missing last newline is added."""

    form: Literal["environment", "label", "conversion", "signal"]
    null: bool = False

    def read(self, source: Source) -> str | None:
        """The text, or None for null where that is allowed."""
        entry = _ENTRIES[self.form]
        match source.shape():
            case "string":
                text = str(source.scalar())
                return text if not text or text.endswith("\n") else f"{text}\n"
            case "array":
                return source.array(
                    lambda _index: entry.struct, lambda values: "".join(f"{entry.line(value)}\n" for value in values)
                )
            case "null" if self.null:
                return source.scalar()
            case _:
                return source.refuse(f"{_null(self.null)}string or Vec<{entry.struct.name}>", entered=True)


@dataclass(frozen=True, slots=True)
class ItemOrItems:
    """A list, or one object that stands for a list of one; null is refused although the text speaks of it."""

    inner: Struct

    def read(self, source: Source) -> list[Any]:
        """The list."""
        match source.shape():
            case "object":
                return [self.inner.read_object(source)]
            case "array":
                return source.array(lambda _index: self.inner, lambda values: values)
            case _:
                return source.refuse("null or Item or Vec<Item>", entered=True)


@dataclass(frozen=True, slots=True)
class ItemOrPath:
    """An object, or a text that is its path."""

    inner: Struct

    def read(self, source: Source) -> dict[str, Any]:
        """The object."""
        match source.shape():
            case "object":
                return self.inner.read_object(source)
            case "string":
                path = source.scalar()
                return {
                    field.name: path if field.name == "path" else fresh(field.default) for field in self.inner.fields
                }
            case _:
                return source.refuse(f"string or {self.inner.name} (object)", entered=True)


@dataclass(frozen=True, slots=True)
class Without:
    """A struct with a field that Core reads and does not keep."""

    inner: Struct
    dropped: str

    def read(self, source: Source) -> dict[str, Any]:
        """The struct without the field."""
        value = self.inner.read(source)
        del value[self.dropped]
        return value


@dataclass(frozen=True, slots=True)
class _HexText:
    def read(self, source: Source) -> str:
        return source.scalar() if source.shape() == "string" else source.refuse("hexstring or byte array")


@dataclass(frozen=True, slots=True)
class Bson:
    """Anything that a database query may hold; ids and long numbers are written ``{"$oid": ...}`` and so on."""

    def read(self, source: Source) -> Any:
        """Plain JSON; ids stay as they are written."""
        match source.shape():
            case "object":
                return self._document(source)
            case "array":
                return source.array(lambda _index: self, lambda values: values)
            case _:
                value = source.scalar()
                return source.settled(lambda: _signed(value))

    def _document(self, source: Source) -> Any:
        values: dict[str, Any] = {}
        readers: dict[str, Reader] = {"$oid": _HexText(), "$numberLong": Text()}

        def store(key: str, value: Any) -> None:
            if key == "$oid" and not _OBJECT_ID.fullmatch(value):
                raise wrong_value(value, "24-character, big-endian hex string")
            values[key] = value

        def finish() -> Any:
            long = values.get("$numberLong")
            return int(long) if long is not None and _WHOLE.fullmatch(long) else values

        return source.object(lambda key: readers.get(key, self), store, finish)


_OBJECT_ID = re.compile("[0-9a-fA-F]{24}")


def _signed(value: Any) -> Any:
    if isinstance(value, int) and value >= 2**63:
        raise Misfit(f"cannot represent {value} as a signed number")
    return value


@dataclass(frozen=True, slots=True)
class BsonDocument:
    """A database query."""

    def read(self, source: Source) -> Any:
        """Plain JSON."""
        return Bson().read(source) if source.shape() == "object" else source.refuse("a Bson")


_VERSION = Struct("VersionInner", tuple(Field(name, Whole("i32")) for name in ("major", "minor", "patch")))
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class VersionOrText:
    """A version: three numbers, or a text such as ``1.2`` whose missing parts are 0 and further parts are ignored."""

    def read(self, source: Source) -> dict[str, int]:
        """The three numbers."""
        match source.shape():
            case "object":
                return _VERSION.read_object(source)
            case "string":
                text = str(source.scalar())
                return source.settled(lambda: _version(text))
            case _:
                expected = 'version string or object | example: \'0.2.4\' or { "major": 0, "minor": 2, "patch": 4, }'
                return source.refuse(expected, entered=True)


def _version(text: str) -> dict[str, int]:
    parts = text.split(".")[:3]
    numbers = (_version_part(name, part) for name, part in zip(("major", "minor", "patch"), parts, strict=False))
    return {"major": 0, "minor": 0, "patch": 0} | dict(numbers)


def _version_part(name: str, part: str) -> tuple[str, int]:
    problem = ""
    if not part:
        problem = "cannot parse integer from empty string"
    elif not _WHOLE.fullmatch(part):
        problem = "invalid digit found in string"
    elif int(part) >= 2**31:
        problem = "number too large to fit in target type"
    elif int(part) < -(2**31):
        problem = "number too small to fit in target type"
    if problem:
        raise Misfit(f"{name} version must be integer: {problem}")
    return name, int(part)


LEVELS = ("None", "Read", "Execute", "Write")
SPECIFIC = ("Terminal", "Attach", "Inspect", "Logs", "Processes")
_SPECIFIC = Listing(plain_enum(*SPECIFIC), "a set")
_LEVEL_AND_SPECIFIC = Struct(
    "_PermissionLevelAndSpecifics",
    (Field("level", plain_enum(*LEVELS), default="None"), Field("specific", _SPECIFIC, default=[])),
)


@dataclass(frozen=True, slots=True)
class PermissionOrLevel:
    """A permission: its level as a text, or level and specific permissions; null is none."""

    def read(self, source: Source) -> dict[str, Any]:
        """``{"level", "specific"}`` without repetitions."""
        match source.shape():
            case "object":
                permission = _LEVEL_AND_SPECIFIC.read_object(source)
                return {"level": permission["level"], "specific": list(dict.fromkeys(permission["specific"]))}
            case "string":
                level = str(source.scalar())
                return source.settled(lambda: _level(level))
            case "null":
                source.scalar()
                return {"level": "None", "specific": []}
            case _:
                return source.refuse("PermissionLevel or PermissionLevelAndSpecifics", entered=True)


def _level(level: str) -> dict[str, Any]:
    if level not in LEVELS:
        raise Misfit("Matching variant not found")
    return {"level": level, "specific": []}
