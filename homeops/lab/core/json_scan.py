"""The letters of JSON text as serde_json 1.0 reads them: white space, numbers, texts, and where it stops."""

import re
from typing import Never

from homeops.lab.core.misfit import Misfit

_SPACE = re.compile(rb"[ \n\t\r]*")
_DIGITS = re.compile(rb"[0-9]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = {0x22: '"', 0x5C: "\\", 0x2F: "/", 0x62: "\b", 0x66: "\f", 0x6E: "\n", 0x72: "\r", 0x74: "\t"}
_IDENTS: dict[int, tuple[bytes, bool | None]] = {
    ord("n"): (b"ull", None),
    ord("t"): (b"rue", True),
    ord("f"): (b"alse", False),
}


class Scanner:
    """A cursor over a body. What cannot be read is a Misfit with line and column, counted in bytes."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at: int = 0

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
