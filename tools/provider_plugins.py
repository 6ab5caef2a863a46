"""Pulumi's provider plugins: the official one where there is one or it can be downloaded, else the stand-in of ours.

Versions are those of the Python packages in requirements.txt: Pulumi wants a plugin of exactly that version. A stand-in
is a link in .tools/bin, which is on PATH; Pulumi says at every run that it uses it.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.catalogue import InstallError
from tools.obtain import reporting

PLUGINS = ("command", "docker")

_PATIENCE = 90
"""Seconds that a download may take."""


@dataclass(frozen=True)
class Plugin:
    """What serves a provider. ``source`` is machine, download or stand-in."""

    name: str
    version: str
    source: str
    path: Path


class Plugins:
    """The plugins of one checkout. ``environ`` says where Pulumi and the machine's plugins are."""

    def __init__(self, root: Path, environ: Mapping[str, str], pulumi: str) -> None:
        self.root = root
        self.pulumi = pulumi
        self.bin = root / ".tools" / "bin"
        self.home = root / ".tools" / "pulumi-home"
        elsewhere = [part for part in environ.get("PATH", "").split(os.pathsep) if part and Path(part) != self.bin]
        self.environ = {**environ, "PATH": os.pathsep.join(elsewhere), "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def run(self) -> list[Plugin]:
        """Bring every plugin, and say which are stand-ins."""
        return [self._bring(name, self._version(name)) for name in PLUGINS]

    def _version(self, name: str) -> str:
        text = (self.root / "requirements.txt").read_text(encoding="utf-8")
        match = re.search(rf"^pulumi-{name}==(\S+)", text, re.MULTILINE)
        if match is None:
            raise InstallError(f"tools: pulumi-{name} is pinned in no requirements.txt")
        return match[1]

    def _bring(self, name: str, version: str) -> Plugin:
        program = f"pulumi-resource-{name}"
        link = self.bin / program
        if on_path := shutil.which(program, path=self.environ["PATH"]):
            link.unlink(missing_ok=True)
            return Plugin(name, version, "machine", Path(on_path))
        installed = self._installed(name, version)
        if installed is not None:
            link.unlink(missing_ok=True)
            return Plugin(name, version, "machine", installed)
        refused = self.root / ".tools" / f"{program}-{version}.not-to-be-had"
        if not refused.exists():
            if self._downloaded(name, version):
                link.unlink(missing_ok=True)
                return Plugin(name, version, "download", self._place(self.home, name, version))
            refused.touch()
        stand_in = self.root / "tools" / "plugins" / program
        if not (link.is_symlink() and link.readlink() == stand_in):
            link.unlink(missing_ok=True)
            link.symlink_to(stand_in)
        return Plugin(name, version, "stand-in", stand_in)

    def _place(self, home: Path, name: str, version: str) -> Path:
        """Where Pulumi looks (sdk/go/common/workspace/plugins.go)."""
        return home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"

    def _installed(self, name: str, version: str) -> Path | None:
        """The official plugin of this version; one in the user's own Pulumi serves this checkout's, too."""
        ours = self._place(self.home, name, version)
        if os.access(ours, os.X_OK):
            return ours
        user = self.environ.get("PULUMI_HOME") or f"{self.environ.get('HOME', '/')}/.pulumi"
        theirs = self._place(Path(user), name, version)
        if not os.access(theirs, os.X_OK):
            return None
        ours.parent.parent.mkdir(parents=True, exist_ok=True)
        ours.parent.unlink(missing_ok=True)
        ours.parent.symlink_to(theirs.parent)
        return theirs

    def _downloaded(self, name: str, version: str) -> bool:
        with reporting(f"Pulumi's {name} plugin {version}: downloading") as report:
            try:
                run = subprocess.run(
                    [self.pulumi, "plugin", "install", "resource", name, version, "--non-interactive"],
                    env={**self.environ, "PULUMI_HOME": str(self.home)},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_PATIENCE,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired):
                done = False
            else:
                done = run.returncode == 0
            report("done" if done else f"not to be had; tools/plugins/pulumi-resource-{name} stands in for it")
        return done
