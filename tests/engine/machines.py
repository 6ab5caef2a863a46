"""Hosts of engine tests: real sshds on this machine, and requirements that are files in their directories."""

import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

from homeops.hosts.shell import apply_text, probe_text
from tests.engine.engine import Project, Run
from tests.sshd import Sshd

PROGRAM = """\
import json
from pathlib import Path

import pulumi

from homeops.hosts.components import register_requirements
from homeops.hosts.condition import Subject
from homeops.hosts.requirement import Requirement
from homeops.hosts.reach import Reach

declared = json.loads(Path("hosts.json").read_text())
canary = None
for host in declared:
    parent = pulumi.ComponentResource("homeops:hosts:Host", host["name"])
    requirements = tuple(Requirement(**item) for item in host["requirements"])
    reach = Reach(host["name"], "127.0.0.1", host["port"], host["user"], Path.cwd() / "known_hosts", 2)
    made = register_requirements(Subject(reach, requirements), Path.cwd(), parent, canary, host["image"])
    canary = canary or made.periphery
"""

WITH_SERVERS = """\
import json
from dataclasses import replace
from pathlib import Path

import pulumi

from homeops.components import HostComponent
from homeops.hosts.components import register_requirements
from homeops.hosts.condition import Subject
from homeops.hosts.requirement import Requirement
from homeops.hosts.reach import Reach
from homeops.model.config.server import ServerConfig
from homeops.model.graph import Resource
from homeops.model.host import ContainerPeriphery, Host
from tests.example_site import example_site

declared = json.loads(Path("hosts.json").read_text())
site = example_site(*(host["name"] for host in declared))
for host in declared:
    requirements = tuple(Requirement(**item) for item in host["requirements"])
    reach = Reach(host["name"], "127.0.0.1", host["port"], host["user"], Path.cwd() / "known_hosts", 2)

    def machine(parent, subject=Subject(reach, requirements), key=host["key"]):
        made = register_requirements(subject, Path.cwd(), parent)
        return replace(made, agent={**made.agent, "keyFile": key})

    server = Resource("Server", host["name"], ServerConfig(enabled=True))
    periphery = ContainerPeriphery(path="/root/periphery/compose.yaml")
    HostComponent(
        Host(host["name"], periphery=periphery), server, site, (), pulumi.ResourceOptions(), machine
    )
"""
"""The same with a Server in Komodo for each."""


@dataclass
class File:
    """A requirement: a file of a host with a mode and a text; ``broken`` lets its apply fail.

    Every apply is noted, and what takes it back.
    """

    name: str
    path: Path
    text: str
    mode: str = "600"
    broken: bool = False
    free: Path | None = None
    """A file whose text is reported, and expected to be ``plenty``."""

    def requirement(self, log: Path) -> dict[str, Any]:
        """As the program takes it."""
        path = quote(str(self.path))
        facts = f'fact mode "$(stat -c %a {path} 2>/dev/null || echo missing)"\n'
        facts += f'fact text "$(cat {path} 2>/dev/null || echo missing)"\n'
        if self.free:
            facts += f'fact free "$(cat {quote(str(self.free))})"\n'
        fail = 'fail "cannot be: the test says so"' if self.broken else ":"
        write = f"printf %s {quote(self.text)} >{path}; chmod {self.mode} {path}; say written"
        body = f"echo {quote(self.name)} >>{quote(str(log))}\n{fail}\n{write}\n"
        return {
            "name": self.name,
            "reason": "a test",
            "wanted": {"mode": self.mode, "text": self.text},
            "probe": probe_text(facts),
            "apply": apply_text(self.name, body),
            "undo": f"echo {quote(self.name)} undone >>{quote(str(log))}",
            "reported": {"free": "plenty"} if self.free else {},
        }


@dataclass
class Started(File):
    """The requirement of an agent that makes itself a key, which is the text, when it has none."""

    def requirement(self, log: Path) -> dict[str, Any]:
        """As the program takes it."""
        path = quote(str(self.path))
        make = f"[ -s {path} ] || printf %s {quote(self.text)} >{path}"
        return {
            "name": self.name,
            "reason": "a test",
            "wanted": {"key": "there"},
            "probe": probe_text(f'fact key "$([ -s {path} ] && echo there || echo missing)"\n'),
            "apply": apply_text(self.name, f"echo {quote(self.name)} >>{quote(str(log))}\n{make}\n"),
        }


