"""``homeops import``: a fleet package from Komodo's TOML, from a running Komodo, or from what runs on a host."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from homeops.cli.access import access
from homeops.cli.checkout import checkout
from homeops.cli.import_host import import_host
from homeops.cli.import_report import lines
from homeops.cli.screen import Progress, out
from homeops.compose.directories import read_directories, stack_directories
from homeops.errors import HomeopsError
from homeops.imports.fleet import imported
from homeops.imports.found import Findings
from homeops.imports.from_core import from_core
from homeops.imports.from_toml import from_toml
from homeops.imports.report import Report
from homeops.imports.written import check_free, write
from homeops.komodo.client import Client
from homeops.komodo.credentials import Access, find_access
from homeops.lab.serve import STACK
from homeops.settings import load_settings, settings_file


def import_fleet(
    toml: Annotated[
        list[Path] | None,
        typer.Option("--toml", help="A TOML file or a directory of them; may be given several times.", metavar="PATH"),
    ] = None,
    core: Annotated[bool, typer.Option("--core", help="Read what Komodo has in its database.")] = False,
    host: Annotated[str | None, typer.Option("--host", help="Look at what runs on a host.", metavar="HOST")] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--out", help="A new directory to write to; without it, only the report is shown.", metavar="DIR"),
    ] = None,
    stack: Annotated[str, typer.Option("--stack", "-s", help="The Pulumi stack whose settings are written.")] = "prod",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON; homeops/imports/report.py says its form.")
    ] = False,
) -> None:
    """Write a fleet package, and settings for it, from what there is already; see docs/adoption.md.

    Nothing in Komodo is changed, no file is overwritten, and no secret is written. What could not be carried over is
    listed. The Core of --core is that of KOMODO_ADDRESS, KOMODO_API_KEY and KOMODO_API_SECRET, or of km's profile.
    """
    if [bool(toml), core, host is not None].count(True) != 1:
        raise typer.BadParameter("give exactly one of --toml, --core and --host")
    if host is not None:
        import_host(host, stack=stack, directory=directory, as_json=as_json)
        return
    root = checkout()
    if directory is not None:
        check_free(directory)
    findings = _of_core(stack, root) if core else from_toml(toml or [])
    directories = read_directories(root, stack_directories(root))
    made = imported(findings, _versions(stack, root), directories)
    files = {settings_file(stack, root).name: made.settings, **made.files}
    if directory is not None:
        write(directory, files)
    place = "" if directory is None else str(directory)
    report = Report(place, list(files) if place else [], made.counts, made.notes, made.exports)
    if as_json:
        typer.echo(json.dumps(report.document(), indent=2))
    else:
        for line in lines(report):
            out.print(line, soft_wrap=True)


def _of_core(stack: str, root: Path) -> Findings:
    # The declared address is not asked: it is that of the fleet that the checkout came with.
    found: Access = access(stack, root) if stack == STACK else find_access(os.environ, Path.home())
    with Client(found.address, found.credentials) as client, Progress() as progress:
        progress.working(f"reading {found.address}")
        return from_core(client, found.address, str(client.version()))


def _versions(stack: str, root: Path) -> Mapping[str, Any]:
    """The versions that settings of the checkout name; none where there are no readable ones."""
    for name in dict.fromkeys((stack, "prod", STACK)):
        try:
            versions = load_settings(name, root).versions
        except HomeopsError:
            continue
        return versions.model_dump(by_alias=True, exclude_unset=True)
    return {}
