"""``homeops lab``: the rehearsal on this machine."""

import os
import shlex
import sys
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, out
from homeops.cli.standing import read_standing
from homeops.cli.table import show
from homeops.komodo.client import Client
from homeops.lab.home import LabHome
from homeops.lab.rehearsal import Rehearsal
from homeops.lab.serve import PORT, STACK, serve

commands = typer.Typer(
    help="Rehearse: a simulated Komodo Core on this machine, and the fleet in it.", no_args_is_help=True
)

Port = Annotated[int, typer.Option(help="Where Core shall answer; another port is taken when it is in use (0: any).")]

REAL_CORE = "On the real Core of Pulumi.prod.yaml: export KOMODO_API_KEY=... KOMODO_API_SECRET=...; pulumi up -s prod"


@commands.command()
def up(port: Port = PORT) -> None:
    """Start it, or bring it up to date.

    Starts Core unless it runs, brings the fleet into it with pulumi up, and shows how hosts and stacks stand.
    """
    root = checkout()
    rehearsal = Rehearsal(root, os.environ)
    with Progress() as progress:
        rehearsal.up(progress, port)
        access = rehearsal.home.access()
        with Client(access.address, access.credentials) as client:
            standing = read_standing(STACK, root, client)
    out.print()
    show(out, standing)
    out.print()
    out.print(REAL_CORE, soft_wrap=True)


@commands.command()
def down() -> None:
    """Remove everything that up made.

    That is the process, .lab, and the Pulumi stack lab with its history and its receipts.
    """
    with Progress() as progress:
        Rehearsal(checkout(), os.environ).down(progress)


@commands.command()
def status() -> None:
    """Say whether it runs, and where.

    Exits 1 when it does not run. How the fleet in it stands: homeops status.
    """
    home = LabHome(checkout())
    running = home.running()
    if running is None:
        out.print("Core is not running")
        sys.exit(1)
    out.print(Text(f"Core is running at {running.address} (process {running.pid}, log {home.log})"), soft_wrap=True)


@commands.command()
def core() -> None:
    """Print what points a shell at its Core.

    As in: eval "$(homeops lab core)"
    """
    access = LabHome(checkout()).access()
    for name, value in access.environ.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@commands.command("serve")
def serve_core(port: Port = PORT) -> None:
    """Be its Core in the foreground, until Ctrl-C."""
    serve(LabHome(checkout()), port)
