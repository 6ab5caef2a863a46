"""The lab's network: a range of addresses of its own, and one address for each container, the same at every ``up``."""

import ipaddress
import json
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from homeops.errors import LabError, Problem
from homeops.lab.home import write_private
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.names import Names

RANGES = tuple(ipaddress.ip_network(f"10.{first}.{second}.0/24") for first in (213, 214) for second in range(256))
"""Where a network may be; the first that nothing else on this machine uses."""
GATEWAY, REGISTRY, GIT, DNS, FIRST_HOST = 1, 2, 3, 4, 11
"""Last parts of addresses."""

SSH, PERIPHERY = "ssh", "periphery"
PORTS = range(21000, 30000)
"""Ports of this machine: below those that systems hand out by themselves."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is: ``ports`` on 127.0.0.1 by host and service."""

    subnet: ipaddress.IPv4Network
    ports: dict[str, dict[str, int]]

    @property
    def gateway(self) -> str:
        """The address of this machine."""
        return str(self.subnet[GATEWAY])

    @property
    def registry(self) -> str:
        """The address of the registry."""
        return str(self.subnet[REGISTRY])

    @property
    def git(self) -> str:
        """The address of the Git server."""
        return str(self.subnet[GIT])

    @property
    def dns(self) -> str:
        """The address of the DNS server."""
        return str(self.subnet[DNS])

    def address(self, host: str) -> str:
        """The address of a host."""
        return str(self.subnet[FIRST_HOST + list(self.ports).index(host)])


def check_own(address: str) -> None:
    """Raise LabError unless this machine has an address: where Docker runs in a virtual machine, it has not."""
    try:
        with socket.create_server((address, 0)):
            return
    except OSError as error:
        what = f"containers would reach this machine at {address}, which is not its own ({error.strerror})"
        raise LabError(Problem("lab", what, "homeops lab up --simulated")) from error


def port_is_free(port: int) -> bool:
    """Whether nothing listens at a port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def allot(
    hosts: Iterable[str], known: dict[str, dict[str, int]], seed: int, free: Callable[[int], bool] = port_is_free
) -> dict[str, dict[str, int]]:
    """Ports for hosts: those that they had, free ones for the others; ``seed`` says where these are looked for."""
    taken = {port for ports in known.values() for port in ports.values()}
    start = seed % len(PORTS)
    candidates = (port for port in (*PORTS[start:], *PORTS[:start]) if port not in taken and free(port))
    allotted: dict[str, dict[str, int]] = {}
    for host in hosts:
        try:
            allotted[host] = known.get(host) or {SSH: next(candidates), PERIPHERY: next(candidates)}
        except StopIteration:
            what = f"no free port for {host} from {PORTS.start} to {PORTS.stop - 1} of 127.0.0.1"
            raise LabError(Problem("lab", what)) from None
    return allotted


def have_network(engine: Engine, names: Names, hosts: Iterable[str], file: Path) -> Places:
    """Make the network unless it is there, and say where everything is; ``file`` remembers the ports.

    A host keeps its place when another one comes or goes.
    """
    seed = int(names.prefix.rpartition("-")[2], 16)
    known: dict[str, dict[str, int]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    ports = known | allot(hosts, known, seed)
    if ports != known:
        write_private(file, json.dumps(ports, indent=1))
    return Places(_network(engine, names, seed), ports)


def _network(engine: Engine, names: Names, seed: int) -> ipaddress.IPv4Network:
    form = "{{(index .IPAM.Config 0).Subnet}}"
    found = engine.attempt("network", "inspect", names.network, "--format", form)
    if found.returncode == 0:
        return ipaddress.IPv4Network(found.stdout.decode().strip())
    last = None
    for attempt in range(16):
        subnet = RANGES[(seed + attempt) % len(RANGES)]
        try:
            engine.run("network", "create", "--subnet", str(subnet), names.network)
        except LabError as error:
            if "overlap" not in str(error):
                raise
            last = error
        else:
            return ipaddress.IPv4Network(str(subnet))
    raise LabError(Problem("lab", "no range of addresses is free for its network", "docker network ls")) from last
