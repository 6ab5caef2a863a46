"""The files that Periphery gives out and takes: those below its own directories and no others."""

import shutil
from pathlib import Path
from typing import Any

from homeops.lab.periphery.settings import Settings


class OutsideError(PermissionError):
    """A path that is not Periphery's to touch."""


class Files:
    """What Core may do to files; OSError where the disk says no, OutsideError before that."""

    def __init__(self, settings: Settings) -> None:
        own = (settings.root_directory, settings.stack_dir, settings.repo_dir, settings.build_dir)
        self._own = tuple(directory.resolve() for directory in own)

    def look(self, path: str) -> dict[str, Any]:
        """``{kind}``: file, directory, or None when nothing is there."""
        found = self._mine(path)
        return {"kind": "directory" if found.is_dir() else "file" if found.is_file() else None}

    def read(self, path: str) -> dict[str, Any]:
        """``{text}`` of a file."""
        return {"text": self._mine(path).read_bytes().decode(errors="replace")}

    def write(self, path: str, text: str) -> dict[str, Any]:
        """Write a file; its directory is there."""
        return {"written": self._mine(path).write_text(text, encoding="utf-8", newline="")}

    def make(self, path: str) -> dict[str, Any]:
        """Make a directory and those above it."""
        self._mine(path).mkdir(parents=True, exist_ok=True)
        return {}

    def remove(self, path: str) -> dict[str, Any]:
        """Remove a directory with all that is in it, or a file."""
        found = self._mine(path)
        if found in self._own:
            raise OutsideError(f"{path} is not to be removed")
        if found.is_dir():
            shutil.rmtree(found)
        else:
            found.unlink(missing_ok=True)
        return {}

    def rename(self, path: str, to: str) -> dict[str, Any]:
        """Rename a file or directory."""
        self._mine(path).rename(self._mine(to))
        return {}

    def _mine(self, path: str) -> Path:
        found = Path(path).resolve()
        if not any(found.is_relative_to(own) for own in self._own):
            raise OutsideError(f"{path} is outside of Periphery's directories")
        return found
