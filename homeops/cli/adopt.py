"""``homeops adopt``: where Komodo and the fleet differ, and which of the two is right.

As JSON (``homeops adopt --json``)::

    {
      "schema": 1,                  a new number when the form changes
      "stack": "prod",              the Pulumi stack whose settings count
      "komodo": "http://...",       the Core that was asked
      "equal": ["stack/omni"],      taken over by pulumi up without a change
      "absent": ["tag/video"],      not in Komodo under this name
      "differing": [{
        "name": "stack/frigate",
        "declared_at": "homeops/fleet/stacks.py:28",
        "fields": [{"field": "auto_pull", "komodo": false, "declared": null}]   null: the default; in texts what looks
                                                                                like a secret is masked
      }],
      "needless": [],               named in homeops:overwrite, and equal by now
      "keep": null,                 the choice: komodo, fleet, or none
      "done": ["stack/frigate"],    the objects for which it was written
      "partly": [],                 those of which some fields are left, see by_hand
      "files": [{"file": "...", "diff": "..."}],
      "by_hand": [{"object": "...", "field": "...", "where": "file:line", "why": "...", "write": "..."}]
    }
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from homeops.adoption.by_hand import ByHand
from homeops.adoption.comparison import Choice, Comparison, Difference, chosen, compare
from homeops.adoption.loaded import FleetSource
from homeops.adoption.overwriting import KEY, allow_overwriting
from homeops.adoption.writing import keep_komodos
from homeops.cli.access import PulumiStack, access
from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, err, out
from homeops.errors import FleetError, HomeopsError, Problem, nearest
from homeops.fleet_graph import FLEET
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.client import Client
from homeops.komodo.comparison import both, without_secrets
from homeops.lab.serve import STACK
from homeops.model.graph import Graph
from homeops.model.kinds import called
from homeops.settings import load_settings

SCHEMA = 1


class Side(StrEnum):
    """Whose values are right."""

    KOMODO = "komodo"
    FLEET = "fleet"


@dataclass(frozen=True)
class Found:
    """What was compared, and what was chosen of it."""

    stack: str
    address: str
    comparison: Comparison
    differing: tuple[Difference, ...]
    needless: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a choice led to; ``files``: text before and after. ``whole``: nothing was left out with ``--field``."""

    files: dict[Path, tuple[str, str]]
    done: tuple[str, ...]
    partly: tuple[str, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    whole: bool = True


NOTHING = Outcome({}, ())


def adopt(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="stack/frigate, or frigate; none: all that differ.")
    ] = None,
    stack: PulumiStack = STACK,
    keep: Annotated[
        Side | None,
        typer.Option(
            "--keep", help="komodo: write its values into the fleet. fleet: let pulumi up overwrite Komodo's."
        ),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="FIELD", help="Only this field, with --keep komodo. Can be given again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; homeops/cli/adopt.py says its form.")] = False,
) -> None:
    """Compare Komodo's objects with the fleet, and say which of the two is right where they differ.

    Without --keep it only looks. Komodo itself is never changed: pulumi up does that, after it was shown. Exits 1 when
    something is left to be written by hand.
    """
    root = checkout()
    source = FleetSource(root, FLEET, stack)
    if fields and keep is not Side.KOMODO:
        raise HomeopsError(
            Problem("--field", "is for --keep komodo", "with --keep fleet whole objects are overwritten")
        )
    with Progress() as progress:
        progress.working("comparing")
        found = look(source, tuple(names or ()))
        progress.working("writing")
        outcome = settle(found, source, keep, tuple(fields or ()))
    if as_json:
        typer.echo(json.dumps(document(found, outcome, keep, root), indent=2))
    else:
        show(found, outcome, keep, root)
    sys.exit(1 if outcome.by_hand else 0)


def look(source: FleetSource, names: tuple[str, ...]) -> Found:
    """Ask Core; raises HomeopsError when the fleet is wrong or Core does not answer."""
    site = load_settings(source.stack, source.root)
    graph = source.load().graph
    core = access(source.stack, source.root)
    with Client(core.address, core.credentials) as client:
        comparison = compare(graph, Catalogue(client))
    differing = chosen(comparison, graph, names)
    return Found(source.stack, core.address, comparison, differing, _needless(site.overwrite, comparison, graph))


def _needless(overwrite: list[str], comparison: Comparison, graph: Graph) -> tuple[str, ...]:
    equal = {called(*item.key) for item in comparison.equal}
    declared = {called(*item.key) for item in graph.resources}
    return tuple(name for name in overwrite if name in equal or name not in declared)


def settle(found: Found, source: FleetSource, keep: Side | None, fields: tuple[str, ...]) -> Outcome:
    """Write the choice down; nothing for none."""
    match keep:
        case Side.KOMODO if found.differing:
            try:
                choices = list(_choices(found.differing, fields))
                kept = keep_komodos(source, choices)
            except OSError as error:
                raise HomeopsError(Problem(str(error.filename), f"cannot be written ({error.strerror})")) from None
            whole = all(len(choice.wanted) == len(choice.difference.fields) for choice in choices)
            return Outcome(dict(kept.files), kept.done, kept.partly, kept.by_hand, whole)
        case Side.FLEET if found.differing:
            file, before, after = allow_overwriting(source.stack, source.root, [item.name for item in found.differing])
            return Outcome({file: (before, after)}, tuple(item.name for item in found.differing))
        case _:
            return NOTHING


