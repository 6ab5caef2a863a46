"""Names of Python variables and modules from the names of Komodo's objects."""

import builtins
import keyword
import re
from collections.abc import Iterable

_TAKEN = frozenset((*keyword.kwlist, *keyword.softkwlist, *dir(builtins)))


def identifier(name: str, word: str) -> str:
    """The name as a Python name; ``word`` (``host``, ``stack``) stands with it where it would be none by itself."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not plain or plain[0].isdigit():
        plain = f"{word}_{plain}".strip("_")
    return f"{plain}_{word}" if plain in _TAKEN else plain


def identifiers(names: Iterable[str], word: str, taken: Iterable[str] = ()) -> dict[str, str]:
    """A Python name for each, no two the same and none of those taken."""
    used = set(taken)
    found: dict[str, str] = {}
    for name in names:
        plain = identifier(name, word)
        tries = (plain, f"{plain}_{word}", *(f"{plain}_{word}_{number}" for number in range(2, len(used) + 3)))
        found[name] = next(text for text in tries if text not in used)
        used.add(found[name])
    return found
