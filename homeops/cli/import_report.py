"""The report of an import, for people."""

from collections.abc import Iterator

from rich.text import Text

from homeops.imports.report import Note, Report, Sort

_WORDS = {"ResourceSync": "sync", "UserGroup": "user group"}
_SERIOUS = {Sort.LEFT_OUT: "red", Sort.CHANGED: "yellow", Sort.LOST: "yellow", Sort.ELSEWHERE: "yellow"}


def lines(report: Report) -> Iterator[Text]:
    """What was written, then each sort of note under its heading, then what to do next."""
    counts = ", ".join(_count(kind, number) for kind, number in report.counts.items()) or "nothing"
    if report.directory:
        yield Text(f"{report.directory}: {counts}, in {len(report.files)} files")
    else:
        yield Text(f"{counts}; nothing was written, for want of --out DIR")
    for sort in Sort:
        if notes := report.of(sort):
            yield Text()
            yield Text(f"{sort.value} ({len(notes)})", style=_SERIOUS.get(sort, "bold"))
            for note in notes:
                yield from _note(note)
    if report.directory:
        yield Text()
        yield Text(f"next: docs/adoption.md, from its second step; the settings are in {report.directory} too")


def _note(note: Note) -> Iterator[Text]:
    for place, line in enumerate(str(note).splitlines()):
        yield Text(f"  {line}" if place == 0 else f"    {line.strip()}")


def _count(kind: str, number: int) -> str:
    word = _WORDS.get(kind, kind.lower())
    return f"{number} {word if number == 1 else f'{word}s'}"
