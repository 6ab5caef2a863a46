"""The image of a bare Debian host, made once on this machine."""

import fcntl
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from homeops.errors import LabError
from homeops.lab.machines.engine import find_engine
from homeops.lab.machines.image import have_image

ROOT = Path(__file__).parents[1]


class _Silent:
    def working(self, text: str) -> None:
        """Nobody looks."""

    def line(self, text: str) -> None:
        """Nobody reads."""


def host_image() -> str:
    """Its name; skips the test where there is no Docker engine to make it with."""
    made = _made()
    if isinstance(made, LabError):
        pytest.skip(f"no machines without a Docker engine: {made}")
    return made


@cache
def _made() -> str | LabError:
    try:
        engine = find_engine()
        # One worker makes it, the others wait.
        with Path(tempfile.gettempdir(), "homeops-host-image.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return have_image(engine, ROOT, os.environ, _Silent())
    except LabError as error:
        return error
