"""``homeops lab``: the rehearsal on this machine."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, out
from homeops.cli.standing import read_standing
from homeops.cli.table import show
from homeops.errors import LabError, Problem
from homeops.komodo.client import Client
from homeops.lab.home import LabHome, working_tree
from homeops.lab.machines.engine import Engine, NoEngine, find_engine
from homeops.lab.machines.names import Names
from homeops.lab.rehearsal import Rehearsal
from homeops.lab.serve import PORT, STACK, serve

commands = typer.Typer(
    help="Rehearse: a simulated Komodo Core on this machine, and the fleet in it.", no_args_is_help=True
)

Port = Annotated[int, typer.Option(help="Where Core shall answer; another port is taken when it is in use (0: any).")]

Simulated = Annotated[bool, typer.Option("--simulated", help="Simulate the hosts, also where there is Docker.")]

IN_IT = "In it: homeops lab run pulumi preview --stack lab --refresh; homeops lab run (a shell)"
REAL_CORE = "On the real Core of Pulumi.prod.yaml: export KOMODO_API_KEY=... KOMODO_API_SECRET=...; pulumi up -s prod"


@commands.command()
def up(port: Port = PORT, *, simulated: Simulated = False) -> None:
    """Start it, or bring it up to date.

    With a Docker engine, each host is a container with systemd, sshd and Docker of its own; without one, hosts are
    simulated. Starts Core unless it runs, brings the fleet into it with pulumi up, and shows how hosts and stacks
    stand.
    """
    root = _root()
    with Progress() as progress:
        Rehearsal(root, os.environ).check()
        rehearsal = Rehearsal(root, os.environ, _engine(LabHome(root), progress, simulated=simulated))
        rehearsal.up(progress, port)
        with rehearsal.stage() as stage, Client(stage.access.address, stage.access.credentials) as client:
            standing = read_standing(STACK, stage.root, client)
    out.print()
    show(out, standing)
    out.print()
    if rehearsal.engine is not None:
        out.print(IN_IT, soft_wrap=True)
    out.print(REAL_CORE, soft_wrap=True)


def _root() -> Path:
    return working_tree(checkout())


def _engine(home: LabHome, progress: Progress, *, simulated: bool) -> Engine | None:
    """The engine for the hosts; None where they are simulated. A rehearsal stays what it is until it is taken down."""
    if home.gateway is not None:
        if simulated:
            raise LabError(Problem("lab", "its hosts are machines already", "make down"))
        return find_engine()
    if simulated or home.last() is not None:
        return None
    try:
        return find_engine()
    except NoEngine as error:
        (problem,) = error.problems
        progress.line(f"Hosts: simulated ({problem.where}: {problem.what})")
        return None


def _rehearsal(root: Path) -> Rehearsal:
    """The one that is there."""
    return Rehearsal(root, os.environ, find_engine() if LabHome(root).gateway is not None else None)


@commands.command()
def down() -> None:
    """Remove everything that up made.

    That is the process, the machines, .lab, and the Pulumi stack lab with its history and its receipts.
    """
    with Progress() as progress:
        _rehearsal(_root()).down(progress)


@commands.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(command: Annotated[list[str] | None, typer.Argument(help="A command; without one, a shell.")] = None) -> None:
    """Run something where its fleet is worked on: in its checkout, with its Core, its SSH agent and its age key.

    As in: homeops lab run pulumi preview --stack lab --refresh
    """
    with _rehearsal(_root()).stage() as stage:
        done = subprocess.run(
            command or [stage.environ.get("SHELL", "bash")], cwd=stage.root, env=dict(stage.environ), check=False
        )
    sys.exit(done.returncode)


@commands.command()
def status() -> None:
    """Say whether it runs, and where.

    Exits 1 when it does not run. How the fleet in it stands: homeops status.
    """
    home = LabHome(_root())
    running = home.running()
    if running is None:
        out.print("Core is not running")
        sys.exit(1)
    out.print(Text(f"Core is running at {running.address} (process {running.pid}, log {home.log})"), soft_wrap=True)
    if home.gateway is None:
        out.print("Hosts are simulated")
    else:
        prefix = Names.of(home.root).prefix
        out.print(Text(f"Hosts are containers: docker ps --filter name={prefix}"), soft_wrap=True)


@commands.command()
def core() -> None:
    """Print what points a shell at its Core.

    As in: eval "$(homeops lab core)"
    """
    access = LabHome(_root()).access()
    for name, value in access.environ.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@commands.command("serve")
def serve_core(port: Port = PORT) -> None:
    """Be its Core in the foreground, until Ctrl-C."""
    serve(LabHome(_root()), port)
