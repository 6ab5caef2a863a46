"""The image that Core's stack runs in the lab: Core itself is a process of this machine, and this is a door to it."""

from pathlib import Path

from homeops.lab.machines.archive import Entry, archive
from homeops.lab.machines.stand_ins import LABEL
from homeops.lab.machines.storage import Image, Layer

PORT = 9120
"""Core's own."""

_PROGRAM = "/srv/door.py"


def core_door(base: Layer, name: str, tag: str, to: str) -> Image:
    """The image under the name and tag of Core's; ``to`` is where Core listens, as ``HOST:PORT`` seen from hosts.

    ``base`` is ``python_layer``. Its health is that of the Core behind it: nothing but connections is answered here.
    """
    program = Entry(_PROGRAM, Path(__file__).with_name("door.py").read_bytes())
    return Image(
        name,
        tag,
        layers=(base, Layer.of(archive([program]))),
        entrypoint=("python3", "-u", _PROGRAM, str(PORT), to),
        labels={LABEL: f"{name}:{tag}"},
    )
