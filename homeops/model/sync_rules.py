"""What can be told of a ResourceSync from its configuration alone: paths that read too much or nothing, managed mode.

How Komodo reads a ``resource_path`` is in bin/core/src/sync/file.rs, where it commits to in api/write/sync.rs.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from homeops.errors import Problem
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.graph import Graph
from homeops.model.kinds import RESOURCE_KINDS, TAG, USER_GROUP, VARIABLE

_SHALLOW = 2
"""``/`` and ``/etc`` have so many parts at most: nobody keeps declarations there, and reading them does not end."""


@dataclass(frozen=True, slots=True)
class Trap:
    """What is wrong and what to write instead; ``fatal``: nothing good can come of a run, or even of a look."""

    what: str
    hint: str = ""
    fatal: bool = False


def deletes(config: ResourceSyncConfig) -> bool:
    """Whether it deletes what it does not declare: managed mode does so without ``delete``."""
    return config.managed or config.delete


def includes(config: ResourceSyncConfig, kind: str) -> bool:
    """Whether it has to do with a kind at all: with tags no sync has, it only makes those that resources have."""
    beside = {VARIABLE.name: config.include_variables, USER_GROUP.name: config.include_user_groups, TAG.name: False}
    return beside.get(kind, config.include_resources)


def has_its_tags(config: ResourceSyncConfig, kind: str, tags: Collection[str]) -> bool:
    """Whether an object of a kind that it includes is its own by its tags: what is no resource has none."""
    return kind not in RESOURCE_KINDS or set(config.match_tags) <= set(tags)


def traps(config: ResourceSyncConfig) -> Iterator[Trap]:
    """Everything that is wrong, or that has cost somebody something."""
    if has_files(config):
        yield from _paths(config)
    elif not config.file_contents.strip():
        what = "it has no source: no repository, no files on Core's machine, no text of its own"
        yield Trap(what, "give it repo, linked_repo or files_on_host", fatal=True)
    if config.managed:
        yield from _managed(config)


def hopeless(graph: Graph) -> Iterator[Problem]:
    """Declared syncs of which nothing good can come."""
    for sync in graph.of("ResourceSync"):
        if isinstance(sync.config, ResourceSyncConfig):
            yield from (Problem(sync.where, trap.what, trap.hint) for trap in traps(sync.config) if trap.fatal)


def disputes(syncs: Mapping[str, ResourceSyncConfig]) -> Iterator[tuple[str, Trap]]:
    """Syncs by name that undo each other's work: the name of one, and what it does to another."""
    for name, config in syncs.items():
        for other, theirs in syncs.items():
            if name == other or not (config.include_resources and theirs.include_resources):
                continue
            # With different tags each has objects of its own.
            if config.match_tags or theirs.match_tags:
                continue
            if _same_source(config, theirs) and _overlap(config, theirs):
                if name < other:
                    yield name, Trap(f'reads files that sync "{other}" reads too', "declare each thing in one of them")
            elif deletes(config):
                what = f'deletes what it does not declare, and so what sync "{other}" makes'
                yield name, Trap(what, "give both match_tags, or let one sync read all of it")


def has_files(config: ResourceSyncConfig) -> bool:
    """Whether it reads files; a text in its configuration is read where there are none."""
    return bool(config.files_on_host or config.linked_repo or config.repo)


def takes_in(path: str, file: str) -> bool:
    """Whether a ``resource_path`` reads a file of the repository, or a directory that is named."""
    whole = PurePosixPath(path)
    return whole == PurePosixPath(file) or whole in PurePosixPath(file).parents


def _same_source(one: ResourceSyncConfig, other: ResourceSyncConfig) -> bool:
    if one.files_on_host or other.files_on_host:
        # Each has a directory of its own.
        return False
    return all(getattr(one, name) == getattr(other, name) for name in ("linked_repo", "git_provider", "repo", "branch"))


def _overlap(one: ResourceSyncConfig, other: ResourceSyncConfig) -> bool:
    return any(takes_in(a, b) or takes_in(b, a) for a in one.resource_path for b in other.resource_path)


def _paths(config: ResourceSyncConfig) -> Iterator[Trap]:
    if not config.resource_path:
        fatal = deletes(config)
        then = ", and everything that exists would be deleted" if fatal else ""
        what = f"resource_path is empty, so it reads no file at all{then}"
        yield Trap(what, 'name a directory or a file: resource_path = ["komodo"]', fatal=fatal)
    for path in config.resource_path:
        parts = PurePosixPath(path).parts
        if ".." in parts:
            what = f'resource_path "{path}" leaves the repository'
            yield Trap(what, "name a directory below its root", fatal=True)
        elif path.startswith("/") and len(parts) <= _SHALLOW:
            what = f'resource_path "{path}" is a directory of Core\'s own machine, and all that is below it: Core hangs'
            yield Trap(what, "a path in the repository begins without /", fatal=True)
        elif path.startswith("/"):
            yield Trap(f'resource_path "{path}" is a path of Core\'s own machine, not of the repository')
        elif not parts:
            what = f'resource_path "{path}" takes in every TOML file of the repository, whatever it is for'
            yield Trap(what, "keep declarations in a directory of their own")
    for path in config.resource_path:
        if any(other != path and takes_in(other, path) for other in config.resource_path):
            yield Trap(f'resource_path "{path}" is read twice: another path takes it in too', "name one of the two")


def _managed(config: ResourceSyncConfig) -> Iterator[Trap]:
    if not config.delete:
        yield Trap("managed = true deletes what is not declared, although delete is false")
    if not has_files(config):
        return
    first = config.resource_path[0] if config.resource_path else ""
    if not first.endswith(".toml"):
        yield Trap(
            f'managed = true, but Komodo commits to the first path only, and "{first}" is no TOML file: it refuses',
            "name the one file that Komodo writes first, or take managed away",
        )
    elif len(config.resource_path) > 1:
        others = ", ".join(config.resource_path[1:])
        yield Trap(
            f"managed = true: Komodo commits everything into {first}, what {others} declares too, "
            "which then is declared twice",
            "a managed sync reads one file",
        )
    if config.match_tags:
        yield Trap(
            f"managed = true with match_tags: a commit by Komodo leaves out of {first or 'the file'} whatever "
            f"lacks the tags {', '.join(config.match_tags)}"
        )
