"""Pulumi projects that the tests of a module share: a run of the whole fleet takes seconds."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.appliers.pushed import LAB
from tests.engine.engine import Project, environment
from tests.engine.fleets import link_repository

NewProject = Callable[[Mapping[str, str]], Project]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make a directory of its own."""
    return lambda: tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def engine(
    tool: Callable[[str], list[str]], place: Callable[[], Path], compiled: Path, root: Path
) -> Callable[[], dict[str, str]]:
    """Make an environment of pulumi, with no state and no Core in it."""
    for program in ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python"):
        tool(program)
    return lambda: environment(Path(tool("pulumi")[0]).parent, place() / "home", compiled, root)


@pytest.fixture(scope="module")
def new_project(engine: Callable[[], dict[str, str]], place: Callable[[], Path], root: Path) -> NewProject:
    """Make a project like this repository, for the Core in an environment."""

    def make(environ: Mapping[str, str]) -> Project:
        directory = place() / "repository"
        link_repository(root, directory)
        made = Project(directory, engine() | dict(environ), root, stack=LAB)
        made.run("stack", "init", LAB, "--no-select").check()
        return made

    return make
