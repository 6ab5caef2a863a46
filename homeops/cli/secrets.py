"""``homeops secrets``: the group. Each command stands in a module of its own, ``secrets_*.py``."""

import typer

from homeops.cli import secrets_check

commands = typer.Typer(name="secrets", help="Secret files: SOPS with age keys.", no_args_is_help=True)
commands.command("check")(secrets_check.check)
