"""Layers that are packed once and kept: packing some of them takes seconds.

Each is kept as an image of this machine's engine, ``homeops-lab/layer``, whose one file it is.
"""

import io
import tarfile
from collections.abc import Callable

from homeops.lab.machines.archive import Entry, archive
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.storage import Layer

REPOSITORY = "homeops-lab/layer"

_DIFF = "homeops.lab.diff"
_FILE = "layer.tar.gz"


def kept_layer(engine: Engine, recipe: str, make: Callable[[], bytes]) -> Layer:
    """The layer of the archive that ``make`` makes; ``recipe`` is a digest of all that goes into it."""
    tag = f"{REPOSITORY}:{recipe}"
    found = engine.attempt("image", "inspect", tag, "--format", f'{{{{index .Config.Labels "{_DIFF}"}}}}')
    if found.returncode == 0:
        return Layer(_file(engine, tag), found.stdout.decode().strip())
    made = Layer.of(make())
    label = f"LABEL {_DIFF}={made.diff}"
    engine.run("import", "--change", label, "-", tag, data=archive([Entry(f"/{_FILE}", made.packed)]))
    return made


def _file(engine: Engine, tag: str) -> bytes:
    # A container that never starts: there is no program in it.
    container = engine.run("create", tag, "none").strip()
    try:
        packed = engine.attempt("cp", f"{container}:/{_FILE}", "-").stdout
    finally:
        engine.run("rm", container)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        file = tar.extractfile(_FILE)
        return file.read() if file else b""
