"""Comments of TOML, each given to the declaration, and to the field, that it is about."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

from homeops.imports.hidden import looks_secret, without_secrets
from homeops.imports.package import Comments
from homeops.imports.report import Note, Sort
from homeops.komodo.toml.findings import Source
from homeops.komodo.toml.layout import MADE_BY
from homeops.komodo.toml.reader import Declared

_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*",
    re.DOTALL,
)
_RULE = re.compile(r"[\s#=\-*~_+]*")
"""A comment that is only a line."""


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    alone: bool


def comments_of(source: Source, declared: Sequence[Declared]) -> tuple[list[Comments], list[Note]]:
    """The comments of each declaration of a file, and notes on those that are given to none.

    A comment belongs to the key that it stands above or behind, and one that leads to a header to its declaration. What
    looks like a secret in it is hidden. ``declared``: those of the file, in the order of its text.
    """
    comments, filled = _comments(source)
    by_head = {one.place.line: one for one in declared}
    heads = sorted({*by_head, *(source.line(found.start(1)) for found in _HEADER.finditer(source.parsed))})
    given: dict[int, Comments] = {}
    free = dict(comments)
    lines, contents = sorted(comments), sorted(filled)
    for head, following in pairwise([*heads, source.line(len(source.parsed)) + 2]):
        above = [free.pop(number) for number in _leading(head, free, filled)]
        content = contents[bisect_left(contents, following) - 1]
        below = _run(content + 1, free)
        if content + 1 + len(below) == following:
            below = []
        inside = lines[bisect_left(lines, head) : bisect_right(lines, content)]
        own = [free.pop(number) for number in (*inside, *below)]
        if head in by_head:
            given[head] = _given(by_head[head], above, own)
    return [given[one.place.line] for one in declared], [*_hidden(source, comments), *_told(source, free)]


_HEADER = re.compile(r"^[ \t]*(\[\[?)[ \t]*[A-Za-z0-9_-]+[ \t]*\]", re.MULTILINE)
"""The header of a declaration, of a kind that Komodo knows or not."""


def _leading(head: int, free: Mapping[int, _Line], filled: AbstractSet[int]) -> list[int]:
    """The comments between a header and what stands above it."""
    found: list[int] = []
    number = head - 1
    while number > 0 and number not in filled:
        if number in free:
            found.append(number)
        number -= 1
    return sorted(found)


def _run(number: int, free: Mapping[int, _Line]) -> list[int]:
    """The comments that follow each other from a line on."""
    found: list[int] = []
    while number in free:
        found.append(number)
        number += 1
    return found


def _comments(source: Source) -> tuple[dict[int, _Line], set[int]]:
    """The comments by their line, and the lines that hold something else."""
    comments: dict[int, _Line] = {}
    filled: set[int] = set()
    text = source.parsed
    for found in _TOKEN.finditer(text):
        number = source.line(found.start())
        if not found[0].startswith("#"):
            filled.update(range(number, source.line(found.end() - 1) + 1))
            continue
        start = text.rfind("\n", 0, found.start()) + 1
        alone = not text[start : found.start()].strip()
        comments[number] = _Line(number, found[0].rstrip("\r"), alone)
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not (number in comments and comments[number].alone):
            filled.add(number)
    return comments, filled


def _given(one: Declared, above: Sequence[_Line], own: Sequence[_Line]) -> Comments:
    keys = sorted((place.line, path) for path, place in one.places().items())
    lines = [line for line, _ in keys]
    fields: dict[str, list[str]] = {}
    top = _paragraphs(above)
    below: list[str] = []
    for line in own:
        text = _text(line)
        if not text:
            continue
        at = bisect_left(lines, line.number)
        if not line.alone and (at == len(lines) or lines[at] != line.number):
            at -= 1
        if 0 <= at < len(keys):
            fields.setdefault(_field(keys[at][1]), []).append(text)
        else:
            below.append(text)
    top += fields.pop("", []) + below
    return Comments(tuple(top), {name: tuple(texts) for name, texts in fields.items()})


def _paragraphs(lines: Sequence[_Line]) -> list[str]:
    """The texts, with an empty one between those that stand apart."""
    found: list[str] = []
    last = 0
    for line in lines:
        if text := _text(line):
            found += [""] if found and line.number > last + 1 else []
            found.append(text)
            last = line.number
    return found


def _field(path: str) -> str:
    """The field of the declaration that a key belongs to; empty for the declaration itself."""
    names = [re.sub(r"\[\d+\]$", "", name) for name in path.split(".")]
    name = (names[1] if len(names) > 1 else "") if names[0] == "config" else names[0]
    return {"name": "", "server": "server_id", "builder": "builder_id", "stage": "stages"}.get(name, name)


def _text(line: _Line) -> str:
    """The comment without its marks and what looks like a secret; empty for a mere line, and for one of our own."""
    if _RULE.fullmatch(line.text) or line.text.startswith(MADE_BY):
        return ""
    return without_secrets(_plain(line))


def _plain(line: _Line) -> str:
    return line.text.lstrip("#").removeprefix(" ").rstrip()


def _hidden(source: Source, comments: dict[int, _Line]) -> Iterator[Note]:
    for line in comments.values():
        if looks_secret(_plain(line)):
            what = "a comment looks as if it holds a secret, which is not written"
            yield Note(Sort.LOST, f"{source.file}:{line.number}", what)


def _told(source: Source, comments: dict[int, _Line]) -> list[Note]:
    told = [line for line in comments.values() if _text(line)]
    if not told:
        return []
    where = f"{source.file}:{told[0].number}"
    what = f"comments that belong to no declaration: {', '.join(str(line.number) for line in told)} (lines)"
    return [Note(Sort.LOST, where, what)]
