"""Whoever sets the fleet right, with machines of the lab for some of its hosts."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from homeops.bootstrap import Bootstrap
from homeops.errors import Problem
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.lab.machines.agent import ssh_agent
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.fleet import Machines, Plan, Up
from homeops.lab.machines.machine import Wanted
from homeops.lab.machines.releases import offer_releases
from homeops.lab.machines.storage import Image
from homeops.model.site import Site
from homeops.settings import load_settings
from tests.conftest import ROOT
from tests.engine.fleets import link_repository
from tests.lab.heard import Heard
from tests.recovery.fleet import Tool, new_key

PROVIDER = "git.example"

Offer = Callable[[Machines, Site], Sequence[Image]]
"""Makes the images that the registry has beside the stand-ins."""


@dataclass(frozen=True)
class Operator:
    """Whoever sets the fleet right: with a checkout, an SSH agent, an age key, and what was told."""

    bootstrap: Bootstrap
    machines: Machines
    up: Up
    recipient: str
    told: list[str] = field(default_factory=list[str])

    def set_right(self, *names: str) -> list[Problem]:
        """Work on these hosts."""
        self.told.clear()
        return self.bootstrap.set_right(host for host in self.bootstrap.fleet.hosts if host.name in names)

    def on(self, host: str, script: str) -> str:
        """What a shell on a host prints, as root; it must succeed."""
        return self.machines.engine.run("exec", self.machines.names.machine(host), "sh", "-euc", script).strip()


def _none(_machines: Machines, _site: Site) -> Sequence[Image]:
    return ()


@contextmanager
def operator_of(
    engine: Engine,
    environ: Mapping[str, str],
    place: Path,
    tool: Tool,
    *,
    hosts: Sequence[str],
    offer: Offer = _none,
    komodo: Mapping[str, Any] | None = None,
) -> Generator[Operator]:
    """The real fleet, with machines for these of its hosts, as bare as they are made; ``komodo``: other settings."""
    root = place / "checkout"
    link_repository(ROOT, root)
    recipient = new_key(tool, place / "key.txt")
    (root / ".sops.yaml").unlink()
    (root / ".sops.yaml").write_text(f"creation_rules:\n  - age: {recipient}\n")
    machines = Machines(root, environ, engine)
    (place / "git").mkdir(exist_ok=True)
    try:
        site = load_settings("prod", ROOT)
        variables = {"KOMODO_VERSION": site.versions.komodo}
        wanted = tuple(Wanted(name, site.hosts[name].ssh_user) for name in hosts)
        up = machines.up(Plan(wanted, place / "git", PROVIDER, variables, tuple(offer(machines, site))), Heard())
        settings = site.model_dump(by_alias=True)
        settings["komodo"].update(komodo or {})
        overlay = up.overlay(root)
        settings["hosts"] = {name: {"address": "127.0.0.1", "sshPort": 1 + n} for n, name in enumerate(site.hosts)}
        settings["hosts"].update(overlay["hosts"])
        settings["network"].update(overlay["network"])
        settings["ssh"].update(overlay["ssh"], installAgeKey=True)
        settings["versions"].update(offer_releases(root, environ, machines.downloads, site.versions.komodo))
        ours = Site.model_validate(settings)
        with ssh_agent(up.operator, environ) as with_agent, pytest.MonkeyPatch.context() as patch:
            for name in ("PATH", "SSH_AUTH_SOCK"):
                patch.setenv(name, with_agent[name])
            fleet = declared_fleet("homeops.fleet", ours)
            graph = fleet_graph(fleet, ours, root)
            told: list[str] = []
            keys = {**with_agent, "SOPS_AGE_KEY_FILE": str(place / "key.txt")}
            bootstrap = Bootstrap(fleet, graph, ours, root, keys, place / "home", told.append, told.append)
            yield Operator(bootstrap, machines, up, recipient, told)
    finally:
        machines.down(Heard())
