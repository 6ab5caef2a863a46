"""The registry of the lab: Debian's docker-registry, which answers as every registry that images come from."""

import io
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from homeops.errors import LabError, Problem
from homeops.lab.machines.archive import Entry, archive
from homeops.lab.machines.container import Container
from homeops.lab.machines.credentials import Credentials
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.names import Names
from homeops.lab.machines.network import Places
from homeops.lab.machines.stand_ins import Programs
from homeops.lab.machines.storage import DOCKER_HUB, STORAGE, Image, split_name, stored

USUAL = (DOCKER_HUB, "docker.io", "index.docker.io", "ghcr.io", "quay.io", "lscr.io", "gcr.io", "mcr.microsoft.com")
"""Registries that the lab's hosts must never reach for real, whether an image of the fleet comes from there or not."""

_BUSYBOX, _SHELL = "bin/busybox", "bin/bash-static"
CERTIFICATE, KEY, CONFIG = "/etc/docker-registry.crt", "/etc/docker-registry.key", "/etc/docker-registry.yml"

_CONFIG = f"""version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {STORAGE}}}
http:
  addr: :443
  tls: {{certificate: {CERTIFICATE}, key: {KEY}}}
"""


def registry_hosts(images: Iterable[Image]) -> list[str]:
    """The names that the registry answers to."""
    return sorted({*USUAL, *(split_name(image.name)[0] for image in images)})


def registry(
    names: Names, image: str, places: Places, credentials: Credentials, hosts: Sequence[str], images: Sequence[Image]
) -> Container:
    """The container of a registry that answers as ``hosts`` and has these images."""
    certificate, key = credentials.server(hosts)
    return Container(
        names.registry,
        image,
        ("--network", names.network, "--ip", places.registry, "--memory", "256m", "--init"),
        ("docker-registry", "serve", CONFIG),
        (
            Entry(CONFIG, _CONFIG.encode()),
            Entry(CERTIFICATE, certificate.read_bytes()),
            Entry(KEY, key.read_bytes(), 0o600),
            *stored(images),
        ),
    )


def publish(engine: Engine, names: Names, images: Iterable[Image]) -> None:
    """Have the running registry offer images, in place of those that it had under the same names."""
    engine.run("cp", "-", f"{names.registry}:/", data=archive(stored(images)))


def programs(engine: Engine, image: str) -> Programs:
    """What stand-ins are made of, from the image of the hosts; raises LabError without it."""
    packed = engine.attempt("run", "--rm", "--network", "none", image, "tar", "-chC", "/", _BUSYBOX, _SHELL).stdout
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            found = {member.name: stream.read() for member in tar if (stream := tar.extractfile(member))}
        return Programs(found[_BUSYBOX], found[_SHELL])
    except (tarfile.TarError, KeyError) as error:
        what = "lacks what stand-ins are made of"
        raise LabError(Problem(image, what, f"docker rmi {image}, then make up")) from error


def trust(names: Iterable[str], authority: Path) -> list[Entry]:
    """The files by which a host's Docker trusts the registry under all its names."""
    certificate = authority.read_bytes()
    return [Entry(f"/etc/docker/certs.d/{name}/ca.crt", certificate) for name in names]
