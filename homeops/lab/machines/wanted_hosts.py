"""The hosts of a fleet as machines of a lab: with their users, and with what their owner has put on the real ones."""

import posixpath
from collections import defaultdict
from pathlib import Path

from homeops.compose.compose_file import read_compose
from homeops.lab.machines.machine import Wanted
from homeops.model.config.stack import StackConfig
from homeops.model.graph import Graph
from homeops.model.site import Site


def wanted_hosts(graph: Graph, site: Site, root: Path) -> tuple[Wanted, ...]:
    """Every host of the site; ``root`` is the checkout that the compose files of the graph's stacks are in."""
    by_hand = _by_hand(graph, root)
    return tuple(Wanted(name, facts.ssh_user, tuple(sorted(by_hand[name]))) for name, facts in site.hosts.items())


def _by_hand(graph: Graph, root: Path) -> defaultdict[str, set[str]]:
    """By host, the absolute paths that compose files mount and that Docker is told not to make."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for stack in graph.of("Stack"):
        config = stack.config
        if not isinstance(config, StackConfig):
            continue
        for name in config.file_paths or ["compose.yaml"]:
            file = root / posixpath.normpath(posixpath.join(config.run_directory, name))
            if not file.is_file():
                continue
            volumes = (volume for service in read_compose(file).services for volume in service.volumes)
            found[config.server_id] |= {
                volume.source for volume in volumes if volume.has_to_exist and posixpath.isabs(volume.source)
            }
    return found
