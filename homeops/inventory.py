"""Stack outputs: the fleet as other tools read it (``pulumi stack output --json``). Their form is outputs.schema.json.

An output whose form changes gets a new ``schema`` number. What each is for: docs/outputs.md.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pulumi

from homeops.compose.compose_file import read_compose
from homeops.compose.short_syntax import Port
from homeops.deploy.provider import Deploy
from homeops.errors import ComposeError
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph, Resource
from homeops.model.host import PERIPHERY_PORT, Host
from homeops.model.site import Site

SCHEMA = 1
PROBE = "tcp_connect"
"""The module of blackbox_exporter that the targets are for: a port that takes a connection."""

Made = Mapping[tuple[str, str], pulumi.Resource]


def outputs(fleet: Fleet, graph: Graph, site: Site, made: Made, root: Path = Path()) -> dict[str, Any]:
    """All outputs by name; ``root`` is the repository, whose compose files are read."""
    return {
        "schema": SCHEMA,
        "komodo": {"address": site.komodo.address, "url": site.komodo.url, "version": site.versions.komodo},
        "hosts": {host.name: _host(host, graph, site, made) for host in fleet.hosts},
        "stacks": {stack.name: _stack(stack, site, made) for stack in graph.of("Stack")},
        "ansibleInventory": ansible_inventory(fleet, site),
        "prometheusTargets": prometheus_targets(fleet, graph, site, root),
    }


def _host(host: Host, graph: Graph, site: Site, made: Made) -> dict[str, Any]:
    facts = site.hosts[host.name]
    server = graph.get("Server", host.name)
    return {
        "address": facts.address,
        "ssh": {"user": facts.ssh_user, "port": facts.ssh_port},
        "role": host.role,
        "periphery": {"manner": host.periphery.manner, "path": host.periphery.path},
        "quirks": [quirk.name for quirk in host.quirks],
        "unmanaged": dict(host.unmanaged),
        "serverId": _id(made, "Server", host.name),
        "url": server.config.external_address if server and isinstance(server.config, ServerConfig) else "",
        "stacks": [stack.name for stack in graph.of("Stack") if _config(stack).server_id == host.name],
    }


def _stack(stack: Resource, site: Site, made: Made) -> dict[str, Any]:
    config = _config(stack)
    stack_id = _id(made, "Stack", stack.name)
    deploy = made.get(("Deploy", stack.name))
    return {
        "host": config.server_id,
        "serverId": _id(made, "Server", config.server_id),
        "stackId": stack_id,
        "description": stack.description,
        "tags": list(stack.tags),
        "project": config.project_name,
        "url": pulumi.Output.concat(site.komodo.url, "/stacks/", stack_id) if ("Stack", stack.name) in made else "",
        "links": list(config.links),
        "state": deploy.state if isinstance(deploy, Deploy) else "not deployed",
        "commit": deploy.commit if isinstance(deploy, Deploy) else "",
        "images": deploy.images if isinstance(deploy, Deploy) else {},
    }


def _config(stack: Resource) -> StackConfig:
    return stack.config if isinstance(stack.config, StackConfig) else StackConfig()


def _id(made: Made, kind: str, name: str) -> Any:
    """Komodo's id of an object; empty for one that was not made."""
    resource = made.get((kind, name))
    return resource.id if isinstance(resource, pulumi.CustomResource) else ""


def ansible_inventory(fleet: Fleet, site: Site) -> dict[str, Any]:
    """An Ansible inventory in JSON: hosts, and a group for each tag and each manner of Periphery."""
    groups: dict[str, dict[str, Any]] = {}
    for host in fleet.hosts:
        for group in (*host.tags, f"periphery-{host.periphery.manner}"):
            # Ansible takes Python's identifiers alone for names of groups.
            name = re.sub(r"^(?=\d)|\W", "_", group, flags=re.ASCII)
            groups.setdefault(name, {"hosts": {}})["hosts"][host.name] = {}
    return {
        "all": {
            "hosts": {host.name: _ansible_variables(host, site) for host in fleet.hosts},
            "children": dict(sorted(groups.items())),
        }
    }


def _ansible_variables(host: Host, site: Site) -> dict[str, Any]:
    facts = site.hosts[host.name]
    return {
        "ansible_host": facts.address,
        "ansible_user": facts.ssh_user,
        "ansible_port": facts.ssh_port,
        "ansible_become": facts.ssh_user != "root",
        "homeops_role": host.role,
        "homeops_periphery": host.periphery.manner,
        "homeops_periphery_path": host.periphery.path,
    }


def prometheus_targets(fleet: Fleet, graph: Graph, site: Site, root: Path) -> list[dict[str, Any]]:
    """Prometheus file-SD for probes: each port that a host of the fleet opens to the network, as far as it is declared.

    Nothing here has metrics to scrape: Periphery has none, and Alloy pushes its own and answers only on its host.
    """
    roles = {host.name: host.role for host in fleet.hosts}
    found = [_target(site, host.name, host.role, PERIPHERY_PORT, service="periphery") for host in fleet.hosts]
    for stack in graph.of("Stack"):
        config = _config(stack)
        if config.server_id in site.hosts:
            found += [
                _target(site, config.server_id, roles[config.server_id], port, service=service, stack=stack.name)
                for service, port in _open_ports(config, root)
            ]
    return found


def _target(site: Site, host: str, role: str, port: int, **labels: str) -> dict[str, Any]:
    address = site.hosts[host].address
    return {
        "targets": [f"[{address}]:{port}" if ":" in address else f"{address}:{port}"],
        "labels": {"job": "homeops", "host": host, "role": role, **labels, "probe": PROBE},
    }


def _open_ports(config: StackConfig, root: Path) -> Iterator[tuple[str, int]]:
    """Each service and TCP port that a stack's compose files publish beyond the host itself."""
    for path in config.file_paths:
        file = root / path
        # Reading a compose file is slow, and most publish nothing.
        if not file.is_file() or "ports:" not in file.read_text(encoding="utf-8", errors="replace"):
            continue
        try:
            services = read_compose(file).services
        except ComposeError as error:
            pulumi.log.warn(f"prometheusTargets lack the ports of {path}\n{error}")
            continue
        for service in services:
            for port in service.ports:
                yield from ((service.name, number) for number in _published(port))


def _published(port: Port) -> range:
    """The ports of the host; none when they are not TCP, on the host's own addresses alone, or not numbers."""
    first, _, last = port.published.partition("-")
    if port.protocol != "tcp" or _is_loopback(port.host_ip) or not first.isdigit() or not (last or first).isdigit():
        return range(0)
    return range(int(first), int(last or first) + 1)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
