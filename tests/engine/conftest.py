"""A Core and a Pulumi project for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.core import TestCore
from tests.engine.engine import Project, environment


@pytest.fixture
def core(tmp_path: Path) -> Iterator[TestCore]:
    """A Core that answers."""
    directory = tmp_path / "core"
    directory.mkdir()
    made = TestCore(directory)
    with made.server:
        yield made


@pytest.fixture
def environ(tool: Callable[[str], list[str]], tmp_path: Path, compiled: Path, root: Path) -> dict[str, str]:
    """The environment of pulumi, with no Core in it."""
    for program in ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python"):
        tool(program)
    return environment(Path(tool("pulumi")[0]).parent, tmp_path / "home", compiled, root)


@pytest.fixture
def project(environ: dict[str, str], core: TestCore, tmp_path: Path, root: Path) -> Project:
    """A project that declares objects of Komodo, for the Core of this test."""
    made = Project(tmp_path / "project", environ | core.environ, root).write()
    made.declare()
    return made
