r"""Patterns of Komodo's batch executions: wildcards, ``\regex\``, several by comma or line (resource/mod.rs)."""

import re


def matches(pattern: str, name: str) -> bool:
    """Whether a batch pattern takes in a name; a part that Core could not compile takes in nothing."""
    return any(_takes_in(part, name) for part in _parts(pattern))


def _parts(pattern: str) -> list[str]:
    """The patterns of a text: split at newlines and commas, without comments."""
    lines = (line.strip() for line in pattern.split("\n"))
    kept = (line.split(" #")[0] for line in lines if not line.startswith("#"))
    return [part for line in kept for part in (piece.strip() for piece in line.split(",")) if part]


def _takes_in(part: str, name: str) -> bool:
    is_regex = len(part) > 1 and part.startswith("\\") and part.endswith("\\")
    try:
        return bool(re.search(part[1:-1], name) if is_regex else re.fullmatch(_wildcard(part), name, re.DOTALL))
    except re.error:
        return False


def _wildcard(part: str) -> str:
    r"""A regex for a wildcard: ``*`` any text, ``?`` one character, ``\`` before either takes its meaning away."""
    pieces: list[str] = re.findall(r"\\[*?\\]|.", part, re.DOTALL)
    return "".join({"*": ".*", "?": "."}.get(piece) or re.escape(piece[-1]) for piece in pieces)
