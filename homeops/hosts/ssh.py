"""Reaching a host: one command over the system's ssh, and one clear error for each way in which that fails.

The operator's ssh configuration counts for how a host is reached (ProxyJump, IdentityFile, an agent), and for nothing
else: what decides about trust, asks questions, or leaves files behind is set here, and ssh takes the command line
before its files. So neither ``~/.ssh/known_hosts`` is read or written, nor a shared connection used whose key somebody
else accepted.
"""

import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass

from homeops.errors import Problem
from homeops.hosts.known_hosts import host_pattern
from homeops.hosts.reach import HostError, HostUnreachable, Reach
from homeops.hosts.shell import SUDO_REFUSED
from homeops.hosts.ssh_failures import failure, sudo_refused, unlogged

_SSH_FAILED = 255
"""The exit code that ssh has for its own failures."""

_UNPRINTABLE = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"} | {13: None}
"""What would move the cursor of a terminal: no host gets to write over what another said."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command on a host ended with; its output is text, each control character in it a ``?``."""

    code: int
    stdout: str
    stderr: str


def run(reach: Reach, script: str, stdin: str = "", *, deadline: float | None = None) -> Done:
    """Run a command line (``as_root`` makes one) in the user's shell on the host.

    ``deadline``: seconds for all of it; None: as long as the host answers (a silent one is given up after 15 s).
    A command that failed is a ``Done`` with its code, 255 when a signal ended it. Raises HostError when it could not
    be run, HostUnreachable when the host gave no answer or went away. Nothing is ever asked: ssh gets no terminal, and
    keys come from the agent or from where the operator's configuration says.
    """
    # ssh's own words go to a file: what the command says of refused connections is never taken for them.
    with tempfile.NamedTemporaryFile("r", prefix="homeops-ssh-", encoding="utf-8", errors="replace") as log:
        command = ["ssh", "-E", log.name, *_options(reach), "--", reach.address, script]
        done = _run(reach, command, stdin, deadline)
        said = log.read()
    if done.code == _SSH_FAILED and (said := said + unlogged(done.stderr)).strip():
        raise failure(reach, said, done.stderr)
    if done.code == SUDO_REFUSED and (refusal := re.search(r"^homeops: (sudo .*)$", done.stderr, re.MULTILINE)):
        raise sudo_refused(reach, refusal[1])
    return done


def _run(reach: Reach, command: list[str], stdin: str, deadline: float | None) -> Done:
    # A session of its own: no terminal for a jump host's ssh to ask at, and all of them can be ended together.
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
        )
    except FileNotFoundError:
        missing = Problem(reach.host, "ssh is not installed on this machine", "install OpenSSH's client")
        raise HostError(missing) from None
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=deadline)
        except subprocess.TimeoutExpired:
            what = f"did not finish within {deadline:g} s over SSH ({reach.endpoint})"
            raise HostUnreachable(Problem(reach.host, what, "the host is overloaded or hangs")) from None
        finally:
            _end(process)
    return Done(process.returncode, stdout.translate(_UNPRINTABLE), stderr.translate(_UNPRINTABLE))


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _options(reach: Reach) -> list[str]:
    """What the operator's configuration has no say in."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": reach.timeout,
        "ConnectionAttempts": 1,
        "ServerAliveInterval": 5,
        "ServerAliveCountMax": 3,
        # Which key is the host's: that of the declared address in our file, whatever else a configuration names.
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": '"' + str(reach.known_hosts.absolute()).replace("%", "%%") + '"',
        "GlobalKnownHostsFile": "/dev/null",
        "KnownHostsCommand": "none",
        "HostKeyAlias": host_pattern(reach.address, reach.port),
        "CheckHostIP": "no",
        "VerifyHostKeyDNS": "no",
        "NoHostAuthenticationForLocalhost": "no",
        "UpdateHostKeys": "no",
        # A connection of our own that does this one thing.
        "ControlMaster": "no",
        "ControlPath": "none",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "RequestTTY": "no",
        "ForkAfterAuthentication": "no",
        "StdinNull": "no",
        "SessionType": "default",
        # Below it, ssh does not say why it gave up on a host that fell silent.
        "LogLevel": "INFO",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["-l", reach.user, "-p", str(reach.port), *flags]
