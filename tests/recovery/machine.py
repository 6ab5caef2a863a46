"""A host to recover: a real sshd on this machine, in a directory of its own, with the few programs that a host has."""

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Tool = Callable[[str], list[str]]

SSHD = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))

PROGRAMS = ("sh", "bash", "cat", "mkdir", "mv", "rm", "tar")
"""What of this machine the host has; no docker of this machine among them."""

# Understands compose files with the real compose. There is no engine, so the rest of it is noted and makes nothing.
_DOCKER = """\
#!/bin/sh
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

_SUDO = """\
#!/bin/sh
[ "$1" = -n ] || exit 1
shift
exec "$@"
"""

_SSH = """\
#!/bin/sh
printf '%s\\n' "$@" >>{said}
exec {ssh} -F {config} "$@"
"""


@dataclass
class Machine:
    """The host in ``place``, reached by the ``ssh`` that stands first in ``environ``'s PATH."""

    place: Path
    tool: Tool
    port: int = 0
    _server: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def programs(self) -> Path:
        """The host's PATH."""
        return self.place / "programs"

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
    def known_hosts(self) -> Path:
        """What this side knows of hosts."""
        return self.place / "client" / "known_hosts"

    @property
    def reach(self) -> dict[str, Any]:
        """As settings say how it is reached."""
        return {"address": "127.0.0.1", "sshPort": self.port, "sshUser": getpass.getuser()}

    @property
    def environ(self) -> dict[str, str]:
        """This side's environment."""
        path = [str(self.place / "client"), str(Path(self.tool("sops")[0]).parent), os.environ["PATH"]]
        return {"PATH": os.pathsep.join(path), "HOME": str(self.place / "client")}

    def make(self) -> None:
        """Install it."""
        for directory in ("programs", "trouble", "client"):
            (self.place / directory).mkdir(parents=True)
        for name in PROGRAMS:
            (self.programs / name).symlink_to(shutil.which(name) or "/missing")
        (self.programs / "sops").symlink_to(self.tool("sops")[0])
        quoted = {
            "calls": shlex.quote(str(self.place / "calls")),
            "trouble": shlex.quote(str(self.place / "trouble")),
            "containers": shlex.quote(str(self.containers)),
            "compose": shlex.join(self.tool("docker-compose")),
            "said": shlex.quote(str(self.place / "said")),
            "config": shlex.quote(str(self.place / "client" / "config")),
            "ssh": shlex.quote(shutil.which("ssh") or "/missing"),
        }
        _program(self.programs / "docker", _DOCKER.format(**quoted))
        _program(self.programs / "sudo", _SUDO)
        _program(self.place / "client" / "ssh", _SSH.format(**quoted))
        for name in ("host_key", "client/id"):
            _ssh_keygen(self.place / name)

    def start(self) -> None:
        """Start its sshd, and let this side know its key."""
        self.port = _free_port()
        (self.place / "sshd_config").write_text(
            f"Port {self.port}\n"
            "ListenAddress 127.0.0.1\n"
            f"HostKey {self.place}/host_key\n"
            f"PidFile {self.place}/sshd.pid\n"
            f"AuthorizedKeysFile {self.place}/client/id.pub\n"
            # The directories of tests belong to whoever runs them, under a /tmp that is everybody's.
            "StrictModes no\n"
            "UsePAM no\n"
            "PasswordAuthentication no\n"
            "PermitRootLogin yes\n"
            f"SetEnv PATH={self.programs}\n"
        )
        client = (
            f"IdentityFile {self.place}/client/id\n"
            "IdentitiesOnly yes\n"
            f"UserKnownHostsFile {self.known_hosts}\n"
            "GlobalKnownHostsFile /dev/null\n"
        )
        (self.place / "client" / "config").write_text(client)
        self.know(self.place / "host_key.pub")
        assert SSHD is not None
        if os.getuid() == 0:
            # Where sshd separates its privileges; an init system makes it, and there may be none.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        command = [SSHD, "-D", "-E", str(self.place / "sshd.log"), "-f", str(self.place / "sshd_config")]
        self._server = subprocess.Popen(command)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self.place / "sshd.log").read_text())

    def stop(self) -> None:
        """Stop its sshd."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(10)
            self._server = None

    def know(self, key: Path) -> None:
        """Let this side take a key for the host's."""
        kind, value, *_ = key.read_text().split()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {value}\n")

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
        return "".join((self.place / name).read_text() for name in ("said", "calls") if (self.place / name).exists())


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _ssh_keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
