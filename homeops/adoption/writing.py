"""Komodo's values, written into the source of the fleet; and held to what the fleet then says.

What was written counts only when the fleet, loaded anew, has Komodo's values in the chosen fields and is otherwise what
it was, for every Pulumi stack. Else the files are as before, and a person is told where to write what.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from homeops.adoption.call import NotEditable, changed, find_call, is_plain
from homeops.adoption.comparison import Difference, Field, fields_that_differ
from homeops.adoption.keywords import Keywords, OfTheSite, keywords
from homeops.adoption.loaded import FleetSource, Loaded
from homeops.adoption.module_imports import with_imports
from homeops.adoption.values import as_written, assigned, names_of, words_of
from homeops.errors import HomeopsError
from homeops.imports.python_text import Imports, source
from homeops.model.declaration import Declaration
from homeops.model.fields import KomodoModel
from homeops.model.graph import Graph, Resource
from homeops.whole_file import write_whole

_ROUNDS = 4
"""One field that is given can undo what the conventions made of another, which is then given too; never so often."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A field that a person has to write: where, why, and what."""

    object: str
    field: str
    where: str
    why: str
    write: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of it: the text of each changed file before and after, objects done, done in part, fields left."""

    files: Mapping[Path, tuple[str, str]]
    done: tuple[str, ...]
    partly: tuple[str, ...]
    by_hand: tuple[ByHand, ...]


class _Broken(Exception):  # noqa: N818 - named for what happened, as homeops.errors
    """What was written does not hold."""


@dataclass
class Writing:
    """One writing into one fleet; ``wants(difference, field)`` says which fields are to become Komodo's."""

    fleet: FleetSource
    wants: Callable[[Difference, Field], bool] = lambda _difference, _field: True
    by_hand: dict[tuple[str, str], ByHand] = field(default_factory=dict[tuple[str, str], ByHand])

    def keep(self, chosen: Sequence[Difference]) -> Kept:
        """Write them all; raises HomeopsError when the fleet does not hold as it is, OSError for a file."""
        before = self.fleet.load()
        places = {self._file(before.declaration(*item.resource.key)) for item in chosen}
        texts = {file: file.read_bytes().decode() for file in sorted(filter(Path.is_file, places))}
        self._in_parts(chosen, before)
        after = {file: file.read_bytes().decode() for file in texts}
        if after != texts:
            self._find_places_again(chosen)
        left = Counter(name for name, _ in self.by_hand)
        wanted = {item.name: sum(self.wants(item, one) for one in item.fields) for item in chosen}
        return Kept(
            {file: (text, after[file]) for file, text in texts.items() if after[file] != text},
            tuple(name for name in wanted if not left[name]),
            tuple(name for name in wanted if 0 < left[name] < wanted[name]),
            tuple(self.by_hand.values()),
        )

    def _find_places_again(self, chosen: Sequence[Difference]) -> None:
        """What was written moved the lines below it."""
        now = self.fleet.load()
        places = {item.name: str(now.declaration(*item.resource.key).place) for item in chosen}
        for key, item in self.by_hand.items():
            if item.where != self._settings:
                self.by_hand[key] = replace(item, where=places[item.object])

    @property
    def _settings(self) -> str:
        return f"Pulumi.{self.fleet.stack}.yaml"

    def _in_parts(self, chosen: Sequence[Difference], before: Loaded) -> None:
        """All at once; where that does not hold, one half after the other, down to the one that is at fault."""
        if not chosen:
            return
        files = {file: file.read_bytes() for file in map(self._file, before.fleet.declarations()) if file.is_file()}
        noted = dict(self.by_hand)
        try:
            self._together(chosen, before)
            return
        except _Broken as error:
            reason = str(error)
            _restore(files)
        except BaseException:
            _restore(files)
            raise
        self.by_hand = noted
        if len(chosen) == 1:
            self._give_up(chosen[0], before, reason)
            return
        half = len(chosen) // 2
        self._in_parts(chosen[:half], before)
        self._in_parts(chosen[half:], self.fleet.load())

    def _together(self, chosen: Sequence[Difference], before: Loaded) -> None:
        now = before
        for _ in range(_ROUNDS):
            try:
                wrote = self._round(chosen, now)
            except (NotEditable, SyntaxError) as error:
                raise _Broken(str(error)) from error
            if not wrote:
                break
            now = self._again()
        else:
            raise _Broken("the fleet makes something else of it")
        _hold(before, now, {item.resource.key for item in chosen})

    def _again(self) -> Loaded:
        try:
            return self.fleet.load()
        except HomeopsError as error:
            raise _Broken(str(error.problems[0].what) if error.problems else str(error)) from error
        except Exception as error:  # the fleet is anybody's code
            raise _Broken(f"{type(error).__name__}: {error}") from error

    def _round(self, chosen: Sequence[Difference], now: Loaded) -> bool:
        """Write what still differs; whether anything was written."""
        edits: dict[Path, list[tuple[int, Difference, dict[str, Any]]]] = {}
        for item in chosen:
            declaration = now.declaration(*item.resource.key)
            if wanted := self._wanted(item, now, declaration):
                edits.setdefault(self._file(declaration), []).append((declaration.place.line, item, wanted))
        wrote = False
        for file, of_file in edits.items():
            text = file.read_bytes().decode()
            imports = Imports()
            # From the end on, so that lines above stay where they are.
            for line, item, wanted in sorted(of_file, key=lambda edit: -edit[0]):
                text = self._edited(text, line, item, wanted, file, imports)
            text = with_imports(text, imports.names)
            if text != file.read_bytes().decode():
                write_whole(file, text)
                wrote = True
        return wrote

    def _wanted(self, item: Difference, now: Loaded, declaration: Declaration) -> dict[str, Any]:
        """The keywords that make the chosen fields Komodo's; what cannot be written is noted as by hand."""
        resource = now.graph.get(*item.resource.key) or item.resource
        found: dict[str, Any] = {}
        for one in fields_that_differ(resource, item.live):
            if not self.wants(item, one) or (item.name, one.name) in self.by_hand:
                continue
            keyword = keywords(declaration, item.shown, one.path)
            if reason := self._refusal(item, one, keyword, now, declaration):
                self.by_hand[item.name, one.name] = reason
            elif not isinstance(keyword, OfTheSite):
                found |= keyword
        return found

    def _refusal(
        self, item: Difference, one: Field, keyword: Keywords | OfTheSite, now: Loaded, declaration: Declaration
    ) -> ByHand | None:
        if isinstance(keyword, OfTheSite):
            write = f"pulumi config set --path homeops:{keyword.key} {keyword.value} -s {self.fleet.stack}"
            return ByHand(item.name, one.name, self._settings, "a fact of the site", write)
        if one.secret or (item.resource.kind == "Variable" and any(other.secret for other in item.fields)):
            name = one.name if one.secret else "value"
            write = f'{name}="env:NAME", with NAME exported where Pulumi runs'
            return ByHand(item.name, one.name, str(declaration.place), "Komodo's value is a secret", write)
        why = self._uneditable(keyword, now, declaration)
        write = assigned(keyword)
        return ByHand(item.name, one.name, str(declaration.place), why, write) if why else None

    def _uneditable(self, keyword: Keywords, now: Loaded, declaration: Declaration) -> str:
        """Why the declaration cannot be given these keywords; empty when it can."""
        file = self._file(declaration)
        if not declaration.place.file or not file.is_file():
            return "where it is declared is not known"
        try:
            call = find_call(file.read_bytes().decode(), declaration.place.line, declaration.name)
        except NotEditable as error:
            several = now.made_at(declaration)
            return f"this line declares {several} objects" if several > 1 else str(error)
        except (SyntaxError, UnicodeDecodeError) as error:
            return f"the file cannot be read as Python ({error})"
        words = words_of(self.fleet.globals_of(declaration.place.file))
        for name in keyword:
            there = call.keyword(name)
            if there is not None and not is_plain(there.value, call.local, words):
                return f"{name}={call.source(there.value)} is computed"
        return ""

    def _edited(
        self, text: str, line: int, item: Difference, wanted: Mapping[str, Any], file: Path, imports: Imports
    ) -> str:
        names = names_of(self.fleet.globals_of(str(file.relative_to(self.fleet.root))))

        def written(value: Any) -> Callable[[int, int], str]:
            return lambda indent, before: source(
                as_written(value, names, imports), imports, indent=indent, before=before
            )

        call = find_call(text, line, item.resource.name)
        return changed(call, {name: None if value is None else written(value) for name, value in wanted.items()})

    def _give_up(self, item: Difference, before: Loaded, reason: str) -> None:
        declaration = before.declaration(*item.resource.key)
        for one in item.fields:
            if not self.wants(item, one) or (item.name, one.name) in self.by_hand:
                continue
            keyword = keywords(declaration, item.shown, one.path)
            write = "" if isinstance(keyword, OfTheSite) else assigned(keyword)
            why = f"written there, it does not hold: {reason}"
            self.by_hand[item.name, one.name] = ByHand(item.name, one.name, str(declaration.place), why, write)

    def _file(self, declaration: Declaration) -> Path:
        return self.fleet.root / declaration.place.file


