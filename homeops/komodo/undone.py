"""What a run of a ResourceSync would change of a fleet that is as declared: nothing, when it reads the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from homeops.komodo.inputs import inputs_of
from homeops.komodo.props import Props, differences
from homeops.komodo.toml.groups import GroupConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.graph import Resource
from homeops.model.sync_rules import deletes, has_its_tags, includes

Declared = Mapping[tuple[str, str], Mapping[str, Any]]
Names = Mapping[str, Sequence[str]]


def undone(read: Iterable[Resource], sync: ResourceSyncConfig, names: Names, declared: Declared) -> Iterator[str]:
    """A line for each object that would become another, by the names of its fields.

    ``read``: what the sync reads. ``names``: everything declared, by kind. ``declared``: inputs of the objects that are
    known; of others only the names are compared.
    """
    there = {resource.key: resource for resource in read if _takes(sync, resource.kind, resource.tags)}
    for key, resource in there.items():
        if resource.name not in names.get(resource.kind, ()):
            yield f"{_called(*key)}: declared nowhere, and made again"
        elif changed := differences(declared.get(key, _props(resource)), _props(resource)):
            yield f"{_called(*key)}: {', '.join(path.removeprefix('config.') for path, _, _ in changed)}"
    if deletes(sync):
        for kind, of_kind in names.items():
            for name in of_kind:
                tags = declared.get((kind, name), {}).get("tags") or ()
                if (kind, name) not in there and _takes(sync, kind, tags):
                    yield f"{_called(kind, name)}: not in it, and deleted"


def _takes(sync: ResourceSyncConfig, kind: str, tags: Sequence[str]) -> bool:
    """Whether it has to do with such an object at all."""
    return includes(sync, kind) and has_its_tags(sync, kind, tags)


def _props(resource: Resource) -> Props:
    config = resource.config.group if isinstance(resource.config, GroupConfig) else resource.config
    return inputs_of(replace(resource, config=config))


def _called(kind: str, name: str) -> str:
    return f"{kind.lower()} {name}"
