"""``homeops status``: hosts and stacks, as declared and as Core has them."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from homeops.cli.checkout import checkout
from homeops.cli.screen import out
from homeops.cli.standing import read_standing
from homeops.cli.table import show
from homeops.komodo.client import Client
from homeops.komodo.credentials import Access, Given, find_access
from homeops.lab.home import LabHome
from homeops.lab.serve import STACK
from homeops.settings import load_settings


def status(
    stack: Annotated[
        str, typer.Option("--stack", "-s", envvar="STACK", help="The Pulumi stack: lab, or prod for the real homelab.")
    ] = STACK,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; homeops/cli/standing.py says its form.")] = False,
) -> None:
    """Show hosts and stacks, declared and as Komodo has them. Exit 0 when all is as declared and up, else 1."""
    root = checkout()
    access = _access(stack, root)
    with Client(access.address, access.credentials) as client:
        standing = read_standing(stack, root, client)
    if as_json:
        typer.echo(json.dumps(standing.document(), indent=2))
    else:
        show(out, standing)
    sys.exit(0 if standing.ok else 1)


def _access(stack: str, root: Path) -> Access:
    """The lab's own Core for the lab; else what the environment or km's profile says, for the declared Core."""
    if stack == STACK:
        return LabHome(root).access()
    site = load_settings(stack, root)
    return find_access(os.environ, Path.home(), Given(address=site.komodo.address))
