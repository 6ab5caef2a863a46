"""A real sshd on this machine, in a directory of its own, and an ssh that knows only what its test lets it know."""

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from homeops.hosts.known_hosts import host_pattern
from homeops.hosts.reach import Reach
from tests.missing import missing

SSHD = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))

# Looked for once, before any test has put a wrapper of it into PATH: a wrapper that runs itself never ends.
SSH = shutil.which("ssh") or "/missing"

KINDS = ("ed25519", "ecdsa")
"""Without RSA, whose keys take seconds to make."""

# The client's configuration is the one that a test wrote: ssh looks for the user's where the account database says.
_SSH = """\
#!/bin/sh
printf '%s\\n' "$@" >>{said}
exec {ssh} -F {config} "$@"
"""

# Root on the machine of a test is whoever runs it.
_SUDO = """\
[ "$1" = -n ] || exit 1
shift
exec "$@"
"""


@dataclass
class Sshd:
    """The server in ``place``. ``programs`` are first in the PATH of what runs there; ``client`` is this side's."""

    place: Path
    port: int = 0
    kinds: tuple[str, ...] = KINDS
    _server: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def client(self) -> Path:
        """To be first in this side's PATH."""
        return self.place / "client"

    @property
    def programs(self) -> Path:
        return self.place / "programs"

    @property
    def path(self) -> str:
        """The PATH of what runs there."""
        return f"{self.programs}:/usr/local/bin:/usr/bin:/bin"

    @property
    def known_hosts(self) -> Path:
        return self.place / "known hosts 100%" / "known_hosts"

    @property
    def name(self) -> str:
        """Its name in known_hosts."""
        return host_pattern("127.0.0.1", self.port)

    @property
    def log(self) -> str:
        return (self.place / "sshd.log").read_text()

    @property
    def said(self) -> Path:
        """Everything that was ever on a command line of this side's ssh."""
        return self.place / "said"

    def reach(self, host: str = "one") -> Reach:
        return Reach(host, "127.0.0.1", self.port, getpass.getuser(), self.known_hosts, 5)

    def start(self, *config: str, kinds: tuple[str, ...] = KINDS) -> None:
        """Start it with further lines of sshd_config, and let this side have a key that it takes, and know its keys.

        Skips the test where there is no sshd.
        """
        if SSHD is None:
            missing("no machine to reach over SSH without an sshd: apt-get install openssh-server")
        for directory in (self.client, self.programs, self.known_hosts.parent):
            directory.mkdir(parents=True, exist_ok=True)
        self.kinds = kinds
        for name in (*(f"host_{kind}" for kind in kinds), "client/id"):
            if not (self.place / name).exists():
                self.new_key(name)
        self.configure()
        paths = {"ssh": SSH, "config": self.client / "config", "said": self.said}
        wrapper = _SSH.format(**{name: shlex.quote(str(path)) for name, path in paths.items()})
        (self.client / "ssh").write_text(wrapper)
        (self.client / "ssh").chmod(0o755)
        self.port = self.port or _free_port()
        lines = [
            *config,
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            *(f"HostKey {self.place}/host_{kind}" for kind in kinds),
            f"PidFile {self.place}/sshd.pid",
            f"AuthorizedKeysFile {self.client}/id.pub",
            # The directories of tests belong to whoever runs them, under a /tmp that is everybody's.
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            # Every scan is three connections at once.
            "MaxStartups 100",
            f"SetEnv PATH={self.path}",
        ]
        (self.place / "sshd_config").write_text("".join(f"{line}\n" for line in lines))
        if os.getuid() == 0:
            # Where sshd separates its privileges; an init system makes it, and there may be none.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._server = subprocess.Popen(
            [SSHD, "-D", "-E", str(self.place / "sshd.log"), "-f", str(self.place / "sshd_config")]
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    self.know()
                    return
            time.sleep(0.02)
        raise AssertionError(self.log)

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(10)
            self._server = None

    def configure(self, text: str = "") -> None:
        """Write this side's ssh configuration: the key, and what the test adds before it."""
        (self.client / "config").write_text(f"{text}\nHost *\nIdentityFile {self.client}/id\nIdentitiesOnly yes\n")

    def new_key(self, name: str) -> None:
        """Make ``host_<kind>`` or ``client/id`` anew."""
        for path in (self.place / name, self.place / f"{name}.pub"):
            path.unlink(missing_ok=True)
        kind = name.removeprefix("host_") if name.startswith("host_") else "ed25519"
        command = ["ssh-keygen", "-q", "-t", kind, *(["-b", "2048"] if kind == "rsa" else []), "-N", "", "-C", ""]
        subprocess.run([*command, "-f", str(self.place / name)], check=True)

    def public(self, kind: str) -> str:
        """A public key of it: kind and value."""
        return " ".join((self.place / f"host_{kind}.pub").read_text().split()[:2])

    def know(self) -> None:
        """Let its keys be recorded."""
        self.known_hosts.write_text("".join(f"{self.name} {self.public(kind)}\n" for kind in self.kinds))

    def program(self, name: str, text: str) -> None:
        """Put a shell script into the PATH of what runs there."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)

    def sudo(self) -> None:
        """Let everybody there be root."""
        self.program("sudo", _SUDO)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
