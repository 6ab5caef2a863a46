"""The fleet of this repository, as the production stack has it."""

from pathlib import Path

import pytest

from homeops.fleet import declare
from homeops.fleet_graph import fleet_graph
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.site import Site
from homeops.settings import load_settings


@pytest.fixture(scope="session")
def site(root: Path) -> Site:
    return load_settings("prod", root)


@pytest.fixture(scope="session")
def fleet(site: Site) -> Fleet:
    return declare(site)


@pytest.fixture(scope="session")
def graph(fleet: Fleet, site: Site, root: Path) -> Graph:
    return fleet_graph(fleet, site, root)
