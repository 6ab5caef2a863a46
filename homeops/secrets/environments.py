"""Which variables each stack is given by its own environment, besides its secrets."""

import posixpath
from dataclasses import dataclass

from homeops.compose.directories import COMPOSE_NAMES
from homeops.model.config.stack import StackConfig
from homeops.model.environment import entries
from homeops.model.graph import Graph


@dataclass(frozen=True, slots=True)
class StackEnvironment:
    """One stack: its compose files, the variables that Komodo gives it, and the file that Komodo writes them to.

    Paths are relative to the repository; ``written`` is empty for a stack without an environment.
    """

    name: str
    compose: tuple[str, ...]
    variables: frozenset[str]
    written: str


def stack_environments(graph: Graph) -> tuple[StackEnvironment, ...]:
    """The environment of every stack of a fleet, in order of declaration."""
    return tuple(
        _environment(resource.name, resource.config)
        for resource in graph.of("Stack")
        if isinstance(resource.config, StackConfig)
    )


def _environment(name: str, config: StackConfig) -> StackEnvironment:
    variables = frozenset(key for key, _ in entries(config.environment) if key)
    written = _joined(config.run_directory, config.env_file_path) if variables else ""
    names = config.file_paths or COMPOSE_NAMES[:1]
    return StackEnvironment(name, tuple(_joined(config.run_directory, path) for path in names), variables, written)


def _joined(directory: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(directory, path))
