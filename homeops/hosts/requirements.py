"""All that must be true of a host, in the order in which it is made so."""

from pathlib import Path

from homeops.hosts.requirement import Requirement
from homeops.model.host import Host
from homeops.model.site import Site


def requirements(host: Host, site: Site, age_recipient: str, root: Path = Path()) -> tuple[Requirement, ...]:
    """Docker, time, disk, age key, the host's quirks, Periphery. ``root`` is the repository, whose hook is installed.

    ``age_recipient``: the public key (``age1...``) that the host's age key must belong to.
    """
    return ()
