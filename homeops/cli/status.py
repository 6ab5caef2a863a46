"""``homeops status``: hosts and stacks, as declared and as Core has them."""

import json
import sys
from typing import Annotated

import typer

from homeops.cli.access import PulumiStack, access
from homeops.cli.checkout import checkout
from homeops.cli.screen import out
from homeops.cli.standing import read_standing
from homeops.cli.table import show
from homeops.komodo.client import Client
from homeops.lab.serve import STACK


def status(
    stack: PulumiStack = STACK,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; homeops/cli/standing.py says its form.")] = False,
) -> None:
    """Show hosts and stacks, declared and as Komodo has them. Exit 0 when all is as declared and up, else 1."""
    root = checkout()
    core = access(stack, root)
    with Client(core.address, core.credentials) as client:
        standing = read_standing(stack, root, client)
    if as_json:
        typer.echo(json.dumps(standing.document(), indent=2))
    else:
        show(out, standing)
    sys.exit(0 if standing.ok else 1)
