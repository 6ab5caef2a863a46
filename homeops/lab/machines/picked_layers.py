"""Layers of programs that are picked from the image of the hosts, with the libraries that they need."""

from collections.abc import Sequence
from pathlib import Path

from homeops.errors import LabError, Problem
from homeops.lab.machines.archive import digest
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.kept_layers import kept_layer
from homeops.lab.machines.storage import Layer

PYTHON = (
    *("/bin", "/sbin", "/lib*", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf"),
    *("/usr/bin/python3", "/usr/lib/python3.*", "/usr/bin/env", "/usr/bin/bash", "/usr/bin/sh", "/usr/bin/curl"),
)

_PICK = Path(__file__).with_name("picked_files.py")


def python_layer(engine: Engine, host_image: str) -> Layer:
    """Python, shells and curl: the layer below others. ``host_image`` is the name of the hosts' image."""
    return picked_layer(engine, host_image, PYTHON)


def picked_layer(engine: Engine, host_image: str, paths: Sequence[str], there: Sequence[str] = ()) -> Layer:
    """The files of the hosts' image that patterns of paths mean, but for what ``there`` means; raises LabError."""
    image = engine.run("image", "inspect", host_image, "--format", "{{.Id}}").strip()
    arguments = [*paths, "--", *there]

    def picked() -> bytes:
        run = ("run", "--rm", "--interactive", "--network", "none", host_image, "python3", "-", *arguments)
        done = engine.attempt(*run, data=_PICK.read_bytes())
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            what = f"lacks what other images are made of\n{words[-1] if words else ''}"
            raise LabError(Problem(host_image, what, f"docker rmi {host_image}, then make up"))
        return done.stdout

    return kept_layer(engine, digest(image, _PICK.read_bytes(), *arguments), picked)
