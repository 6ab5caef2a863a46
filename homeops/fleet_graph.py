"""The graph of a fleet in this repository: declarations, settings and the stack directories brought together."""

from pathlib import Path

from homeops.compose.directories import read_directories, stack_directories
from homeops.model.fleet import Fleet, resolve
from homeops.model.graph import Graph
from homeops.model.site import Site


def fleet_graph(fleet: Fleet, site: Site, root: Path) -> Graph:
    """The graph of the fleet with the stack directories below ``root``; raises FleetError with all problems."""
    paths = {stack.path for stack in fleet.stacks} | set(stack_directories(root))
    return resolve(fleet, site, read_directories(root, sorted(paths)))
