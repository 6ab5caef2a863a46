"""A resource as a declaration of a fleet: the fields that the conventions of homeops do not find by themselves.

What is declared is compared with what the conventions would make of a declaration without any field; each that differs
is given explicitly. So the declaration means exactly the resource, whatever the conventions are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from homeops.model.config.stack import StackConfig
from homeops.model.conventions import builder_fields, config_of, variables_of
from homeops.model.declaration import Declaration
from homeops.model.fields import KomodoModel
from homeops.model.fleet import DECLARATIONS
from homeops.model.graph import Directories, Resource, StackFiles
from homeops.model.host import ContainerPeriphery
from homeops.model.site import Site
from homeops.model.stack_paths import STACKS, stack_path

PERIPHERY = ContainerPeriphery(path="/root/komodo-periphery/compose.yaml")
"""How a host's Periphery is taken to run: Komodo does not know, and nothing depends on it until homeops manages it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One declaration: its kind, its name, and the fields that it gives, in their order. Hosts are their names."""

    kind: str
    name: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])

    def declaration(self) -> Declaration:
        """The declaration itself."""
        return DECLARATIONS[self.kind](self.name, **self.fields)


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a declaration is completed from: the facts of the site, and the stack directories of the repository."""

    site: Site
    directories: Directories = field(default_factory=dict[str, StackFiles])


def declared(resource: Resource, by: Conventions) -> Declared:
    """The declaration that means a resource, of as few fields as are needed.

    A field that homeops declares otherwise than Komodo (``deploy`` of a stack: every one is deployed) is left out.
    """
    beside = {
        name: value
        for name, value in (
            ("description", resource.description),
            ("tags", list(resource.tags)),
            ("template", resource.template),
            ("after", list(resource.after)),
        )
        if value
    }
    ways = [_completed(resource, way, by) for way in _ways(resource, by)]
    fields = min(ways, key=len) | beside
    first = [name for name in (*_FIRST, "after") if name in fields]
    return Declared(resource.kind, resource.name, {name: fields[name] for name in dict.fromkeys((*first, *fields))})


_FIRST = ("host", "hosts", "builder", "periphery", "directory", "description", "tags", "template", "env", "args")
"""The fields that a declaration begins with; the others are in Komodo's order."""


def _completed(resource: Resource, given: dict[str, Any], by: Conventions) -> dict[str, Any]:
    """The fields of a declaration that is begun with some, and the others that it needs."""
    fields = dict(given)
    while True:
        made = config_of(DECLARATIONS[resource.kind](resource.name, **fields), by.site, by.directories)
        names = type(made).model_fields
        lacking = {
            name: getattr(resource.config, name)
            for name in names
            if name not in fields and getattr(made, name) != getattr(resource.config, name)
        }
        if not lacking:
            return fields
        fields |= lacking


_SOURCES = ("linked_repo", "repo", "file_contents", "dockerfile", "files_on_host")
"""The fields that say where files come from: with one of them given, nothing is taken from the fleet's repository."""


def _ways(resource: Resource, by: Conventions) -> Iterator[dict[str, Any]]:
    """What a declaration could begin with: the shortest one that comes of it is taken."""
    config = resource.config
    match resource.kind:
        case "Stack":
            yield from _of_stack(resource, by)
        case "Server":
            yield {"periphery": PERIPHERY}
        case "Builder":
            yield builder_fields(config)
        case "Swarm":
            hosts = list(getattr(config, "server_ids", ()))
            yield {"hosts": hosts} if hosts else {}
        case "Deployment":
            yield {"host": getattr(config, "server_id", "")}
        case "Build":
            path, arguments = getattr(config, "build_path", "."), getattr(config, "build_args", "")
            begun = {"builder": getattr(config, "builder_id", "")} | _environment("args", arguments)
            begun |= {"directory": path} if path not in ("", ".") else {}
            yield begun
            yield begun | _own_source(config)
        case "Repo":
            begun = {"host": host} if (host := getattr(config, "server_id", "")) else {}
            yield begun
            yield begun | _own_source(config)
        case "ResourceSync":
            yield {}
            yield _own_source(config)
        case _:
            yield {}


def _of_stack(resource: Resource, by: Conventions) -> Iterator[dict[str, Any]]:
    config = resource.config
    assert isinstance(config, StackConfig)  # noqa: S101 - a Stack's configuration
    begun = {"host": config.server_id} | _environment("env", config.environment)
    conventional = stack_path(config.server_id, resource.name)
    for directory in (conventional, *_directories(config)):
        if by.directories.get(directory, StackFiles()).compose:
            own = {"directory": directory.removeprefix(f"{STACKS}/")} if directory != conventional else {}
            yield begun | own
    # Said even where it is empty: with it, nothing is looked for in this repository.
    yield begun | {"file_paths": list(config.file_paths)}
    yield begun | _own_source(config)


def _directories(config: StackConfig) -> list[str]:
    return list(dict.fromkeys(str(PurePosixPath(path).parent) for path in config.file_paths))


def _own_source(config: KomodoModel) -> dict[str, Any]:
    named = {name: value for name in _SOURCES if (value := getattr(config, name, None))}
    first = next(iter(named), "repo")
    return {first: named.get(first, "")}


def _environment(name: str, text: str) -> dict[str, Any]:
    """An environment as a dictionary where that is the same text."""
    variables = variables_of(text)
    return {name: variables} if variables else {}
