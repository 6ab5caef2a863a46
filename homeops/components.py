"""The fleet's graph as Pulumi components and resources.

A component stands for what a person declared: a host, a stack, a build, a procedure, a sync. Its children are Komodo's
objects and, for a stack, its Deploy. Edges are the graph's.

Only hosts register outputs: for the others it would be one more call each, to say what their children say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi

from homeops.deploy.fingerprint import fingerprint
from homeops.deploy.provider import Deploy
from homeops.komodo.census import Census
from homeops.komodo.gate import Gate
from homeops.komodo.pushed import Pushed
from homeops.komodo.resources import RESOURCES, KomodoResource
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph, Resource
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.site import Site

if TYPE_CHECKING:
    # Loaded only where hosts are managed over SSH.
    from homeops.hosts.components import Made
    from homeops.hosts.condition import Subject
    from homeops.komodo.toml.rendering import Rendering


_KNOWN_AGENT = "KnownAgent"
"""In the place of a kind, as ``Deploy`` is a stack's."""


class HostComponent(pulumi.ComponentResource):
    """A host: its Server in Komodo, and what is known of the machine. What runs over SSH is a child of it."""

    # Pulumi evaluates a class's annotations, and Made may not be loaded.
    server: KomodoResource
    agent: pulumi.Resource | None

    def __init__(
        self,
        host: Host,
        server: Resource,
        site: Site,
        needs: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions,
        machine: Callable[[pulumi.Resource], Made | None] = lambda _: None,
    ) -> None:
        """Register it; ``machine`` registers what must be true of the machine, which the Server waits for."""
        super().__init__("homeops:hosts:Host", host.name, {}, _renamed(server, opts))
        self.machine: Made | None = machine(self)
        needs = [*needs, *([self.machine.last] if self.machine else [])]
        self.server = RESOURCES["Server"](
            server, overwrite=site.overwrites("Server", server.name), opts=_child(self, needs)
        )
        self.agent = self.machine.introduce(host.name, self.server, self) if self.machine else None
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
        needs: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("homeops:stacks:Stack", stack.name, {}, _renamed(stack, opts))
        self.stack = RESOURCES["Stack"](stack, overwrite=site.overwrites("Stack", stack.name), opts=_child(self, needs))
        if stack.deploy and site.deploy:
            server = str(getattr(stack.config, "server_id", ""))
            host = graph.get("Server", server)
            self.deploy = Deploy(
                stack.name,
                server,
                fingerprint(stack, graph, root, site.repository),
                stack.rollout.model_dump(),
                checkout=str(getattr(stack.config, "linked_repo", "")),
                former_server=host.former if host else "",
                opts=_child(self, [self.stack, *after]),
            )


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
        super().__init__(COMPONENTS[declared.kind], declared.name, {}, _renamed(declared, opts))
        overwrite = site.overwrites(declared.kind, declared.name)
        self.object = RESOURCES[declared.kind](declared, overwrite=overwrite, opts=_child(self, needs))


def _child(parent: pulumi.Resource, needs: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=parent, depends_on=list(needs) or None)


