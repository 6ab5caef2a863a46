r"""Values as TOML that Komodo's dialect reads as they are.

A text with newlines stands between ``\"\"\"``, where a backslash is a backslash to Komodo; one with something in it
that cannot stand there (``\"\"\"`` itself, control characters, ``\r``) is written on one line with escapes instead.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from homeops.errors import FleetError, Problem

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MUST_ESCAPE = re.compile(r'[\x00-\x1f\x7f"\\]')
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_WIDEST = 100


def text(value: str) -> str:
    """A text: over several lines where it has newlines, without escapes where it can do without."""
    if "\n" in value and '"""' not in value and not value.endswith('"') and not _CONTROL.search(value):
        return f'"""\n{value}"""'
    return line(value)


def line(value: str) -> str:
    """A text on one line."""
    literal = "\\" in value and "'" not in value and '"""' not in value and "\n" not in value
    if literal and "\t" not in value and not _CONTROL.search(value):
        return f"'{value}'"
    return '"' + _MUST_ESCAPE.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}", value) + '"'


def key(name: str) -> str:
    """A key, in quotes where it must be."""
    return name if _BARE_KEY.fullmatch(name) else line(name)


def scalar(value: str | bool | int | float) -> str:
    """A value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return line(value)
        case _:
            return repr(value)


def items(values: Sequence[str], *, tables: bool = False) -> str:
    """A list of values that are written already; tables get a line each."""
    one_line = f"[{', '.join(values)}]"
    if not values or (not tables and len(one_line) <= _WIDEST):
        return one_line
    return "[\n" + "".join(f"  {value},\n" for value in values) + "]"


def inline_table(pairs: Sequence[tuple[str, str]]) -> str:
    """A table on one line, of keys and values that are written already."""
    return "{ " + ", ".join(f"{name} = {value}" for name, value in pairs) + " }" if pairs else "{}"


def plain(value: Any) -> str:
    """Any plain data on one line; raises FleetError for null, which TOML cannot say."""
    match value:
        case dict():
            members = cast(Mapping[str, Any], value)
            return inline_table([(key(name), plain(member)) for name, member in members.items()])
        case list():
            return f"[{', '.join(plain(item) for item in cast(list[Any], value))}]"
        case str() | bool() | int() | float():
            return scalar(value)
        case _:
            raise FleetError(Problem("", f"{value!r} cannot be written in TOML", "leave it out"))
