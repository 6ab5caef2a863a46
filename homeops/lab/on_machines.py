"""A rehearsal on machines: hosts in containers, brought up as the real ones are, and a checkout to work in."""

import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import yaml

from homeops.compose.directories import read_directories
from homeops.errors import LabError, Problem, SettingsError
from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.hosts.periphery_compose import IMAGE
from homeops.komodo.first_key import ADMIN_NAME, ADMIN_PASSWORD, known_access
from homeops.lab.core.settings import Settings
from homeops.lab.home import LabHome, write_private
from homeops.lab.machines.agent import ssh_agent
from homeops.lab.machines.checkout import LabCheckout
from homeops.lab.machines.core_door import PORT, core_door
from homeops.lab.machines.credentials import Credentials
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.fleet import Machines, Plan, Up
from homeops.lab.machines.network import check_own
from homeops.lab.machines.periphery_image import periphery_image
from homeops.lab.machines.picked_layers import python_layer
from homeops.lab.machines.releases import offer_releases
from homeops.lab.machines.storage import Image
from homeops.lab.machines.wanted_hosts import wanted_hosts
from homeops.lab.process import start
from homeops.lab.progress import Listener
from homeops.lab.pulumi_cli import environment
from homeops.lab.stage import Stage, without_access
from homeops.model.graph import Graph
from homeops.model.site import Site
from homeops.recovery.control_plane import control_plane, stack_directory
from homeops.secrets.age_keys import generate, private_key, recipient_of
from homeops.secrets.sops import Sops
from homeops.settings import load_settings

CORE_IMAGE = "ghcr.io/moghtech/komodo-core"
KNOWN_HOSTS = "known_hosts"
HEALTH = {"deadline": 180, "stable": 1}
"""In seconds: a container here starts at once, but its engine may look for the first time after half a minute."""


