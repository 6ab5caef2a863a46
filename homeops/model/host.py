"""A host: a machine of the fleet. In Komodo it is a Server."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from homeops.model.config.server import ServerConfig
from homeops.model.declaration import Declaration
from homeops.model.fields import KomodoModel

PERIPHERY_PORT = 8120

PERIPHERY_ROOT = "/etc/komodo"
"""Where Periphery keeps checkouts, stacks, and its own key (``keys/periphery.key``)."""

AGE_KEY = "/etc/sops/age/keys.txt"
"""Where the age key of a host is, unless its quirk says otherwise."""

# No spaces: units of systemd and compose files hold such a path as it is.
HostPath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.@+-]+)+$")]


def periphery_address(host: str) -> str:
    """Where Core dials the Periphery of a host, by the address or name of the host."""
    return f"https://{host}:{PERIPHERY_PORT}"


class ContainerPeriphery(KomodoModel):
    """Periphery in a container; ``path`` is its compose file on the host."""

    manner: Literal["container"] = "container"
    path: str


class SystemdPeriphery(KomodoModel):
    """Periphery as a systemd service; ``path`` is its configuration file on the host."""

    manner: Literal["systemd"] = "systemd"
    path: str


Periphery = Annotated[ContainerPeriphery | SystemdPeriphery, Field(discriminator="manner")]


class AgeKey(KomodoModel):
    """The host's age private key: a file of root's alone (mode 600), in a directory of root's alone."""

    name: Literal["age-key"] = "age-key"
    reason: str
    path: HostPath = AGE_KEY


class ApparmorMask(KomodoModel):
    """An empty tmpfs over ``mount``, put there by the systemd service ``unit`` before Docker starts."""

    name: Literal["apparmor-mask"] = "apparmor-mask"
    reason: str
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]+\.service$")] = "mask-apparmor.service"
    mount: HostPath = "/sys/kernel/security"


class DockerDns(KomodoModel):
    """Periphery's container asks the network's DNS server (``site.network.dns_server``), not Docker's own."""

    name: Literal["docker-dns"] = "docker-dns"
    reason: str


class NativeSops(KomodoModel):
    """sops, age and the hook that decrypts stand on the host itself; ``hook`` is where the hook is put."""

    name: Literal["native-sops"] = "native-sops"
    reason: str
    hook: HostPath = "/usr/local/bin/sops-decrypt.sh"


Quirk = Annotated[AgeKey | ApparmorMask | DockerDns | NativeSops, Field(discriminator="name")]
"""Something odd about a host that must stay true: what it is, and why."""


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

    @field_validator("quirks")
    @classmethod
    def _each_quirk_once(cls, quirks: list[Quirk]) -> list[Quirk]:
        names = [quirk.name for quirk in quirks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"declared twice: {', '.join(twice)}")
        return quirks
