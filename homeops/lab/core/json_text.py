"""Reading JSON text as serde_json 1.0 does: the same errors at the same lines and columns (counted in bytes)."""

import re
from collections.abc import Callable
from typing import Any, Never

from homeops.lab.core.json_source import Reader, Shape
from homeops.lab.core.misfit import UNREAD_KEY, Misfit, wrong_type

_SPACE = re.compile(rb"[ \n\t\r]*")
_DIGITS = re.compile(rb"[0-9]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = {0x22: '"', 0x5C: "\\", 0x2F: "/", 0x62: "\b", 0x66: "\f", 0x6E: "\n", 0x72: "\r", 0x74: "\t"}
_SHAPES: dict[int, Shape] = {
    ord("n"): "null",
    ord("t"): "boolean",
    ord("f"): "boolean",
    ord('"'): "string",
    ord("["): "array",
    ord("{"): "object",
    **dict.fromkeys(b"-0123456789", "number"),
}
_IDENTS: dict[int, tuple[bytes, bool | None]] = {
    ord("n"): (b"ull", None),
    ord("t"): (b"rue", True),
    ord("f"): (b"alse", False),
}
_DEPTH = 128


class TextSource:
    """A cursor over a body."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
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

    def _next_letter(self) -> int | None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at] if self._at < len(self._text) else None

    def _position(self, at: int) -> tuple[int, int]:
        before = self._text[:at]
        return before.count(b"\n") + 1, at - (before.rfind(b"\n") + 1)

    def _fail(self, text: str) -> Never:
        raise Misfit(text, syntax=True, position=self._position(self._at))

    def _fail_ahead(self, text: str) -> Never:
        """Fail at the letter that was looked at but not read."""
        raise Misfit(text, syntax=True, position=self._position(min(self._at + 1, len(self._text))))

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

    def _ident(self) -> bool | None:
        rest, value = _IDENTS[self._text[self._at]]
        self._at += 1
        for letter in rest:
            if self._at >= len(self._text):
                self._fail("EOF while parsing a value")
            self._at += 1
            if self._text[self._at - 1] != letter:
                self._fail("expected ident")
        return value

    def _digits(self) -> bytes:
        found = _DIGITS.match(self._text, self._at)
        digits = found[0] if found else b""
        self._at += len(digits)
        return digits

    def _letter_here(self) -> int | None:
        return self._text[self._at] if self._at < len(self._text) else None

    def _number(self) -> int | float:
        start = self._at
        negative = self._text[self._at] == ord("-")
        self._at += negative
        digits = self._digits()
        if not digits:
            if self._letter_here() is None:
                self._fail("EOF while parsing a value")
            self._at += 1
            self._fail("invalid number")
        if digits.startswith(b"0") and len(digits) > 1:
            self._at -= len(digits) - 1
            self._fail_ahead("invalid number")
        whole = True
        if self._letter_here() == ord("."):
            whole = False
            self._at += 1
            if not self._digits():
                self._fail_ahead("invalid number" if self._letter_here() is not None else "EOF while parsing a value")
        if self._letter_here() in (ord("e"), ord("E")):
            whole = False
            self._exponent()
        text = self._text[start : self._at].decode()
        if whole and _fits(int(text), negative=negative):
            return int(text)
        number = float(text)
        if number in (float("inf"), float("-inf")):
            self._fail("number out of range")
        return number

    def _exponent(self) -> None:
        self._at += 1
        if self._letter_here() in (ord("+"), ord("-")):
            self._at += 1
        if self._letter_here() is None:
            self._fail("EOF while parsing a value")
        if not self._digits():
            self._at += 1
            self._fail("invalid number")

    def _string(self) -> str:
        parts = bytearray()
        while True:
            found = _PLAIN.match(self._text, self._at)
            if found is not None:
                parts += found[0]
                self._at = found.end()
            letter = self._letter_here()
            if letter is None:
                self._fail("EOF while parsing a string")
            self._at += 1
            if letter == ord('"'):
                break
            if letter != ord("\\"):
                self._fail("control character (\\u0000-\\u001F) found while parsing a string")
            parts += self._escape().encode()
        try:
            return parts.decode()
        except UnicodeDecodeError:
            self._fail("invalid unicode code point")

    def _escape(self) -> str:
        letter = self._letter_here()
        if letter is None:
            self._fail("EOF while parsing a string")
        self._at += 1
        if letter != ord("u"):
            if letter not in _ESCAPES:
                self._fail("invalid escape")
            return _ESCAPES[letter]
        first = self._hex()
        if 0xDC00 <= first <= 0xDFFF:
            self._fail("lone leading surrogate in hex escape")
        if not 0xD800 <= first <= 0xDBFF:
            return chr(first)
        for expected in b"\\u":
            letter = self._letter_here()
            if letter is None:
                self._fail("EOF while parsing a string")
            self._at += 1
            if letter != expected:
                self._fail("unexpected end of hex escape")
        second = self._hex()
        if not 0xDC00 <= second <= 0xDFFF:
            self._fail("lone leading surrogate in hex escape")
        return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))

    def _hex(self) -> int:
        if self._at + 4 > len(self._text):
            self._at = len(self._text)
            self._fail("EOF while parsing a string")
        found = _HEX.match(self._text, self._at)
        self._at += 4
        if found is None:
            self._fail("invalid escape")
        return int(found[0], 16)


def _fits(value: int, *, negative: bool) -> bool:
    """Whether a whole number stays one: -0 and what 64 bits do not hold become floating point."""
    return -(2**63) <= value < 0 if negative else value < 2**64


def parse(text: bytes, reader: Reader) -> Any:
    """Read a whole body; raises Misfit."""
    source = TextSource(text)
    value = reader.read(source)
    source.end()
    return value
