"""``homeops rollback``: one stack back to the commit under which it was healthy before."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Annotated, Any

import typer
from rich.text import Text

from homeops.cli.access import PulumiStack, access
from homeops.cli.checkout import checkout
from homeops.cli.history import shown_time
from homeops.cli.screen import Progress, ask, out
from homeops.cli.unknown import unknown_stack
from homeops.deploy.fingerprint import fingerprint
from homeops.deploy.order import Deployed, Order
from homeops.deploy.receipts import Journal, Receipt, journal_directory
from homeops.deploy.rollback import Healthy, roll_back
from homeops.errors import FleetError, HomeopsError, Problem
from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.komodo.client import Client
from homeops.lab.serve import STACK
from homeops.model.graph import Resource
from homeops.settings import load_settings

BY = "homeops rollback"
RAN = ("healthy", "rolled back")
"""Results after which the commit of the receipt ran, and was healthy."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """``runs``: the commit that Komodo deployed last, empty when there is none; ``then``: when ``to`` was healthy."""

    order: Order
    runs: str
    to: str
    then: str = ""

    def words(self) -> str:
        """What will be done."""
        known = f", healthy on {shown_time(datetime.fromisoformat(self.then))}" if self.then else ""
        return (
            f"{self.order.stack} on {self.order.server}: commit {self.runs or 'unknown'} was deployed last; "
            f"it goes back to commit {self.to}{known}\n"
            "Its files are those of that commit again; its configuration in Komodo and its volumes stay as they are."
        )


def rollback(
    name: Annotated[str, typer.Argument(metavar="STACK", help="The name of a declared stack.")],
    to: Annotated[str, typer.Option("--to", metavar="COMMIT", help="Another commit than the last healthy one.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    stack: PulumiStack = STACK,
) -> None:
    """Deploy the last commit of a stack that was healthy, and follow that until it is healthy again.

    The declaration stays as it is, and wants the newest commit.
    """
    root = checkout()
    site = load_settings(stack, root)
    graph = fleet_graph(declared_fleet(FLEET, site), site, root)
    declared = graph.get("Stack", name)
    if declared is None:
        raise unknown_stack(name, [item.name for item in graph.of("Stack")], "declared")
    order = order_of(declared, fingerprint(declared, graph, root, site.repository))
    journal = Journal(journal_directory(root, os.environ), stack)
    core = access(stack, root)
    with Client(core.address, core.credentials) as client:
        way = way_back(client, order, journal.receipts(name), to)
        out.print(Text(way.words()), soft_wrap=True)
        if not yes:
            hint = f"homeops rollback {way.order.stack} --yes"
            ask("Deploy it?", Problem("homeops rollback", "nobody is here to say yes", hint))
        with Progress() as progress:
            runs = go_back(client, way, journal, progress.line)
    for line in outcome(way, runs):
        out.print(Text(line), soft_wrap=True)


def order_of(declared: Resource, parts: dict[str, str]) -> Order:
    """The order for a declared stack; ``parts`` is its fingerprint. Raises FleetError for one that is not rolled back.

    Core is not: it would have to deploy its own predecessor, on a database that the newer one may have changed.
    """
    where = f'stack "{declared.name}"'
    if not declared.deploy:
        raise FleetError(Problem(where, "is not deployed by the fleet", "templates are copied, not deployed"))
    if declared.rollout.core:
        hint = "declare the version before it, then homeops recover core"
        raise FleetError(Problem(where, "Core does not roll itself back", hint))
    server, shared = (str(getattr(declared.config, field, "")) for field in ("server_id", "linked_repo"))
    return Order(declared.name, server, parts, declared.rollout.model_dump(), checkout=shared)


def way_back(client: Client, order: Order, receipts: Sequence[Receipt], to: str = "") -> WayBack:
    """Where to go back to: the commit ``to``, else the last that was healthy before the present one.

    Raises FleetError when there is none, KomodoError when Core cannot be asked.
    """
    document: Any = client.read("GetStack", {"stack": order.stack})
    runs = str(document["info"].get("deployed_hash") or "")
    if to:
        if not re.fullmatch(r"[0-9a-f]{7,40}", to):
            raise FleetError(Problem("--to", f'"{to}" is no commit', "git log --oneline names them"))
        return WayBack(order, runs, to)
    found = last_healthy(receipts, runs)
    if found is None:
        raise FleetError(
            Problem(
                f'stack "{order.stack}"',
                f"has no receipt of a healthy commit before {runs or 'the present one'}",
                f"homeops history {order.stack} shows what is known; name a commit with --to",
            )
        )
    return WayBack(order, runs, found.commit, found.began)


def last_healthy(receipts: Sequence[Receipt], runs: str) -> Receipt | None:
    """The receipt to go back to when commit ``runs`` was deployed last; receipts of the stack, the oldest first.

    After a deploy that failed that is the last healthy one, whatever runs now. After one that went well, one before
    that commit came: who goes back twice goes back further.
    """
    ran = [receipt for receipt in receipts if receipt.result in RAN and receipt.commit]
    if receipts and receipts[-1].result not in RAN:
        return ran[-1] if ran else None
    first = next((place for place, receipt in enumerate(ran) if receipt.commit == runs), len(ran))
    return ran[first - 1] if first else None


def go_back(client: Client, way: WayBack, journal: Journal, tell: Callable[[str], None]) -> Deployed:
    """Deploy the commit, follow it until it is healthy, write the receipt. Raises as homeops.deploy.rollback does."""
    began, clock = datetime.now(UTC), monotonic()
    order = way.order
    before = next((item for item in reversed(journal.receipts(order.stack)) if item.commit == way.runs), None)
    receipt = Receipt(
        stack=order.stack,
        host=order.server,
        result="unknown",
        began=began.isoformat(timespec="seconds"),
        commit_before=way.runs,
        images_before=before.images_after if before else {},
        why=[f"back to commit {way.to}"],
        by=BY,
    )
    try:
        runs = roll_back(client, order, Healthy(way.to), tell)
    except HomeopsError as error:
        receipt = replace(receipt, result="failed", reason=error.problems[0].what)
        raise
    else:
        receipt = replace(receipt, result="healthy", commit=runs.commit, images_after=runs.images, update=runs.update)
        return runs
    finally:
        journal.append(replace(receipt, seconds=round(monotonic() - clock, 1)), tell)


def outcome(way: WayBack, runs: Deployed) -> list[str]:
    """What runs now, and how it stays so."""
    up = ", ".join(f"{service} {state}" for service, state in runs.services.items()) or "no service"
    return [
        f"{way.order.stack} on {way.order.server} runs commit {runs.commit}: {up}",
        "The declaration still wants the newest commit: pulumi up --refresh deploys it again.",
        "To keep this one, git revert what came after it, and push.",
    ]
