"""Which file of ``docker/komodo-resources`` holds what, and what is written into it."""

import re
from collections.abc import Mapping
from dataclasses import replace

from homeops.errors import FleetError
from homeops.komodo.toml.unsayable import left_to_pulumi, unsayable
from homeops.komodo.toml.writer import declaration
from homeops.model.config.stack import StackConfig
from homeops.model.graph import Graph, Resource
from homeops.model.kinds import KINDS

DIRECTORY = "docker/komodo-resources"
MADE_BY = "# Made by `homeops render`"
"""How every file begins that we may change or remove."""

_FILES = {
    "ResourceSync": "sync",
    "Server": "servers",
    "Swarm": "servers",
    "Variable": "variables",
    "Builder": "builds",
    "Build": "builds",
    "Procedure": "procedures",
    "Action": "procedures",
    "Repo": "repos",
    "Alerter": "alerters",
    "UserGroup": "user-groups",
    "Deployment": "deployments",
}
"""The file of each kind; stacks have one a host."""


def rendered(graph: Graph, made_from: str, *, deploys: bool = False) -> Mapping[str, str]:
    """The text of each file by its name; ``made_from`` says in its header what to edit instead.

    Everything of the graph but three things: tags, for whose colours Komodo's TOML has no words; variables whose values
    are in the environment of whoever runs Pulumi; and ``deploy``. A sync that deploys counts a failed compose as
    deployed; so it only configures, and deploys stay with Pulumi, the procedures and people.

    With ``deploys`` it deploys too, for a fleet that Pulumi runs no more: every stack but Core's own, which would
    restart Core in the middle of the sync. Raises FleetError for what can stand in no file of the repository.
    """
    if problems := list(unsayable(graph)):
        raise FleetError(*problems)
    files: dict[str, list[Resource]] = {}
    for resource in sorted(graph.resources, key=_order):
        if resource.kind != "Tag" and not left_to_pulumi(resource):
            files.setdefault(file_of(resource), []).append(
                replace(resource, deploy=deploys and _may_be_synced(resource))
            )
    header = f"{MADE_BY} from {made_from}: edit those, this file is overwritten.\n"
    texts = {name: "\n".join([header, *map(declaration, files[name])]) for name in sorted(files)}
    if left := [resource.name for resource in graph.resources if left_to_pulumi(resource)]:
        name = f"{_FILES['Variable']}.toml"
        texts[name] = (
            f"{texts.get(name, header)}\n# Left to Pulumi, which has their values: {', '.join(sorted(left))}.\n"
        )
    return texts


def _may_be_synced(stack: Resource) -> bool:
    """Whether a sync may deploy a stack that Pulumi deploys: of Core's own, Pulumi waits for the version."""
    return stack.deploy and not stack.rollout.core


def _order(resource: Resource) -> tuple[int, str]:
    return list(KINDS).index(resource.kind), resource.name


def file_of(resource: Resource) -> str:
    """The name of the file in which a resource stands, e.g. ``stacks-nvr.toml``."""
    match resource.config:
        case StackConfig(server_id=server, swarm_id=swarm) if server or swarm:
            return f"stacks-{re.sub(r'[^A-Za-z0-9._-]', '-', swarm or server)}.toml"
        case StackConfig():
            return "stacks.toml"
        case _:
            return f"{_FILES[resource.kind]}.toml"
