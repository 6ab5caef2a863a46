"""Reading a value that was read before, as serde does where the type of a request comes after its parameters."""

from collections.abc import Callable
from typing import Any, Never

from homeops.lab.core.json_source import Pairs, Reader, Shape
from homeops.lab.core.misfit import Misfit, wrong_length, wrong_type


class ValueSource:
    """One value: scalars, lists, and objects as Pairs. What does not fit has no position, and no path below here.

    ``buffered``: serde's own buffer rather than a serde_json value; the two differ in the text for a list too long.
    """

    def __init__(self, value: Any, *, buffered: bool) -> None:
        self._value = value
        self._buffered = buffered

    def shape(self) -> Shape:
        """What the value is."""
        match self._value:
            case None:
                return "null"
            case bool():
                return "boolean"
            case str():
                return "string"
            case Pairs():
                return "object"
            case list():
                return "array"
            case _:
                return "number"

    def scalar(self) -> Any:
        """The value."""
        return self._value

    def refuse(self, expected: str, *, entered: bool = False) -> Never:  # noqa: ARG002 - a value has no position
        """Raise ``invalid type``."""
        raise wrong_type({} if isinstance(self._value, Pairs) else self._value, expected)

    def settled(self, work: Callable[[], Any]) -> Any:
        """Run a check."""
        return work()

    def array(self, element: Callable[[int], Reader | None], finish: Callable[[list[Any]], Any]) -> Any:
        """Read a list."""
        values = list[Any]()
        for index, entry in enumerate(self._value):
            reader = element(index)
            if reader is None:
                break
            values.append(reader.read(ValueSource(entry, buffered=self._buffered)))
        taken, length = len(values), len(self._value)
        result = finish(values)
        if taken < length:
            few = f"{taken} element{'' if taken == 1 else 's'} in sequence"
            raise wrong_length(length, few if self._buffered else "fewer elements in array")
        return result

    def object(
        self, member: Callable[[str], Reader], store: Callable[[str, Any], None], finish: Callable[[], Any]
    ) -> Any:
        """Read an object."""
        for key, entry in self._value:
            store(key, member(key).read(ValueSource(entry, buffered=self._buffered)))
        return finish()

    def variant(self, unknown: Callable[[str], str]) -> str:
        """Read the name of a variant: a text, or an object that holds it with null."""
        match self._value:
            case str():
                return unknown(self._value)
            case Pairs() if len(self._value) == 1:
                [(key, inner)] = self._value
                name = unknown(key)
                if inner is not None:
                    ValueSource(inner, buffered=self._buffered).refuse("unit")
                return name
            case Pairs():
                raise Misfit("invalid value: map, expected map with a single key")
            case _:
                return self.refuse("string or map")
