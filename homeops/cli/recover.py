"""``homeops recover``: bring back what deploys everything else, without it."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import SettingsOf
from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, out
from homeops.compose.directories import read_directories
from homeops.errors import KomodoError, LabError, Problem
from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.komodo.credentials import Given, find_access
from homeops.lab.serve import STACK
from homeops.recovery.control_plane import ControlPlane, control_plane, stack_directory
from homeops.recovery.run import run
from homeops.recovery.script import KEY, SECRET, Manner, script
from homeops.settings import load_settings

commands = typer.Typer(help="Bring back what deploys everything else, without it.", no_args_is_help=True)


@commands.callback()
def group() -> None:
    """Keep ``core`` a command of its own: Typer would take the only one for the group."""


@commands.command()
def core(
    stack: SettingsOf = "prod",
    print_only: Annotated[bool, typer.Option("--print", help="Print the steps as a script, and do nothing.")] = False,
    decrypt_here: Annotated[
        bool, typer.Option("--decrypt-here", help="Decrypt the secrets on this machine: the host has no age key.")
    ] = False,
) -> None:
    """Bring Komodo Core up on its host with ssh, sops and docker compose, from this checkout.

    Needs neither Core nor Periphery nor Pulumi's state. Every step may be repeated; named volumes are not touched.
    """
    root = checkout()
    plane = _control_plane(stack, root)
    manner = Manner(decrypt_here=decrypt_here)
    if print_only:
        typer.echo(script(plane, manner), nl=False)
        return
    if stack == STACK:
        raise LabError(Problem("lab", "its hosts are simulated, and nothing can be reached", "homeops lab up"))
    with Progress() as progress:

        def ended(name: str, said: str) -> None:
            progress.line(name)
            for line in said.splitlines():
                progress.line(f"    {line}")

        environ = {**os.environ, **_key(plane)}
        run(plane, root, environ, began=progress.working, ended=ended, manner=manner)
    out.print(Text(f"{plane.stack} is up on {plane.host}: Core {plane.version} at {plane.core}"), soft_wrap=True)
    out.print(Text(f"Next: pulumi up -s {stack}"), soft_wrap=True)


def _control_plane(stack: str, root: Path) -> ControlPlane:
    site = load_settings(stack, root)
    graph = fleet_graph(declared_fleet(FLEET, site), site, root)
    return control_plane(graph, site, read_directories(root, [stack_directory(graph)]))


def _key(plane: ControlPlane) -> dict[str, str]:
    """The API key for the declared Core, as the steps take it; nothing when there is none, or it is for another."""
    try:
        access = find_access(os.environ, Path.home(), Given(address=plane.core))
    except KomodoError:
        return {KEY: "", SECRET: ""}
    if access.address != plane.core:
        return {KEY: "", SECRET: ""}
    return {KEY: access.credentials.key, SECRET: access.credentials.secret}
