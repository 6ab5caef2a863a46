"""The files of a repository that git tracks, or would track: the index, and what is neither tracked nor ignored."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from homeops.errors import Problem, ToolError
from homeops.secrets.git import git, names

_REGULAR = "100"
"""How the mode of a regular file begins in the index; links and submodules are no files of this tree."""


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One file: its path relative to the root, its bytes, and whether git tracks it."""

    path: str
    data: bytes
    tracked: bool = True

    @property
    def text(self) -> str:
        """The file as text; what is not UTF-8 is replaced, for rules that look for what is."""
        return self.data.decode("utf-8", errors="replace")


Tree = Mapping[str, TreeFile]
"""Files by path, in order of their paths."""


def read_tree(root: Path) -> Tree:
    """The files as they stand on the disk: those of the index, and those that ``git add`` would take.

    A directory that is no git repository is read whole. Raises ``ToolError`` when git fails.
    """
    if not _in_repository(root):
        return {path: TreeFile(path, data, tracked=False) for path, data in _walk(root)}
    tracked = [path for path, _ in _index(root)]
    others = names(git(root, "ls-files", "-z", "--others", "--exclude-standard"))
    known = set(tracked)
    found = ((path, _read(root / path)) for path in sorted({*tracked, *others}))
    return {path: TreeFile(path, data, path in known) for path, data in found if data is not None}


def read_staged(root: Path) -> Tree:
    """The files as the next commit will hold them. Raises ``ToolError`` when git fails."""
    entries = _index(root)
    blobs = _blobs(root, [blob for _, blob in entries])
    return {path: TreeFile(path, blobs[blob]) for path, blob in sorted(entries)}


def _in_repository(root: Path) -> bool:
    return any((place / ".git").exists() for place in (root.resolve(), *root.resolve().parents))


def _index(root: Path) -> list[tuple[str, str]]:
    """Path and blob of every regular file. One with conflicts has several stages; ours stands for it."""
    found: dict[str, str] = {}
    for line in names(git(root, "ls-files", "-z", "--stage")):
        facts, _, path = line.partition("\t")
        mode, blob, _ = facts.split(" ")
        if mode.startswith(_REGULAR):
            found.setdefault(path, blob)
    return list(found.items())


def _blobs(root: Path, blobs: list[str]) -> dict[str, bytes]:
    text = git(root, "cat-file", "--batch", given="\n".join(dict.fromkeys(blobs)).encode())
    found: dict[str, bytes] = {}
    at = 0
    while at < len(text):
        end = text.index(b"\n", at)
        name, _, size = text[at:end].decode().split(" ")
        found[name] = text[end + 1 : end + 1 + int(size)]
        at = end + 1 + int(size) + 1
    return found


def _read(path: Path) -> bytes | None:
    """The bytes of a regular file; None for one that is gone, or is a link."""
    try:
        return path.read_bytes() if S_ISREG(path.lstat().st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ToolError(Problem(str(path), f"cannot be read: {error.strerror}", f"ls -l {path}")) from error


def _walk(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder) / name
            data = _read(path)
            if data is not None:
                yield path.relative_to(root).as_posix(), data
