"""Periphery on a host: the right one runs, with the right settings, and answers. Pure text, no I/O."""

from homeops.hosts import periphery_container, periphery_systemd
from homeops.hosts.requirement import Requirement
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.site import DOWNLOADS, Site

UPSTREAM_BINARIES = f"{DOWNLOADS}/moghtech/komodo/releases/download"
"""Where ``v<version>/periphery-<machine>`` is found."""

PATIENCE = 30
"""Seconds that a new agent gets to answer."""


def periphery(host: Host, site: Site, *, binaries: str = UPSTREAM_BINARIES, patience: int = PATIENCE) -> Requirement:
    """What must be true of the host's Periphery.

    ``binaries``: URL below which the binary of a systemd Periphery is found. ``patience``: seconds that a new agent
    gets to answer before the old one is put back.
    """
    if isinstance(host.periphery, ContainerPeriphery):
        return periphery_container.requirement(host, host.periphery, site, patience)
    return periphery_systemd.requirement(host, host.periphery, site, binaries, patience)