@dataclass(frozen=True, slots=True)
class OnMachines:
    """The rehearsal of the working tree at ``root`` on an engine; ``stack`` is its Pulumi stack."""

    root: Path
    environ: Mapping[str, str]
    engine: Engine
    stack: str

    @property
    def home(self) -> LabHome:
        """What it keeps."""
        return LabHome(self.root)

    @property
    def machines(self) -> Machines:
        """Its machines."""
        return Machines(self.root, self.environ, self.engine)

    def prepare(self, listener: Listener, port: int) -> bool:
        """Have machines, a checkout, Core, and an agent on each host; raises LabError with all that went wrong.

        Says whether a machine was made or started, so that it may not be as it was seen last.
        """
        site = load_settings(self.stack, self.root)
        graph = fleet_graph(declared_fleet(FLEET, site), site, self.root)
        places = self.machines.have_places(site.hosts)
        check_own(places.gateway)
        self.home.have_machines(places.gateway)
        running, fresh = start(self.home, port)
        listener.line(f"Core: {'started at' if fresh else 'is running at'} {running.address}")
        versions, images = self._offered(site, running.address, listener)
        plan = Plan(
            wanted_hosts(graph, site, self.root),
            self.home.repositories,
            site.repository.provider,
            {"KOMODO_VERSION": site.versions.komodo},
            images,
        )
        up = self.machines.up(plan, listener)
        listener.working("Checkout: following the working tree")
        self._follow(site, up, versions, places.address(self._core_host(graph, site)))
        self._bootstrap(listener)
        # What the bootstrap wrote down.
        self._checkout(site).publish()
        return any(up.changes[host] != "unchanged" for host in site.hosts)

    @contextmanager
    def stage(self) -> Generator[Stage]:
        """The place to work in, for as long as the block; raises LabError when there is no key for its Core yet."""
        with self._operators() as environ:
            access = known_access(self._settings().komodo.address, self.home.operator, {})
            if access is None:
                raise LabError(Problem("lab", "its Core has no key for Pulumi yet", "make up"))
            yield Stage.of(self.home.checkout, access, environ)

    @contextmanager
    def _operators(self) -> Generator[dict[str, str]]:
        """The environment of the operator: an SSH agent, an age key, the programs of the working tree."""
        key = Credentials(self.machines.directory / "keys").operator
        with ssh_agent(key, self._programs) as environ:
            yield environ

    @property
    def _programs(self) -> dict[str, str]:
        """The caller's environment with the programs of the working tree and the lab's age key, without his Core."""
        return {
            **environment(self.root, without_access(self.environ)),
            "SOPS_AGE_KEY_FILE": str(self.home.age_key),
        }

    def _settings(self) -> Site:
        return load_settings(self.stack, self.home.checkout)

    def _offered(self, site: Site, core: str, listener: Listener) -> tuple[dict[str, str], tuple[Image, ...]]:
        """The releases and images that hosts fetch, and the settings that ask for exactly these."""
        listener.working("Machines: what they are to fetch")
        machines, version = self.machines, site.versions.komodo
        versions = offer_releases(self.root, self.environ, machines.downloads, version)
        base = machines.have_image(listener)
        periphery = periphery_image(
            self.engine, base, self.root, self.environ, IMAGE, site.versions.periphery_image_tag, version
        )
        door = core_door(python_layer(self.engine, base), CORE_IMAGE, version, core.removeprefix("http://"))
        return {**versions, "peripheryImageDigest": periphery.digest}, (periphery, door)

    def _follow(self, site: Site, up: Up, versions: Mapping[str, str], core: str) -> None:
        """Bring the checkout to what the working tree is now, and to what the lab adds to it."""
        checkout = self._checkout(site)
        settings = self._lab_settings(up, versions, f"http://{core}:{PORT}")
        checkout.follow(
            self._recipient(),
            {f"Pulumi.{self.stack}.yaml": settings, KNOWN_HOSTS: up.known_hosts.read_text(encoding="utf-8")},
        )
        admin = {ADMIN_NAME: Settings().admin_username, ADMIN_PASSWORD: self.home.key().password}
        checkout.make_secrets(Sops(self.home.checkout, self._programs), admin)
        checkout.publish()

    def _checkout(self, site: Site) -> LabCheckout:
        bare = self.home.repositories / site.repository.name
        return LabCheckout(self.root, self.home.checkout, bare, site.repository.branch)

    def _recipient(self) -> str:
        """Whom the lab's secrets are encrypted for; the key is made at the first call."""
        file = self.home.age_key
        if not file.is_file():
            write_private(file, generate(self._programs).text)
        return recipient_of(private_key(file.read_text(encoding="utf-8")), self._programs)

    def _lab_settings(self, up: Up, versions: Mapping[str, str], core: str) -> str:
        """The text of the lab's settings, with what the machines are."""
        name = f"Pulumi.{self.stack}.yaml"
        document: dict[str, Any] = yaml.safe_load((self.root / name).read_text(encoding="utf-8"))
        overlay = up.overlay(self.root)
        blocks: dict[str, dict[str, Any]] = {
            **overlay,
            "komodo": {"address": core, "url": core, **self._known_core()},
            "ssh": {"knownHosts": KNOWN_HOSTS, "installAgeKey": True},
            "versions": dict(versions),
            "health": HEALTH,
        }
        config: dict[str, Any] = document["config"]
        for block, values in blocks.items():
            known: Any = config.get(f"homeops:{block}")
            config[f"homeops:{block}"] = {**known, **values} if isinstance(known, dict) else values
        return yaml.safe_dump(document, sort_keys=False)

    def _known_core(self) -> dict[str, str]:
        """What an earlier bootstrap wrote down of Core."""
        try:
            key = self._settings().komodo.public_key
        except SettingsError:
            return {}
        return {"publicKey": key} if key else {}

    def _core_host(self, graph: Graph, site: Site) -> str:
        """The host that Core runs on."""
        return control_plane(graph, site, read_directories(self.root, [stack_directory(graph)])).host

    def _bootstrap(self, listener: Listener) -> None:
        """What an operator would type; what it says goes to a file, and all of it into the error when it fails."""
        listener.working("Bootstrap: starting")
        began, log = monotonic(), self.home.directory / "bootstrap.log"
        with self._operators() as environ, log.open("w", encoding="utf-8") as kept:
            environ["HOME"] = str(self.home.operator)
            self.home.operator.mkdir(mode=0o700, exist_ok=True)
            command = [sys.executable, "-m", "homeops", "bootstrap", "-s", self.stack]
            with subprocess.Popen(
                command,
                cwd=self.home.checkout,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process:
                for line in process.stdout or ():
                    kept.write(line)
                    kept.flush()
                    listener.working(f"Bootstrap: {line.strip()}")
        if process.returncode:
            said = log.read_text(encoding="utf-8").splitlines()
            text = "".join(f"\n    {line}" for line in said[-30:])
            raise LabError(Problem("bootstrap", f"failed ({process.returncode}){text}", f"{log} has all of it"))
        listener.line(f"Bootstrap: Core and its agents are up in {monotonic() - began:.0f} s")
