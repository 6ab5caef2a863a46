"""A host to recover: a real sshd on this machine, with the few programs that a host has."""

import getpass
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sshd import Sshd

Tool = Callable[[str], list[str]]

PROGRAMS = ("sh", "bash", "cat", "mkdir", "mv", "rm", "tar")
"""What of this machine the host has; no docker of this machine among them."""

# Understands compose files with the real compose. There is no engine, so the rest of it is noted and makes nothing.
_DOCKER = """\
printf '%s\\n' "$*" >>{calls}
[ "$1" = compose ] || exit 0
shift
case " $* " in
  *' config '*) exec {compose} "$@" ;;
  *' pull '*) [ ! -e {trouble}/pull ] || {{ echo 'no such host: registry' >&2; exit 1; }} ;;
  *' up '*)
    [ ! -e {trouble}/up ] || {{ echo 'container komodo-core-1 is unhealthy' >&2; exit 1; }}
    set -- "$1" "$2" "$3" "$4" "$5" "$6"
    {compose} "$@" config --format json >{containers}
    ;;
  *' ps '*) echo 'komodo-core-1 Up 3 seconds (unhealthy)' ;;
  *' logs '*) cat {trouble}/up ;;
esac
"""


@dataclass
class Machine:
    """The host in ``place``, reached by the ``ssh`` that stands first in ``environ``'s PATH."""

    place: Path
    tool: Tool
    sshd: Sshd = field(init=False)

    def __post_init__(self) -> None:
        self.sshd = Sshd(self.place)

    @property
    def programs(self) -> Path:
        """The host's PATH."""
        return self.sshd.programs

    @property
    def port(self) -> int:
        """Where its sshd listens."""
        return self.sshd.port

    @property
    def periphery(self) -> Path:
        """Periphery's root directory."""
        return self.place / "komodo"

    @property
    def age_key(self) -> Path:
        return self.place / "keys.txt"

    @property
    def containers(self) -> Path:
        """The whole project as compose understood it when it was last started, as JSON."""
        return self.place / "containers.json"

    @property
    def reach(self) -> dict[str, Any]:
        """As settings say how it is reached."""
        return {"address": "127.0.0.1", "sshPort": self.port, "sshUser": getpass.getuser()}

    @property
    def environ(self) -> dict[str, str]:
        """This side's environment."""
        path = [str(self.sshd.client), str(Path(self.tool("sops")[0]).parent), os.environ["PATH"]]
        return {"PATH": os.pathsep.join(path), "HOME": str(self.sshd.client)}

    def start(self) -> None:
        """Install it, start its sshd, and let this side's own ssh know its key."""
        (self.place / "trouble").mkdir(parents=True)
        # Nothing of this machine but the programs.
        self.sshd.start(f"SetEnv PATH={self.programs}", kinds=("ed25519",))
        for name in PROGRAMS:
            (self.programs / name).symlink_to(shutil.which(name) or "/missing")
        (self.programs / "sops").symlink_to(self.tool("sops")[0])
        paths = {"calls": self.place / "calls", "trouble": self.place / "trouble", "containers": self.containers}
        quoted = {name: shlex.quote(str(path)) for name, path in paths.items()}
        self.sshd.program("docker", _DOCKER.format(compose=shlex.join(self.tool("docker-compose")), **quoted))
        self.sshd.sudo()
        known_hosts = str(self.sshd.known_hosts).replace("%", "%%")
        self.sshd.configure(f'UserKnownHostsFile "{known_hosts}"\nGlobalKnownHostsFile /dev/null\n')

    def stop(self) -> None:
        """Stop its sshd."""
        self.sshd.stop()

    def trouble(self, command: str, log: str = "") -> None:
        """Let ``docker compose`` ``pull`` or ``up`` fail from now on; ``logs`` then prints the log."""
        (self.place / "trouble" / command).write_text(log, encoding="utf-8")

    @property
    def commands(self) -> list[str]:
        """What docker was asked for, as its first words without options: ``up``, ``config``."""
        calls = self.place / "calls"
        words = ("version", "config", "pull", "up", "ps", "logs", "down", "rm", "volume", "stop", "kill", "build")
        lines = calls.read_text().splitlines() if calls.exists() else []
        return [next((word for word in words if f" {word} " in f" {line} "), line) for line in lines]

    @property
    def command_lines(self) -> str:
        """Everything that was ever on a command line of ssh or docker."""
        return "".join(path.read_text() for path in (self.sshd.said, self.place / "calls") if path.exists())
