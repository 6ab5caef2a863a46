"""Komodo's values, written into the source of the fleet; and held to what the fleet then says.

What was written counts only when the fleet, loaded anew, has Komodo's values in the chosen fields and is otherwise what
it was, for every Pulumi stack. Else the files are as before, and a person is told where to write what.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from homeops.adoption.by_hand import ByHand, given_up, refusal, settings_of
from homeops.adoption.call import NotEditable, find_call, spliced
from homeops.adoption.comparison import Choice, fields_that_differ
from homeops.adoption.holding import Broken, hold
from homeops.adoption.keyword_edits import Written, changed
from homeops.adoption.keywords import Keywords, OfTheSite, keywords
from homeops.adoption.loaded import FleetSource, Loaded
from homeops.adoption.module_imports import with_imports
from homeops.adoption.values import as_written, names_of
from homeops.errors import HomeopsError
from homeops.imports.python_text import Imports, source
from homeops.model.declaration import Declaration
from homeops.whole_file import write_whole

_ROUNDS = 4
"""One field that is given can undo what the conventions made of another, which is then given too; never so often."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of it: the text of each changed file before and after, objects done, done in part, fields left."""

    files: Mapping[Path, tuple[str, str]]
    done: tuple[str, ...]
    partly: tuple[str, ...]
    by_hand: tuple[ByHand, ...]


def keep_komodos(fleet: FleetSource, chosen: Sequence[Choice]) -> Kept:
    """Write them all; raises HomeopsError when the fleet does not hold as it is, OSError for a file."""
    return _Writing(fleet).keep(chosen)


@dataclass
class _Writing:
    fleet: FleetSource
    by_hand: dict[tuple[str, str], ByHand] = field(default_factory=dict[tuple[str, str], ByHand])

    def keep(self, chosen: Sequence[Choice]) -> Kept:
        before = self.fleet.load()
        files = {self._file(item) for item in before.fleet.declarations()}
        texts = {file: file.read_bytes().decode() for file in sorted(filter(Path.is_file, files))}
        self._in_parts(chosen, before)
        after = {file: file.read_bytes().decode() for file in texts}
        if after != texts:
            self._find_places_again(chosen)
        left = Counter(name for name, _ in self.by_hand)
        wanted = {choice.difference.name: len(choice.fields) for choice in chosen}
        return Kept(
            {file: (text, after[file]) for file, text in texts.items() if after[file] != text},
            tuple(name for name in wanted if not left[name]),
            tuple(name for name in wanted if 0 < left[name] < wanted[name]),
            tuple(self.by_hand.values()),
        )

    def _find_places_again(self, chosen: Sequence[Choice]) -> None:
        """What was written moved the lines below it."""
        now = self.fleet.load()
        keys = {choice.difference.name: choice.difference.resource.key for choice in chosen}
        for key, item in self.by_hand.items():
            if item.where != settings_of(self.fleet.stack):
                self.by_hand[key] = replace(item, where=str(now.declaration(*keys[item.object]).place))

    def _in_parts(self, chosen: Sequence[Choice], before: Loaded) -> None:
        """All at once; where that does not hold, in halves, down to the one field that is at fault."""
        files = {file: file.read_bytes() for file in map(self._file, before.fleet.declarations()) if file.is_file()}
        noted = dict(self.by_hand)
        try:
            self._together(chosen, before)
            return
        except Broken as error:
            reason = str(error)
            _restore(files)
        except BaseException:
            _restore(files)
            raise
        self.by_hand = noted
        parts = list(_halves(chosen))
        for number, part in enumerate(parts):
            self._in_parts(part, self.fleet.load() if number else before)
        for choice in () if parts else chosen:
            for one in choice.wanted:
                found = given_up(choice.difference, one, before, reason)
                self.by_hand[found.object, found.field] = found

    def _together(self, chosen: Sequence[Choice], before: Loaded) -> None:
        now = before
        for _ in range(_ROUNDS):
            try:
                wrote = self._round(chosen, now)
            except (NotEditable, SyntaxError) as error:
                raise Broken(str(error)) from error
            if not wrote:
                break
            now = self._again()
        else:
            raise Broken("the fleet makes something else of it")
        hold(before, now, chosen)

    def _again(self) -> Loaded:
        try:
            return self.fleet.load()
        except HomeopsError as error:
            raise Broken(str(error.problems[0].what) if error.problems else str(error)) from error
        except Exception as error:  # the fleet is anybody's code
            raise Broken(f"{type(error).__name__}: {error}") from error

    def _round(self, chosen: Sequence[Choice], now: Loaded) -> bool:
        """Write what still differs; whether anything was written."""
        edits: dict[Path, list[tuple[Declaration, Keywords]]] = {}
        for choice in chosen:
            declaration = now.declaration(*choice.difference.resource.key)
            if wanted := self._wanted(choice, now, declaration):
                edits.setdefault(self._file(declaration), []).append((declaration, wanted))
        wrote = False
        for file, of_file in edits.items():
            before, imports, names = file.read_bytes().decode(), Imports(), names_of(now.names_in(file))
            calls = [(find_call(before, item.place.line, item.name), wanted) for item, wanted in of_file]
            text = spliced(before, [(call, changed(call, _written(wanted, names, imports))) for call, wanted in calls])
            text = with_imports(text, imports.names)
            if text != before:
                write_whole(file, text)
                wrote = True
        return wrote

    def _wanted(self, choice: Choice, now: Loaded, declaration: Declaration) -> Keywords:
        """The keywords that make the chosen fields Komodo's; what cannot be written is noted as by hand."""
        item = choice.difference
        found: dict[str, Any] = {}
        for one in fields_that_differ(now.graph.get(*item.resource.key) or item.resource, item.live):
            if not choice.wants(one) or (item.name, one.name) in self.by_hand:
                continue
            if reason := refusal(item, one, now, self.fleet.root, self.fleet.stack):
                self.by_hand[item.name, one.name] = reason
            elif not isinstance(keyword := keywords(declaration, item.shown, one.path), OfTheSite):
                found |= keyword
        return found

    def _file(self, declaration: Declaration) -> Path:
        return self.fleet.root / declaration.place.file


def _halves(chosen: Sequence[Choice]) -> Iterator[Sequence[Choice]]:
    """The objects in two parts; of a single one its fields; nothing of a single field."""
    if len(chosen) > 1:
        yield from (chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :])
    elif chosen and len(names := sorted(chosen[0].fields)) > 1:
        half = len(names) // 2
        yield from ([replace(chosen[0], fields=frozenset(part))] for part in (names[:half], names[half:]))


def _written(wanted: Keywords, names: Mapping[tuple[str, str], str], imports: Imports) -> dict[str, Written | None]:
    def written(value: Any) -> Written:
        return lambda indent, before: source(as_written(value, names, imports), imports, indent=indent, before=before)

    return {name: None if value is None else written(value) for name, value in wanted.items()}


def _restore(files: Mapping[Path, bytes]) -> None:
    for file, contents in files.items():
        if file.read_bytes() != contents:
            write_whole(file, contents.decode())
