"""``homeops bootstrap``: from bare hosts to a fleet that Pulumi can drive."""

import os
from pathlib import Path

from rich.text import Text

from homeops.bootstrap import Bootstrap
from homeops.cli.access import SettingsOf
from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, out
from homeops.errors import HomeopsError, Problem
from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.settings import add_setting, load_settings


def bootstrap(
    stack: SettingsOf = "prod",
) -> None:
    """Bring up Core on its host, make a key for it, and an agent on every host. May be run again at any point.

    The SSH keys of the hosts have to be recorded (homeops hosts trust). A host that fails keeps no other from being set
    right; exit 1 when one did.
    """
    root = checkout()
    with Progress() as progress:
        work = _bootstrap(stack, root, progress)
        if work.site.ssh is None:
            hint = f"add homeops:ssh to Pulumi.{stack}.yaml; an empty block will do: {{}}"
            raise HomeopsError(Problem("bootstrap", "hosts are not managed over SSH here", hint))
        if problems := work.set_right([work.core_host]):
            raise HomeopsError(*problems)
        work.bring_core_up()
        access = work.key()
        public_key = work.core_public_key(access)
        if public_key != work.site.komodo.public_key:
            _note(public_key, work, stack)
            work = _bootstrap(stack, root, progress)
        problems = work.set_right(work.fleet.hosts)
    if problems:
        raise HomeopsError(*problems)
    out.print(Text(f"Core is up on {work.core_host.name}, and an agent on each of {len(work.fleet.hosts)} hosts"))
    out.print(Text(f"Next: pulumi up -s {stack}"), soft_wrap=True)


def _bootstrap(stack: str, root: Path, progress: Progress) -> Bootstrap:
    site = load_settings(stack, root)
    fleet = declared_fleet(FLEET, site)
    graph = fleet_graph(fleet, site, root)
    return Bootstrap(fleet, graph, site, root, os.environ, Path.home(), progress.working, progress.line)


def _note(public_key: str, work: Bootstrap, stack: str) -> None:
    """Write Core's public key into the settings, so that the agents let nobody else in; another one is not replaced."""
    known = work.site.komodo.public_key
    if known:
        what = f"Core's public key is {public_key}, the settings have {known}: the agents would not let this Core in"
        hint = "if Core was installed anew, change publicKey of homeops:komodo in the settings; then again"
        raise HomeopsError(Problem("bootstrap", what, hint))
    file = add_setting(stack, work.root, "komodo", "publicKey", public_key)
    work.tell(f"Core's public key: written to {file.name}; commit it")
