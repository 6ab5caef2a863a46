"""The Pulumi resources of Komodo's objects. Their type tokens are in every state, so they never change."""

from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from homeops.komodo import provider
from homeops.komodo.inputs import inputs_of
from homeops.komodo.props import ADOPT, FORMER_HOST, MOVED_FROM, OVERWRITE
from homeops.komodo.provider import KomodoProvider
from homeops.model import graph


class KomodoResource(Resource, module="komodo", name="Object"):
    """An object of Komodo, from its place in the graph."""

    provider: ClassVar[type[KomodoProvider]]

    def __init__(
        self, declared: graph.Resource, *, overwrite: bool = False, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Register the object under its own name; ``overwrite``: what exists under that name may be changed."""
        props = inputs_of(declared)
        if overwrite:
            props[ADOPT] = OVERWRITE
        if declared.moved_from:
            props[MOVED_FROM] = declared.moved_from
        if declared.former_host:
            props[FORMER_HOST] = declared.former_host
        # The provider is the same for ever (its class by reference), so it says nothing to whoever reads a diff.
        quiet = pulumi.ResourceOptions(hide_diffs=["__provider"])
        super().__init__(self.provider(), declared.name, props, pulumi.ResourceOptions.merge(opts, quiet))


class Server(KomodoResource, module="komodo", name="Server"):
    """A Server."""

    provider = provider.ServerProvider


class Swarm(KomodoResource, module="komodo", name="Swarm"):
    """A Swarm."""

    provider = provider.SwarmProvider


class Stack(KomodoResource, module="komodo", name="Stack"):
    """A Stack: its configuration; its containers are a Deploy's."""

    provider = provider.StackProvider


class Deployment(KomodoResource, module="komodo", name="Deployment"):
    """A Deployment."""

    provider = provider.DeploymentProvider


class Build(KomodoResource, module="komodo", name="Build"):
    """A Build."""

    provider = provider.BuildProvider


class Builder(KomodoResource, module="komodo", name="Builder"):
    """A Builder."""

    provider = provider.BuilderProvider


class Repo(KomodoResource, module="komodo", name="Repo"):
    """A Repo."""

    provider = provider.RepoProvider


class Procedure(KomodoResource, module="komodo", name="Procedure"):
    """A Procedure."""

    provider = provider.ProcedureProvider


class Action(KomodoResource, module="komodo", name="Action"):
    """An Action."""

    provider = provider.ActionProvider


class Alerter(KomodoResource, module="komodo", name="Alerter"):
    """An Alerter."""

    provider = provider.AlerterProvider


class ResourceSync(KomodoResource, module="komodo", name="ResourceSync"):
    """A ResourceSync."""

    provider = provider.ResourceSyncProvider


class Variable(KomodoResource, module="komodo", name="Variable"):
    """A Variable."""

    provider = provider.VariableProvider


class Tag(KomodoResource, module="komodo", name="Tag"):
    """A Tag."""

    provider = provider.TagProvider


class UserGroup(KomodoResource, module="komodo", name="UserGroup"):
    """A UserGroup."""

    provider = provider.UserGroupProvider


RESOURCES: dict[str, type[KomodoResource]] = {
    resource.provider.kind: resource
    for resource in (
        Server,
        Swarm,
        Stack,
        Deployment,
        Build,
        Builder,
        Repo,
        Procedure,
        Action,
        Alerter,
        ResourceSync,
        Variable,
        Tag,
        UserGroup,
    )
}
"""The resource class of each kind."""
