"""Reading JSON text as serde_json 1.0 does: the same errors at the same lines and columns (counted in bytes)."""

from collections.abc import Callable
from typing import Any, Never

from homeops.lab.core.json_scan import Scanner
from homeops.lab.core.json_source import Reader, Shape
from homeops.lab.core.misfit import UNREAD_KEY, Misfit, wrong_type

_SHAPES: dict[int, Shape] = {
    ord("n"): "null",
    ord("t"): "boolean",
    ord("f"): "boolean",
    ord('"'): "string",
    ord("["): "array",
    ord("{"): "object",
    **dict.fromkeys(b"-0123456789", "number"),
}
_DEPTH = 128


class TextSource(Scanner):
    """A body that waits to be read."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self._depth = _DEPTH

    def shape(self) -> Shape:
        """What comes next."""
        letter = self._next_letter()
        if letter is None:
            self._fail_ahead("EOF while parsing a value")
        shape = _SHAPES.get(letter)
        if shape is None:
            self._fail_ahead("expected value")
        return shape

    def scalar(self) -> Any:
        """Read a null, boolean, number or string."""
        match self.shape():
            case "string":
                self._at += 1
                return self._string()
            case "number":
                return self._number()
            case _:
                return self._ident()

    def refuse(self, expected: str, *, entered: bool = False) -> Never:
        """Raise ``invalid type``."""
        shape = self.shape()
        if shape == "array":
            misfit = wrong_type([], expected)
            if entered:
                self._enter()
                self._close_after_misfit(self._end_array)
        elif shape == "object":
            misfit = wrong_type({}, expected)
            if entered:
                self._enter()
                self._close_after_misfit(self._end_object)
        else:
            misfit = wrong_type(self.scalar(), expected)
        raise self._here(misfit)

    def settled(self, work: Callable[[], Any]) -> Any:
        """Run a check on what was just read."""
        try:
            return work()
        except Misfit as misfit:
            raise self._here(misfit) from None

    def array(self, element: Callable[[int], Reader | None], finish: Callable[[list[Any]], Any]) -> Any:
        """Read a list."""
        self._enter()
        values = list[Any]()
        try:
            while (reader := element(len(values))) is not None and self._another_element(first=not values):
                try:
                    values.append(reader.read(self))
                except Misfit as misfit:
                    misfit.under(f"[{len(values)}]")
                    raise
            result = finish(values)
        except Misfit as misfit:
            self._close_after_misfit(self._end_array)
            raise self._here(misfit) from None
        self._depth += 1
        self._end_array()
        return result

    def object(
        self, member: Callable[[str], Reader], store: Callable[[str, Any], None], finish: Callable[[], Any]
    ) -> Any:
        """Read an object."""
        self._enter()
        try:
            first = True
            while (key := self._key(first=first)) is not None:
                first = False
                reader = member(key)
                self._colon()
                try:
                    value = reader.read(self)
                except Misfit as misfit:
                    misfit.under(key)
                    raise
                store(key, value)
            result = finish()
        except Misfit as misfit:
            self._close_after_misfit(self._end_object)
            raise self._here(misfit) from None
        self._depth += 1
        self._end_object()
        return result

    def variant(self, unknown: Callable[[str], str]) -> str:
        """Read the name of a variant: a text, or an object that holds it with null."""
        match self._next_letter():
            case 0x22:
                self._at += 1
                text = self._string()
                return self.settled(lambda: unknown(text))
            case 0x7B:
                self._enter()
                letter = self._next_letter()
                if letter != ord('"'):
                    self._fail_ahead("expected value" if letter is not None else "EOF while parsing a value")
                self._at += 1
                text = self._string()
                name = self.settled(lambda: unknown(text))
                self._colon()
                if self.shape() != "null":
                    self.refuse("unit")
                self._ident()
                self._depth += 1
                match self._next_letter():
                    case 0x7D:
                        self._at += 1
                    case None:
                        self._fail("EOF while parsing an object")
                    case _:
                        self._fail("expected value")
                return name
            case None:
                return self._fail_ahead("EOF while parsing a value")
            case _:
                return self._fail_ahead("expected value")

    def end(self) -> None:
        """Nothing but white space may follow."""
        if self._next_letter() is not None:
            self._fail_ahead("trailing characters")

    def _here(self, misfit: Misfit) -> Misfit:
        if misfit.position is None:
            misfit.position = self._position(self._at)
        return misfit

    def _close_after_misfit(self, end: Callable[[], None]) -> None:
        """serde_json tries to read the end of a list or object that did not fit, and only then says where it stands."""
        try:
            end()
        except Misfit:
            return

    def _enter(self) -> None:
        self._next_letter()
        self._depth -= 1
        if self._depth == 0:
            self._fail_ahead("recursion limit exceeded")
        self._at += 1

    def _another_element(self, *, first: bool) -> bool:
        letter = self._next_letter()
        if letter is None:
            self._fail_ahead("EOF while parsing a list")
        if letter == ord("]"):
            return False
        if first:
            return True
        if letter != ord(","):
            self._fail_ahead("expected `,` or `]`")
        self._at += 1
        letter = self._next_letter()
        if letter is None:
            self._fail_ahead("EOF while parsing a value")
        if letter == ord("]"):
            self._fail_ahead("trailing comma")
        return True

    def _end_array(self) -> None:
        letter = self._next_letter()
        if letter == ord("]"):
            self._at += 1
            return
        if letter is None:
            self._fail_ahead("EOF while parsing a list")
        if letter == ord(","):
            self._at += 1
            if self._next_letter() == ord("]"):
                self._fail_ahead("trailing comma")
        self._fail_ahead("trailing characters")

    def _another_member(self, *, first: bool) -> bool:
        letter = self._next_letter()
        if letter is None:
            self._fail_ahead("EOF while parsing an object")
        if letter == ord("}"):
            return False
        if not first:
            if letter != ord(","):
                self._fail_ahead("expected `,` or `}`")
            self._at += 1
            letter = self._next_letter()
        match letter:
            case 0x22:
                return True
            case 0x7D:
                return self._fail_ahead("trailing comma")
            case None:
                return self._fail_ahead("EOF while parsing a value")
            case _:
                return self._fail_ahead("key must be a string")

    def _key(self, *, first: bool) -> str | None:
        """The next key; None at the end of the object."""
        try:
            if not self._another_member(first=first):
                return None
            self._at += 1
            return self._string()
        except Misfit as misfit:
            misfit.under(UNREAD_KEY)
            raise

    def _colon(self) -> None:
        letter = self._next_letter()
        if letter is None:
            self._fail_ahead("EOF while parsing an object")
        if letter != ord(":"):
            self._fail_ahead("expected `:`")
        self._at += 1

    def _end_object(self) -> None:
        letter = self._next_letter()
        if letter == ord("}"):
            self._at += 1
            return
        if letter is None:
            self._fail_ahead("EOF while parsing an object")
        self._fail_ahead("trailing comma" if letter == ord(",") else "trailing characters")


def parse(text: bytes, reader: Reader) -> Any:
    """Read a whole body; raises Misfit."""
    source = TextSource(text)
    value = reader.read(source)
    source.end()
    return value
