"""Programs of this checkout: what ``make tools`` put into .tools/bin comes before what is on PATH."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def search_path(root: Path, environ: Mapping[str, str]) -> str:
    """PATH for what runs in the checkout at ``root``; HOMEOPS_TOOLS may name another directory of such programs."""
    places = (environ.get("HOMEOPS_TOOLS", ""), str(root / ".tools" / "bin"), environ.get("PATH", os.defpath))
    return os.pathsep.join(place for place in places if place)


def find_program(name: str, root: Path, environ: Mapping[str, str]) -> Path | None:
    """Where a program is; None where there is none."""
    found = shutil.which(name, path=search_path(root, environ))
    return Path(found) if found else None
