"""What a run would render, held against the files of the checkout; and which syncs read such files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homeops.errors import HomeopsError
from homeops.komodo.toml.layout import DIRECTORY, rendered
from homeops.komodo.toml.origin import digest, is_for_another, made_from
from homeops.komodo.toml.output import compare
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.graph import Graph
from homeops.model.site import Site
from homeops.model.sync_rules import takes_in


@dataclass(frozen=True, slots=True)
class Rendering:
    """The syncs that read what is rendered; the digest of what it should be; what is wrong with the files here."""

    syncs: tuple[str, ...] = ()
    digest: str = ""
    warnings: tuple[str, ...] = ()


def files_of(graph: Graph, site: Site, stack: str) -> Mapping[str, str]:
    """The files of a fleet as the settings of a Pulumi stack have them, by name; raises FleetError for a secret."""
    return rendered(graph, made_from(stack), deploys=site.sync_deploys)


def rendering(graph: Graph, site: Site, root: Path, stack: str) -> Rendering:
    """Render the fleet without writing it; nothing where no sync reads rendered files of the fleet's repository.

    The files of a checkout that were rendered for another Pulumi stack are not looked at.
    """
    configs = {sync.name: sync.config for sync in graph.of("ResourceSync")}
    syncs = tuple(
        name for name, config in configs.items() if isinstance(config, ResourceSyncConfig) and _reads(config, site)
    )
    if not syncs:
        return Rendering()
    try:
        files = files_of(graph, site, stack)
        difference = compare(root / DIRECTORY, files)
        there = [file.read_text(encoding="utf-8", errors="replace") for file in (root / DIRECTORY).glob("*.toml")]
    except (HomeopsError, OSError) as error:
        return Rendering(warnings=(f"{DIRECTORY}: cannot be compared with the fleet: {error}",))
    if difference.none or is_for_another(there, stack):
        return Rendering(syncs, digest(files.values()))
    wrong = [*difference.missing, *difference.stale, *difference.needless]
    text = (
        f"{DIRECTORY}: not what the fleet declares ({', '.join(sorted(wrong))}), so a run of resource sync "
        f"{', '.join(syncs)} would undo this\n  hint: homeops render, commit and push"
    )
    return Rendering(syncs, digest(files.values()), (text,))


def _reads(config: ResourceSyncConfig, site: Site) -> bool:
    """Whether a sync reads the rendered files, or some of them, from the fleet's repository."""
    return config.repo == site.repository.name and any(
        takes_in(path, DIRECTORY) or takes_in(DIRECTORY, path) for path in config.resource_path
    )
