"""Which file of ``docker/komodo-resources`` holds what, and what is written into it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from homeops.errors import FleetError, Problem
from homeops.komodo.secret_values import is_source
from homeops.komodo.toml.writer import declaration
from homeops.model.config.stack import StackConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel, Sensitive, marked
from homeops.model.graph import Graph, Resource
from homeops.model.kinds import KINDS
from homeops.model.wire import defaults

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


def rendered(graph: Graph, made_from: str) -> Mapping[str, str]:
    """The text of each file by its name; ``made_from`` says in its header what to edit instead.

    Everything of the graph but two things: tags, for whose colours Komodo's TOML has no words, and ``deploy``. A sync
    that deployed would restart Core in the middle of itself, and it counts a failed compose as deployed; so it only
    configures, and deploys stay with Pulumi, the procedures and people. Raises FleetError for what would stand in
    clear in a file of the repository.
    """
    problems = [problem for resource in graph.resources for problem in _secrets(resource)]
    if problems:
        raise FleetError(*problems)
    files: dict[str, list[Resource]] = {}
    for resource in sorted(graph.resources, key=_order):
        if resource.kind != "Tag":
            files.setdefault(file_of(resource), []).append(replace(resource, deploy=False))
    header = f"{MADE_BY} from {made_from}: edit those, this file is overwritten.\n"
    return {name: "\n".join([header, *map(declaration, files[name])]) for name in sorted(files)}


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


def _secrets(resource: Resource) -> Iterator[Problem]:
    where = resource.where or f'{resource.kind.lower()} "{resource.name}"'
    match resource.config:
        case VariableConfig(is_secret=True, value=str(value)) if value:
            yield _secret(where, "the value", value, "keep it in a stack's .sops.env")
        case VariableConfig():
            pass
        case config:
            for path, value in _in_clear(config, ""):
                yield _secret(where, path, value, "write [[NAME]] and set a secret variable NAME in Komodo")


def _secret(where: str, path: str, value: str, hint: str) -> Problem:
    if is_source(value):
        return Problem(
            where, f"{path} comes from the environment ({value}), of which a ResourceSync knows nothing", hint
        )
    return Problem(where, f"{path} would stand in clear in a file of the repository", hint)


def _in_clear(config: KomodoModel, prefix: str) -> Iterator[tuple[str, str]]:
    """The fields that must not be shown, with what they hold besides a default or the name of a variable."""
    sensitive = marked(type(config), Sensitive)
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, KomodoModel):
            yield from _in_clear(value, f"{prefix}{name}.")
        elif name in sensitive and not _may_be_seen(config, name):
            yield f"{prefix}{name}", value


def _may_be_seen(config: KomodoModel, name: str) -> bool:
    value = getattr(config, name)
    return value == defaults(type(config)).get(name) or re.search(r"\[\[\w+\]\]", value) is not None
