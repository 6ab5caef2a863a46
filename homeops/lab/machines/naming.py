"""The lab's DNS server in its container: what the outside world's names mean in the lab."""

from collections.abc import Mapping
from pathlib import Path

from homeops.lab.machines.archive import Entry
from homeops.lab.machines.container import Container
from homeops.lab.machines.names import Names
from homeops.lab.machines.network import Places

_PROGRAM = "/srv/name_server.py"


def name_server(names: Names, image: str, places: Places, known: Mapping[str, str]) -> Container:
    """The container; ``known`` are addresses by name."""
    return Container(
        names.dns,
        image,
        ("--network", names.network, "--ip", places.dns, "--memory", "128m", "--init"),
        ("python3", "-u", _PROGRAM, *(f"{name}={known[name]}" for name in sorted(known))),
        (Entry(_PROGRAM, Path(__file__).with_name("name_server.py").read_bytes()),),
    )
