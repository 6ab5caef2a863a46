"""The site: the facts of one environment that the fleet is declared for. Read from Pulumi.<stack>.yaml by settings."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
NameOrAddress = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
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
    """How a host is reached: its address and the user of its SSH."""

    address: NameOrAddress
    ssh_user: Text = "root"
    ssh_port: Annotated[int, Field(ge=1, le=65535)] = 22


class KomodoFacts(Facts):
    """Where Core answers, and where people open its UI."""

    address: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+$")]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]


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


class Site(Facts):
    """All facts of one environment."""

    komodo: KomodoFacts
    network: NetworkFacts
    repository: RepositoryFacts
    versions: Versions
    hosts: dict[str, HostFacts]
    timezone: Text = "Etc/UTC"
    adopt: Literal["equal", "overwrite"] = "equal"
    """What to do with an object that exists under a declared name: take it over when equal, or overwrite it."""
    deploy: bool = True
    """Whether stacks are deployed, or only configured."""
    deploy_timeout_seconds: Annotated[int, Field(ge=1)] = 900
    deploys_per_host: Annotated[int, Field(ge=1)] = 1
    """How many stacks of one host may be deployed at once."""
    health: HealthFacts = Field(default_factory=HealthFacts)
    deletes: DeleteBudget = Field(default_factory=DeleteBudget)
