"""``homeops import --host``: compose projects that run on a host without Komodo, and what would adopt them."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import typer
from rich.text import Text

from homeops.cli.access import access
from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, err, out
from homeops.errors import FleetError, HomeopsError, Problem, nearest
from homeops.fleet_graph import FLEET, declared_fleet
from homeops.hosts.reach import Reach, reach_of
from homeops.imports.host_report import HostReport, stack_names
from homeops.imports.managed import Known, known_to_core, managed, of_fleet
from homeops.imports.project_adoption import adoption
from homeops.imports.project_reading import running_on
from homeops.imports.written import add
from homeops.komodo.client import Client, Patience
from homeops.model.fleet import Fleet
from homeops.model.host import Host
from homeops.settings import load_settings

_PATIENCE = Patience(connect=2, read=10, tries=1)
"""Core tells which stacks it has that the fleet does not declare; the host can be looked at without it."""


def import_host(host: str, *, stack: str, directory: Path | None, as_json: bool) -> None:
    """Show what runs on a host of the fleet and is no stack of Komodo, with the declaration that would adopt it.

    ``directory``: where compose files and declarations are written; None: they are only shown.
    """
    root = checkout()
    site = load_settings(stack, root)
    fleet = declared_fleet(FLEET, site)
    reach = reach_of(_declared(host, fleet), site, root)
    with Progress() as progress:
        progress.working(f"{host}: looking at its containers")
        running = running_on(reach)
        progress.working("asking Komodo")
        core, asked = _core(stack, root)
    known = of_fleet(fleet).together(core)
    by = managed(running, host, known)
    mine = [project for project in running.projects if project.name not in by]
    names = stack_names((project.name for project in mine), host, known.names)
    report = HostReport(
        host,
        _login(reach),
        running.compose_version,
        tuple(adoption(project, host, names[project.name], running) for project in mine),
        by,
        running.loose,
        next(declared.unmanaged for declared in fleet.hosts if declared.name == host),
        asked,
        _variable(host),
        frozenset(_names_in("homeops.fleet.stacks")),
    )
    written = add(directory, report.files()) if directory else []
    if as_json:
        typer.echo(json.dumps({**report.document(), "written": written}, indent=2))
        return
    for line in report.lines():
        out.print(Text(line), soft_wrap=True)
    for path in written:
        err.print(Text(f"written: {path}"), soft_wrap=True)
    if written:
        name = report.module_name
        took = f"in homeops/fleet/stacks.py: from homeops.fleet import {name}, and *{name}.STACKS among its STACKS"
        err.print(Text(took), soft_wrap=True)


def _declared(host: str, fleet: Fleet) -> str:
    names = [declared.name for declared in fleet.hosts]
    if host not in names:
        hint = f"one of {', '.join(names) or 'none'}"
        raise FleetError(Problem(f'host "{host}"', f"is not declared{nearest(host, names)}", hint))
    return host


def _core(stack: str, root: Path) -> tuple[Known, str]:
    try:
        core = access(stack, root)
        with Client(core.address, core.credentials, patience=_PATIENCE) as client:
            return known_to_core(client), ""
    except HomeopsError as error:
        return Known(), str(error)


def _names_in(module: str) -> Mapping[str, object]:
    """What a module of the fleet defines; nothing where a fleet has no such module."""
    try:
        return vars(import_module(module))
    except ModuleNotFoundError:
        return {}


def _variable(host: str) -> str:
    """What a host is called in the fleet's own module; empty when it is not declared there."""
    declared = _names_in("homeops.fleet.hosts").items()
    return next((name for name, value in declared if isinstance(value, Host) and value.name == host), "")


def _login(reach: Reach) -> str:
    port = f"-p {reach.port} " if reach.port != 22 else ""
    return f"ssh {port}{reach.user}@{reach.address}" + ("" if reach.user == "root" else " sudo")
