"""Pulumi projects and Cores that the tests of a module share: a run of the whole fleet takes seconds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.appliers.pushed import LAB
from tests.engine.core import TestCore
from tests.engine.engine import Project, environment
from tests.engine.fleets import link_repository

NewProject = Callable[[TestCore], Project]


@pytest.fixture(scope="module")
def new_project(tool: Callable[[str], list[str]], tmp_path_factory: pytest.TempPathFactory, root: Path) -> NewProject:
    """Make a project like this repository for a Core, with no state."""
    for program in ("pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python"):
        tool(program)
    compiled = tmp_path_factory.mktemp("compiled")

    def make(core: TestCore) -> Project:
        place = tmp_path_factory.mktemp("project")
        environ = environment(Path(tool("pulumi")[0]).parent, place / "home", compiled, root)
        link_repository(root, place / "repository")
        made = Project(place / "repository", environ | core.environ, root, stack=LAB)
        made.run("stack", "init", LAB, "--no-select").check()
        return made

    return make
