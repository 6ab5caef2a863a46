"""``homeops plan``: what ``pulumi up`` would do, in words or as data."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import PulumiStack
from homeops.cli.checkout import checkout
from homeops.cli.planned import Plan, PlannedObject, PlannedStack, plan_of
from homeops.cli.preview import preview
from homeops.cli.screen import Progress, err, out
from homeops.lab.serve import STACK

CHANGES = 2
"""The exit code of ``--exit-code`` for a plan with changes, as other tools have it."""

_DONE = {
    "create": "created",
    "adopt": "taken over and changed",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
}

Refresh = Annotated[
    bool, typer.Option("--refresh", help="Compare with what Komodo has now, not with what the last run left.")
]


def plan(
    stack: PulumiStack = STACK,
    refresh: Refresh = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; homeops/cli/planned.py says its form.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 2 when there is something to do.")] = False,
) -> None:
    """Say which stacks pulumi up would deploy and why, and what it would change in Komodo.

    Runs pulumi preview; changes nothing. Exits 1 when something is refused.
    """
    planned = planned_up(stack, refresh=refresh)
    if as_json:
        typer.echo(json.dumps(planned.document(), indent=2))
    else:
        for line in lines(planned):
            out.print(Text(line), soft_wrap=True)
        for text in planned.warnings:
            err.print(Text(f"warning: {text}"), style="yellow", soft_wrap=True)
        for text in planned.refusals:
            err.print(Text(text), style="red", soft_wrap=True)
    if planned.refusals or not planned.complete:
        sys.exit(1)
    sys.exit(CHANGES if exit_code and planned.changes else 0)


def planned_up(stack: str, *, refresh: bool = False) -> Plan:
    """The plan for a Pulumi stack of this checkout."""
    root = checkout()
    with Progress() as progress:
        progress.working("pulumi preview")
        return plan_of(stack, preview(stack, root, refresh=refresh))


def lines(planned: Plan) -> Iterator[str]:
    """The plan in words, without its refusals and warnings."""
    if not planned.complete:
        yield "the preview failed, so this is not all of it" if planned.stacks else "the preview failed"
    if planned.complete or planned.stacks:
        yield _sum(planned)
    due = {stack.name for stack in planned.due}
    yield from (f"  {_stack(stack, due)}" for stack in planned.due)
    same = [item for item in planned.objects if item.how == "adopt" and not item.fields]
    if same:
        yield "taken over as Komodo has it"
        yield from (f"  {item.kind} {item.name}" for item in same)
    if others := [item for item in planned.objects if item not in same]:
        yield "changes in Komodo"
        yield from (f"  {_object(item)}" for item in others)
    yield from planned.notes
    if planned.complete and not planned.changes and not planned.refusals:
        yield "nothing to do"


def _sum(planned: Plan) -> str:
    again = [stack.name for stack in planned.due if not stack.why.first]
    first = [stack.name for stack in planned.due if stack.why.first]
    parts = [f"{len(again)} of {len(planned.stacks)} stacks redeploy{_names(again)}"]
    if first:
        parts.append(f"{len(first)} {'is' if len(first) == 1 else 'are'} deployed for the first time{_names(first)}")
    return "; ".join(parts)


def _names(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f": {listed}" if listed else ""


def _stack(stack: PlannedStack, due: set[str]) -> str:
    waits = [name for name in stack.after if name in due]
    after = f", after {', '.join(waits)}" if waits else ""
    return f"{stack.name} on {stack.host}{after}: {', '.join(stack.why.words())}"


def _object(item: PlannedObject) -> str:
    was = f", was {item.was}" if item.was else ""
    fields = f" ({', '.join(item.fields)})" if item.fields else ""
    return f"{_DONE[item.how]}: {item.kind} {item.name}{was}{fields}"
