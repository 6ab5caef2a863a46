"""``homeops why``: one stack in words: whether it is due, what makes it so, what it waits for, what ran last."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import PulumiStack
from homeops.cli.checkout import checkout
from homeops.cli.history import shown_time
from homeops.cli.plan import Refresh, planned_up
from homeops.cli.planned import Plan, PlannedStack
from homeops.cli.screen import out
from homeops.cli.unknown import unknown_stack
from homeops.deploy.due import Change
from homeops.deploy.receipts import Journal, Receipt, journal_directory
from homeops.errors import HomeopsError, Problem
from homeops.lab.serve import STACK

KINDS = {
    "compose": "compose file",
    "config": "config file",
    "env_file": "env file",
    "file": "file that compose reads",
    "env": "environment variable",
    "secret": "secret",
    "komodo": "field of the Stack in Komodo",
    "build": "image of build",
}
"""What the parts of a fingerprint (homeops/deploy/fingerprint.py) are, by the first word of their names."""


def why(
    name: Annotated[str, typer.Argument(metavar="STACK", help="The name of a declared stack.")],
    stack: PulumiStack = STACK,
    refresh: Refresh = False,
) -> None:
    """Say why pulumi up would deploy a stack again, or why not. Changes nothing."""
    planned = planned_up(stack, refresh=refresh)
    found = _found(planned, name)
    receipts = Journal(journal_directory(checkout(), os.environ), stack).receipts(name)
    for line in lines(planned, found, receipts):
        out.print(Text(line), soft_wrap=True)
    sys.exit(0)


def _found(planned: Plan, name: str) -> PlannedStack:
    known = {stack.name: stack for stack in planned.stacks}
    if name in known:
        return known[name]
    if not planned.complete:
        raise HomeopsError(*(Problem("", text) for text in planned.refusals or ["pulumi preview: failed"]))
    raise unknown_stack(name, known, "deployed by the fleet")


def lines(planned: Plan, stack: PlannedStack, receipts: list[Receipt]) -> Iterator[str]:
    """The answer; ``receipts`` are those of the stack."""
    where = f"{stack.name} on {stack.host}"
    if stack.why.first:
        yield f"{where} is due: it was not deployed yet"
    elif not stack.why:
        yield f"{where} is not due: nothing that makes its containers differs from its last deploy"
    else:
        yield f"{where} is due"
        if stack.why.moved_from:
            yield f"  moved    from {stack.why.moved_from} to {stack.host}"
        yield from (f"  {change.how:8} {_part(change)}" for change in stack.why.changes)
    due = {other.name for other in planned.due}
    waiting = [other.name for other in planned.stacks if stack.name in other.after]
    if stack.after:
        yield f"it waits for {_marked(stack.after, due)}"
    if waiting:
        yield f"what waits for it: {_marked(waiting, due)}"
    yield from _last(stack, receipts)


def _part(change: Change) -> str:
    kind, _, name = change.part.partition(" ")
    if kind == "secret":
        file, _, key = name.rpartition(" ")
        name = f"{key} in {file}" if file else key
    return f"{KINDS.get(kind, kind)} {name}"


def _marked(names: list[str], due: set[str]) -> str:
    return ", ".join(f"{name} (due)" if name in due else name for name in names)


def _last(stack: PlannedStack, receipts: list[Receipt]) -> Iterator[str]:
    last = stack.deployed
    if last is not None:
        receipt = next((item for item in reversed(receipts) if item.update and item.update == last.update), None)
        by = f" by {receipt.by}" if receipt else ""
        when = shown_time(datetime.fromtimestamp(last.at, UTC)) if last.at else "long ago"
        took = f" in {last.seconds:g} s" if last.seconds is not None else ""
        commit = f"commit {last.commit[:7]}, " if last.commit else ""
        yield f"deployed last: {commit}{when}{by}{took}"
    newest = receipts[-1] if receipts else None
    if newest is None or (last is not None and newest.update and newest.update == last.update):
        return
    runs = f", commit {newest.commit[:7]} runs" if newest.commit else ""
    reason = f": {newest.reason}" if newest.reason else ""
    yield f"then {shown_time(datetime.fromisoformat(newest.began))} by {newest.by}: {newest.result}{runs}{reason}"
