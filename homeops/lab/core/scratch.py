"""Directories that go with whoever made them."""

import shutil
import tempfile
import weakref
from pathlib import Path


def scratch_directory(owner: object, prefix: str) -> Path:
    """A fresh directory that is removed when its owner is, at the latest when Python ends."""
    directory = tempfile.mkdtemp(prefix=prefix)
    weakref.finalize(owner, shutil.rmtree, directory, ignore_errors=True)
    return Path(directory).resolve()
