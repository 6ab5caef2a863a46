"""Which Pulumi stack a command is for, and which Core it talks to: the lab's own for the lab, else the declared one."""

import os
from pathlib import Path
from typing import Annotated

import typer

from homeops.komodo.credentials import Access, Given, find_access
from homeops.lab.home import LabHome, working_tree
from homeops.lab.serve import STACK
from homeops.settings import load_settings

PulumiStack = Annotated[
    str, typer.Option("--stack", "-s", envvar="STACK", help="The Pulumi stack: lab, or prod for the real homelab.")
]


SettingsOf = Annotated[
    str, typer.Option("--stack", "-s", envvar="STACK", help="The Pulumi stack whose settings are used.")
]
RealFleet = Annotated[
    str, typer.Option("--stack", "-s", help="The Pulumi stack whose settings are used: prod, the real homelab.")
]


def access(stack: str, root: Path) -> Access:
    """Address and key for a Pulumi stack: of the lab's Core, else what the environment or km's profile says."""
    if stack == STACK:
        return LabHome(working_tree(root)).access()
    site = load_settings(stack, root)
    return find_access(os.environ, Path.home(), Given(address=site.komodo.address))
