"""Why ssh failed, from what it said: one clear error for each way. Reads the recorded keys of hosts, nothing else."""

import re

from homeops.errors import Problem
from homeops.hosts.known_hosts import host_pattern, keys_of, read_known_hosts
from homeops.hosts.reach import HostError, HostUnreachable, Reach

_LAST_LINES = 5


def failure(reach: Reach, log: str, stderr: str) -> HostError:
    """The error for what ssh said when it failed itself; ``stderr`` is a jump host's ssh's, when there is one."""
    trust = reach.hosts_command("trust")
    if "Bad configuration option" in log or "Bad owner or permissions on" in log:
        what = f"ssh on this machine does not take its configuration:\n{_last(log)}"
        return HostError(Problem(reach.host, what, "OpenSSH has to be 8.7 or newer: ssh -V; see ~/.ssh/config"))
    if forwarding := re.search(r"open failed: (?:connect failed: )?([^\r\n]*)\r?\nstdio forwarding failed", stderr):
        what = f"unreachable over SSH at {reach.address} port {reach.port} from its jump host: {forwarding[1].lower()}"
        return HostUnreachable(Problem(reach.host, what, reach.hint))
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
        return HostUnreachable(Problem(reach.host, f"its address is not known here: {reach.address}", reach.hint))
    if reason := _NO_ANSWER.search(log):
        what = f"unreachable over SSH at {reach.address} port {reach.port}: {reason[0].lower()}"
        return HostUnreachable(Problem(reach.host, what, reach.hint))
    if _BROKE.search(log):
        what = f"the connection broke ({reach.endpoint})"
        return HostUnreachable(Problem(reach.host, what, "run it again: every step may be repeated"))
    return HostError(Problem(reach.host, f"ssh failed ({reach.endpoint}):\n{_last(log)}", "ssh -v shows more"))


_GREETING = "kex_exchange_identification: "

_NO_ANSWER = re.compile(
    r"Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable"
    rf"|Connection reset by peer(?= port)|(?<={_GREETING})[^\r\n]+|(?<=banner exchange: )[^\r\n]+"
)

_UNLOGGED = re.compile(
    r"^Connection to \S+ closed by remote host\.\s*\Z|\Acommand-line: line 0: Bad configuration option.*", re.MULTILINE
)


def unlogged(stderr: str) -> str:
    """What ssh said of its own failure and does not write into its log; empty when there is nothing."""
    found = _UNLOGGED.search(stderr)
    return found[0] if found else ""


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


def sudo_refused(reach: Reach, said: str) -> HostError:
    """The error for what sudo said on the host, in one line."""
    what = f"{said} ({reach.endpoint})"
    hint = f"on the host: echo '{reach.user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{reach.user}"
    return HostError(Problem(reach.host, what, hint))


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
