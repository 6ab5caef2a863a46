"""The image that all of the lab runs: a bare Debian host, made of Debian's packages once and kept.

On Debian, as root, it is made with debootstrap from the mirror that this machine's own apt uses; elsewhere with
``docker build`` from Docker's official image of Debian.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homeops.errors import LabError, Problem
from homeops.lab.machines.apt import Mirror, debian_mirror
from homeops.lab.machines.archive import Entry, archive, digest
from homeops.lab.machines.engine import Engine
from homeops.lab.progress import Listener
from homeops.programs import find_program

REPOSITORY = "homeops-lab/debian"
SUITE = "bookworm"
"""The release of the hosts, where this machine is no Debian itself."""

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "systemd-timesyncd",
    "dbus",
    "libpam-systemd",
    "openssh-server",
    "sudo",
    "ca-certificates",
    "iproute2",
    "iptables",
    "procps",
    "docker.io",
    "git",
    "python3",
    "curl",
    "busybox-static",
    "bash-static",
    "docker-registry",
)
BUILD_SECONDS = 900
COMPOSE = "usr/local/lib/docker/cli-plugins/docker-compose"

# Debian's own registry service, a host's keys and what only a machine with a console needs are no part of a bare host.
FINISH = """set -eu
rm -f /etc/ssh/ssh_host_*
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /usr/share/doc /usr/share/man /usr/share/locale
: > /etc/machine-id
for unit in docker-registry.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \\
  fstrim.timer dpkg-db-backup.timer getty.target console-getty.service getty@tty1.service systemd-logind.service \\
  systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service systemd-resolved.service; do
  ln -sf /dev/null "/etc/systemd/system/$unit"
done
ln -sf /lib/systemd/system/multi-user.target /etc/systemd/system/default.target
printf '[Journal]\\nStorage=volatile\\nRuntimeMaxUse=16M\\n' > /etc/systemd/journald.conf
mkdir -p /etc/docker
"""
DOCKERFILE = f"""FROM debian:{{suite}}-slim
RUN export DEBIAN_FRONTEND=noninteractive && apt-get update \\
    && printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \\
    && apt-get install --yes --no-install-recommends {" ".join(PACKAGES)} && rm /usr/sbin/policy-rc.d
COPY root/ /
RUN sh /finish && rm /finish
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the image is made of: the release, and Docker's compose plugin."""

    suite: str
    compose: bytes

    @property
    def tag(self) -> str:
        """The image's name; another recipe has another one."""
        parts = digest(" ".join(PACKAGES), FINISH, DOCKERFILE, self.compose)
        return f"{REPOSITORY}:{self.suite}-{parts}"

    @property
    def files(self) -> list[Entry]:
        """What is put in beside the packages."""
        return [
            Entry(f"/{COMPOSE}", self.compose, 0o755),
            Entry("/finish", FINISH.encode()),
        ]


def have_image(engine: Engine, root: Path, environ: Mapping[str, str], listener: Listener) -> str:
    """The image's name; it is made when there is none yet. Raises LabError when it cannot be made."""
    mirror = debian_mirror()
    recipe = Recipe(mirror.suite if mirror else SUITE, _compose(root, environ).read_bytes())
    if engine.attempt("image", "inspect", recipe.tag, "--format", "{{.Id}}").returncode == 0:
        return recipe.tag
    if mirror and os.geteuid() == 0 and shutil.which("debootstrap", path=environ.get("PATH")):
        listener.working("Image of a bare Debian host: from packages, about two minutes")
        _from_packages(engine, recipe, mirror, environ)
    else:
        listener.working("Image of a bare Debian host: docker build, some minutes")
        _from_official(engine, recipe)
    listener.line(f"Image: {recipe.tag} made")
    return recipe.tag


def _compose(root: Path, environ: Mapping[str, str]) -> Path:
    if found := find_program("docker-compose", root, environ):
        return found
    for place in (Path(environ.get("HOME", "/root"), ".docker"), *_PLUGIN_PLACES):
        if (plugin := place / "cli-plugins/docker-compose").is_file():
            return plugin
    raise LabError(Problem("docker compose", "not found; the lab's hosts need it", "make tools"))


_PLUGIN_PLACES = tuple(
    Path(place) for place in ("/usr/local/lib/docker", "/usr/libexec/docker", "/usr/lib/docker", "/usr/share/docker")
)


def _from_packages(engine: Engine, recipe: Recipe, mirror: Mirror, environ: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="homeops-lab-image-") as place:
        system, packed = Path(place, "root"), Path(place, "root.tar")
        chosen = ["--variant=minbase", f"--include={','.join(PACKAGES)}", f"--keyring={mirror.keyring}"]
        _tool(["debootstrap", *chosen, mirror.suite, str(system), mirror.address], environ)
        _tool(["tar", "--extract", "--directory", str(system)], environ, archive(recipe.files))
        _tool(["chroot", str(system), "sh", "/finish"], environ)
        (system / "finish").unlink()
        _tool(["tar", "--create", "--file", str(packed), "--one-file-system", "-C", str(system), "."], environ)
        with packed.open("rb") as stream:
            engine.run("import", "-", recipe.tag, data=stream)


def _from_official(engine: Engine, recipe: Recipe) -> None:
    context = archive(
        [
            Entry("Dockerfile", DOCKERFILE.format(suite=recipe.suite).encode()),
            *(Entry(f"root{entry.path}", entry.content, entry.mode) for entry in recipe.files),
        ]
    )
    try:
        engine.run("build", "--tag", recipe.tag, "-", data=context, seconds=BUILD_SECONDS)
    except LabError as error:
        hint = "on Debian, as root: apt-get install debootstrap, then make up"
        problem = Problem("the image of a bare Debian host", f"cannot be built\n{error}", hint)
        raise LabError(problem) from error


def _tool(command: list[str], environ: Mapping[str, str], data: bytes = b"") -> None:
    done = subprocess.run(
        command, env=dict(environ), input=data, capture_output=True, check=False, timeout=BUILD_SECONDS
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
        words = "\n".join(said[-5:])
        raise LabError(Problem("the image of a bare Debian host", f"{command[0]} failed\n{words}"))
