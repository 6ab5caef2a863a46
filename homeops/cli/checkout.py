"""Which checkout of homeops a command is for: the one that the working directory is in."""

from pathlib import Path

import yaml

from homeops.errors import HomeopsError, Problem

PROJECT = "homeops"


def checkout() -> Path:
    """The directory of Pulumi.yaml, here or above; raises HomeopsError outside of a checkout."""
    here = Path.cwd()
    for directory in (here, *here.parents):
        if _is_project(directory / "Pulumi.yaml"):
            return directory
    raise HomeopsError(Problem(str(here), "not in a checkout of homeops", "cd to the directory of its Pulumi.yaml"))


def _is_project(file: Path) -> bool:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8")).get("name") == PROJECT
    except (OSError, ValueError, yaml.YAMLError, AttributeError):
        return False
