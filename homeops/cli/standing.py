"""How the fleet stands: every host and stack as declared and as Core has it. One list request a kind.

As JSON (``homeops status --json``)::

    {
      "schema": 1,                  a new number when the form changes
      "stack": "prod",              the Pulumi stack whose settings count
      "komodo": {"address": "...", "version": "2.3.2"},
      "ok": false,                  everything is as declared and up
      "hosts": [{
        "name": "nvr", "declared": true, "present": true,
        "state": "Ok",              Komodo's word: Ok, NotOk, Disabled; null when Core has no such Server
        "address": "https://...",   as Core has it, else as declared
        "periphery": "2.3.2",       the version of its agent, null when it does not answer
        "problems": []              what is not as declared or not up, in words
      }],
      "stacks": [{
        "name": "frigate", "declared": true, "present": true,
        "host": "nvr",              as Core has it, else as declared
        "state": "running",         Komodo's word; null when Core has no such Stack
        "services": {"up": 2, "total": 2},
        "commit": "1a2b3c4",        what was deployed last, null when nothing was
        "newest": "1a2b3c4",        what the repository has, as Core last saw it
        "problems": []
      }]
    }
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.komodo.client import Client
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.graph import Graph, Resource
from homeops.settings import load_settings

SCHEMA = 1

Item = Mapping[str, Any]
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class HostStanding:
    """One host."""

    name: str
    declared: bool
    present: bool
    state: str | None
    address: str
    periphery: str | None
    problems: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Services:
    """How many services of a stack run, of how many."""

    up: int
    total: int


@dataclass(frozen=True, slots=True)
class StackStanding:
    """One stack."""

    name: str
    declared: bool
    present: bool
    host: str
    state: str | None
    services: Services
    commit: str | None
    newest: str | None
    problems: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Standing:
    """The fleet."""

    stack: str
    address: str
    version: str
    hosts: list[HostStanding]
    stacks: list[StackStanding]

    @property
    def ok(self) -> bool:
        """Whether everything is as declared and up."""
        return not any(found.problems for found in (*self.hosts, *self.stacks))

    def document(self) -> dict[str, Any]:
        """The standing as JSON."""
        return {
            "schema": SCHEMA,
            "stack": self.stack,
            "komodo": {"address": self.address, "version": self.version},
            "ok": self.ok,
            "hosts": [asdict(host) for host in self.hosts],
            "stacks": [asdict(stack) for stack in self.stacks],
        }


def read_standing(stack: str, root: Path, client: Client) -> Standing:
    """Ask Core; raises HomeopsError when the declaration is wrong or Core does not answer."""
    site = load_settings(stack, root)
    graph = fleet_graph(declared_fleet(FLEET, site), site, root)
    version = str(client.version())
    servers = client.read("ListServers", {"query": {}, "limit": 0})
    stacks = client.read("ListStacks", {"query": {}, "limit": 0})
    return compare(graph, servers, stacks, stack=stack, address=client.address, version=version, deploys=site.deploy)


def compare(
    graph: Graph,
    servers: Iterable[Item],
    stacks: Iterable[Item],
    *,
    stack: str,
    address: str,
    version: str,
    deploys: bool = True,
) -> Standing:
    """The standing from Core's lists; ``deploys``: whether declared stacks shall run. Declared ones first, in order."""

    def stack_standing(declared: Resource | None, item: Item) -> StackStanding:
        return _stack(declared, item, deploys=deploys)

    return Standing(
        stack,
        address,
        version,
        _each(graph.of("Server"), servers, _host, _missing_host),
        _each(graph.of("Stack"), stacks, stack_standing, _missing_stack),
    )


def _each(
    declared: Iterable[Resource],
    items: Iterable[Item],
    present: Callable[[Resource | None, Item], _Kind],
    missing: Callable[[Resource], _Kind],
) -> list[_Kind]:
    """One of each that is declared, then one of each that only Core has; templates are nothing that runs."""
    live = {item["name"]: item for item in items if not item.get("template")}
    known = [
        present(resource, live.pop(resource.name)) if resource.name in live else missing(resource)
        for resource in declared
    ]
    return [*known, *(present(None, live[name]) for name in sorted(live))]


def _missing_host(declared: Resource) -> HostStanding:
    config = declared.config
    address = config.address if isinstance(config, ServerConfig) else ""
    return HostStanding(declared.name, True, False, None, address, None, ["not in Komodo"])


def _host(declared: Resource | None, item: Item) -> HostStanding:
    config = declared.config if declared else None
    wanted = config if isinstance(config, ServerConfig) else None
    info = item["info"]
    problems: list[str] = []
    address = info["address"] or ""
    if wanted is None:
        problems.append("not declared")
    else:
        expected = "Ok" if wanted.enabled else "Disabled"
        if info["state"] != expected:
            problems.append("does not answer" if info["state"] == "NotOk" else f"{info['state']}, not {expected}")
        if address != wanted.address:
            problems.append(f"declared at {wanted.address}")
    return HostStanding(item["name"], wanted is not None, True, info["state"], address, info["version"], problems)


def _missing_stack(declared: Resource) -> StackStanding:
    config = declared.config
    host = config.server_id if isinstance(config, StackConfig) else ""
    return StackStanding(declared.name, True, False, host, None, Services(0, 0), None, None, ["not in Komodo"])


def _stack(declared: Resource | None, item: Item, *, deploys: bool) -> StackStanding:
    config = declared.config if declared else None
    wanted = config if isinstance(config, StackConfig) else None
    info = item["info"]
    services = _services(info)
    problems: list[str] = []
    if wanted is None:
        problems.append("not declared")
    else:
        if info["server_name"] != wanted.server_id:
            problems.append(f"declared on {wanted.server_id}")
        if deploys and declared is not None and declared.deploy:
            if info["state"] != "running":
                problems.append(f"{info['state']}, not running")
            elif services.up < services.total:
                problems.append(f"{services.total - services.up} of {services.total} services are not running")
        if info["missing_files"]:
            problems.append(f"missing in the repository: {', '.join(info['missing_files'])}")
    return StackStanding(
        item["name"],
        wanted is not None,
        True,
        info["server_name"],
        info["state"],
        services,
        info["deployed_hash"],
        info["latest_hash"],
        problems,
    )


def _services(info: Item) -> Services:
    """How many services run, from compose's own words: ``running(2), exited(1)``."""
    running = re.search(r"\brunning\((\d+)\)", info["status"] or "")
    total = len(info["services"])
    return Services(min(int(running[1]), total) if running else 0, total)