def _restore(files: Mapping[Path, bytes]) -> None:
    for file, contents in files.items():
        if file.read_bytes() != contents:
            write_whole(file, contents.decode())


def _hold(before: Loaded, after: Loaded, chosen: Collection[tuple[str, str]]) -> None:
    """Raise _Broken when anything but the fields of the chosen objects became something else."""
    if before.others.keys() != after.others.keys():
        lost = ", ".join(sorted(before.others.keys() - after.others.keys()))
        raise _Broken(f"the fleet does not hold any more for Pulumi stack {lost}")
    pairs = [(before.graph, after.graph), *((before.others[name], after.others[name]) for name in before.others)]
    for was, is_ in pairs:
        if other := next(_others(was, is_, chosen), None):
            raise _Broken(f"{other} would change too")


def _others(was: Graph, is_: Graph, chosen: Collection[tuple[str, str]]) -> Iterator[str]:
    had, have = ({item.key: _compared(item, chosen) for item in graph.resources} for graph in (was, is_))
    for key in {**had, **have}:
        if had.get(key) != have.get(key):
            yield f'{key[0].lower()} "{key[1]}"'


def _compared(resource: Resource, chosen: Collection[tuple[str, str]]) -> Resource:
    """What must stay: of a chosen object what no field of Komodo's says."""
    if resource.key not in chosen:
        return replace(resource, where="")
    return replace(resource, where="", config=KomodoModel(), description="", tags=(), template=False)
