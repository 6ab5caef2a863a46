"""A module's text from its parts: docstring, imports, declarations, and what keeps ruff quiet about foreign texts."""

import re
from collections.abc import Iterable, Iterator, Sequence

from homeops.imports.python_text import WIDTH, Argument, Code, Imports, Members, source, width


def members_text(name: str, members: Iterable[str]) -> str:
    """``NAME = (one, two)`` of names of variables."""
    listed = Members([Argument(Code(member)) for member in members])
    return f"{name} = {source(listed, Imports(), before=len(name) + 3)}\n"


def module_text(title: str, imports: Imports, parts: Sequence[str]) -> str:
    """The whole text; ``title`` is its docstring, ``parts`` are what stands below the imports, each ending its line."""
    docstring = f'"""{title.replace(chr(92), "/").replace(chr(34), chr(39))}"""\n'
    blank = "\n\n" if parts and parts[0].startswith("def ") else ""
    body = "\n".join(parts)
    head = "".join([docstring, *_excuses(docstring + body)])
    return f"{head}\n{imports.text()}\n\n{blank.removesuffix(chr(10))}{body}"


_PLAUSIBLE = {
    "ERA001": r"^\s*# .*[=(\[{:]",
    "RUF001": r"[^\x00-\x7f]",
    "RUF003": r"#.*[^\x00-\x7f]",
    "S104": r"0\.0\.0\.0|\[?::\]?",
    "S106": r"(?i:pass|token|secret|pwd)\w*=[\"']",
    "S108": r"/(?:var/)?tmp|/dev/shm",
}
"""Where each of ruff's rules may have something to say of texts and comments that came from elsewhere."""


def _excuses(body: str) -> Iterator[str]:
    found = [rule for rule, pattern in _PLAUSIBLE.items() if re.search(pattern, body, re.MULTILINE)]
    if any(width(line) > WIDTH for line in body.split("\n")):
        found.append("E501")
    if found:
        # The last one is for those that ruff had nothing to say of after all.
        yield f"# ruff: noqa: {', '.join(found)}, RUF100 - texts and comments are as they were in Komodo\n"
