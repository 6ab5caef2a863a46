"""git, asked about a checkout."""

import os
import subprocess
from pathlib import Path

from homeops.errors import Problem, ToolError


def git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git prints in the checkout at ``root``; ``given`` is its standard input. Raises ``ToolError``."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], input=given, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ToolError(Problem("git", "is not installed", "apt-get install git")) from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        said = words[0] if words else f"exit code {done.returncode}"
        raise ToolError(Problem(str(root), f"git {arguments[0]} failed: {said}", f"git -C {root} status"))
    return done.stdout


def names(output: bytes) -> list[str]:
    """The names in what git printed with ``-z``."""
    return [os.fsdecode(name) for name in output.split(b"\0") if name]
