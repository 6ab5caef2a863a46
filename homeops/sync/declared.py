"""What the files of a ResourceSync declare, from the texts that Core read (``info.remote_contents``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeops.komodo.toml.files import of_all
from homeops.komodo.toml.findings import Finding
from homeops.komodo.toml.layout import MADE_BY
from homeops.komodo.toml.reader import Declared, read_toml
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.graph import Resource
from homeops.model.sync_rules import has_its_tags, includes

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """One file: how many declarations it holds, and whether ``homeops render`` made it."""

    path: str
    declarations: int
    rendered: bool


@dataclass(frozen=True)
class Contents:
    """The files of a sync, what counts of their declarations, and what is wrong with them.

    ``untagged``: declarations that Komodo passes over for want of a tag of ``match_tags``.
    """

    files: tuple[File, ...] = ()
    declared: tuple[Declared, ...] = ()
    untagged: tuple[Resource, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What is declared, variables and user groups too, in the order of the files."""
        return tuple(one.resource for one in self.declared)

    def of(self, *kinds: str) -> list[Resource]:
        """What is declared of some kinds."""
        return [resource for resource in self.resources if resource.kind in kinds]


def contents_of(info: Item, config: ResourceSyncConfig) -> Contents:
    """Read the texts; whatever of them can be read counts."""
    files: list[File] = []
    declared: list[Declared] = []
    findings: list[Finding] = []
    for item in info.get("remote_contents") or ():
        path = "/".join(str(part) for part in (item.get("resource_path"), item["path"]) if part)
        text = str(item["contents"])
        reading = read_toml(text, path)
        files.append(File(path, len(reading.declared), text.startswith(MADE_BY)))
        declared += reading.declared
        findings += reading.findings
    counts = [one for one in declared if includes(config, one.resource.kind)]
    taken = [one for one in counts if has_its_tags(config, one.resource.kind, one.resource.tags)]
    untagged = [one.resource for one in counts if not has_its_tags(config, one.resource.kind, one.resource.tags)]
    return Contents(tuple(files), tuple(taken), tuple(untagged), (*findings, *of_all(taken)))
