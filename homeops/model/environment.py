"""The entries of an environment field, read as Komodo reads them (client/core/rs/src/parsers.rs)."""

from collections.abc import Iterator

_QUOTES = ("'", '"')


def entries(text: str) -> Iterator[tuple[str, str]]:
    """Key and value of each line, ``KEY=value`` or ``KEY: value``, also with a dash before it.

    Komodo drops comments (``#`` and ``//`` at the start of a line, `` #`` and what follows in one, inside quotes too)
    and knows no values of several lines. A line that it would refuse has an empty key and is its own value.
    """
    for line in text.split("\n"):
        entry = line.strip()
        if not entry or entry.startswith(("#", "//")):
            continue
        entry = entry.partition(" #")[0].strip().lstrip("-").strip()
        at = min((place for place in (entry.find("="), entry.find(":")) if place >= 0), default=-1)
        if at < 0:
            yield "", entry
            continue
        key, value = entry[:at].strip(), entry[at + 1 :].strip()
        if key.startswith(_QUOTES) and not key.endswith(_QUOTES) and value.endswith(_QUOTES):
            key, value = key[1:].strip(), value[:-1].strip()
        yield key, value
