"""``homeops import``: a fleet package from Komodo's TOML, from a running Komodo, or from what runs on a host."""

from pathlib import Path
from typing import Annotated

import typer

from homeops.cli.import_host import import_host


def import_fleet(
    toml: Annotated[
        list[Path] | None, typer.Option("--toml", help="A TOML file or a directory of them.", metavar="DIR|FILE")
    ] = None,
    core: Annotated[bool, typer.Option("--core", help="Read what Komodo has in its database.")] = False,
    host: Annotated[str | None, typer.Option("--host", help="Look at what runs on a host.", metavar="HOST")] = None,
    directory: Annotated[Path | None, typer.Option("--out", help="A new directory to write to.", metavar="DIR")] = None,
    stack: Annotated[str, typer.Option("--stack", "-s", help="The Pulumi stack whose settings are written.")] = "prod",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Write a fleet package, and settings for it, from what there is already. Nothing is overwritten or changed."""
    if [toml is not None, core, host is not None].count(True) != 1:
        raise typer.BadParameter("give exactly one of --toml, --core and --host")
    if host is not None:
        import_host(host, stack=stack, directory=directory, as_json=as_json)
