"""What a schema reads from: JSON text, or a value read before. Both answer the same questions as serde asks them."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, cast

Shape = Literal["null", "boolean", "number", "string", "array", "object"]


class Reader(Protocol):
    """Something that can be read: a type of a schema."""

    def read(self, source: "Source") -> Any:
        """The value, in canonical form; raises Misfit."""
        ...


class Source(Protocol):
    """One value waiting to be read."""

    def shape(self) -> Shape:
        """What comes next, without reading it; raises Misfit where nothing can be read."""
        ...

    def scalar(self) -> Any:
        """Read a null, boolean, number or string."""
        ...

    def refuse(self, expected: str, *, entered: bool = False) -> Any:
        """Raise ``invalid type`` for what comes next.

        ``entered`` is for readers that take several shapes: serde has then stepped into a list or an object already.
        """
        ...

    def settled(self, work: Callable[[], Any]) -> Any:
        """Run a check on what was just read; a Misfit of it lies where reading stands now."""
        ...

    def array(self, element: Callable[[int], Reader | None], finish: Callable[[list[Any]], Any]) -> Any:
        """Read a list: ``element`` gives the reader of the next one, None to stop; ``finish`` makes the value."""
        ...

    def object(
        self, member: Callable[[str], Reader], store: Callable[[str, Any], None], finish: Callable[[], Any]
    ) -> Any:
        """Read an object: ``member`` gives the reader for a key, ``store`` takes its value, ``finish`` ends it."""
        ...

    def variant(self, unknown: Callable[[str], str]) -> str:
        """Read the name of a variant; ``unknown`` turns a name into the canonical one or raises Misfit."""
        ...


class Pairs(list[tuple[str, Any]]):
    """An object read as it stands: keys may repeat."""


class Anything:
    """Reads whatever is there, and keeps it."""

    def read(self, source: Source) -> Any:
        """Scalars, lists, and objects as :class:`Pairs`."""
        match source.shape():
            case "array":
                return source.array(lambda _index: self, lambda values: values)
            case "object":
                pairs = Pairs()
                return source.object(lambda _key: self, lambda key, value: pairs.append((key, value)), lambda: pairs)
            case _:
                return source.scalar()


ANYTHING = Anything()


def plain(value: Any) -> Any:
    """A value that was read as it stands, as plain JSON: of a key that repeats the last value counts."""
    match value:
        case Pairs():
            return {key: plain(entry) for key, entry in value}
        case list():
            return [plain(entry) for entry in cast(list[Any], value)]
        case _:
            return value
