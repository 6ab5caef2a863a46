"""``homeops secrets check``: what is wrong with the secret files, found without any private key."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import RealFleet
from homeops.cli.checkout import checkout
from homeops.cli.screen import err, out
from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.secrets.check import secret_findings
from homeops.secrets.environments import StackEnvironment, stack_environments
from homeops.secrets.finding import document, errors
from homeops.settings import load_settings


def check(
    stack: RealFleet = "prod",
    staged: Annotated[bool, typer.Option("--staged", help="Look at what the next commit will hold.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; docs/secrets.md says its form.")] = False,
) -> None:
    """Find what is wrong with the secret files and who reads them; exit 1 on errors. Needs no private key."""
    root = checkout()
    found = secret_findings(root, _environments(root, stack), staged=staged)
    wrong = errors(found)
    if as_json:
        typer.echo(json.dumps(document(found), indent=2))
    else:
        for finding in found:
            style = "red" if finding.severity == "error" else "yellow"
            err.print(Text(str(finding.problem)), style=style, soft_wrap=True)
        out.print(f"secrets: {_count(len(wrong), 'error')}, {_count(len(found) - len(wrong), 'warning')}")
    if wrong:
        sys.exit(1)


def _environments(root: Path, stack: str) -> tuple[StackEnvironment, ...]:
    site = load_settings(stack, root)
    return stack_environments(fleet_graph(declared_fleet(FLEET, site), site, root))


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
