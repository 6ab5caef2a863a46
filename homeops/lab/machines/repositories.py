"""The lab's Git server in its container: it answers as the provider that the settings name."""

from pathlib import Path

from homeops.lab.machines.archive import Entry
from homeops.lab.machines.container import Container
from homeops.lab.machines.credentials import Credentials
from homeops.lab.machines.names import Names
from homeops.lab.machines.network import Places

PROGRAM, CERTIFICATE, KEY = "/srv/git_server.py", "/srv/git.crt", "/srv/git.key"
RELEASES = "github.com"
"""Where programs are downloaded from, wherever the repository is."""

REPOSITORIES, DOWNLOADS = "/srv/git", "/srv/downloads"


def git_server(
    names: Names,
    image: str,
    places: Places,
    credentials: Credentials,
    provider: str,
    repositories: Path,
    downloads: Path,
) -> Container:
    """The container; ``repositories`` holds bare repositories as ``owner/name`` (``.git`` may follow).

    What ``downloads`` holds is to be had below the provider's address: releases of programs.
    """
    certificate, key = credentials.server([provider, RELEASES])
    return Container(
        names.git,
        image,
        (
            *("--network", names.network, "--ip", places.git, "--memory", "512m", "--init"),
            # What is pushed there on this machine is what hosts clone from then on.
            *("--volume", f"{repositories.resolve()}:{REPOSITORIES}:ro"),
            *("--volume", f"{downloads.resolve()}:{DOWNLOADS}:ro"),
        ),
        ("python3", "-u", PROGRAM, REPOSITORIES, DOWNLOADS, CERTIFICATE, KEY),
        (
            Entry(PROGRAM, Path(__file__).with_name("git_server.py").read_bytes()),
            Entry(CERTIFICATE, certificate.read_bytes()),
            Entry(KEY, key.read_bytes(), 0o600),
        ),
    )
