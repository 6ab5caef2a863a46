"""``homeops render``: the fleet as Komodo's own TOML, for its ResourceSync and for people."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import RealFleet
from homeops.cli.checkout import checkout
from homeops.cli.screen import err, out
from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.komodo.toml.layout import DIRECTORY
from homeops.komodo.toml.output import Difference, compare, write
from homeops.komodo.toml.rendering import files_of
from homeops.settings import load_settings


def render(
    stack: RealFleet = "prod",
    directory: Annotated[
        str, typer.Option("--out", help="Where to write, relative to the checkout.", metavar="DIRECTORY")
    ] = DIRECTORY,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when a file is not current.")] = False,
) -> None:
    """Write the TOML that Komodo's ResourceSync reads, from the fleet. Files of other origin are never touched."""
    root = checkout()
    files = rendered_fleet(root, stack)
    if check:
        difference = compare(root / directory, files)
        _show(difference, directory, ("is missing", "is not current", "is not needed any more"))
        if not difference.none:
            err.print(Text("  hint: homeops render, then commit"), soft_wrap=True)
            sys.exit(1)
    else:
        _show(write(root / directory, files), directory, ("written", "written", "removed"))
    out.print(f"{len(files)} files in {directory} are current", soft_wrap=True)


def rendered_fleet(root: Path, stack: str) -> dict[str, str]:
    """The files for the settings of a Pulumi stack, by name."""
    site = load_settings(stack, root)
    graph = fleet_graph(declared_fleet(FLEET, site), site, root)
    return dict(files_of(graph, site, stack))


def _show(difference: Difference, directory: str, words: tuple[str, str, str]) -> None:
    for names, word in zip((difference.missing, difference.stale, difference.needless), words, strict=True):
        for name in names:
            out.print(Text(f"{directory}/{name}: {word}"), soft_wrap=True)
    for name in difference.foreign:
        err.print(Text(f"{directory}/{name}: not made by homeops render; a sync reads it too"), soft_wrap=True)
