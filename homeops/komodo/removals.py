"""What a run would delete: found by comparing declarations, held against a budget, told before it happens.

A declaration here is ``{kind: [names]}``. What an earlier run was to delete and did not is remembered as ``leaving``:
a run that failed halfway would otherwise let the next one delete more than was ever agreed to.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from homeops.errors import Problem, few
from homeops.komodo import stacks
from homeops.komodo.delete_budget import Share
from homeops.komodo.session import Core
from homeops.komodo.stacks import Standing
from homeops.model.kinds import KINDS, SERVER, STACK

Names = dict[str, list[str]]

_MOST_NAMES = 6


def leaving(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Names:
    """What the last run declared, or still had to delete, and this one does not declare under any name."""
    found: Names = {}
    for kind in KINDS:
        had = {*_names(olds, "declared", kind), *_names(olds, "leaving", kind)}
        gone = had.difference(_names(news, "declared", kind), _names(news, "former", kind))
        if gone:
            found[kind] = sorted(gone)
    return found


def existing(core: Core, olds: Mapping[str, Any], names: Names) -> Names:
    """Of these, without what an earlier run was to delete and Core does not have: that was deleted.

    What the last run declared is kept, whatever Core has: it may have another name there, given by hand, and Pulumi
    deletes by id.
    """
    found: Names = {}
    for kind, wanted in names.items():
        there = {str(document["name"]) for document in core.catalogue.documents(KINDS[kind]).values()}
        if kept := [name for name in wanted if name in there or name in _names(olds, "declared", kind)]:
            found[kind] = kept
    return found


def refusals(olds: Mapping[str, Any], news: Mapping[str, Any], going: Names) -> Iterator[Problem]:
    """Why these must not be deleted: protected stacks, and more than the budget allows."""
    protected: Mapping[str, str] = olds.get("protected") or {}
    for name in going.get(STACK.name, ()):
        if reason := protected.get(name):
            yield Problem(
                f'stack "{name}"',
                f"is declared no more, but protected: {reason}; nothing was changed",
                "declare it again without protect=, pulumi up, and then take it away",
            )
    count, budget = _count(going), news["budget"]
    objects, percent = int(budget["objects"]), int(budget["percent"])
    there = sum(len({*_names(olds, "declared", kind), *_names(olds, "leaving", kind)}) for kind in KINDS)
    share = Share(count, there)
    if not share.exceeds(objects, percent):
        return
    settings = [f"deletes.objects {count}"] if count > objects else []
    settings += [f"deletes.percent {min(100, int(share.percent) + 1)}"] if share.percent > percent else []
    empty = not _count(news.get("declared") or {})
    yield Problem(
        "the fleet",
        f"{'is empty' if empty else f'lacks {count} objects of the last run'}, so this run "
        f"{share.told(_first(going), objects, percent)}; nothing was changed",
        "was it loaded as a whole? if they shall go: "
        + " && ".join(f"pulumi config set --path homeops:{setting}" for setting in settings),
    )


def left_over(olds: Mapping[str, Any], going: Names) -> Iterator[str]:
    """Say of what an earlier run was to delete that it is still there: Pulumi may have been told to forget it."""
    again = {kind: [name for name in names if name in _names(olds, "leaving", kind)] for kind, names in going.items()}
    if _count(again):
        yield (
            f"an earlier run was to delete {_first(again)} already; what was given up with pulumi state delete stays"
        )


def told(core: Core, going: Names) -> Iterator[str]:
    """What Komodo stops and what stays: a line for each stack and server, and one for each other kind."""
    found = {name: stacks.standing(core, core.catalogue.id_of(STACK.name, name)) for name in going.get("Stack", ())}
    freed = {name for name, stack in found.items() if stack and stack.reached} | {*going.get("Deployment", ())}
    for kind, names in going.items():
        match kind:
            case "Stack":
                yield from (_stack(core, name, found[name]) for name in names)
            case "Server":
                yield from (_server(core, name, freed) for name in names)
            case "Deployment":
                yield f"will be deleted: deployment {', '.join(names)}; their containers stop, volumes stay on the host"
            case _:
                yield f"will be deleted: {kind.lower()} {', '.join(names)}"


def told_unseen(going: Names) -> Iterator[str]:
    """The same, without a Core that could be asked."""
    return (f"will be deleted: {kind.lower()} {', '.join(names)}" for kind, names in going.items())


def _stack(core: Core, name: str, stack: Standing | None) -> str:
    if stack is None:
        return f'will be deleted: stack "{name}", which Komodo does not have under this name'
    if why := stack.why_not_deleted():
        return f'will NOT be deleted: stack "{name}": {why}'
    containers = stacks.containers(core, stack)
    stops = f"Komodo stops and removes {', '.join(containers)}" if containers else "nothing of it runs"
    return f'will be deleted: stack "{name}" on {stack.server or "no server"}: {stops}; {stacks.VOLUMES_STAY}'


def _server(core: Core, name: str, freed: Collection[str]) -> str:
    left = [item for item in stacks.on_server(core, core.catalogue.id_of(SERVER.name, name)) if item not in freed]
    if left:
        return f'will NOT be deleted: server "{name}": {stacks.still_on_it(left)}'
    return f'will be deleted: server "{name}"; its Periphery stays'


def _names(of: Mapping[str, Any], part: str, kind: str) -> Sequence[str]:
    names: Mapping[str, Sequence[str]] = of.get(part) or {}
    return names.get(kind) or ()


def _count(names: Mapping[str, Sequence[str]]) -> int:
    return sum(map(len, names.values()))


def _first(names: Names) -> str:
    every = [f"{kind.lower()} {name}" for kind, of_kind in names.items() for name in of_kind]
    return few(every, _MOST_NAMES)
