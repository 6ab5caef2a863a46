"""What a sync must not do, and what is worth a warning: found before anything is executed.

Each guard is something that somebody lost a homelab by: an empty set that is a legal one (everything goes), a set that
shrank, a path that reads the whole machine, two syncs that undo each other, names that Komodo rewrites, servers that
are deleted before what runs on them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from homeops.errors import Problem, few
from homeops.komodo.delete_budget import Share
from homeops.komodo.toml.findings import Effect
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.kinds import RESOURCE_KINDS
from homeops.model.names import stored_name
from homeops.model.site import DeleteBudget
from homeops.model.sync_rules import deletes, takes_in, traps
from homeops.sync.changes import Change, Due, Key, Selection
from homeops.sync.containers import orphaning
from homeops.sync.declared import Contents

_MOST_NAMES = 6
_MOST_FINDINGS = 10
_CHANGED_NOTHING = "nothing was changed"


@dataclass(frozen=True)
class Leave:
    """What may be deleted: the budget, or an exact number that was asked for; and whether a set may be empty."""

    budget: DeleteBudget = field(default_factory=DeleteBudget)
    deletes: int | None = None
    empty: bool = False


@dataclass(frozen=True)
class Fleet:
    """What the fleet says of objects by name.

    ``declared``: all of them. ``protected``: why a stack must not be deleted. ``cores``: stacks that are Core's own.
    """

    declared: Collection[Key] = ()
    protected: Mapping[str, str] = field(default_factory=dict[str, str])
    cores: Collection[str] = ()


@dataclass(frozen=True)
class Other:
    """Another sync, with what its files declared when Komodo last read them."""

    name: str
    config: ResourceSyncConfig
    declares: Collection[Key]


@dataclass(frozen=True)
class Situation:
    """All that is known before a run; ``changes`` with effects, of the selection alone."""

    name: str
    config: ResourceSyncConfig
    contents: Contents
    changes: Sequence[Change] = ()
    deploys: Sequence[Due] = ()
    selection: Selection = field(default_factory=Selection)
    others: Sequence[Other] = ()
    fleet: Fleet = field(default_factory=Fleet)

    @property
    def where(self) -> str:
        """As messages begin."""
        return f'sync "{self.name}"'

    @property
    def deletes(self) -> list[Change]:
        """The changes that are deletes."""
        return [change for change in self.changes if change.how == "delete"]


def unreadable(name: str, config: ResourceSyncConfig) -> Iterator[Problem]:
    """Why not even Core may be asked to read the files: what comes of such a path ends only with Core itself."""
    for trap in traps(config):
        if trap.fatal:
            yield Problem(f'sync "{name}"', f"{trap.what}; {_CHANGED_NOTHING}", trap.hint)


def refusals(at: Situation, leave: Leave) -> Iterator[Problem]:
    """Why this must not be run."""
    yield from unreadable(at.name, at.config)
    yield from _empty(at, leave)
    yield from _too_many(at, leave)
    yield from _protected(at)
    yield from orphaning(at.changes)
    yield from _claimed(at)
    yield from _rewritten(at)
    yield from _deploying(at)
    for finding in at.contents.findings:
        if finding.effect is Effect.ENDLESS:
            yield finding.problem


def warnings(at: Situation) -> Iterator[Problem]:
    """What is not refused, and may still surprise."""
    for trap in traps(at.config):
        if not trap.fatal:
            yield Problem(at.where, trap.what, trap.hint)
    yield from _files(at)
    yield from _undeclared_self(at)
    yield from _of_the_fleet(at)
    yield from _renamed(at)
    yield from _shared(at)
    findings = [finding for finding in at.contents.findings if finding.effect is not Effect.ENDLESS]
    yield from (finding.problem for finding in findings[:_MOST_FINDINGS])
    if len(findings) > _MOST_FINDINGS:
        yield Problem(at.where, f"{len(findings) - _MOST_FINDINGS} more things like these are wrong in its files")


def _empty(at: Situation, leave: Leave) -> Iterator[Problem]:
    if leave.empty:
        return
    parts = (("resource", RESOURCE_KINDS), ("variable", ("Variable",)), ("user group", ("UserGroup",)))
    for word, kinds in parts:
        going = [change for change in at.deletes if change.kind in kinds]
        if going and not at.contents.of(*kinds):
            read = f"{len(at.contents.files)} files were read" if at.contents.files else "no file was read"
            lack = f" with the tags {', '.join(at.config.match_tags)}" if at.config.match_tags and kinds[1:] else ""
            what = f"its files declare no {word}{lack} ({read}), so it would delete all {len(going)}: {names(going)}"
            hint = f"look at {', '.join(at.config.resource_path) or 'its text'}; if they shall go: --allow-empty"
            yield Problem(at.where, f"{what}; {_CHANGED_NOTHING}", hint)


def _too_many(at: Situation, leave: Leave) -> Iterator[Problem]:
    going = at.deletes
    created = sum(change.how == "create" for change in at.changes)
    declared = sum(resource.key in at.selection for resource in at.contents.resources)
    there = max(declared - created, 0) + len(going)
    share, budget = Share(len(going), there), leave.budget
    if leave.deletes is not None:
        if len(going) > leave.deletes:
            what = f"it would delete {len(going)} objects, and {leave.deletes} are allowed: {names(going)}"
            yield Problem(at.where, f"{what}; {_CHANGED_NOTHING}", f"--allow-deletes {len(going)}")
    elif share.exceeds(budget.objects, budget.percent):
        what = f"it {share.told(names(going), budget.objects, budget.percent)}"
        hint = f"were its files read as a whole? if they shall go: --allow-deletes {len(going)}"
        yield Problem(at.where, f"{what}; {_CHANGED_NOTHING}", hint)


def _protected(at: Situation) -> Iterator[Problem]:
    for change in at.deletes:
        if change.kind == "Stack" and (reason := at.fleet.protected.get(change.name)):
            yield Problem(
                f'stack "{change.name}"',
                f"would be deleted, but the fleet protects it: {reason}; {_CHANGED_NOTHING}",
                "homeops render writes what the fleet declares; commit and push that",
            )


def _claimed(at: Situation) -> Iterator[Problem]:
    for other in at.others:
        if both := [change for change in at.deletes if change.key in other.declares]:
            what = f"it would delete what sync {other.name} declares, which would make it again: {names(both)}"
            hint = "give each sync its match_tags, or take delete away from this one"
            yield Problem(at.where, f"{what}; {_CHANGED_NOTHING}", hint)


def _rewritten(at: Situation) -> Iterator[Problem]:
    deleted = {change.key for change in at.deletes}
    for resource in at.contents.resources:
        stored = stored_name(resource.kind, resource.name) if resource.kind in RESOURCE_KINDS else resource.name
        if stored != resource.name and (resource.kind, stored) in deleted:
            yield Problem(
                resource.where,
                f'Komodo stores this name as "{stored}", so the sync would delete "{stored}" to make it again; '
                f"{_CHANGED_NOTHING}",
                f'call it "{stored}"',
            )


def _deploying(at: Situation) -> Iterator[Problem]:
    for due in at.deploys:
        if due.kind == "Stack" and due.name in at.fleet.cores:
            what = "the sync would deploy Core itself, which then ends in the middle of the sync"
            yield Problem(f'stack "{due.name}"', f"{what}; {_CHANGED_NOTHING}", "take deploy = true away from it")
    if at.selection.partial:
        # For Core what is not selected does not exist, and is deployed as if it were new (sync/deploy.rs).
        outside = [one for one in at.contents.of("Stack", "Deployment") if one.deploy and one.key not in at.selection]
        if outside:
            listed = few([f"{one.kind.lower()} {one.name}" for one in outside], _MOST_NAMES)
            what = f"a run of a part deploys all that has deploy = true and is left out: {listed}"
            yield Problem(at.where, f"{what}; {_CHANGED_NOTHING}", "run the whole sync, or select these too")


def _files(at: Situation) -> Iterator[Problem]:
    files = at.contents.files
    if not at.contents.resources:
        yield Problem(at.where, "its files declare nothing that counts")
    elif idle := [file.path for file in files if not file.declarations]:
        yield Problem(at.where, f"no declaration is in {few(idle, _MOST_NAMES)}, which it reads all the same")
    if at.contents.untagged:
        listed = few([f"{one.kind.lower()} {one.name}" for one in at.contents.untagged], _MOST_NAMES)
        tags = ", ".join(at.config.match_tags)
        yield Problem(at.where, f"passed over, because the tags {tags} are not all on it: {listed}")
    made = [file.path for file in files if file.rendered]
    if at.config.managed and any(takes_in(path, file) for path in at.config.resource_path[:1] for file in made):
        what = "managed = true: Komodo would commit its own export over what homeops render makes"
        yield Problem(at.where, what, "take managed away from the sync, and set delete = true")


def _undeclared_self(at: Situation) -> Iterator[Problem]:
    if any(change.key == ("ResourceSync", at.name) for change in at.deletes):
        what = "it does not declare itself, so it tries to delete itself, which fails: no run of it succeeds"
        yield Problem(at.where, what, "declare it in its own files, exactly as it is")
    if any(change.key == ("ResourceSync", at.name) and _of_config(change) for change in at.changes):
        what = "its own configuration differs from its files: a sync cannot change itself, so the run counts as failed"
        yield Problem(at.where, what, "pulumi up sets it, or another sync, or its page in Komodo")


def _of_config(change: Change) -> bool:
    return change.how == "update" and any(one.path.startswith("config.") for one in change.fields)


def _of_the_fleet(at: Situation) -> Iterator[Problem]:
    both = [
        change for change in at.deletes if change.key in at.fleet.declared and change.key != ("ResourceSync", at.name)
    ]
    if both:
        what = f"the fleet declares what it would delete: {names(both)}"
        yield Problem(at.where, what, "homeops render, commit and push: its files are older than the fleet")


def _renamed(at: Situation) -> Iterator[Problem]:
    made = [change for change in at.changes if change.how == "create" and change.new]
    for gone in at.deletes:
        for new in made:
            if new.new and gone.old and new.kind == gone.kind and new.new.config == gone.old.config:
                what = (
                    f"{gone.kind.lower()} {gone.name} seems to be called {new.name} now: a sync deletes and makes anew"
                )
                hint = "rename it with renamed_from= and pulumi up, or on its page in Komodo: what runs stays then"
                yield Problem(at.where, what, hint)


def _shared(at: Situation) -> Iterator[Problem]:
    ours = {resource.key for resource in at.contents.resources}
    for other in at.others:
        if both := sorted(ours & set(other.declares)):
            listed = few([f"{kind.lower()} {name}" for kind, name in both], _MOST_NAMES)
            what = f"sync {other.name} declares it too, so whoever runs last wins: {listed}"
            yield Problem(at.where, what, "declare it in one of them")
        if deletes(other.config) and other.config.include_resources and not other.config.match_tags:
            lost = sorted(key for key in ours - set(other.declares) if key[0] in RESOURCE_KINDS)
            if lost and other.declares:
                listed = few([f"{kind.lower()} {name}" for kind, name in lost], _MOST_NAMES)
                what = f"sync {other.name} deletes what it does not declare, and so what this one makes: {listed}"
                yield Problem(at.where, what, f"give sync {other.name} match_tags, or take delete away from it")


def names(changes: Iterable[Change]) -> str:
    """Kinds and names, the first of them where they are many, with the number of each kind."""
    listed = list(changes)
    if len(listed) <= _MOST_NAMES:
        return few([f"{change.kind.lower()} {change.name}" for change in listed], _MOST_NAMES)
    kinds = Counter(change.kind for change in listed)
    return ", ".join(f"{number} {kind.lower()}{'s' if number > 1 else ''}" for kind, number in kinds.items())
