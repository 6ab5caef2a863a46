"""All that must be true of a host, in the order in which it is made so."""

from collections.abc import Iterator
from pathlib import Path

from homeops.hosts.age_key import age_key
from homeops.hosts.apparmor import apparmor_mask
from homeops.hosts.compose_plugin import AGENT_IN_A_CONTAINER, AGENT_ON_THE_HOST
from homeops.hosts.decrypted_files import decrypted_files
from homeops.hosts.disk_space import disk_space
from homeops.hosts.docker_engine import docker_engine
from homeops.hosts.git_program import git_program
from homeops.hosts.native_sops import native_sops
from homeops.hosts.periphery import periphery
from homeops.hosts.requirement import Requirement
from homeops.hosts.time_sync import time_sync
from homeops.model.host import AgeKey, ApparmorMask, Host, NativeSops, SystemdPeriphery
from homeops.model.site import Site, SshFacts

HOOK = Path("docker/periphery/scripts/sops-decrypt.sh")
"""The hook that decrypts, in the repository."""


def requirements(host: Host, site: Site, age_recipient: str, root: Path = Path()) -> tuple[Requirement, ...]:
    """Docker, time, disk, decrypted files, age key, the host's other quirks, git where Periphery needs it, Periphery.

    ``age_recipient``: the public key (``age1...``) that the host's age key must belong to. ``root``: the repository,
    whose hook is installed.
    """
    return tuple(_requirements(host, site, age_recipient, root))


def _requirements(host: Host, site: Site, age_recipient: str, root: Path) -> Iterator[Requirement]:
    ssh = site.ssh or SshFacts()
    native = isinstance(host.periphery, SystemdPeriphery)
    compose = AGENT_ON_THE_HOST if native else AGENT_IN_A_CONTAINER
    yield docker_engine(site.versions, compose, ssh.downloads)
    yield time_sync()
    yield disk_space(ssh.disk_floor_gib)
    yield decrypted_files(site.deploy_timeout_seconds)
    yield from (age_key(quirk, age_recipient) for quirk in host.quirks if isinstance(quirk, AgeKey))
    yield from (apparmor_mask(quirk) for quirk in host.quirks if isinstance(quirk, ApparmorMask))
    for quirk in host.quirks:
        if isinstance(quirk, NativeSops):
            yield native_sops(quirk, site.versions, (root / HOOK).read_text(encoding="utf-8"), ssh.downloads)
    if native:
        yield git_program()
    yield periphery(host, site, binaries=f"{ssh.downloads}/moghtech/komodo/releases/download")
