"""What an import writes: a new directory, whole or not at all, or new files of a checkout; never over what is there."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from homeops.errors import HomeopsError, Problem
from homeops.whole_file import UNFINISHED


def check_free(directory: Path) -> None:
    """Raise HomeopsError when there is something at the place already."""
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise HomeopsError(Problem(str(directory), "is no directory, and nothing was written", "name a new one"))
    if directory.is_dir() and any(directory.iterdir()):
        what = "holds files already, and nothing was written"
        raise HomeopsError(Problem(str(directory), what, "name a new directory, or move what is there away"))


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Make a directory with these files, in one step; raises HomeopsError when it is taken or cannot be written."""
    check_free(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=directory.parent))
    except OSError as error:
        raise _unwritable(directory, error) from None
    try:
        for name, text in files.items():
            file = fresh / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        fresh.chmod(0o755)
        fresh.replace(directory)
    except OSError as error:
        raise _unwritable(directory, error) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def add(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Write new files below a directory; their paths. Raises HomeopsError, before any, when one is there already."""
    if there := [path for path in files if (directory / path).exists()]:
        problems = (Problem(str(directory / path), "is there already; nothing was written") for path in there)
        raise HomeopsError(*problems)
    for path, text in files.items():
        target = directory / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise _unwritable(target, error) from None
    return [str(directory / path) for path in files]


def _unwritable(place: Path, error: OSError) -> HomeopsError:
    return HomeopsError(Problem(str(place), f"cannot be written ({error.strerror})"))
