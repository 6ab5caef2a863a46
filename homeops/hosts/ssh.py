# Named for what happened, as the messages are.
# ruff: noqa: N818
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
from pathlib import Path

from homeops.errors import Problem, ToolError
from homeops.hosts.known_hosts import SSH_PORT, host_pattern, keys_of, read_known_hosts
from homeops.hosts.shell import SUDO_REFUSED
from homeops.model.site import Site

_SSH_FAILED = 255
"""The exit code that ssh has for its own failures."""

_LAST_LINES = 5

_UNPRINTABLE = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"} | {13: None}
"""What would move the cursor of a terminal: no host gets to write over what another said."""


class HostError(ToolError):
    """Raised when a host cannot be worked on; one problem, which names host and step."""


class HostUnreachable(HostError):
    """Raised when a host gives no answer, or stopped to: it may be another time's work."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a host is reached. ``known_hosts``: the file with its key. ``timeout``: seconds to connect and greet."""

    host: str
    address: str
    port: int
    user: str
    known_hosts: Path
    timeout: int

    @property
    def endpoint(self) -> str:
        """For people: ``root@192.0.2.7``, with the port where it is not 22."""
        return f"{self.user}@{self.address}" + (f" port {self.port}" if self.port != SSH_PORT else "")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command on a host ended with; its output is text, each control character in it a ``?``."""

    code: int
    stdout: str
    stderr: str


def reach_of(host_name: str, site: Site, root: Path) -> Reach:
    """How a host of the site is reached; ``root`` is the checkout. No I/O.

    Raises HostError where hosts are not managed over SSH, the site has no such host, or another has the same address.
    """
    if site.ssh is None:
        hint = "add homeops:ssh to Pulumi.<stack>.yaml; an empty block will do: {}"
        raise HostError(Problem(host_name, "hosts are not managed over SSH here", hint))
    endpoints = {name: (facts.ssh_host, facts.ssh_port) for name, facts in site.hosts.items()}
    if host_name not in endpoints:
        hint = f"the settings have {', '.join(endpoints) or 'none'}"
        raise HostError(Problem(host_name, "the settings have no address for it", hint))
    address, port = endpoints[host_name]
    same = [name for name, (a, p) in endpoints.items() if (a.lower(), p) == (address.lower(), port)]
    if len(same) > 1:
        others = " and ".join(f'"{name}"' for name in same if name != host_name)
        what = f"has the same address for SSH as {others}: {address} port {port}"
        raise HostError(Problem(host_name, what, "give each its own address, sshAddress or sshPort in homeops:hosts"))
    facts = site.hosts[host_name]
    known_hosts = root / site.ssh.known_hosts
    return Reach(host_name, address, port, facts.ssh_user, known_hosts, site.ssh.connect_timeout_seconds)


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
    if done.code == _SSH_FAILED and (unlogged := _UNLOGGED.search(done.stderr)):
        said += unlogged[0]
    if done.code == _SSH_FAILED and said.strip():
        raise _failure(reach, said, done.stderr)
    if done.code == SUDO_REFUSED and (refusal := re.search(r"^homeops: (sudo .*)$", done.stderr, re.MULTILINE)):
        raise _sudo(reach, refusal[1])
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


def _failure(reach: Reach, log: str, stderr: str) -> HostError:
    """The error for what ssh said when it failed itself; ``stderr`` is a jump host's ssh's, when there is one."""
    trust = f"homeops hosts trust {reach.host}"
    if "Bad configuration option" in log or "Bad owner or permissions on" in log:
        what = f"ssh on this machine does not take its configuration:\n{_last(log)}"
        return HostError(Problem(reach.host, what, "OpenSSH has to be 8.7 or newer: ssh -V; see ~/.ssh/config"))
    if forwarding := re.search(r"open failed: (?:connect failed: )?([^\r\n]*)\r?\nstdio forwarding failed", stderr):
        what = f"unreachable over SSH at {reach.address} port {reach.port} from its jump host: {forwarding[1].lower()}"
        return HostUnreachable(Problem(reach.host, what, _REACH_HINT))
    if _GREETING in log and stderr.strip():
        what = f"its jump host, which your ssh configuration names, lets nobody through:\n{_last(stderr)}"
        return HostUnreachable(Problem(reach.host, what, f"ssh -p {reach.port} {reach.user}@{reach.address}"))
    if "REVOKED HOST KEY" in log:
        return HostError(Problem(reach.host, f"its host key is marked as revoked in {reach.known_hosts}", trust))
    if "IDENTIFICATION HAS CHANGED" in log or "host key is known for" in log:
        return _unknown_key(reach, log, trust)
    if "Too many authentication failures" in log:
        what = f"gave up on your keys, there are too many ({reach.endpoint})"
        hint = "set IdentitiesOnly and IdentityFile for the host in ~/.ssh/config"
        return HostError(Problem(reach.host, what, hint))
    if denied := re.search(r"Permission denied \(([^)]*)\)", log):
        return _denied(reach, denied[1])
    if "Could not resolve hostname" in log:
        return HostUnreachable(Problem(reach.host, f"its address is not known here: {reach.address}", _REACH_HINT))
    if reason := _NO_ANSWER.search(log):
        what = f"unreachable over SSH at {reach.address} port {reach.port}: {reason[0].lower()}"
        return HostUnreachable(Problem(reach.host, what, _REACH_HINT))
    if _BROKE.search(log):
        what = f"the connection broke ({reach.endpoint})"
        return HostUnreachable(Problem(reach.host, what, "run it again: every step may be repeated"))
    return HostError(Problem(reach.host, f"ssh failed ({reach.endpoint}):\n{_last(log)}", "ssh -v shows more"))


_REACH_HINT = "is the host up? is homeops:hosts in Pulumi.<stack>.yaml right?"

_GREETING = "kex_exchange_identification: "

_NO_ANSWER = re.compile(
    r"Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable"
    rf"|Connection reset by peer(?= port)|(?<={_GREETING})[^\r\n]+|(?<=banner exchange: )[^\r\n]+"
)

_UNLOGGED = re.compile(
    r"^Connection to \S+ closed by remote host\.\s*\Z|\Acommand-line: line 0: Bad configuration option.*", re.MULTILINE
)
"""What ssh does not write into its log."""

_BROKE = re.compile(
    r"Connection to \S+ closed|Connection closed|Connection reset|Broken pipe|Timeout, server|Received disconnect"
)


def _unknown_key(reach: Reach, log: str, trust: str) -> HostError:
    known = keys_of(read_known_hosts(reach.known_hosts), host_pattern(reach.address, reach.port))
    if not known and "IDENTIFICATION HAS CHANGED" not in log:
        return HostError(Problem(reach.host, f"its host key is not recorded in {reach.known_hosts}", trust))
    shown = re.search(r"SHA256:[A-Za-z0-9+/]+", log)
    there = f" (it shows {shown[0]})" if shown else ""
    recorded = ", ".join(f"{key.kind} {key.fingerprint}" for key in known)
    what = f"its host key changed{there}; recorded is {recorded}"
    return HostError(Problem(reach.host, what, f"only if the host was installed anew: {trust} --replace"))


def _denied(reach: Reach, methods: str) -> HostError:
    if {"password", "keyboard-interactive"} & set(methods.split(",")):
        what = f"asks for a password: it takes none of your keys ({reach.endpoint})"
        return HostError(Problem(reach.host, what, f"ssh-copy-id -p {reach.port} {reach.user}@{reach.address}"))
    what = f"refuses your keys ({reach.endpoint})"
    return HostError(Problem(reach.host, what, "ssh-add -l shows which are offered; is sshUser right?"))


def _sudo(reach: Reach, said: str) -> HostError:
    what = f"{said} ({reach.endpoint})"
    hint = f"on the host: echo '{reach.user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{reach.user}"
    return HostError(Problem(reach.host, what, hint))


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
