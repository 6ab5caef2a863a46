"""What the Pulumi SDK spends for each resource and nobody here has use for, turned off.

Measured on the SDK that requirements.txt pins; with another one, what is not there any more is left alone.
"""

import gc
import os
from collections.abc import Callable
from functools import cache
from traceback import FrameSummary
from typing import Any

import pulumi
import pulumi.runtime.resource as registration
from pulumi.runtime.proto import source_pb2

_POSITION = "_get_source_position_for_frame"


def make_lean() -> None:
    """Spend less on each resource; ``HOMEOPS_DEBUG`` leaves the debug log on."""
    # Five debug lines a resource, each a blocking call to the engine: half of a program's time.
    if not os.environ.get("HOMEOPS_DEBUG"):
        pulumi.log.debug = _say_nothing
    # Each resource carries the position of every frame above it, as a URI: the same ones again and again.
    if hasattr(registration, _POSITION):
        setattr(registration, _POSITION, _position)
    # A short life and no large garbage: looking for cycles at every turn costs a quarter of the time to load the fleet.
    gc.set_threshold(100_000, 50, 50)


def _say_nothing(*_: object, **__: object) -> None:
    pass


_original: Callable[[Any], Any] | None = getattr(registration, _POSITION, None)


def _position(frame: FrameSummary) -> source_pb2.SourcePosition | None:
    return _known_position(frame.filename, frame.lineno)


@cache
def _known_position(filename: str, line: int | None) -> source_pb2.SourcePosition | None:
    return None if _original is None else _original(FrameSummary(filename, line, ""))
