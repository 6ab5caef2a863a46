"""Who reads which secret: the services of compose files, by ``env_file``, by a mount, or by ``${NAME}``."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from homeops.compose.compose_file import ComposeFile, EnvFile, Service, parse_compose
from homeops.compose.interpolation import Interpolation
from homeops.compose.secret_files import encrypted_path
from homeops.errors import ComposeError
from homeops.model.stack_paths import STACKS
from homeops.secrets.file_rules import findings_of, secret_paths
from homeops.secrets.finding import Finding
from homeops.secrets.git_tree import Tree

_STACK_FILE = re.compile(rf"{STACKS}/[^/]+/[^/]+/[^/]+\.ya?ml")
_HAS_SERVICES = re.compile(r"^services:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Consumer:
    """A service that gets a whole env file, and how the compose file says so."""

    compose: ComposeFile
    service: Service
    env_file: EnvFile


@dataclass(frozen=True, slots=True)
class Consumers:
    """What the compose files of a tree read. Paths are relative to the tree's root.

    ``by_env_file``: plain path to its consumers. ``mounted``: paths of files and directories that containers see.
    """

    files: tuple[ComposeFile, ...]
    by_env_file: dict[str, tuple[Consumer, ...]]
    mounted: frozenset[str]

    def sees(self, plain: str) -> bool:
        """Whether some container has the file mounted, or a directory above it."""
        return any(plain == path or plain.startswith(f"{path}/") or path == "." for path in self.mounted)


def consumers(tree: Tree, also: Iterable[str] = ()) -> tuple[Consumers, list[Finding]]:
    """The consumers of a tree, and what is wrong with compose files; ``also`` are compose files at other places."""
    files: list[ComposeFile] = []
    wrong: list[Finding] = []
    for path in _compose_paths(tree, also):
        try:
            files.append(parse_compose(tree[path].text, Path(path)))
        except ComposeError as error:
            wrong += findings_of(error.problems, path, "compose")
    by_env_file: dict[str, list[Consumer]] = {}
    for file in files:
        for service in file.services:
            for env_file in service.env_files:
                if (place := below(file, env_file.path)) is not None:
                    by_env_file.setdefault(place, []).append(Consumer(file, service, env_file))
    mounted = frozenset(place for file in files for place in places(file, _mounts(file)))
    return Consumers(tuple(files), {path: tuple(found) for path, found in by_env_file.items()}, mounted), wrong


def variables(file: ComposeFile) -> Iterator[Interpolation]:
    """Every variable that compose itself fills in, in order."""
    inherited = (name for service in file.services for name in service.inherited)
    yield from sorted((*file.interpolations, *inherited), key=lambda variable: variable.line)


def below(file: ComposeFile, path: str) -> str | None:
    """A path that a compose file names, relative to the tree; None when it leads out of it or holds a variable."""
    if "$" in path or path.startswith(("/", "~")):
        return None
    place = posixpath.normpath(posixpath.join(file.path.parent.as_posix(), path))
    return None if place.startswith("..") else place


def places(file: ComposeFile, paths: Iterable[str]) -> Iterator[str]:
    """The paths that a compose file names, relative to the tree, without those that ``below`` cannot tell."""
    for path in paths:
        place = below(file, path)
        if place is not None:
            yield place


def twin(plain: str) -> str:
    """The secret file that a plain path is decrypted from."""
    return encrypted_path(Path(plain)).as_posix()


def _compose_paths(tree: Tree, also: Iterable[str]) -> list[str]:
    beside = {posixpath.dirname(path) for path in secret_paths(tree)}
    listed = {path for path in also if path in tree}
    for path in tree:
        if not path.endswith((".yaml", ".yml")) or ".sops." in path:
            continue
        if (posixpath.dirname(path) in beside or _STACK_FILE.fullmatch(path)) and _HAS_SERVICES.search(tree[path].text):
            listed.add(path)
    return sorted(listed)


def _mounts(file: ComposeFile) -> Iterator[str]:
    yield from file.files
    for service in file.services:
        yield from (volume.source for volume in service.volumes if volume.kind == "bind" and volume.source)