def _choices(differing: tuple[Difference, ...], fields: tuple[str, ...]) -> Iterator[Choice]:
    known = {field.name for item in differing for field in item.fields}
    wanted = {field.removeprefix("config.") for field in fields} or known
    if unknown := sorted(wanted - known):
        problems = (
            Problem(f"field {name}", f"does not differ{nearest(name, known)}", f"one of {', '.join(sorted(known))}")
            for name in unknown
        )
        raise FleetError(*problems)
    for item in differing:
        if chosen_ := wanted.intersection(field.name for field in item.fields):
            yield Choice(item, frozenset(chosen_))


def document(found: Found, outcome: Outcome, keep: Side | None, root: Path) -> dict[str, Any]:
    """All of it as JSON."""
    return {
        "schema": SCHEMA,
        "stack": found.stack,
        "komodo": found.address,
        "equal": [called(*item.key) for item in found.comparison.equal],
        "absent": [called(*item.key) for item in found.comparison.absent],
        "differing": [
            {
                "name": item.name,
                "declared_at": _declared_at(item),
                "fields": [
                    {
                        "field": field.name,
                        "komodo": without_secrets(field.komodo),
                        "declared": without_secrets(field.declared),
                    }
                    for field in item.fields
                ],
            }
            for item in found.differing
        ],
        "needless": list(found.needless),
        "keep": keep,
        "done": list(outcome.done),
        "partly": list(outcome.partly),
        "files": [
            {"file": str(file.relative_to(root)), "diff": "".join(_diff(file, *texts, root))}
            for file, texts in outcome.files.items()
        ],
        "by_hand": [asdict(item) for item in outcome.by_hand],
    }


def show(found: Found, outcome: Outcome, keep: Side | None, root: Path) -> None:
    """All of it in words."""
    for item in found.differing if keep is None else ():
        for line in described(item):
            _say(line)
    for file, texts in outcome.files.items():
        for line in _diff(file, *texts, root):
            _say(line.rstrip("\n"), _COLOURS.get(line[:1] if line[:3] not in ("+++", "---") else "", ""))
    for line in _sum(found, outcome, keep):
        _say(line)
    for one in outcome.by_hand:
        command = one.write.startswith("pulumi ")
        hint = f"\n  hint: {one.write if command else f'write {one.write}'}" if one.write else ""
        err.print(Text(f"{one.where}: {one.object}: {one.field}: {one.why}{hint}"), style="yellow", soft_wrap=True)


_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _say(line: str, style: str = "") -> None:
    out.print(Text(line), style=style or None, soft_wrap=True)


def described(item: Difference) -> Iterator[str]:
    """An object and its fields; of texts of several lines the lines that differ."""
    where = _declared_at(item)
    yield f"{item.name} differs{f', declared at {where}' if where else ''}"
    for field in item.fields:
        komodo, declared = field.komodo or "", field.declared or ""
        if isinstance(komodo, str) and isinstance(declared, str) and max(komodo.count("\n"), declared.count("\n")) > 1:
            yield f"    {field.name}: - Komodo has, + declared is"
            lines = unified_diff(komodo.splitlines(), declared.splitlines(), lineterm="", n=1)
            yield from (f"      {line}" for line in without_secrets(list(lines)[2:]))
        else:
            yield f"    {field.name}: {both(field.declared, field.komodo)}"


def _sum(found: Found, outcome: Outcome, keep: Side | None) -> Iterator[str]:
    comparison, stack = found.comparison, found.stack
    if outcome.done:
        yield f"{'written' if keep is Side.KOMODO else 'may be overwritten'}: {', '.join(outcome.done)}"
    if outcome.partly:
        yield f"written in part, the rest is below: {', '.join(outcome.partly)}"
    if keep is Side.KOMODO and outcome.done:
        adopts = "now adopts them as they are" if outcome.whole else "shows in which other fields they differ"
        yield f"  hint: pulumi preview -s {stack} {adopts}"
    if keep is Side.FLEET and outcome.done:
        yield f"  hint: pulumi up -s {stack} overwrites them; --refresh as well for what Pulumi knows already"
    if keep is None or not found.differing:
        counts = f"{len(comparison.differing)} differ, {len(comparison.equal)} are equal"
        yield f"{counts}, {len(comparison.absent)} are not in Komodo at {found.address}"
    if keep is None and found.differing:
        name = found.differing[0].name if len(found.differing) == 1 else "[NAME]..."
        yield f"  hint: homeops adopt {name} -s {stack} --keep komodo   writes Komodo's values into the fleet"
        yield f"    or: homeops adopt {name} -s {stack} --keep fleet    lets pulumi up overwrite them"
    if found.needless:
        yield f"not needed any more in Pulumi.{stack}.yaml, {KEY}: {', '.join(found.needless)}"


def _diff(file: Path, before: str, after: str, root: Path) -> Iterator[str]:
    name = str(file.relative_to(root))
    return unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}")


def _declared_at(item: Difference) -> str:
    """The place in front of ``stack "frigate"``."""
    return item.resource.where.partition(": ")[0] if ": " in item.resource.where else ""
