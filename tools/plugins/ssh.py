"""One connection of pulumi-command's ``connection`` input, over OpenSSH.

As the official plugin: neither ~/.ssh/config nor known_hosts is read; the host's key is checked only where ``hostKey``
is given; keys come from ``privateKey`` or the agent. Everything that could be secret or odd goes into files of a
directory that only this user reads, never on a command line.
"""

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.plugins.server import Failed, Tell

Props = Mapping[str, Any]

FIELDS = frozenset(
    {
        *("host", "user", "port", "privateKey", "privateKeyPassword", "password", "agentSocketPath"),
        *("dialErrorLimit", "perDialTimeout", "hostKey"),
    }
)

# The order in which the official plugin's SSH asks for a host's key (golang.org/x/crypto/ssh, defaultHostKeyAlgos): the
# key that it checks is the host's first of these, and pinning another of the host's keys fails.
_KEY_KINDS = "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-256,rsa-sha2-512,ssh-ed25519"

_ASK = """\
#!/bin/sh
case $1 in *passphrase*) printf '%s\\n' "$STANDIN_PASSPHRASE" ;; *) printf '%s\\n' "$STANDIN_PASSWORD" ;; esac
"""

_LONGEST_PAUSE = 15.0


def wrong(connection: Props) -> list[tuple[str, str]]:
    """What is wrong with a connection."""
    if connection.get("proxy"):
        return [("connection.proxy", "the stand-in plugin has none")]
    odd = sorted(connection.keys() - FIELDS - {"proxy"})
    missing = [] if connection.get("host") else [("connection.host", "it is missing")]
    return [*missing, *((f"connection.{name}", "the stand-in plugin does not know it") for name in odd)]


def run(
    connection: Props, command: str, stdin: bytes, environ: Mapping[str, str], tell: Tell
) -> subprocess.CompletedProcess[bytes]:
    """Run a command on the host; its exit code is not judged. Raises Failed when there is no connection."""
    limit = int(connection.get("dialErrorLimit", 10))
    with _configured(connection, environ) as (directory, ours):
        connected, dials = directory / "connected", 0
        while True:
            done = subprocess.run(
                ["ssh", "-F", str(directory / "config"), "host", command],
                input=stdin,
                capture_output=True,
                check=False,
                env=ours,
            )
            if connected.exists():
                return done
            dials += 1
            said = done.stderr.decode(errors="replace").strip()
            if limit >= 0 and dials > limit:
                raise Failed(f"after {dials} failed attempts: {said}")
            tell(f"Dial {dials}/{limit if limit >= 0 else 'inf'} failed: retrying")
            time.sleep(min(0.1 * 2**dials, _LONGEST_PAUSE))


@contextmanager
def _configured(connection: Props, environ: Mapping[str, str]) -> Generator[tuple[Path, dict[str, str]]]:
    """A directory with ssh's configuration in it, and the environment that ssh is to have."""
    with tempfile.TemporaryDirectory(prefix="pulumi-command-") as name:
        directory = Path(name)
        ours = {**os.environ, **environ}
        settings: list[tuple[str, str]] = [
            ("HostName", str(connection["host"])),
            ("Port", str(int(connection.get("port", 22)))),
            ("User", str(connection.get("user", "root"))),
            ("ConnectTimeout", str(int(connection.get("perDialTimeout", 15)))),
            ("HostKeyAlgorithms", _KEY_KINDS),
            ("GlobalKnownHostsFile", "/dev/null"),
            ("LogLevel", "ERROR"),
            # The mark that there was a connection: ssh's own exit code could be the command's.
            ("PermitLocalCommand", "yes"),
            ("LocalCommand", f": > {shlex.quote(str(directory / 'connected'))}"),
        ]
        if key := connection.get("hostKey"):
            (directory / "known_hosts").write_text(f"pinned {key.strip()}\n", encoding="utf-8")
            settings += [("HostKeyAlias", "pinned"), ("StrictHostKeyChecking", "yes")]
            settings += [("UserKnownHostsFile", str(directory / "known_hosts"))]
        else:
            settings += [("StrictHostKeyChecking", "no"), ("UserKnownHostsFile", "/dev/null")]
        if private := connection.get("privateKey"):
            _write(directory / "key", private if private.endswith("\n") else f"{private}\n", 0o600)
            settings.append(("IdentityFile", str(directory / "key")))
        else:
            settings.append(("IdentityFile", "none"))
        if agent := connection.get("agentSocketPath") or os.environ.get("SSH_AUTH_SOCK"):
            settings.append(("IdentityAgent", agent))
        if connection.get("password") or connection.get("privateKeyPassword"):
            _write(directory / "ask", _ASK, 0o700)
            ours |= {
                "SSH_ASKPASS": str(directory / "ask"),
                "SSH_ASKPASS_REQUIRE": "force",
                "STANDIN_PASSWORD": str(connection.get("password", "")),
                "STANDIN_PASSPHRASE": str(connection.get("privateKeyPassword", "")),
            }
            settings.append(("NumberOfPasswordPrompts", "1"))
        else:
            settings.append(("BatchMode", "yes"))
        if environ:
            settings.append(("SendEnv", " ".join(environ)))
        text = "".join(f"  {name} {value}\n" for name, value in settings)
        _write(directory / "config", f"Host host\n{text}", 0o600)
        yield directory, ours


def _write(path: Path, text: str, mode: int) -> None:
    path.touch(mode)
    path.write_text(text, encoding="utf-8")
