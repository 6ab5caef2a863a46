r"""Komodo's dialect: between ``\"\"\"`` a backslash is a backslash (sync/mod.rs).

Core doubles those backslashes before its TOML reader (crate toml 1.1, TOML 1.1) sees the text. It finds the quotes
without looking at what they are part of, so three of them in a comment or between ``'`` count as well.
"""

from bisect import bisect_right
from collections.abc import Iterator

QUOTES = '"""'


def escaped(text: str) -> str:
    """The text that Core's TOML reader gets; it has the same lines."""
    if "\\" not in text:
        return text
    sections = text.split(QUOTES)
    sections[1::2] = [section.replace("\\", "\\\\") for section in sections[1::2]]
    return QUOTES.join(sections)


def original_offset(text: str, offset: int) -> int:
    """The offset in ``text`` of what stands at ``offset`` in ``escaped(text)``."""
    return offset - bisect_right(list(_added(text)), offset)


def _added(text: str) -> Iterator[int]:
    """Where in the escaped text a backslash was added."""
    at = 0
    for number, section in enumerate(text.split(QUOTES)):
        if number % 2:
            for place, letter in enumerate(section):
                if letter == "\\":
                    yield at + place + 1
                    at += 1
        at += len(section) + len(QUOTES)
