"""Writing a file in one step: whoever reads it sees the old text or the new one, whatever happens in between."""

import os
import tempfile
from pathlib import Path

UNFINISHED = ".homeops-"
"""How the names begin of what is being made beside its place; a run that was killed leaves it there."""


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Write a file in one step; its mode stays unless one is given, and a new one is for everybody to read.

    Bytes that a reader took with ``surrogateescape`` are written as they were. Raises OSError; the file is then as it
    was.
    """
    descriptor, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
        fresh.chmod(mode or (path.stat().st_mode & 0o777 if path.exists() else 0o644))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
