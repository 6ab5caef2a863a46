"""What is looked at before anything is registered: the secrets of the checkout, without any key, and the syncs."""

from collections.abc import Iterator
from pathlib import Path

from homeops.errors import Problem, SecretsError
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.graph import Graph
from homeops.model.sync_rules import disputes, traps
from homeops.secrets.check import secret_findings
from homeops.secrets.environments import stack_environments
from homeops.secrets.finding import errors


def secret_warnings(graph: Graph, root: Path) -> Iterator[str]:
    """The warnings of ``homeops secrets check``; raises SecretsError with all of its errors.

    A directory that is no checkout of git is not looked at: nothing of it gets to a host.
    """
    if not (root / ".git").exists():
        return
    found = secret_findings(root, stack_environments(graph))
    if wrong := errors(found):
        raise SecretsError(*(finding.problem for finding in wrong))
    yield from (f"secrets: {finding.problem}" for finding in found)


def sync_warnings(graph: Graph) -> Iterator[str]:
    """What the declared ResourceSyncs do that somebody may not expect: see docs/syncs.md."""
    syncs = {
        sync.name: (sync.where, sync.config)
        for sync in graph.of("ResourceSync")
        if isinstance(sync.config, ResourceSyncConfig)
    }
    found = [(name, trap) for name, (_, config) in syncs.items() for trap in traps(config) if not trap.fatal]
    found += disputes({name: config for name, (_, config) in syncs.items()})
    yield from (str(Problem(syncs[name][0], trap.what, trap.hint)) for name, trap in found)
