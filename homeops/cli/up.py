"""``homeops up``: ``pulumi up`` without the hosts that are away, which keep what is recorded of them."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import PulumiStack, access
from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, err
from homeops.errors import HomeopsError, Problem, SettingsError, nearest
from homeops.hosts.condition import side_by_side
from homeops.hosts.reach import HostUnreachable, reach_of
from homeops.hosts.skipping import LEFT_OUT, flags
from homeops.hosts.ssh import run
from homeops.lab.pulumi_cli import PulumiCli, environment
from homeops.lab.serve import STACK
from homeops.lab.stage import Stage
from homeops.model.site import Site
from homeops.settings import load_settings

Skip = Annotated[
    list[str] | None,
    typer.Option("--skip-host", metavar="NAME", help="Leave out this host and its stacks. Can be given again."),
]


def up(
    stack: PulumiStack = STACK,
    skip: Skip = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="First look at what Komodo and the hosts have now.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Bring the homelab up to its declaration with pulumi up.

    Hosts that give no answer over SSH are left out as if they were named with --skip-host: neither they nor their
    stacks are changed or forgotten, and the next run that finds them there does the rest. So are hosts that let nobody
    in, or whose key is not the recorded one. Exits as pulumi does, and with 1 where such a host was left out.
    """
    root = checkout()
    site = load_settings(stack, root)
    named = _known(skip or (), site)
    pulumi = _pulumi(stack, root)
    if pulumi.program is None:
        raise pulumi.missing()
    bad = out_of_reach(site, root, named)
    left_out = [*named, *bad]
    options = [*(["--refresh"] if refresh else []), *(["--yes", "--skip-preview"] if yes else [])]
    command = [pulumi.program, "up", "--stack", stack, *options, *flags(left_out, stack)]
    environ = {**pulumi.environ, LEFT_OUT: " ".join(left_out)}
    done = subprocess.run(command, cwd=root, env=environ, check=False)
    sys.exit(done.returncode or int(not all(isinstance(error, HostUnreachable) for error in bad.values())))


def _pulumi(stack: str, root: Path) -> PulumiCli:
    """The command, for the lab with the lab's own key and passphrase."""
    if stack == STACK:
        return PulumiCli(root, Stage.of(root, access(stack, root), environment(root, os.environ)).environ)
    return PulumiCli(root, environment(root, os.environ))


def out_of_reach(site: Site, root: Path, but: Iterable[str] = ()) -> dict[str, HomeopsError]:
    """What keeps which host from being worked on over SSH, each told of; nothing where hosts are not managed over SSH.

    What goes wrong on a host that one can log in to is for the run itself to say.
    """
    if site.ssh is None:
        return {}
    with Progress() as progress:
        progress.working("looking which hosts are there")
        names = [name for name in site.hosts if name not in but]
        tried = side_by_side(lambda name: _refusal(name, site, root), names)
    found = {name: error for name, error in zip(names, tried, strict=True) if error is not None}
    for error in found.values():
        word, style = ("warning", "yellow") if isinstance(error, HostUnreachable) else ("error", "red")
        err.print(Text(f"{word}: {error}\n  left out of this run, with its stacks"), style=style, soft_wrap=True)
    return found


def _refusal(name: str, site: Site, root: Path) -> HomeopsError | None:
    try:
        run(reach_of(name, site, root), "true", deadline=2 * (site.ssh.connect_timeout_seconds if site.ssh else 5))
    except HomeopsError as error:
        return error
    return None


def _known(names: Sequence[str], site: Site) -> list[str]:
    unknown = [name for name in names if name not in site.hosts]
    if unknown:
        hint = f"one of {', '.join(site.hosts)}"
        problems = (Problem(f'host "{name}"', f"is not there{nearest(name, site.hosts)}", hint) for name in unknown)
        raise SettingsError(*problems)
    return list(dict.fromkeys(names))
