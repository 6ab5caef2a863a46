"""The Pulumi program: the fleet's graph as components and resources.

A component stands for what a person declared: a host, a stack, a build, a procedure, a sync. Its children are Komodo's
objects and, for a stack, its Deploy. Edges are the graph's.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pulumi

from homeops.compose.directories import read_directories, stack_directories
from homeops.deploy.fingerprint import fingerprint
from homeops.deploy.provider import Deploy
from homeops.errors import HomeopsError
from homeops.inventory import outputs
from homeops.komodo.census import Census
from homeops.komodo.resources import RESOURCES, KomodoResource
from homeops.model.fleet import Fleet, resolve
from homeops.model.graph import Graph, Resource
from homeops.model.host import Host
from homeops.model.site import Site
from homeops.settings import load_settings

FAILED_WITH_A_MESSAGE = 32
"""The exit code by which Pulumi's language host knows that the error was shown already (python/cmd/.../main.go)."""


class HostComponent(pulumi.ComponentResource):
    """A host: its Server in Komodo, and what is known of the machine. What runs over SSH is a child of it."""

    server: KomodoResource

    def __init__(self, host: Host, server: Resource, site: Site, opts: pulumi.ResourceOptions) -> None:
        super().__init__("homeops:hosts:Host", host.name, {}, opts)
        self.server = RESOURCES["Server"](server, overwrite=_overwrite(site), opts=_child(self))
        facts = site.hosts[host.name]
        self.register_outputs(
            {
                "address": facts.address,
                "ssh": f"{facts.ssh_user}@{host.name}",
                "role": host.role,
                "periphery": f"{host.periphery.manner} {host.periphery.path}",
                "quirks": [quirk.name for quirk in host.quirks],
                "unmanaged": list(host.unmanaged),
                "serverId": self.server.id,
            }
        )


class StackComponent(pulumi.ComponentResource):
    """A stack: its configuration in Komodo, and its Deploy."""

    stack: KomodoResource
    deploy: Deploy | None = None

    def __init__(
        self,
        stack: Resource,
        graph: Graph,
        site: Site,
        root: Path,
        after: Iterable[pulumi.Resource],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("homeops:stacks:Stack", stack.name, {}, opts)
        needs = list(opts.depends_on) if isinstance(opts.depends_on, Sequence) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        self.stack = RESOURCES["Stack"](stack, overwrite=_overwrite(site), opts=_child(self, needs))
        if stack.deploy and site.deploy:
            self.deploy = Deploy(
                stack.name,
                str(getattr(stack.config, "server_id", "")),
                fingerprint(stack, graph, root),
                site.deploy_timeout_seconds,
                _child(self, [self.stack, *after]),
            )
        self.register_outputs({"stackId": self.stack.id})


COMPONENTS = {
    "Build": "homeops:images:Build",
    "Builder": "homeops:images:Builder",
    "Procedure": "homeops:procedures:Procedure",
    "ResourceSync": "homeops:sync:ResourceSync",
}
"""Component tokens of the kinds that a person thinks of as one thing; other kinds stand at the top."""


class ObjectComponent(pulumi.ComponentResource):
    """A build, a builder, a procedure or a sync."""

    object: KomodoResource

    def __init__(
        self, declared: Resource, site: Site, needs: list[pulumi.Resource], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(COMPONENTS[declared.kind], declared.name, {}, opts)
        self.object = RESOURCES[declared.kind](declared, overwrite=_overwrite(site), opts=_child(self, needs))
        self.register_outputs({"id": self.object.id})


def _child(parent: pulumi.Resource, needs: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=parent, depends_on=list(needs) or None)


def _overwrite(site: Site) -> bool:
    return site.adopt == "overwrite"


def register(graph: Graph, fleet: Fleet, site: Site, root: Path) -> dict[tuple[str, str], pulumi.Resource]:
    """Register every object of the graph, and return the Komodo resources by kind and name; a stack's Deploy is ``Deploy``."""
    hosts = {host.name: host for host in fleet.hosts}
    protected = {stack.name for stack in fleet.stacks if stack.protect is not None}
    first = [stack.name for stack in fleet.stacks if stack.control_plane]
    made: dict[tuple[str, str], pulumi.Resource] = {}
    Census(graph)
    for resource in _control_plane_first(graph, first):
        needs = [made[need.key] for need in graph.needs(resource) if need.key in made]
        match resource.kind:
            case "Server":
                host = hosts[resource.name]
                made[resource.key] = HostComponent(host, resource, site, _top(needs)).server
            case "Stack":
                gate = [
                    made["Deploy", name] for name in first if ("Deploy", name) in made and resource.name not in first
                ]
                after = [made["Deploy", name] for name in resource.after if ("Deploy", name) in made]
                options = pulumi.ResourceOptions(depends_on=needs, protect=resource.name in protected or None)
                component = StackComponent(resource, graph, site, root, [*gate, *after], options)
                made[resource.key] = component.stack
                if component.deploy is not None:
                    made["Deploy", resource.name] = component.deploy
            case kind if kind in COMPONENTS:
                made[resource.key] = ObjectComponent(resource, site, needs, _top(())).object
            case kind:
                options = pulumi.ResourceOptions(depends_on=needs or None)
                made[resource.key] = RESOURCES[kind](resource, overwrite=_overwrite(site), opts=options)
    return made


def _top(needs: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=list(needs) or None)


def _control_plane_first(graph: Graph, first: Sequence[str]) -> list[Resource]:
    """The graph's order, with the stacks of the control plane and what they need before everything else."""
    ahead: dict[tuple[str, str], Resource] = {}

    def take(resource: Resource) -> None:
        if resource.key not in ahead:
            for need in graph.needs(resource):
                take(need)
            ahead[resource.key] = resource

    for name in first:
        stack = graph.get("Stack", name)
        if stack is not None:
            take(stack)
    return [*ahead.values(), *(resource for resource in graph.resources if resource.key not in ahead)]


def fleet_graph(fleet: Fleet, site: Site, root: Path) -> Graph:
    """The graph of the fleet with the stack directories below ``root``; raises FleetError with all problems."""
    paths = {stack.path for stack in fleet.stacks} | set(stack_directories(root))
    return resolve(fleet, site, read_directories(root, sorted(paths)))


def run(declare: Callable[[Site], Fleet]) -> None:
    """Register a fleet for the Pulumi stack at hand. An expected failure is a message, not a traceback."""
    root = Path.cwd()
    try:
        site = load_settings(pulumi.get_stack(), root)
        fleet = declare(site)
        graph = fleet_graph(fleet, site, root)
    except HomeopsError as error:
        pulumi.log.error(str(error))
        _end_quietly()

    async def program() -> dict[str, Any]:
        made = register(graph, fleet, site, root)
        # Waited for here, all at once: the SDK's own wait looks at every unfinished output again after each one that ends.
        await asyncio.gather(*(resource.urn.future() for resource in made.values()))
        return outputs(fleet, graph, site, made)

    _without_debug_log()
    pulumi.run(program)


def _without_debug_log() -> None:
    """Send no debug lines: the SDK sends five a resource, each a blocking call, half of the program's time."""
    if not os.environ.get("HOMEOPS_DEBUG"):
        pulumi.log.debug = _say_nothing


def _say_nothing(*_: object, **__: object) -> None:
    pass


def _end_quietly() -> NoReturn:
    """End the program as failed: the error is logged already, and a traceback would bury it."""
    sys.stdout.flush()
    os._exit(FAILED_WITH_A_MESSAGE)
