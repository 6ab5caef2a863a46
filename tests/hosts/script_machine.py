"""A Debian machine in a container, for scripts to be run on as they are on a host."""

import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import as_root
from homeops.lab.machines.machine import under_systemd
from tests.host_image import docker_engine, host_image


@dataclass(frozen=True)
class Done:
    """How a script ended."""

    code: int
    out: str
    error: str

    @property
    def facts(self) -> dict[str, str]:
        assert self.code == 0, self.error
        return dict(line.split("=", 1) for line in self.out.splitlines())

    @property
    def lines(self) -> list[str]:
        """What a script that worked said."""
        assert (self.code, self.error) == (0, "")
        return self.out.splitlines()

    @property
    def failure(self) -> str:
        """The one line that a script that failed said why with."""
        assert self.code != 0, self.out
        (line,) = self.error.splitlines()
        return line


@dataclass(frozen=True)
class Machine:
    """A running container; ``deploy`` may do all with sudo, ``asked`` has a sudo that wants a password."""

    name: str

    def sh(self, text: str) -> str:
        """Run what must work, as root, and be given what it printed."""
        done = self._exec(["sh", "-ec", text], "root", "")
        assert done.code == 0, f"{text}\n{done.out}{done.error}"
        return done.out.strip()

    def name_itself(self) -> None:
        """Let it resolve its own name, of which sudo would warn; Docker forgets that at each start."""
        self.sh('echo "127.0.0.1 localhost $(hostname)" >/etc/hosts')

    def restart(self) -> None:
        subprocess.run(["docker", "restart", "--time", "20", self.name], check=True, capture_output=True)
        self.name_itself()

    def run(self, script: str, user: str = "root", stdin: str = "") -> Done:
        """Run a script as it is run on a host: by the login shell of the user."""
        return self._exec(["sh", "-c", as_root(script, user)], user, stdin)

    def put(self, path: str, content: bytes | str, mode: str = "644") -> None:
        text = content.encode() if isinstance(content, str) else content
        command = ["docker", "exec", "-i", self.name, "sh", "-ec", 'cat >"$1"; chmod "$2" "$1"', "sh", path, mode]
        subprocess.run(command, input=text, check=True)

    def drift(self, requirement: Requirement, user: str = "root") -> Mapping[str, str]:
        """The facts that are not as wanted."""
        facts = self.run(requirement.probe, user).facts
        assert facts.keys() == requirement.wanted.keys() | requirement.reported.keys()
        return {name: facts[name] for name, value in requirement.wanted.items() if facts[name] != value}

    def settles(self, requirement: Requirement, user: str = "root") -> list[str]:
        """Apply it, and hold that all is then as wanted and that a second time changes nothing; what was changed."""
        changes = self.run(requirement.apply, user).lines
        assert self.drift(requirement, user) == {}
        assert self.run(requirement.apply, user).lines == [f"{requirement.name}: nothing to change"]
        return changes

    def _exec(self, command: list[str], user: str, stdin: str) -> Done:
        done = subprocess.run(
            ["docker", "exec", "-i", "-u", user, self.name, *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def machine(*options: str, systemd: bool = False, command: tuple[str, ...] = ("sleep", "900")) -> Generator[Machine]:
    """A machine without a network that runs a command, or systemd; skips where there is no Docker engine or image."""
    if systemd:
        options = (*under_systemd(docker_engine().cgroup), "--volume", "/var/lib/docker", *options)
        command = ("/sbin/init",)
    image = host_image()
    made = Machine(f"homeops-test-scripts-{uuid4().hex[:8]}")
    run = ["docker", "run", "-d", "--network", "none", "--name", made.name, *options, image, *command]
    subprocess.run(run, check=True, capture_output=True)
    try:
        made.name_itself()
        made.sh("useradd -m deploy; useradd -m asked; echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy")
        made.sh("echo 'asked ALL=(ALL) ALL' >/etc/sudoers.d/asked; chmod 440 /etc/sudoers.d/*")
        yield made
    finally:
        subprocess.run(["docker", "rm", "-fv", made.name], check=False, capture_output=True)
