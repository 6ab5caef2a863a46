"""A machine that answers over SSH, for each test."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.recovery.fleet import Tool
from tests.recovery.machine import Machine


@pytest.fixture
def machine(tmp_path: Path, tool: Tool) -> Generator[Machine]:
    """A machine that runs."""
    made = Machine(tmp_path / "host", tool)
    made.start()
    yield made
    made.stop()
