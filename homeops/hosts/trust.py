"""Which keys hosts show, against those that are recorded: what ``homeops hosts trust`` decides by."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from homeops.errors import Problem
from homeops.hosts.known_hosts import (
    HostKey,
    host_pattern,
    keys_of,
    parse_scan,
    read_known_hosts,
    with_keys,
    write_known_hosts,
)
from homeops.hosts.reach import HostError, HostUnreachable, Reach

KINDS = "ed25519,ecdsa,rsa"


@dataclass(frozen=True, slots=True)
class Trust:
    """A host's keys: those that it shows, and those that are recorded."""

    reach: Reach
    shown: tuple[HostKey, ...]
    recorded: tuple[HostKey, ...]

    @property
    def settled(self) -> bool:
        """Whether exactly what it shows is recorded."""
        return set(self.shown) == set(self.recorded)

    @property
    def changed(self) -> bool:
        """Whether it is not the host that was recorded: a kind has another key, or it shows none of those recorded.

        Kinds that came or went beside a key that stayed are the same host, set up differently.
        """
        was = {key.kind: key for key in self.recorded}
        other = any(key.kind in was and was[key.kind] != key for key in self.shown)
        return other or (bool(was) and not set(self.shown) & set(self.recorded))


def trust_of(reach: Reach) -> Trust:
    """Fetch a host's keys with ssh-keyscan, and compare; raises HostError when it shows none."""
    return Trust(reach, scan(reach), recorded(reach))


def scan(reach: Reach) -> tuple[HostKey, ...]:
    """The keys that a host shows; raises HostUnreachable when it shows none. It goes there directly: no jump hosts."""
    command = ["ssh-keyscan", "-T", str(reach.timeout), "-p", str(reach.port), "-t", KINDS, "--", reach.address]
    try:
        # Beside -T, which counts from the last sign of life: one that answers a byte at a time would hold it for good.
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=2 * reach.timeout,
            check=False,
        )
    except FileNotFoundError:
        raise HostError(Problem(reach.host, "ssh-keyscan is not installed here", "install OpenSSH's client")) from None
    except subprocess.TimeoutExpired:
        raise _shows_none(reach, "it answers too slowly") from None
    if keys := parse_scan(done.stdout):
        return keys
    said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("#")]
    raise _shows_none(reach, said[-1].strip() if said else "no answer")


def recorded(reach: Reach) -> tuple[HostKey, ...]:
    """The keys that are recorded of a host."""
    return keys_of(read_known_hosts(reach.known_hosts), host_pattern(reach.address, reach.port))


def record(found: Iterable[Trust]) -> None:
    """Record what hosts show, in place of what was recorded of them."""
    for trust in found:
        path, name = trust.reach.known_hosts, host_pattern(trust.reach.address, trust.reach.port)
        write_known_hosts(path, with_keys(read_known_hosts(path), name, trust.shown))


def _shows_none(reach: Reach, why: str) -> HostUnreachable:
    what = f"shows no host key at {reach.address} port {reach.port}: {why}"
    return HostUnreachable(Problem(reach.host, what, reach.hint))
