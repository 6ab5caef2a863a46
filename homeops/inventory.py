"""Stack outputs: the fleet as other tools read it (``pulumi stack output --json``). Their form is outputs.schema.json.

An output whose form changes gets a new ``schema`` number.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from homeops.deploy.provider import Deploy
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.host import PERIPHERY_PORT
from homeops.model.site import Site

SCHEMA = 1
ALLOY_PORT = 12345
"""Where Alloy answers on each host."""

Made = Mapping[tuple[str, str], pulumi.Resource]


def outputs(fleet: Fleet, graph: Graph, site: Site, made: Made) -> dict[str, Any]:
    """All outputs by name."""
    return {
        "schema": SCHEMA,
        "komodo": {"address": site.komodo.address, "url": site.komodo.url, "version": site.versions.komodo},
        "hosts": _hosts(fleet, graph, site, made),
        "stacks": _stacks(graph, site, made),
        "ansibleInventory": ansible_inventory(fleet, site),
        "prometheusTargets": prometheus_targets(fleet, graph, site),
    }


def _hosts(fleet: Fleet, graph: Graph, site: Site, made: Made) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for host in fleet.hosts:
        facts = site.hosts[host.name]
        server = graph.get("Server", host.name)
        config = server.config if server else None
        found[host.name] = {
            "address": facts.address,
            "ssh": {"user": facts.ssh_user, "port": facts.ssh_port},
            "role": host.role,
            "periphery": {"manner": host.periphery.manner, "path": host.periphery.path},
            "quirks": [quirk.name for quirk in host.quirks],
            "unmanaged": dict(host.unmanaged),
            "serverId": _id(made, "Server", host.name),
            "url": config.external_address if isinstance(config, ServerConfig) else "",
            "stacks": [stack.name for stack in graph.of("Stack") if _server(stack.config) == host.name],
        }
    return found


def _stacks(graph: Graph, site: Site, made: Made) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for stack in graph.of("Stack"):
        config = stack.config
        assert isinstance(config, StackConfig)
        server_id = _id(made, "Server", config.server_id)
        stack_id = _id(made, "Stack", stack.name)
        deploy = made.get(("Deploy", stack.name))
        found[stack.name] = {
            "host": config.server_id,
            "serverId": server_id,
            "stackId": stack_id,
            "description": stack.description,
            "tags": list(stack.tags),
            "project": config.project_name,
            "url": pulumi.Output.concat(site.komodo.url, "/stacks/", stack_id),
            "links": list(config.links),
            "state": deploy.state if isinstance(deploy, Deploy) else "not deployed",
        }
    return found


def _server(config: object) -> str:
    return config.server_id if isinstance(config, StackConfig) else ""


def _id(made: Made, kind: str, name: str) -> Any:
    resource = made.get((kind, name))
    return resource.id if isinstance(resource, pulumi.CustomResource) else ""


def ansible_inventory(fleet: Fleet, site: Site) -> dict[str, Any]:
    """An Ansible inventory in JSON: hosts, and a group for each tag and each manner of Periphery."""
    groups: dict[str, dict[str, Any]] = {}
    for host in fleet.hosts:
        for group in (*host.tags, f"periphery-{host.periphery.manner}"):
            groups.setdefault(group.replace("-", "_"), {"hosts": {}})["hosts"][host.name] = {}
    hosts = {
        host.name: {
            "ansible_host": site.hosts[host.name].address,
            "ansible_user": site.hosts[host.name].ssh_user,
            "ansible_port": site.hosts[host.name].ssh_port,
            "ansible_become": site.hosts[host.name].ssh_user != "root",
        }
        for host in fleet.hosts
    }
    return {"all": {"hosts": hosts, "children": dict(sorted(groups.items()))}}


def prometheus_targets(fleet: Fleet, graph: Graph, site: Site) -> list[dict[str, Any]]:
    """Prometheus file-SD: what answers on each host that this program knows of."""
    found: list[dict[str, Any]] = []
    for host in fleet.hosts:
        address = site.hosts[host.name].address
        labels = {"host": host.name, "role": host.role}
        found.append({"targets": [f"{address}:{PERIPHERY_PORT}"], "labels": {**labels, "job": "periphery"}})
        if any("monitoring" in stack.tags and _server(stack.config) == host.name for stack in graph.of("Stack")):
            found.append({"targets": [f"{address}:{ALLOY_PORT}"], "labels": {**labels, "job": "alloy"}})
    return found
