"""A homelab of one host in a directory: Core's stack with compose file, configuration, secrets encrypted for real."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeops.compose.directories import read_directories
from homeops.fleet_graph import fleet_graph
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.host import Host, SystemdPeriphery
from homeops.model.resources import Variable
from homeops.model.site import Site
from homeops.model.stack import Stack
from homeops.recovery.control_plane import ControlPlane, control_plane, stack_directory
from homeops.recovery.script import HOOK
from tests.example_site import example_settings

Tool = Callable[[str], list[str]]

VERSION = "2.3.2"
PASSWORD = 'it\'s $HOME, "quoted" \\ and `backed`'
JWT = "jwt-of-nobody-else"

COMPOSE = """\
services:
  core:
    image: komodo-core:${KOMODO_VERSION:?set it}
    environment:
      GREETING: ${GREETING:?set it}
    env_file:
      - path: .env
        format: raw
      - path: database.env
        format: raw
    volumes:
      - ./conf/core.toml:/config/core.toml
      - data:/data
volumes:
  data:
"""


@dataclass(frozen=True, slots=True)
class Homelab:
    """A checkout with one stack; ``stack`` are further fields of its declaration."""

    root: Path
    directory: str
    site: Site
    graph: Graph

    def plane(self, periphery: Path | str = "/etc/komodo") -> ControlPlane:
        directories = read_directories(self.root, [stack_directory(self.graph)])
        return control_plane(self.graph, self.site, directories, periphery=str(periphery))

    @property
    def files(self) -> Path:
        return self.root / self.directory


def new_key(tool: Tool, path: Path) -> str:
    """Make an age key; returns whom it is."""
    subprocess.run([*tool("age-keygen"), "-o", str(path)], check=True, capture_output=True)
    told = subprocess.run([*tool("age-keygen"), "-y", str(path)], check=True, capture_output=True, text=True)
    return told.stdout.strip()


def homelab(
    root: Path, hook: Path, *, reach: dict[str, Any], core: str = "http://127.0.0.1:9", name: str = "core", **stack: Any
) -> Homelab:
    """Make the checkout at ``root`` without secrets."""
    directory = f"docker/stacks/{name}"
    (root / directory / "conf").mkdir(parents=True)
    (root / directory / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (root / directory / "conf" / "core.toml").write_text("title = 'Komodo'\n", encoding="utf-8")
    (root / HOOK).parent.mkdir(parents=True)
    (root / HOOK).write_bytes(hook.read_bytes())
    settings = example_settings("one")
    settings["hosts"] = {"one": reach}
    settings["komodo"]["address"] = core
    settings["versions"]["komodo"] = VERSION
    site = Site.model_validate(settings)
    return Homelab(root, directory, site, graph_of(site, root, directory, **stack))


def graph_of(site: Site, root: Path, directory: str, **stack: Any) -> Graph:
    one = Host("one", periphery=SystemdPeriphery(path="/etc/komodo/periphery.config.toml"))
    environment = {"KOMODO_VERSION": "[[KOMODO_VERSION]]", "GREETING": "it's $5 in [[PLACE]]"}
    fields: dict[str, Any] = {"host": one, "directory": directory, "control_plane": True, "env": environment}
    variables = [Variable("KOMODO_VERSION", value=VERSION), Variable("PLACE", value="Ulm & Graz")]
    fleet = Fleet(hosts=[one], stacks=[Stack("komodo-core", **{**fields, **stack})], variables=variables)
    return fleet_graph(fleet, site, root)


SECRET_FILES = {".sops.env": f"ADMIN={JWT}\n", "database.sops.env": f"DATABASE_PASSWORD={PASSWORD}\n"}


def encrypt(tool: Tool, directory: Path, recipient: str, secrets: Mapping[str, str] = SECRET_FILES) -> None:
    """Write the secret files of a stack."""
    for name, text in secrets.items():
        (directory / name).write_text(text, encoding="utf-8")
        arguments = ["encrypt", "--age", recipient, "--in-place", "--input-type", "dotenv", name]
        command = [*tool("sops"), "--config", os.devnull, *arguments]
        subprocess.run(command, cwd=directory, check=True, capture_output=True)
