"""Lines of ``KEY = value`` and ``local: container`` as Core reads them (client/core/rs/src/parsers.rs)."""

import re

from homeops.lab.core.refusal import Refusal

_QUOTES = ("'", '"')


def entries(text: str) -> list[tuple[str, str]]:
    """Keys and values of a text; raises Core's refusal for a line without ``=`` or ``:``.

    Blank lines and those that begin with ``#`` or ``//`` are comments; `` #`` ends a line; a YAML dash is dropped;
    quotes around key and value together are taken off.
    """
    found: list[tuple[str, str]] = []
    for number, raw in enumerate(text.strip().split("\n")):
        line = raw.strip()
        if not line or line.startswith(("#", "//")):
            continue
        line = line.split(" #", 1)[0].strip().lstrip("-").strip()
        parts = re.split("[=:]", line, maxsplit=1)
        if len(parts) == 1:
            raise Refusal(f"line {number} missing assignment character ('=' or ':')")
        key, value = parts[0].strip(), parts[1].strip()
        if key.startswith(_QUOTES) and not key.endswith(_QUOTES) and value.endswith(_QUOTES):
            key, value = key[1:].strip(), value[:-1].strip()
        found.append((key, value))
    return found
