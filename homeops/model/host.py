"""A host: a machine of the fleet. In Komodo it is a Server."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from homeops.model.config.server import ServerConfig
from homeops.model.declaration import Declaration
from homeops.model.fields import KomodoModel

PERIPHERY_PORT = 8120


class ContainerPeriphery(KomodoModel):
    """Periphery in a container; ``path`` is its compose file on the host."""

    manner: Literal["container"] = "container"
    path: str


class SystemdPeriphery(KomodoModel):
    """Periphery as a systemd service; ``path`` is its configuration file on the host."""

    manner: Literal["systemd"] = "systemd"
    path: str


Periphery = Annotated[ContainerPeriphery | SystemdPeriphery, Field(discriminator="manner")]


class Quirk(KomodoModel):
    """Something odd about a host that must stay true: what it is, and why."""

    name: str
    reason: str
    settings: dict[str, str] = Field(default_factory=dict[str, str])


class Host(Declaration, ServerConfig):
    """A machine: its part in the fleet, how Periphery runs on it, what is odd about it.

    Address and SSH user are facts of the site (Pulumi.<stack>.yaml), not of the declaration. All fields of a Komodo
    Server can be given too; ``address`` is derived from the site unless given.
    """

    kind: ClassVar[str] = "Server"

    role: str = ""
    periphery: Periphery
    quirks: list[Quirk] = Field(default_factory=list[Quirk])
    unmanaged: dict[str, str] = Field(default_factory=dict[str, str])
    """What runs on the host and is on purpose not managed here: name to reason."""
