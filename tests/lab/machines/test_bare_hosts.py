"""A bare machine becomes a host of the fleet by what a bootstrap does to it; one that is gone is one problem."""

import platform
from collections.abc import Generator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from homeops.bootstrap import Bootstrap
from homeops.errors import Problem
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.lab.machines.agent import ssh_agent
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.fleet import Machines, Plan
from homeops.lab.machines.machine import Wanted
from homeops.lab.machines.releases import offer_releases
from homeops.lab.periphery.release import release
from homeops.model.site import Site
from homeops.settings import load_settings
from tests.conftest import ROOT
from tests.engine.fleets import link_repository
from tests.lab.heard import Heard
from tests.recovery.fleet import Tool, new_key

HOST, GONE = "komodo", "kasm"


@dataclass(frozen=True)
class Operator:
    """Whoever sets the fleet right: with a checkout, an SSH agent, an age key, and what was told."""

    bootstrap: Bootstrap
    told: list[str]

    def set_right(self, *names: str) -> list[Problem]:
        """Work on these hosts."""
        self.told.clear()
        return self.bootstrap.set_right(host for host in self.bootstrap.fleet.hosts if host.name in names)


@pytest.fixture
def operator(
    engine: Engine, environ: dict[str, str], tmp_path: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> Generator[Operator]:
    """The real fleet, with one of its machines in a container, as bare as it is made."""
    root = tmp_path / "checkout"
    link_repository(ROOT, root)
    recipient = new_key(tool, tmp_path / "key.txt")
    (root / ".sops.yaml").unlink()
    (root / ".sops.yaml").write_text(f"creation_rules:\n  - age: {recipient}\n")
    machines = Machines(root, environ, engine)
    (root / "git").mkdir()
    try:
        site = load_settings("prod", ROOT)
        variables = {"KOMODO_VERSION": site.versions.komodo}
        up = machines.up(Plan((Wanted(HOST, "root"),), root / "git", "git.example", variables), Heard())
        settings = site.model_dump(by_alias=True)
        binary = release(site.versions.komodo)
        offered = f"v{site.versions.komodo}/periphery-{platform.machine()}"
        place = machines.downloads / "moghtech/komodo/releases/download" / offered
        place.parent.mkdir(parents=True)
        place.write_bytes(binary)
        overlay = up.overlay(root)
        settings["hosts"] = {name: {"address": "127.0.0.1", "sshPort": 1 + n} for n, name in enumerate(site.hosts)}
        settings["hosts"].update(overlay["hosts"])
        settings["ssh"].update(overlay["ssh"], installAgeKey=True)
        settings["versions"].update(offer_releases(root, environ, machines.downloads))
        settings["versions"]["peripherySha256"] = sha256(binary).hexdigest()
        ours = Site.model_validate(settings)
        with ssh_agent(up.operator, environ) as with_agent:
            for name in ("PATH", "SSH_AUTH_SOCK"):
                monkeypatch.setenv(name, with_agent[name])
            fleet = declared_fleet("homeops.fleet", ours)
            graph = fleet_graph(fleet, ours, root)
            told: list[str] = []
            keys = {**with_agent, "SOPS_AGE_KEY_FILE": str(tmp_path / "key.txt")}
            home = tmp_path / "home"
            yield Operator(Bootstrap(fleet, graph, ours, root, keys, home, told.append, told.append), told)
    finally:
        machines.down(Heard())


def test_a_bare_machine_becomes_a_host_and_one_that_is_gone_is_one_problem(operator: Operator) -> None:
    (gone,) = operator.set_right(HOST, GONE)
    assert gone.where == GONE
    assert "unreachable over SSH" in gone.what
    for done in (
        "age-key: /etc/sops/age/keys.txt installed",
        "apparmor-mask: mask-apparmor.service started",
        "native-sops: /usr/local/bin/sops-decrypt.sh written",
        "periphery: periphery.service starts with the host",
    ):
        assert f"{HOST}: {done}" in operator.told
    assert operator.set_right(HOST) == []
    assert operator.told[-1] == f"{HOST}: nothing to change"


def test_a_host_that_holds_another_key_keeps_it(operator: Operator, tmp_path: Path, tool: Tool) -> None:
    assert operator.set_right(HOST) == []
    other = new_key(tool, tmp_path / "other.txt")
    (operator.bootstrap.root / ".sops.yaml").write_text(f"creation_rules:\n  - age: {other}\n")
    keys = {**operator.bootstrap.environ, "SOPS_AGE_KEY_FILE": str(tmp_path / "other.txt")}
    somebody_else = Operator(replace(operator.bootstrap, environ=keys), operator.told)
    (problem,) = somebody_else.set_right(HOST)
    assert problem.where == HOST
    assert problem.what.startswith("age-key: ")
    assert operator.set_right(HOST) == [problem]
