"""What serde says of a body that does not fit: the text, where it stands, and which part of the body was being read."""

import math
from collections.abc import Sequence

UNREAD_KEY = "?"
"""The segment of a path that stands for a key that could not be read."""


class Misfit(Exception):  # noqa: N818 - an answer to the client, not an error of the simulator
    """A body that is not what a request needs.

    ``syntax`` tells broken JSON (status 400) from JSON of the wrong shape (422). ``position`` is line and column once
    known; ``path`` is the way to the part that was being read, outermost first.
    """

    def __init__(self, text: str, *, syntax: bool = False, position: tuple[int, int] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.syntax = syntax
        self.position = position
        self.path: list[str] = []

    def under(self, segment: str) -> None:
        """Note that the misfit lies below a key (``name``) or an index (``[0]``)."""
        self.path.insert(0, segment)

    def message(self) -> str:
        """As Core shows it: path, text, line and column."""
        path = "".join(part if part.startswith("[") or not at else f".{part}" for at, part in enumerate(self.path))
        text = f"{path}: {self.text}" if path not in ("", UNREAD_KEY) else self.text
        return f"{text} at line {self.position[0]} column {self.position[1]}" if self.position else text


def wrong_type(value: object, expected: str) -> Misfit:
    """``invalid type``; of a list or an object, ``value`` may be an empty one."""
    return Misfit(f"invalid type: {unexpected(value)}, expected {expected}")


def wrong_value(value: object, expected: str) -> Misfit:
    """``invalid value``: the right type, out of range."""
    return Misfit(f"invalid value: {unexpected(value)}, expected {expected}")


def wrong_length(length: int, expected: str) -> Misfit:
    """``invalid length``: too few elements."""
    return Misfit(f"invalid length {length}, expected {expected}")


def unknown_variant(name: str, variants: Sequence[str]) -> Misfit:
    """``unknown variant``, with the ones that exist."""
    quoted = [f"`{variant}`" for variant in variants]
    match quoted:
        case []:
            known = "there are no variants"
        case [only]:
            known = f"expected {only}"
        case [first, second]:
            known = f"expected {first} or {second}"
        case _:
            known = f"expected one of {', '.join(quoted)}"
    return Misfit(f"unknown variant `{name}`, {known}")


def unexpected(value: object) -> str:
    """How serde_json names a value that it did not expect."""
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{float_text(value)}`"
        case str():
            return f"string {debug_text(value)}"
        case list():
            return "sequence"
        case _:
            return "map"


def float_text(value: float) -> str:
    """The shortest decimal that is this number, as Rust's serde_json writes it."""
    if not math.isfinite(value):
        return "null"
    text = repr(value)
    if "e" not in text:
        return text
    digits, exponent = text.split("e")
    if int(exponent) == -5:
        sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        return f"{sign}0.0000{digits.replace('.', '')}"
    return f"{digits}e{int(exponent):+}"


_ESCAPES = {"\t": "\\t", "\r": "\\r", "\n": "\\n", '"': '\\"', "\\": "\\\\", "\0": "\\0"}


def debug_text(text: str) -> str:
    """A text in quotes as Rust's ``{:?}`` writes it."""
    shown = (_ESCAPES.get(letter) or (letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}") for letter in text)
    return f'"{"".join(shown)}"'
