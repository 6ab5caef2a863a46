"""The compose file of a Periphery in a container."""

import json
import posixpath
import re

from homeops.hosts.periphery_shell import PRIVATE_KEY, digest
from homeops.model.host import PERIPHERY_PORT, PERIPHERY_ROOT, DockerDns, Host
from homeops.model.site import Site

IMAGE = "docker.io/mohitsharma44/komodo-periphery-sops"
"""Periphery with sops, age and the hook that decrypts: what the build ``periphery-custom`` makes."""

SERVICE = "periphery"


def image(site: Site) -> str:
    """The image that hosts run: by digest where the site has one, else by tag."""
    if site.versions.periphery_image_digest:
        return f"{IMAGE}@{site.versions.periphery_image_digest}"
    return f"{IMAGE}:{site.versions.periphery_image_tag}"


def dns_servers(host: Host, site: Site) -> tuple[str, ...]:
    """The DNS servers of the host's Periphery; empty: Docker's own."""
    return (site.network.dns_server,) if any(isinstance(quirk, DockerDns) for quirk in host.quirks) else ()


def project(path: str) -> str:
    """The compose project of the file at the path: what compose itself makes of the directory's name."""
    directory = posixpath.basename(posixpath.dirname(path)).lower()
    return re.sub(r"[^a-z0-9_-]", "", directory).lstrip("_-") or SERVICE


def compose_text(path: str, site: Site, dns: tuple[str, ...], age_key: str) -> tuple[str, str]:
    """The compose file, and the digest of its settings, which is a label of the container.

    The label shows whether a container was made from this file. The age key's directory is mounted, not the file: a
    key that takes another's place is seen without a restart. The agent's own key is on the host, so that a new
    container is the same agent to Core.
    """
    environment = {
        "PERIPHERY_ROOT_DIRECTORY": PERIPHERY_ROOT,
        "PERIPHERY_PRIVATE_KEY": f"file:{PRIVATE_KEY}",
        "PERIPHERY_PORT": str(PERIPHERY_PORT),
        "PERIPHERY_SSL_ENABLED": "true",
        # Otherwise the size of the disk is that of all mounts together.
        "PERIPHERY_INCLUDE_DISK_MOUNTS": "/etc/hostname",
        "SOPS_AGE_KEY_FILE": age_key,
    }
    if site.komodo.public_key:
        environment["PERIPHERY_CORE_PUBLIC_KEYS"] = site.komodo.public_key
    mounts = (
        "/var/run/docker.sock:/var/run/docker.sock",
        # The same path inside and outside: the engine mounts what Periphery has checked out.
        f"{PERIPHERY_ROOT}:{PERIPHERY_ROOT}",
        # Not read-only: Docker 20.10 and later set what is below /proc/sys of every container, and it would not start.
        # Docker itself has /proc/sys read-only for what runs in it.
        "/proc:/proc",
        f"{posixpath.dirname(age_key)}:{posixpath.dirname(age_key)}:ro",
    )
    lines = (
        "# Written by homeops: what is changed here by hand is put right again.",
        f"name: {_quoted(project(path))}",
        "services:",
        f"  {SERVICE}:",
        f"    image: {_quoted(image(site))}",
        "    init: true",
        "    restart: unless-stopped",
        f'    ports: ["{PERIPHERY_PORT}:{PERIPHERY_PORT}"]',
        *([f"    dns: [{', '.join(map(_quoted, dns))}]"] if dns else []),
        "    environment:",
        *(f"      {name}: {_quoted(value)}" for name, value in environment.items()),
        "    volumes:",
        *(f"      - {_quoted(mount)}" for mount in mounts),
        "    labels:",
        # Komodo does not stop its own agent together with all containers.
        '      komodo.skip: "true"',
    )
    text = "\n".join(lines) + "\n"
    settings = digest(text)
    return f"{text}      homeops.settings: {_quoted(settings)}\n", settings


def _quoted(value: str) -> str:
    """The value in YAML, out of reach of compose's interpolation."""
    return json.dumps(value.replace("$", "$$"))
