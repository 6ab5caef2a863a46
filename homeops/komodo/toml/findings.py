"""What is wrong with a text: where, what Komodo makes of it, and what to write instead."""

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from homeops.errors import Problem
from homeops.komodo.toml.dialect import escaped, original_offset
from homeops.model.place import Place


class Effect(Enum):
    """What becomes of it in Komodo (transcripts 94 to 97)."""

    IGNORED = "Komodo ignores it without a word"
    REJECTED = "Komodo rejects the whole file, and a sync with such a file does nothing"
    FAILS = "the sync fails at it and goes on"
    UNSETTLED = "every sync changes something again"
    ENDLESS = "a sync that deploys them never ends, and Core may"
    EMPTIES = "a sync with delete = true removes everything"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``subject`` is e.g. ``stack "web"``; ``excerpt`` the line of a syntax error.

    ``line`` and ``column`` count from 1; 0 is unknown.
    """

    file: str
    what: str
    effect: Effect
    hint: str = ""
    line: int = 0
    column: int = 0
    subject: str = ""
    excerpt: str = ""

    @property
    def place(self) -> str:
        """``file:line``, with the column where the text itself is broken."""
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])

    @property
    def problem(self) -> Problem:
        """As errors show it."""
        where = f"{self.place}: {self.subject}" if self.subject else self.place
        excerpt = f"\n    {self.excerpt}" if self.excerpt else ""
        return Problem(where, f"{self.what}; {self.effect.value}{excerpt}", self.hint)

    def __str__(self) -> str:
        return str(self.problem)


@dataclass(frozen=True)
class Source:
    """A text and the name of its file; offsets are those of the escaped text, which is what is parsed."""

    file: str
    text: str

    @cached_property
    def parsed(self) -> str:
        """The text as Core's TOML reader gets it."""
        return escaped(self.text)

    @cached_property
    def _lines(self) -> list[int]:
        starts = [0]
        while end := self.parsed.find("\n", starts[-1]) + 1:
            starts.append(end)
        return starts

    def line(self, offset: int) -> int:
        """The number of the line in which an offset lies."""
        return bisect_right(self._lines, offset)

    def place(self, offset: int) -> Place:
        """File and line of an offset."""
        return Place(self.file, self.line(offset))

    def broken(self, offset: int, what: str, hint: str) -> Finding:
        """The finding that the text is not TOML at an offset."""
        at = original_offset(self.text, offset)
        start = self.text.rfind("\n", 0, at) + 1
        line = self.text[start:].partition("\n")[0].rstrip("\r")
        shown = line if len(line) <= _WIDEST else f"{line[:_WIDEST]} ..."
        return Finding(
            self.file,
            f"not TOML: {what}",
            Effect.REJECTED,
            hint,
            line=self.line(offset),
            column=at - start + 1,
            excerpt=shown,
        )


_WIDEST = 160


@dataclass
class Scope:
    """Where findings of one declaration go."""

    source: Source
    subject: str = ""
    findings: list[Finding] = field(default_factory=list[Finding])

    def find(self, at: int, what: str, effect: Effect, hint: str = "") -> None:
        """Note something at an offset."""
        line = self.source.line(at)
        self.findings.append(Finding(self.source.file, what, effect, hint, line=line, subject=self.subject))
