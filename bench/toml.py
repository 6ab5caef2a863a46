"""Komodo's TOML: how long reading and writing take."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.figures import Figure
from homeops.komodo.toml.files import read_files
from homeops.komodo.toml.layout import rendered
from homeops.model.config.stack import StackConfig, StackFileDependency
from homeops.model.graph import Graph, Resource

CORPUS = "HOMEOPS_CORPUS"
"""The environment variable that names a directory of other people's TOML; without it that figure is left out."""
TURNS = 5


def figures(stacks: int) -> list[Figure]:
    """Rendering a fleet of so many stacks, and reading it and the corpus with all that is found in them."""
    graph = Graph(tuple(_stack(number) for number in range(stacks)))
    found = [Figure(f"{stacks} stacks: render", _seconds(lambda: rendered(graph, "a measurement")), "s", 1.0)]
    if corpus := os.environ.get(CORPUS):
        root = Path(corpus)
        paths = [str(path.relative_to(root)) for path in sorted(root.glob("*/files"))]
        found.append(Figure("TOML of the corpus: read and check", _seconds(lambda: read_files(root, paths)), "s", 1.0))
    return found


def _stack(number: int) -> Resource:
    config = StackConfig(
        server_id=f"host{number % 10}",
        repo="someone/fleet",
        file_paths=["docker/stacks/shared/app/compose.yaml"],
        config_files=[StackFileDependency(path="docker/stacks/shared/app/.sops.env", requires="Redeploy")],
        environment=f"NUMBER={number}\nNAME=[[NAME]]\n",
    )
    return Resource("Stack", f"stack{number}", config, description=f"Stack {number}", tags=("synthetic",))


def _seconds(work: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(TURNS):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return round(median(taken), 3)
