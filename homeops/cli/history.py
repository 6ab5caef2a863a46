"""``homeops history``: which deploys there were, and what came of them."""

import json
import os
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from homeops.cli.access import PulumiStack, access
from homeops.cli.checkout import checkout
from homeops.cli.deploys import Deploy, document, of_komodo, of_receipt
from homeops.cli.screen import err, out, table_of
from homeops.cli.unknown import unknown_stack
from homeops.deploy.receipts import Journal, Receipt, journal_directory
from homeops.errors import KomodoError, LabError
from homeops.komodo.client import Client, Patience
from homeops.lab.serve import STACK

PATIENCE = Patience(connect=3.0, read=15.0, tries=1)
_PARTS = 3
_STYLES = {"healthy": "green", "deployed": "green", "failed": "red", "rolled back": "red"}


def history(
    name: Annotated[str | None, typer.Argument(metavar="[STACK]", help="One stack; without it all of them.")] = None,
    stack: PulumiStack = STACK,
    most: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; homeops/cli/deploys.py says its form.")] = False,
) -> None:
    """List deploys, the newest first: those of this machine by their receipts, others as Komodo recorded them."""
    receipts = Journal(journal_directory(checkout(), os.environ), stack).receipts()
    mine = [receipt for receipt in receipts if name in (None, receipt.stack)]
    silence: str | None = None
    known: list[str] = []
    others: list[Deploy] = []
    try:
        known, others = _of_komodo(stack, name, mine, most)
    except (KomodoError, LabError) as error:
        silence = error.problems[0].what
    else:
        if name is not None and name not in known and not mine:
            raise unknown_stack(name, {*known, *(receipt.stack for receipt in receipts)}, "known here nor in Komodo")
    deploys = sorted([*others, *map(of_receipt, reversed(mine))], key=_when, reverse=True)[:most]
    if as_json:
        typer.echo(json.dumps(document(stack, silence, deploys), indent=2))
        return
    _show(deploys, in_full=name is not None)
    if silence is not None:
        told = f"Komodo was not asked, so these are the receipts of this machine alone: {silence}"
        err.print(Text(told), style="yellow", soft_wrap=True)


def _of_komodo(stack: str, name: str | None, receipts: list[Receipt], most: int) -> tuple[list[str], list[Deploy]]:
    """The names of the stacks that Core has, and what it knows of deploys without a receipt."""
    core = access(stack, checkout())
    with Client(core.address, core.credentials, patience=PATIENCE) as client:
        listed: Any = client.read("ListStacks", {"query": {}, "limit": 0})
        names = {str(item["id"]): str(item["name"]) for item in listed}
        asked = {key: known for key, known in names.items() if name in (None, known)}
        return list(names.values()), of_komodo(client, asked, receipts, most) if asked else []


def _when(deploy: Deploy) -> float:
    return datetime.fromisoformat(deploy.began).timestamp()


def _show(deploys: list[Deploy], *, in_full: bool) -> None:
    if not deploys:
        out.print("no deploys")
        return
    table = table_of("WHEN", "STACK", "HOST", "RESULT", "SECONDS", "COMMIT", "BY", "WHY")
    for deploy in deploys:
        table.add_row(
            shown_time(datetime.fromisoformat(deploy.began)),
            deploy.name,
            deploy.host or "-",
            Text(deploy.result, style=_STYLES.get(deploy.result, "yellow")),
            "-" if deploy.seconds is None else f"{deploy.seconds:g}",
            _change(deploy.commit_before[:7], deploy.commit[:7]),
            deploy.by,
            "\n".join([*_why(deploy, None if in_full else _PARTS), *(_images(deploy) if in_full else ())]),
        )
    out.print(table)


def shown_time(moment: datetime) -> str:
    """By this machine's clock."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def _change(before: str, after: str) -> str:
    """``before -> after``, as far as they are known and differ."""
    return after or "-" if not before or before == after else f"{before} -> {after or '?'}"


def _why(deploy: Deploy, most: int | None) -> list[str]:
    parts = deploy.why[:most]
    more = f" and {len(deploy.why) - len(parts)} more" if len(deploy.why) > len(parts) else ""
    return [text for text in (", ".join(parts) + more, deploy.reason) if text]


def _images(deploy: Deploy) -> list[str]:
    before, after = deploy.images_before, deploy.images_after
    return [
        f"{service}: {_change(_image(before.get(service, '')), _image(image))}"
        for service, image in after.items()
        if image != before.get(service)
    ]


def _image(image: str) -> str:
    """An image with so much of its digest as people compare."""
    name, at, digest = image.partition("@")
    kind, colon, value = digest.partition(":")
    return f"{name}{at}{kind}{colon}{value[:12]}"
