"""A homelab of machines in containers, the commands that its owner types, and all that was said meanwhile."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeops.compose.secret_files import SecretFile, secret_file
from homeops.lab.home import LabHome
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.names import Names
from tests.lab.copies import Copy

SECONDS = 600
"""Longer than any command takes on a slow machine."""
_SAMPLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    command: str
    exit: int
    text: str

    def check(self) -> "Said":
        """Itself; fails the test where the command failed."""
        assert self.exit == 0, f"{self.command}: {self.exit}\n{self.text[-6000:]}"
        return self


@dataclass
class Homelab:
    """A copy of the repository with its lab; ``place`` is where everything is that it writes."""

    copy: Copy
    engine: Engine
    place: Path
    said: list[Said] = field(default_factory=list[Said])
    processes: set[bytes] = field(default_factory=set[bytes])
    """The command lines that processes of this machine, and so of its containers, had."""
    earlier: dict[str, str] = field(default_factory=dict[str, str])
    """Secrets that were changed since, by a name."""

    @property
    def lab(self) -> LabHome:
        """What the lab keeps."""
        return LabHome(self.copy.directory)

    @property
    def checkout(self) -> Path:
        """Where its owner works."""
        return self.lab.checkout

    def homeops(self, *arguments: str) -> Said:
        """``homeops ARGUMENTS`` in the working tree."""
        return self._run([sys.executable, "-m", "homeops", *arguments], self.copy.directory, "")

    def run(self, *command: str, given: str = "") -> Said:
        """A command in the lab's own checkout; ``given`` is its input."""
        return self._run([sys.executable, "-m", "homeops", "lab", "run", "--", *command], self.copy.directory, given)

    def push(self, message: str) -> None:
        """Commit and push what was changed in the checkout."""
        self.run("git", "commit", "--quiet", "--all", "--message", message).check()
        self.run("git", "push", "--quiet").check()

    def machine(self, host: str) -> str:
        """The container of a host."""
        return Names.of(self.copy.directory).machine(host)

    def start(self, host: str) -> None:
        """Start a host that was killed, and wait until its sshd, its Docker and its Periphery are there again."""
        self.engine.run("start", self.machine(host))
        ready = "systemctl is-active --quiet ssh docker && docker ps --quiet --filter name=periphery | grep -q ."
        until = time.monotonic() + SECONDS
        while self.engine.attempt("exec", self.machine(host), "sh", "-c", ready).returncode:
            assert time.monotonic() < until, f"{host} does not come back"
            time.sleep(0.5)

    def on(self, host: str, *command: str, given: bytes | None = None) -> str:
        """What a command on a host, as root, prints."""
        return self.engine.run("exec", "--interactive", self.machine(host), *command, data=given)

    def containers(self, host: str, project: str = "") -> list[str]:
        """The names of a host's running containers without its Periphery, or of those of a compose project."""
        of = f"label=com.docker.compose.project{f'={project}' if project else ''}"
        names = self.on(host, "docker", "ps", "--filter", of, "--format", "{{.Names}}").split()
        return sorted(name for name in names if "periphery" not in name)

    def environment(self, host: str, container: str) -> dict[str, str]:
        """The environment of a container of a host."""
        inspected: list[dict[str, Any]] = json.loads(self.on(host, "docker", "inspect", container))
        pairs = (str(pair).partition("=") for pair in inspected[0]["Config"]["Env"])
        return {name: value for name, _, value in pairs}

    def secret_files(self) -> Iterator[SecretFile]:
        """The encrypted files of the checkout."""
        for path in sorted((self.checkout / "docker" / "stacks").rglob("*.sops.*")):
            if found := secret_file(path):
                yield found

    def decrypted(self, secret: SecretFile) -> str:
        """What is in an encrypted file."""
        relative = str(secret.encrypted.relative_to(self.checkout))
        done = subprocess.run(
            ["sops", "decrypt", relative],
            cwd=self.checkout,
            env={**self.copy.environ, "SOPS_AGE_KEY_FILE": str(self.lab.age_key)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def state(self) -> dict[str, Any]:
        """The state of the Pulumi stack, decrypted."""
        said = self.run("pulumi", "stack", "export", "--stack", "lab", "--show-secrets").check()
        return json.loads(said.text[said.text.index("{") :])

    def protected(self, *stacks: str) -> list[str]:
        """What Pulumi would not delete of these stacks, by URN."""
        resources: list[dict[str, Any]] = self.state()["deployment"]["resources"]
        return [item["urn"] for item in resources if item.get("protect") and item["urn"].rpartition("::")[2] in stacks]

    @contextmanager
    def watched(self) -> Generator[None]:
        """Note all command lines for as long as the block."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_SAMPLE_SECONDS):
                self.processes |= set(_command_lines())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _run(self, command: list[str], directory: Path, given: str) -> Said:
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=directory,
            env=dict(self.copy.environ),
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        text = " ".join(command)
        print(f"{text}: {done.returncode} after {time.monotonic() - began:.0f} s")
        self.said.append(Said(text, done.returncode, done.stdout))
        return self.said[-1]


def environ_of(copy: Copy, place: Path) -> Mapping[str, str]:
    """The environment of a copy, with this machine's Docker engine, and temporary files in a place of its own."""
    docker = {"DOCKER_HOST": found} if (found := os.environ.get("DOCKER_HOST")) else {}
    temporary = place / "tmp"
    temporary.mkdir()
    kept = {name: value for name, value in copy.environ.items() if name != "DOCKER_HOST"}
    return {**kept, **docker, "TMPDIR": str(temporary)}


def _command_lines() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield process.read_bytes()
        except OSError:
            continue
