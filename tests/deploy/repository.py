"""A repository with stacks and encrypted files, and what its fingerprints are."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeops.deploy.fingerprint import fingerprint
from homeops.fleet_graph import fleet_graph
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.resources import Variable
from homeops.model.stack import Stack
from tests.example_site import example_site

SITE = example_site("one", "two")
WEB, SHARED = "docker/stacks/one/web", "docker/stacks/shared/agent"


@dataclass
class Repository:
    """A repository with two hosts, a stack of its own on one, and a stack on each from a shared directory."""

    root: Path
    sops: list[str]
    recipients: list[str]

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def encrypt(self, path: str, text: str) -> None:
        self.write(path, text)
        self.run("--encrypt", "--in-place", "--age", self.recipients[0], path)

    def run(self, *arguments: str) -> str:
        home = {"SOPS_AGE_KEY_FILE": str(self.root / "key.txt"), "HOME": str(self.root), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [*self.sops, *arguments], cwd=self.root, env=home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fingerprints(
        self, *, variable: str = "v1", web: dict[str, Any] | None = None, **others: Any
    ) -> dict[str, dict[str, str]]:
        """The fingerprint of each stack; ``web``: further fields of the stack of its own; ``others``: of the fleet."""
        hosts = [Host(name, periphery=ContainerPeriphery(path="/p")) for name in ("one", "two")]
        given: dict[str, Any] = {"env": {"LEVEL": "[[LEVEL]]", "NAME": "web"}, **(web or {})}
        stacks = [
            Stack("web", host=hosts[0], **given),
            *(Stack(f"{host.name}-agent", host=host, directory="shared/agent") for host in hosts),
        ]
        fleet = Fleet(hosts=hosts, stacks=stacks, variables=[Variable("LEVEL", value=variable)], **others)
        graph: Graph = fleet_graph(fleet, SITE, self.root)
        return {stack.name: fingerprint(stack, graph, self.root, SITE.repository) for stack in graph.of("Stack")}
