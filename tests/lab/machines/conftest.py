"""What machines of the lab run on."""

import os

import pytest

from homeops.lab.machines.engine import Engine
from tests.conftest import ROOT
from tests.host_image import docker_engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return docker_engine()


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """This process's environment, with this checkout's tools first."""
    return {**os.environ, "PATH": f"{ROOT / '.tools/bin'}{os.pathsep}{os.environ['PATH']}"}
