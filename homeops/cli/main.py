"""The entry point: groups of commands, and what an error looks like.

Exit codes: 0 done, 1 an expected failure (its message is shown, nothing else) or what a command says, 2 wrong usage.
"""

import os
import sys
import traceback
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli import (
    adopt,
    bootstrap,
    history,
    hosts,
    imports,
    lab,
    plan,
    recover,
    render,
    rollback,
    secrets,
    status,
    sync,
    up,
    why,
)
from homeops.cli.screen import err
from homeops.errors import HomeopsError

commands = typer.Typer(
    name="homeops",
    help="A Docker homelab as one typed graph, run by Komodo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
commands.add_typer(lab.commands, name="lab")
commands.add_typer(hosts.commands, name="hosts")
commands.add_typer(secrets.commands, name="secrets")
commands.add_typer(recover.commands, name="recover")
commands.command("bootstrap")(bootstrap.bootstrap)
commands.command("up")(up.up)
commands.command("adopt")(adopt.adopt)
commands.command("plan")(plan.plan)
commands.command("why")(why.why)
commands.command("history")(history.history)
commands.command("rollback")(rollback.rollback)
commands.command("status")(status.status)
commands.command("render")(render.render)
commands.command("sync")(sync.sync)
commands.command("import")(imports.import_fleet)

_DEBUG = "HOMEOPS_DEBUG"


@commands.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", envvar=_DEBUG, help="Show where an error comes from.")] = False,
) -> None:
    """Note the options that stand before a command."""
    if debug:
        os.environ[_DEBUG] = "1"


def app() -> None:
    """Run the command line and exit."""
    try:
        commands()
    except HomeopsError as error:
        if os.environ.get(_DEBUG):
            err.print(Text(traceback.format_exc()), soft_wrap=True)
        for problem in error.problems:
            err.print(Text(str(problem)), style="red", soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
