"""All machines of a lab: bring them up, take them down."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from homeops.errors import LabError, Problem
from homeops.hosts.known_hosts import write_known_hosts
from homeops.lab.home import LabHome
from homeops.lab.machines.container import Change, have_container
from homeops.lab.machines.credentials import Credentials
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.image import have_image
from homeops.lab.machines.machine import Surroundings, Wanted, have_machine, known_hosts, machine
from homeops.lab.machines.names import Names
from homeops.lab.machines.naming import name_server
from homeops.lab.machines.network import PERIPHERY, SSH, Places, have_network
from homeops.lab.machines.registry import programs, registry, registry_hosts
from homeops.lab.machines.repositories import RELEASES, git_server
from homeops.lab.machines.stand_ins import needs, stand_in
from homeops.lab.machines.storage import Image, split_name
from homeops.lab.progress import Listener

DIRECTORY = "machines"
AT_ONCE = 8
"""How many containers are worked on at a time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a lab is to have.

    ``variables`` are those that image names in compose files use; ``images`` are offered beside the stand-ins, and in
    place of those of the same names.
    ``repositories`` is the directory of bare repositories that the Git server, known as ``provider``, serves.
    """

    hosts: tuple[Wanted, ...]
    repositories: Path
    provider: str = "github.com"
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Up:
    """A lab that is up: where its hosts are and how one logs in to them."""

    hosts: tuple[Wanted, ...]
    places: Places
    operator: Path
    """The operator's private SSH key."""
    known_hosts: Path
    """The hosts' keys, as an SSH client reads them."""
    changes: Mapping[str, Change]
    """What was done, by host, ``registry``, ``dns`` and ``git``."""

    def periphery(self, host: str) -> str:
        """Where this machine reaches a host's Periphery."""
        return f"https://127.0.0.1:{self.places.ports[host][PERIPHERY]}"

    def overlay(self, root: Path) -> dict[str, dict[str, Any]]:
        """Settings by their blocks (``hosts``, ``ssh``, ``network``) that differ from the real fleet's.

        ``root`` is the checkout, which the path of known_hosts is relative to.
        """
        hosts = {
            host.name: {
                "address": self.places.address(host.name),
                "sshUser": host.user,
                "sshAddress": "127.0.0.1",
                "sshPort": self.places.ports[host.name][SSH],
            }
            for host in self.hosts
        }
        known = str(self.known_hosts.relative_to(root))
        return {"hosts": hosts, "ssh": {"knownHosts": known}, "network": {"dnsServer": self.places.dns}}


