"""The stack directories of a repository: which files each holds. Reads names, not contents."""

import os
from collections.abc import Iterable
from pathlib import Path

from homeops.compose.secret_files import secret_files
from homeops.model.graph import StackFiles
from homeops.model.stack_paths import STACKS

COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""What compose looks for, in its order of preference."""

OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
"""What compose merges after the file that it found, the first of these that is there."""

_NOT_CONFIG = (".md", ".example", ".gitignore", ".gitattributes", ".gitkeep")


def read_directories(root: Path, paths: Iterable[str]) -> dict[str, StackFiles]:
    """The files of each path that is a directory below ``root``; other paths are left out."""
    return {path: _stack_files(root / path) for path in dict.fromkeys(paths) if (root / path).is_dir()}


def stack_directories(root: Path) -> list[str]:
    """Every directory below docker/stacks that could be a stack's, relative to ``root``."""
    return sorted(str(path.relative_to(root)) for path in (root / STACKS).glob("*/*") if path.is_dir())


def _stack_files(directory: Path) -> StackFiles:
    names = sorted(_below(directory))
    base = next((name for name in COMPOSE_NAMES if name in names), None)
    override = next((name for name in OVERRIDE_NAMES if name in names), None)
    compose = (*([base] if base else ()), *([override] if base and override else ()))
    encrypted = secret_files(directory)
    secrets = tuple(file.encrypted.name for file in encrypted)
    # What the hook writes is no part of the repository, nor is what compose does not read.
    apart = {*secrets, *(file.plain.name for file in encrypted), *COMPOSE_NAMES, *OVERRIDE_NAMES, ".env"}
    config = (name for name in names if name not in apart and not name.endswith(_NOT_CONFIG))
    return StackFiles(compose, secrets, tuple(config))


def _below(directory: Path) -> Iterable[str]:
    for folder, _, files in os.walk(directory):
        for file in files:
            yield str((Path(folder) / file).relative_to(directory))
