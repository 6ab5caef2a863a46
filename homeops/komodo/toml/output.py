"""The files that were rendered: written whole or not at all, and never those of somebody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homeops.errors import HomeopsError, Problem
from homeops.komodo.toml.layout import MADE_BY
from homeops.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class Difference:
    """File names: ``missing`` and ``stale`` are to be written, ``needless`` ones (made by us) to be removed.

    ``foreign`` TOML files are left alone; a sync of the directory reads them too.
    """

    missing: tuple[str, ...]
    stale: tuple[str, ...]
    needless: tuple[str, ...]
    foreign: tuple[str, ...]

    @property
    def none(self) -> bool:
        """Whether the directory is as it should be."""
        return not (self.missing or self.stale or self.needless)


def compare(directory: Path, files: Mapping[str, str]) -> Difference:
    """What a directory lacks of the files."""
    there = {file.name: _contents(file) for file in directory.glob("*.toml") if file.is_file()}
    others = {name: contents for name, contents in there.items() if name not in files}
    return Difference(
        missing=tuple(name for name in files if name not in there),
        stale=tuple(name for name, text in files.items() if name in there and there[name] != text.encode()),
        needless=tuple(sorted(name for name, contents in others.items() if _is_ours(contents))),
        foreign=tuple(sorted(name for name, contents in others.items() if not _is_ours(contents))),
    )


def write(directory: Path, files: Mapping[str, str]) -> Difference:
    """Make a directory hold the files; what was different.

    Raises HomeopsError, and writes nothing, where a file of that name was not made by us.
    """
    difference = compare(directory, files)
    taken = [name for name in difference.stale if not _is_ours(_contents(directory / name))]
    if taken:
        raise HomeopsError(*(_taken(directory / name) for name in taken))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in (*difference.missing, *difference.stale):
            write_whole(directory / name, files[name])
        for name in difference.needless:
            (directory / name).unlink()
    except OSError as error:
        raise HomeopsError(Problem(str(error.filename or directory), f"cannot be written ({error.strerror})")) from None
    return difference


def _contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise HomeopsError(Problem(str(file), f"cannot be read ({error.strerror})")) from None


def _is_ours(contents: bytes) -> bool:
    return contents.startswith(MADE_BY.encode())


def _taken(file: Path) -> Problem:
    return Problem(
        str(file),
        "this file was not made by homeops render, and would be overwritten",
        "move what it declares into the fleet and delete it, or render elsewhere with --out",
    )