@dataclass(frozen=True, slots=True)
class Machines:
    """The machines of the checkout at ``root``; ``environ`` is the caller's environment."""

    root: Path
    environ: Mapping[str, str]
    engine: Engine

    @property
    def names(self) -> Names:
        """What everything is called."""
        return Names.of(self.root)

    @property
    def directory(self) -> Path:
        """Where keys and places are kept."""
        return LabHome(self.root).directory / DIRECTORY

    @property
    def downloads(self) -> Path:
        """Files that hosts get from the Git provider under the paths that they have here: releases of programs."""
        return self.directory / "downloads"

    @property
    def authority(self) -> Path:
        """The certificate of the CA that this lab's servers have theirs from."""
        return self._credentials().authority

    def have_image(self, listener: Listener) -> str:
        """The image that everything runs, made if need be."""
        return have_image(self.engine, self.root, self.environ, listener)

    def have_places(self, hosts: Iterable[str]) -> Places:
        """The network, made if need be, and where everything is to be in it."""
        self._make()
        return have_network(self.engine, self.names, hosts, self.directory / "places.json")

    def up(self, plan: Plan, listener: Listener) -> Up:
        """Make and start whatever of the plan does not run yet; raises LabError with all that went wrong."""
        began = monotonic()
        image = self.have_image(listener)
        listener.working("Machines: the network")
        hosts = [host.name for host in plan.hosts]
        places = self.have_places(hosts)
        for served in (plan.repositories, self.downloads):
            served.mkdir(parents=True, exist_ok=True)
        credentials = self._credentials()
        made_of = programs(self.engine, image)
        own = {_key(image.name, image.tag) for image in plan.images}
        wanted = [need for need in needs(self.root, plan.variables) if _key(need.name, need.tag) not in own]
        images = [*(stand_in(need, made_of) for need in wanted), *plan.images]
        registries = registry_hosts(images)
        elsewhere = dict.fromkeys(registries, places.registry) | {RELEASES: places.git, plan.provider: places.git}

        # All keys are made before anything runs at the same time.
        services = {
            "registry": registry(self.names, image, places, credentials, registries, images),
            "dns": name_server(self.names, image, places, elsewhere),
            "git": git_server(self.names, image, places, credentials, plan.provider, plan.repositories, self.downloads),
        }
        tasks: dict[str, Callable[[], Change]] = {
            name: partial(have_container, self.engine, container) for name, container in services.items()
        }
        surroundings = Surroundings(self.names, image, places, credentials, elsewhere, registries, self.engine.cgroup)
        for host in plan.hosts:
            tasks[host.name] = partial(have_machine, self.engine, host, machine(host, surroundings))
        changes = _together(tasks, listener)
        trusted = self.directory / "known_hosts"
        write_known_hosts(trusted, known_hosts(hosts, places, credentials))
        listener.line(_summary(changes, monotonic() - began))
        return Up(plan.hosts, places, credentials.operator, trusted, changes)

    def down(self, listener: Listener) -> None:
        """Remove the containers, their volumes, the network and the keys; the image stays for the next time."""
        containers = self.engine.names("container", self.names.prefix + "-")
        if containers:
            listener.working(f"Machines: removing {len(containers)}")
            # Killed, not asked to stop: what they hold goes with them.
            self.engine.run("rm", "--force", "--volumes", *containers)
            listener.line(f"Machines: {len(containers)} removed")
        for kind in ("volume", "network"):
            if found := self.engine.names(kind, self.names.prefix + "-"):
                self.engine.run(kind, "rm", *found)
        if self.directory.exists():
            shutil.rmtree(self.directory)

    def _credentials(self) -> Credentials:
        self._make()
        return Credentials(self.directory / "keys")

    def _make(self) -> None:
        LabHome(self.root).make()
        self.directory.mkdir(mode=0o700, exist_ok=True)


def _key(name: str, tag: str) -> tuple[str, str, str]:
    """What an image is pulled by, however its name is written."""
    return *split_name(name), tag


def _together(tasks: Mapping[str, Callable[[], Change]], listener: Listener) -> dict[str, Change]:
    """Do all of it at the same time; what fails does not stop the others."""
    problems: list[Problem] = []
    changes: dict[str, Change] = {}
    guard = Lock()

    def do(name: str, task: Callable[[], Change]) -> None:
        try:
            change = task()
        except LabError as error:
            with guard:
                problems.extend(_of(name, problem) for problem in error.problems)
            return
        with guard:
            changes[name] = change
            listener.working(f"Machines: {len(changes)} of {len(tasks)} up")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(do, name, task) for name, task in tasks.items()]:
            future.result()
    if problems:
        raise LabError(*problems)
    return {name: changes[name] for name in tasks}


def _of(name: str, problem: Problem) -> Problem:
    """A problem with the name of the machine that has it."""
    if problem.where == name:
        return problem
    return Problem(name, f"{problem.where}: {problem.what}", problem.hint)


def _summary(changes: Mapping[str, Change], seconds: float) -> str:
    kinds: Sequence[Change] = ("made", "made anew", "started", "unchanged")
    counts: Iterable[tuple[int, Change]] = ((list(changes.values()).count(kind), kind) for kind in kinds)
    return f"Machines: {', '.join(f'{count} {kind}' for count, kind in counts if count)} in {seconds:.0f} s"
