"""Imported packages, written and loaded as Pulumi's program loads a fleet."""

import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.imports.fleet import Imported, imported
from homeops.imports.found import Findings
from homeops.imports.written import write
from homeops.model.graph import Graph
from homeops.settings import load_settings

CORPUS = os.environ.get("HOMEOPS_CORPUS", "")
SETS = sorted(Path(CORPUS).glob("*/files")) if CORPUS else []
only_with_corpus = pytest.mark.skipif(not CORPUS, reason="HOMEOPS_CORPUS names no directory of Komodo TOML")

_NUMBER = count()


@dataclass(frozen=True)
class Package:
    """What came of an import, where it was written, and the graph that it declares."""

    made: Imported
    directory: Path
    graph: Graph


def made_of(findings: Findings) -> Imported:
    return imported(findings, {}, {})


def written(made: Imported, parent: Path) -> Package:
    """Write a package and its settings, and load both."""
    directory = parent / f"imported_fleet_{next(_NUMBER)}"
    write(directory, {"Pulumi.prod.yaml": made.settings, **made.files})
    return Package(made, directory, loaded(directory))


def ruff_is_content(directory: Path, root: Path) -> None:
    """Fail where ruff dislikes a file or would lay it out otherwise, by the settings of this repository."""
    for command in (["check", "--no-cache"], ["format", "--diff", "--no-cache"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(root / "pyproject.toml"), str(directory)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-3000:]


def loaded(directory: Path) -> Graph:
    """The graph of a package, by what loads every fleet."""
    name, parent = directory.name, directory.parent
    site = load_settings("prod", directory)
    sys.path.insert(0, str(parent))
    try:
        return fleet_graph(declared_fleet(name, site), site, parent)
    finally:
        sys.path.remove(str(parent))
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]
