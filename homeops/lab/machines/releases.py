"""Releases for the lab's hosts to download, under GitHub's paths.

Of sops and age, the programs of this checkout; of Periphery, the stand-in.
"""

import gzip
import hashlib
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from homeops.errors import LabError, Problem
from homeops.lab.machines.archive import Entry, archive
from homeops.lab.periphery.release import release
from homeops.programs import find_program

_VERSION = re.compile(r"\d+(\.\d+)+")


def offer_releases(root: Path, environ: Mapping[str, str], downloads: Path, komodo: str) -> dict[str, str]:
    """Put the releases into a directory; returns the settings ``homeops:versions`` that ask for exactly these.

    ``komodo`` is the version of the Periphery. Raises LabError when a program is not there.
    """
    sops, age, keygen = (own_program(name, root, environ) for name in ("sops", "age", "age-keygen"))
    sops_version, age_version = (_version(path) for path in (sops, age))
    members = [Entry(f"age/{path.name}", path.read_bytes(), 0o755) for path in (age, keygen)]
    # The same bytes each time: the settings name their checksum.
    packed = gzip.compress(archive(members), compresslevel=1, mtime=0)
    releases = {
        f"getsops/sops/releases/download/v{sops_version}/sops-v{sops_version}.linux.amd64": sops.read_bytes(),
        f"FiloSottile/age/releases/download/v{age_version}/age-v{age_version}-linux-amd64.tar.gz": packed,
        f"moghtech/komodo/releases/download/v{komodo}/periphery-{platform.machine()}": release(komodo),
    }
    sums: list[str] = []
    for name, content in releases.items():
        file = downloads / name
        sums.append(hashlib.sha256(content).hexdigest())
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    versions = {"sops": sops_version, "age": age_version}
    return versions | dict(zip(("sopsSha256", "ageSha256", "peripherySha256"), sums, strict=True))


def own_program(name: str, root: Path, environ: Mapping[str, str]) -> Path:
    """A program of this checkout; raises LabError when it is not there."""
    if found := find_program(name, root, environ):
        return found
    raise LabError(Problem(name, "not found; the lab's hosts get it from this checkout", "make tools"))


def _version(program: Path) -> str:
    arguments = ["--version", *(["--disable-version-check"] if program.name == "sops" else [])]
    said = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=30).stdout
    if found := _VERSION.search(said):
        return found[0]
    raise LabError(Problem(str(program), f"does not say its version: {said.strip()[:80]!r}", "make tools"))
