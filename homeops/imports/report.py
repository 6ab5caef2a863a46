"""What an import says at its end: what was written, what was not carried over, and what is to be done by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from homeops.errors import Problem


class Sort(Enum):
    """What a note is about; the value is its heading."""

    LEFT_OUT = "left out: Komodo keeps it as it is, and the fleet does not declare it"
    CHANGED = "carried over in another form: the preview shows a difference"
    LOST = "not carried over"
    ELSEWHERE = "secrets, which are never written: put them where whoever runs pulumi has them"
    COMPLETE = "not known to what was read: look it over"
    FINDING = "in what was read"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to say: where it stands, what it is, what to do about it."""

    sort: Sort
    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return str(Problem(self.where, self.what, self.hint))


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an import. ``counts``: declarations by kind; ``files``: those written, relative to ``directory``."""

    directory: str
    files: Sequence[str]
    counts: dict[str, int]
    notes: Sequence[Note]
    exports: Sequence[str] = field(default_factory=tuple)
    """The environment variables that the fleet takes secrets from."""

    def of(self, sort: Sort) -> list[Note]:
        """The notes of one sort."""
        return [note for note in self.notes if note.sort is sort]

    def document(self) -> dict[str, Any]:
        """As JSON: ``{"directory", "files", "counts", "exports", "notes": [{"sort", "where", "what", "hint"}]}``."""
        return {
            "directory": self.directory,
            "files": list(self.files),
            "counts": self.counts,
            "exports": list(self.exports),
            "notes": [
                {"sort": note.sort.name.lower(), "where": note.where, "what": note.what, "hint": note.hint}
                for note in self.notes
            ],
        }


def counted(names: Iterable[str]) -> dict[str, int]:
    """How often each occurs, in the order in which they first do."""
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found