def _renamed(resource: Resource, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Let Pulumi find the resource under the name that it had; the children of a component are found through it."""
    if resource.former:
        opts.aliases = [pulumi.Alias(name=resource.former)]
    return opts


def register(
    graph: Graph, fleet: Fleet, site: Site, root: Path, subjects: Mapping[str, Subject] | None = None
) -> dict[tuple[str, str], pulumi.Resource]:
    """Register every object of the graph; answers its resources by kind and name.

    ``Deploy`` and ``KnownAgent`` are there as kinds too. ``subjects``: the hosts that are managed over SSH
    (homeops/hosts/components.py).
    """
    machines = _Machines(site, root, subjects or {})
    hosts = {host.name: host for host in fleet.hosts}
    protected = {stack.name for stack in fleet.stacks if stack.protect is not None}
    first = [stack.name for stack in fleet.stacks if stack.control_plane]
    made: dict[tuple[str, str], pulumi.Resource] = {}
    ahead = _ahead(graph, first, site)
    rest = [resource for resource in graph.resources if resource.key not in ahead]
    for resource in (*ahead.values(), *rest):
        # While Core deploys itself it answers nobody, so nothing but what it needs is done before it is up again.
        gate = [] if resource.key in ahead else [made["Deploy", name] for name in first if ("Deploy", name) in made]
        needs = [*(made[key] for need in graph.needs(resource) for key in _ready(need) if key in made), *gate]
        match resource.kind:
            case "Server":
                host = hosts[resource.name]
                component = HostComponent(host, resource, site, needs, pulumi.ResourceOptions(), machines.of(host))
                made[resource.key] = component.server
                if component.agent is not None:
                    made[_KNOWN_AGENT, resource.name] = component.agent
            case "Stack":
                after = [made["Deploy", name] for name in resource.after if ("Deploy", name) in made]
                options = pulumi.ResourceOptions(protect=resource.name in protected or None)
                component = StackComponent(resource, graph, site, root, after, needs, options)
                made[resource.key] = component.stack
                if component.deploy is not None:
                    made["Deploy", resource.name] = component.deploy
            case kind if kind in COMPONENTS:
                made[resource.key] = ObjectComponent(resource, site, needs, pulumi.ResourceOptions()).object
            case kind:
                options = _renamed(resource, pulumi.ResourceOptions(depends_on=needs or None))
                overwrite = site.overwrites(kind, resource.name)
                made[resource.key] = RESOURCES[kind](resource, overwrite=overwrite, opts=options)
    Census(graph)
    return made


async def pass_gate(graph: Graph, fleet: Fleet, site: Site) -> None:
    """Let the gate look at what would be deleted; when it refuses, nothing else was registered yet."""
    await Gate(graph, site.deletes, fleet.protected).urn.future()


async def compare_pushed(graph: Graph, rendering: Rendering) -> None:
    """Let the provider say which sync reads something else than is declared; to be waited for after all else."""
    if rendering.syncs:
        await Pushed(graph, rendering.syncs, rendering.digest).urn.future()


class _Machines:
    """The machines of one run: the canary's Periphery is there before any other's is touched."""

    def __init__(self, site: Site, root: Path, subjects: Mapping[str, Subject]) -> None:
        self._site = site
        self._root = root
        self._subjects = subjects
        self._canary: pulumi.Resource | None = None

    def of(self, host: Host) -> Callable[[pulumi.Resource], Made | None]:
        """What registers a host's machine below its component; the canary's has to be asked for first."""
        return lambda parent: self._register(host, parent) if host.name in self._subjects else None

    def _register(self, host: Host, parent: pulumi.Resource) -> Made:
        from homeops.hosts.components import register_requirements
        from homeops.hosts.periphery_compose import image

        pinned = self._site.versions.periphery_image_digest and isinstance(host.periphery, ContainerPeriphery)
        subject = self._subjects[host.name]
        pulled = image(self._site) if pinned else ""
        made = register_requirements(subject, self._root, parent, self._canary, pulled)
        if self._site.ssh and host.name == self._site.ssh.canary:
            self._canary = made.periphery
        return made


def _ready(need: Resource) -> list[tuple[str, str]]:
    """What has to be there for a need: nothing is done on a host before Core lets no other agent in for it."""
    return [need.key, *([(_KNOWN_AGENT, need.name)] if need.kind == "Server" else [])]


def _ahead(graph: Graph, first: Sequence[str], site: Site) -> dict[tuple[str, str], Resource]:
    """The canary among the hosts, and the stacks of the control plane, after what they need."""
    ahead: dict[tuple[str, str], Resource] = {}

    def take(resource: Resource) -> None:
        if resource.key not in ahead:
            for need in graph.needs(resource):
                take(need)
            ahead[resource.key] = resource

    if site.ssh and site.ssh.canary and (server := graph.get("Server", site.ssh.canary)):
        take(server)
    for name in first:
        stack = graph.get("Stack", name)
        if stack is not None:
            take(stack)
    return ahead
