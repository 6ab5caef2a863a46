"""Fleets of tests: a repository in the project's directory, whose hosts have agents that answer on this machine."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homeops.lab.hosts import LoopbackAgents, RehearsalHost
from tests.engine.core import TestCore
from tests.engine.engine import Project
from tests.example_site import example_settings

HEAD = """\
from homeops.model.fleet import Fleet
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.resources import Procedure, Variable
from homeops.model.rollout import Health
from homeops.model.stack import Protection, Stack

RUNS = ContainerPeriphery(path="/root/periphery/compose.yaml")


def declare(site):
"""

COMPOSE = "services:\n  app:\n    image: nginx:{}\n"

FILES = {
    "one/komodo-core/compose.yaml": COMPOSE.format(1),
    "two/db/compose.yaml": COMPOSE.format(1),
    "one/web/compose.yaml": COMPOSE.format(1),
    "one/web/nginx.conf": "a",
    "two/aside/compose.yaml": COMPOSE.format(1),
}
"""Those of four stacks: Core's, two of which one waits for the other, one aside."""


class FleetProject:
    """A project with a fleet of its own, ``fleet_of_test.py``, and the Core that it is for."""

    def __init__(self, project: Project, core: TestCore, *hosts: str) -> None:
        self.project, self.core = project, core
        directory = project.directory
        (directory / "__main__.py").write_text('from homeops.program import run\n\nrun("fleet_of_test")\n')
        settings: dict[str, Any] = example_settings(*hosts)
        # Containers of a test are what they are at once.
        settings["health"] = {"stable": 0, "deadline": 4}
        # That of the simulated Core, which its own deploy has to bring.
        settings["versions"]["komodo"] = "2.3.2"
        project.configure(**settings)
        self.addresses = {name: f"https://{facts['address']}:8120" for name, facts in settings["hosts"].items()}
        agents = core.core.agents
        assert isinstance(agents, LoopbackAgents)
        self.agents = agents
        # Of its own, so that what Pulumi writes beside it is no commit.
        repository = directory / "repository"
        self.tree = repository / "docker"
        self.tree.mkdir(parents=True)
        (directory / "docker").symlink_to(self.tree)
        agents.repositories.serve("someone/fleet", repository)
        # Deploys of a test follow each other faster than Periphery pulls.
        agents.repositories.cache_seconds = 0

    def declare(self, body: str) -> None:
        """Write ``declare``'s body."""
        text = "".join(f"    {line}\n" if line else "\n" for line in body.strip("\n").splitlines())
        (self.project.directory / "fleet_of_test.py").write_text(HEAD + text)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of stacks: ``{"one/web/compose.yaml": ...}``."""
        for path, text in files.items():
            file = self.tree / "stacks" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def push(self) -> None:
        """From now on Komodo sees the files as they are now, until they are pushed again."""
        pushed = self.project.directory.parent / "pushed"
        shutil.rmtree(pushed, ignore_errors=True)
        shutil.copytree(self.tree, pushed / "docker")
        self.agents.repositories.serve("someone/fleet", pushed)

    def host(self, name: str) -> RehearsalHost:
        """The agent of a host."""
        found = self.agents.meet(self.addresses[name])
        assert found is not None
        return found

    def containers(self, name: str) -> dict[str, tuple[str, str]]:
        """Id and state of the containers of a host, by name."""
        return {item["name"]: (item["id"], item["state"]) for item in self.host(name).containers()}

    def executions(self) -> list[tuple[str, str, int, int]]:
        """Every execution so far: operation, stack, start and end."""
        updates: list[dict[str, Any]] = []
        page: int | None = 0
        while page is not None:
            answer = self.core.read("ListUpdates", query={}, page=page)
            updates, page = updates + answer["updates"], answer["next_page"]
        names = {item["_id"]["$oid"]: name for name, item in self.core.all("Stack").items()}
        found: list[tuple[str, str, int, int]] = []
        for item in updates:
            if item["operation"] in ("DeployStack", "RestartStack"):
                update = self.core.read("GetUpdate", id=item["id"])
                found.append((item["operation"], names[item["target"]["id"]], update["start_ts"], update["end_ts"]))
        return sorted(found, key=lambda row: row[2])


def link_repository(root: Path, directory: Path) -> None:
    """Let a project's directory look like this repository: the real program, fleet, settings and stacks."""
    directory.mkdir()
    for name in ("__main__.py", "docker", ".sops.yaml"):
        (directory / name).symlink_to(root / name)
    for name in ("Pulumi.prod.yaml", "Pulumi.lab.yaml"):
        # Copies: Pulumi writes a salt into the settings of a stack that it makes.
        shutil.copy(root / name, directory / name)
    (directory / "Pulumi.yaml").write_text("name: homeops\nruntime: python\n")
