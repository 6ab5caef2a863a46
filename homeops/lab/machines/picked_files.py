"""Writes files of this system, with all that they need to run, to its output as an archive.

Runs by itself in a container on Python's library alone. Takes patterns of paths; a directory means all that is in it.
What those after ``--`` mean is there already.
"""

import re
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

LEFT_OUT = {"test", "tests", "idlelib", "pydoc_data", "lib2to3", "ensurepip", "distutils", "turtledemo"}
"""Directories that nobody needs."""

_LIBRARY = re.compile(r"(/\S+) \(0x")


def picked(patterns: Iterable[str]) -> set[Path]:
    """The files and links that the patterns mean, and those that these need."""
    found: set[Path] = set()
    waiting: list[Path] = []
    for pattern in patterns:
        if not (meant := list(Path("/").glob(pattern.removeprefix("/")))):
            raise FileNotFoundError(pattern)
        waiting += meant
    while waiting:
        # Where each is once no directory on its way is a link.
        fresh = {path.parent.resolve() / path.name for path in waiting} - found
        found |= fresh
        waiting = [*_libraries(fresh), *(path for place in fresh for path in _beyond(place))]
    return {place for place in found if place.is_symlink() or not place.is_dir()}


def _beyond(place: Path) -> list[Path]:
    """What a link leads to, unless that is a directory; what a directory holds."""
    if place.is_symlink():
        return [] if place.is_dir() else [place.parent / place.readlink()]
    return [path for path in place.iterdir() if path.name not in LEFT_OUT] if place.is_dir() else []


def _libraries(places: Iterable[Path]) -> list[Path]:
    programs = [place for place in places if not place.is_symlink() and place.is_file() and _is_program(place)]
    if not programs:
        return []
    # It ends with 1 when one of them needs no library.
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return [Path(path) for path in _LIBRARY.findall(said)]


def _is_program(place: Path) -> bool:
    with place.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def main(*patterns: str) -> None:
    """Write the archive."""
    end = patterns.index("--")
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for place in sorted(picked(patterns[:end]) - picked(patterns[end + 1 :])):
            tar.add(place, recursive=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
