"""The Docker engine of this machine, and the image of a bare Debian host, made once."""

import fcntl
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from homeops.errors import LabError
from homeops.lab.machines.engine import Engine, NoEngine, find_engine
from homeops.lab.machines.image import have_image
from tests.conftest import ROOT
from tests.lab.heard import Heard


def docker_engine() -> Engine:
    """The engine; skips the test where there is none."""
    try:
        return find_engine()
    except NoEngine as error:
        pytest.skip(f"no machines without a Docker engine: {error}")


def host_image() -> str:
    """The image's name; skips the test where there is no engine, or nothing to make the image of."""
    docker_engine()
    made = _made()
    if isinstance(made, LabError):
        pytest.skip(f"no machines without their image: {made}")
    return made


@cache
def _made() -> str | LabError:
    try:
        # One worker makes it, the others wait.
        with Path(tempfile.gettempdir(), "homeops-host-image.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return have_image(find_engine(), ROOT, os.environ, Heard())
    except LabError as error:
        return error
