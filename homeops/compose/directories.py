"""The stack directories of a repository: which files each holds. Reads names, not contents."""

import os
from collections.abc import Iterable
from pathlib import Path

from homeops.model.graph import StackFiles

COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""What compose looks for, in its order of preference; an override beside it is merged after it."""

_NOT_CONFIG = (".md", ".example")


def read_directories(root: Path, paths: Iterable[str]) -> dict[str, StackFiles]:
    """The files of each path that is a directory below ``root``; other paths are left out."""
    return {path: _stack_files(root / path) for path in dict.fromkeys(paths) if (root / path).is_dir()}


def stack_directories(root: Path) -> list[str]:
    """Every directory below docker/stacks that could be a stack's, relative to ``root``."""
    stacks = root / "docker" / "stacks"
    return sorted(str(path.relative_to(root)) for path in stacks.glob("*/*") if path.is_dir())


def _stack_files(directory: Path) -> StackFiles:
    names = sorted(_below(directory))
    base = next((name for name in COMPOSE_NAMES if name in names), None)
    compose: list[str] = []
    if base is not None:
        stem, _, ending = base.rpartition(".")
        compose = [base, *(name for name in (f"{stem}.override.{ending}",) if name in names)]
    secrets = [name for name in names if ".sops." in name]
    decrypted = {name.replace(".sops.", ".") for name in secrets}
    config = [
        name
        for name in names
        if name not in compose
        and name not in COMPOSE_NAMES
        and name not in secrets
        and name not in decrypted
        and not name.endswith(_NOT_CONFIG)
        and Path(name).name != ".env"
    ]
    return StackFiles(tuple(compose), tuple(secrets), tuple(config))


def _below(directory: Path) -> Iterable[str]:
    for folder, _, files in os.walk(directory):
        for file in files:
            yield str((Path(folder) / file).relative_to(directory))