@dataclass
class Machine:
    """A host: its sshd, and what must be true of it."""

    name: str
    sshd: Sshd
    files: list[File] = field(default_factory=list[File])
    image: str = ""

    @property
    def log(self) -> Path:
        return self.sshd.place / "applied"

    @property
    def key(self) -> Path:
        """Where its agent has its public key."""
        return self.sshd.place / "periphery.pub"

    def applied(self) -> list[str]:
        """The requirements that were applied since this was asked last, in order."""
        found = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return found

    def file(self, name: str) -> Path:
        return self.sshd.place / f"{name}.txt"

    def require(self, *names: str) -> None:
        """Require files with these names, and nothing else."""
        self.files = [File(name, self.file(name), f"text of {name}") for name in names]


@dataclass
class Homelab:
    """Some machines, and the Pulumi project that manages them."""

    project: Project
    machines: list[Machine]

    def declare(self) -> None:
        """Say what the program registers."""
        hosts = [
            {
                "name": machine.name,
                "port": machine.sshd.port,
                "user": getpass.getuser(),
                "image": machine.image,
                "key": str(machine.key),
                "requirements": [file.requirement(machine.log) for file in machine.files],
            }
            for machine in self.machines
        ]
        (self.project.directory / "hosts.json").write_text(json.dumps(hosts))

    def know(self) -> None:
        """Record the key of every machine."""
        lines = [f"{m.sshd.name} {m.sshd.public(kind)}\n" for m in self.machines for kind in m.sshd.kinds]
        (self.project.directory / "known_hosts").write_text("".join(lines))

    def forget(self) -> None:
        """Forget what was applied."""
        for machine in self.machines:
            machine.applied()

    def resources(self) -> set[str]:
        """Every resource of a host in the state, by type and name."""
        resources: list[dict[str, Any]] = self.project.state()["checkpoint"]["latest"].get("resources") or []
        return {short(item["urn"]) for item in resources} - {"Stack homeops-test"}


def short(urn: str) -> str:
    """``Command one alpha`` of a URN."""
    kind, name = urn.rsplit("::", 2)[1:]
    return f"{kind.rsplit(':', 1)[-1]} {name}"


def steps(run: Run) -> set[tuple[str, str]]:
    """``("update", "Command one alpha")`` of every resource that did not stay as it was."""
    return set(_steps(run, "resourcePreEvent"))


def finished(run: Run) -> list[tuple[str, str]]:
    """The same, of what ended well, in order."""
    return _steps(run, "resOutputsEvent")


def _steps(run: Run, kind: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for event in run.events:
        body: dict[str, Any] = event.get(kind) or {}
        metadata: dict[str, Any] = body.get("metadata") or {}
        if metadata and metadata["op"] not in ("same", "refresh", "read"):
            found.append((metadata["op"], short(metadata["urn"])))
    return found


def with_plugins(environ: dict[str, str], home: Path, plugins: Path, root: Path) -> None:
    """Let pulumi find the provider plugins: the official ones, or the stand-ins.

    ``home``: this test's PULUMI_HOME. ``plugins``: where plugins of this checkout are installed.
    """
    if shutil.which("pulumi-resource-command", path=environ["PATH"]):
        return
    if plugins.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        (home / "plugins").symlink_to(plugins)
    else:
        environ["PATH"] += os.pathsep + str(root / "tools" / "plugins")


@contextmanager
def silence(port: int) -> Generator[None]:
    """Something at a port that takes connections and never says a word."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


@contextmanager
def agent(place: Path, keys: list[Path]) -> Generator[str]:
    """An ssh-agent with these keys; its socket."""
    place.mkdir(exist_ok=True)
    listens = place / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(listens)], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while not listens.exists():
            assert time.monotonic() < until, "ssh-agent does not answer"
            time.sleep(0.01)
        env = {**os.environ, "SSH_AUTH_SOCK": str(listens)}
        subprocess.run(["ssh-add", "-q", *map(str, keys)], env=env, check=True)
        yield str(listens)
    finally:
        process.terminate()
        process.wait(10)
