"""The site: the facts of one environment that the fleet is declared for. Read from Pulumi.<stack>.yaml by settings."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, field_validator

from homeops.model.kinds import KINDS, called

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
NameOrAddress = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ObjectName = Annotated[str, StringConstraints(pattern=rf"^({'|'.join(kind.lower() for kind in KINDS)})/.+$")]
VersionText = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)*([-+.][0-9A-Za-z.-]+)?$")]


class Facts(BaseModel):
    """A block of settings: an unknown key is an error; keys are written in camelCase."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=lambda name: "".join(
            word.capitalize() if place else word for place, word in enumerate(name.split("_"))
        ),
    )


class HostFacts(Facts):
    """How a host is reached: its address, the user of its SSH, and where its SSH answers if that is elsewhere."""

    address: NameOrAddress
    ssh_user: Text = "root"
    ssh_address: NameOrAddress | None = None
    ssh_port: Annotated[int, Field(ge=1, le=65535)] = 22

    @property
    def ssh_host(self) -> str:
        """The name or address at which its SSH answers."""
        return self.ssh_address or self.address


class KomodoFacts(Facts):
    """Where Core answers, and where people open its UI."""

    address: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+$")]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]
    public_key: str | None = None
    """Core's public key (GetCoreInfo): the agents let nobody else in. None: it is not checked."""


class RepositoryFacts(Facts):
    """The git repository that Komodo pulls compose files and declarations from."""

    name: Annotated[str, StringConstraints(pattern=r"^[^\s/]+/[^\s]+$")]
    branch: Text = "main"
    provider: Text = "github.com"
    https: bool = True
    account: str = ""


class Versions(Facts):
    """Every version that is declared more than once anywhere: here and only here."""

    komodo: VersionText
    periphery_image_tag: Text
    sops: VersionText
    sops_sha256: Sha256
    age: VersionText
    age_sha256: Sha256
    periphery_image_digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """The digest that hosts run of the custom Periphery image; None: whatever the tag means on that day."""
    periphery_sha256: Sha256 | None = None
    """Of the Periphery binary that systemd hosts run; without it none is installed."""
    docker: VersionText = "20.10"
    """The oldest Docker engine that a host may have."""
    compose: VersionText | None = None
    compose_sha256: Sha256 | None = None
    """Docker's compose plugin for hosts whose distribution has none that is new enough; without them none is put."""


class NetworkFacts(Facts):
    """The network: the domain of what is served, the DNS server, and who certificate authorities write to."""

    domain: NameOrAddress
    dns_server: NameOrAddress
    acme_email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class HealthFacts(Facts):
    """When a deploy counts as healthy, in seconds, for stacks that do not say otherwise (homeops/model/rollout.py)."""

    deadline: Annotated[int, Field(ge=1)] = 180
    stable: Annotated[int, Field(ge=0)] = 10


class DeleteBudget(Facts):
    """How much one run may delete: more than ``objects``, or more than ``percent`` of what there is, is refused."""

    objects: Annotated[int, Field(ge=0)] = 5
    percent: Annotated[int, Field(ge=0, le=100)] = 30


DOWNLOADS = "https://github.com"
"""Where binaries for hosts come from, unless the settings name a mirror."""


class SshFacts(Facts):
    """How hosts are managed over SSH; without this block nothing is done on them.

    ``known_hosts`` is relative to the checkout. ``canary`` is the host whose Periphery is rolled out first.
    """

    known_hosts: Text = "known_hosts"
    canary: Text | None = None
    connect_timeout_seconds: Annotated[int, Field(ge=1, le=60)] = 5
    disk_floor_gib: Annotated[int, Field(ge=0)] = 5
    """Free space on a host's Docker disk below which it is reported."""
    install_age_key: bool = False
    """Whether a host without an age key gets the operator's."""
    downloads: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]*[^\s/]$")] = DOWNLOADS
    """Where binaries for hosts come from: GitHub, or a mirror with GitHub's own paths."""


class Site(Facts):
    """All facts of one environment."""

    komodo: KomodoFacts
    network: NetworkFacts
    repository: RepositoryFacts
    versions: Versions
    hosts: dict[str, HostFacts]
    ssh: SshFacts | None = None
    timezone: Text = "Etc/UTC"
    adopt: Literal["equal", "overwrite"] = "equal"
    """What to do with an object that exists under a declared name: take it over when equal, or overwrite it."""
    overwrite: list[ObjectName] = Field(default_factory=list[str])
    """The objects that may be overwritten whatever ``adopt`` says: ``stack/frigate``, ``variable/DOMAIN``."""
    deploy: bool = True
    """Whether stacks are deployed, or only configured."""
    sync_deploys: bool = False
    """Whether the ResourceSync of the rendered TOML deploys stacks, too: for a fleet that Pulumi runs no more."""
    deploy_timeout_seconds: Annotated[int, Field(ge=1)] = 900
    deploys_per_host: Annotated[int, Field(ge=1)] = 1
    """How many stacks of one host may be deployed at once."""
    health: HealthFacts = Field(default_factory=HealthFacts)
    deletes: DeleteBudget = Field(default_factory=DeleteBudget)
    _stack: str = PrivateAttr("")

    @property
    def stack(self) -> str:
        """The Pulumi stack whose settings these are, for what people are told to type; empty when nobody said which."""
        return self._stack

    def of_stack(self, name: str) -> "Site":
        """The same, as the settings of a Pulumi stack."""
        site = self.model_copy()
        site._stack = name
        return site

    def overwrites(self, kind: str, name: str) -> bool:
        """Whether what Komodo has under the name of a declared object may be overwritten when it is adopted."""
        return self.adopt == "overwrite" or called(kind, name) in self.overwrite

    @field_validator("ssh", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        """Take ``false`` for no block, where the settings are like others that have one; Pulumi writes it as a text."""
        return None if value in (False, "false") else value
