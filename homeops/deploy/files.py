"""Files of the repository as fingerprints need them: each read once, what was found in it remembered.

Paths are relative to the repository, in their shortest form.
"""

import os
import posixpath
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from stat import S_ISREG

from homeops.compose.secret_files import encrypted_path
from homeops.deploy.digests import ciphertexts, digest, is_secret_file
from homeops.errors import FleetError, Problem

_WORD = re.compile(r"""[^\s"'`,;:=\[\]{}()|<>]+""")
_COMPOSE = (".yaml", ".yml")
_NOT_PART = {".git", "__pycache__"}


@dataclass(frozen=True)
class File:
    """A file that is there."""

    path: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """Of its bytes."""
        return digest(self.content)

    @cached_property
    def text(self) -> str:
        """As UTF-8; other bytes are replaced."""
        return self.content.decode(errors="replace")

    @cached_property
    def secrets(self) -> tuple[tuple[str, str], ...]:
        """The keys of an encrypted file with the digests of their ciphertexts. Raises SecretsError."""
        return tuple(ciphertexts(self.path, self.text))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its text."""
        return frozenset(_WORD.findall(self.text))


_read: dict[str, tuple[tuple[int, int], File]] = {}


def read(root: Path, path: str) -> File | None:
    """A file; None when there is none. It is read again when its time or its size has changed.

    Raises FleetError when it cannot be read.
    """
    # Texts instead of paths: this is asked five times for each stack, and making a Path takes longer than the stat.
    place = f"{root}/{path}"
    try:
        found = os.stat(place)  # noqa: PTH116
        if not S_ISREG(found.st_mode):
            return None
        version = (found.st_mtime_ns, found.st_size)
        known = _read.get(place)
        if known is None or known[0] != version:
            known = _read[place] = (version, File(path, Path(place).read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FleetError(Problem(path, f"cannot be read: {error.strerror}", f"ls -l {path}")) from None
    return known[1]


def named_files(root: Path, compose: File, base: str, known: Container[str]) -> Iterator[File]:
    """The files of the repository that a compose file names: env_file, include, extends, configs, what is mounted.

    Any word that is the path of a file counts, which needs no YAML; ``base`` is the directory that paths are relative
    to. What an included compose file names is among them; the ``known`` paths, secrets, and what is made of them
    (``.env``) are not.
    """
    found = {compose.path}
    waiting = [(compose, base)]
    while waiting:
        file, base = waiting.pop()
        for path in _paths(root / base, file.words, base):
            if path in found or path in known or _secret(root, path):
                continue
            found.add(path)
            other = read(root, path)
            if other is not None:
                yield other
                if path.endswith(_COMPOSE) and "services:" in other.text:
                    waiting.append((other, posixpath.dirname(path)))


def _paths(directory: Path, words: frozenset[str], base: str) -> Iterator[str]:
    """The words that can be paths from a directory to a file of the repository."""
    names = {entry.name for entry in os.scandir(directory)} if directory.is_dir() else set[str]()
    steps = {".", "..", *names}
    longer = (word for word in words if "/" in word and word.partition("/")[0] in steps)
    for word in (*(words & names), *longer):
        path = posixpath.normpath(posixpath.join(base, word))
        if not path.startswith(".."):
            yield path


def _secret(root: Path, path: str) -> bool:
    name = posixpath.basename(path)
    return name == ".env" or is_secret_file(name) or encrypted_path(root / path).exists()


def files_below(root: Path, directory: str) -> Iterator[str]:
    """Every file below a directory, in order."""
    for folder, folders, names in os.walk(root / directory):
        folders[:] = sorted(set(folders) - _NOT_PART)
        below = os.path.relpath(folder, root)
        yield from (posixpath.normpath(posixpath.join(below, name)) for name in sorted(names))
