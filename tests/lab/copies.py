"""Copies of this repository in which a test may bring a rehearsal up, and the ``homeops`` command run in one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Copy:
    """The working tree as it is, without what git ignores, and an environment that knows nothing of this machine."""

    directory: Path
    environ: Mapping[str, str]

    @classmethod
    def make(cls, root: Path, place: Path, tools: Path | None = None) -> "Copy":
        """Copy the repository at ``root`` to ``place``; ``tools`` is where pulumi is."""
        directory, home = place / "copy", place / "home"
        home.mkdir(parents=True)
        for name in _files(root):
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (root / name).is_file():
                shutil.copy(root / name, target)
        # Pulumi runs its dynamic providers with the Python of the project's virtual environment.
        (directory / ".venv").symlink_to(Path(sys.prefix))
        path = os.pathsep.join([*([str(tools)] if tools else []), "/usr/local/bin", "/usr/bin", "/bin"])
        environ = {
            "PATH": path,
            "HOME": str(home),
            "PULUMI_HOME": str(place / "pulumi-home"),
            # What Python compiles is none of the copy's files.
            "PYTHONPYCACHEPREFIX": str(place.parent / "compiled"),
            # No Docker engine answers there, so that hosts are simulated.
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        }
        return cls(directory, environ)

    def homeops(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run ``homeops`` with more in its environment."""
        return subprocess.run(
            [sys.executable, "-m", "homeops", *arguments],
            cwd=self.directory,
            env={**self.environ, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def contents(self) -> dict[str, bytes]:
        """Every file and directory of the copy by its path, with what is in it."""
        return {
            str(path.relative_to(self.directory)): path.read_bytes() if path.is_file() else b"directory"
            for path in sorted(self.directory.rglob("*"))
            if ".venv" not in path.parts
        }


def _files(root: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and not name.startswith("tests/data/")]
