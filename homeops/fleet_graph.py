"""The graph of a fleet in this repository: declarations, settings and the stack directories brought together."""

from importlib import import_module
from pathlib import Path

from pydantic import ValidationError

from homeops.compose.directories import read_directories, stack_directories
from homeops.model.declaration import invalid_value
from homeops.model.fleet import Fleet, resolve
from homeops.model.graph import Graph
from homeops.model.site import Site

FLEET = "homeops.fleet"
"""The module in which this repository's own fleet is declared."""


def declared_fleet(module: str, site: Site) -> Fleet:
    """What ``declare(site)`` of a module declares; raises FleetError for a value that could not even be made."""
    try:
        return import_module(module).declare(site)
    except ValidationError as error:
        raise invalid_value(error) from None


def fleet_graph(fleet: Fleet, site: Site, root: Path) -> Graph:
    """The graph of the fleet with the stack directories below ``root``; raises FleetError with all problems."""
    paths = {stack.path for stack in fleet.stacks} | set(stack_directories(root))
    return resolve(fleet, site, read_directories(root, sorted(paths)))
