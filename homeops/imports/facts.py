"""The facts of the site that an import knows, and those that it has to leave to a person."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from homeops.imports.report import Note, Sort
from homeops.model.config.server import ServerConfig
from homeops.model.graph import Resource
from homeops.model.site import KomodoFacts, NameOrAddress, RepositoryFacts, Site

KOMODO = "http://komodo.example:9120"
"""Where Core is said to answer when nobody knows."""
REPOSITORY = "owner/repository"
NETWORK = {"domain": "home.example", "dnsServer": "192.0.2.1", "acmeEmail": "hostmaster@home.example"}
"""Facts of a network that an imported fleet needs none of, and that settings have to have."""
NO_VERSIONS = {
    "komodo": "0",
    "peripheryImageTag": "latest",
    "sops": "0",
    "sopsSha256": "0" * 64,
    "age": "0",
    "ageSha256": "0" * 64,
}
"""Versions where no settings name any."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The settings that are written, as in Pulumi.<stack>.yaml without their namespace."""

    komodo: Mapping[str, Any]
    repository: Mapping[str, Any]
    versions: Mapping[str, Any]
    hosts: Mapping[str, Mapping[str, Any]]

    def settings(self) -> dict[str, Any]:
        """The blocks, in their order."""
        return {
            "komodo": dict(self.komodo),
            # Until the fleet is adopted, it is only compared.
            "deploy": False,
            "repository": dict(self.repository),
            "network": NETWORK,
            "versions": dict(self.versions),
            "hosts": {name: dict(facts) for name, facts in self.hosts.items()},
        }

    @property
    def site(self) -> Site:
        """What the fleet is declared for."""
        return Site.model_validate(self.settings())


def facts_of(
    resources: Sequence[Resource], core: str, version: str, versions: Mapping[str, Any]
) -> tuple[Facts, list[Note]]:
    """The facts that resources hold, and notes on those that they do not.

    ``core`` and ``version``: of the Core that was asked, else empty. ``versions``: those of the settings at hand.
    """
    notes: list[Note] = []
    repository = _repository(resources)
    if not repository:
        notes.append(_unknown("repository", f"nothing names a git repository, so {REPOSITORY} stands there"))
    if not core:
        notes.append(_unknown("komodo", f"TOML does not say where Core answers, so {KOMODO} stands there"))
    elif not _is_core(core):
        notes.append(_unknown("komodo", f"settings cannot hold {core}, which has a path, so {KOMODO} stands there"))
        core = ""
    if not versions:
        notes.append(_unknown("versions", "no settings name the versions of sops and age", "copy them from a release"))
    hosts: dict[str, dict[str, Any]] = {}
    for resource in resources:
        if resource.kind == "Server":
            address, known = _address(resource)
            hosts[resource.name] = {"address": address, "sshUser": "root"}
            if not known:
                what = f"Komodo has no address of this host, so {address} stands there"
                notes.append(_unknown(f"hosts: {resource.name}", what, "needed once homeops manages hosts over SSH"))
    taken = {**NO_VERSIONS, **versions}
    if version:
        taken["komodo"] = version
    where = core or KOMODO
    return Facts({"address": where, "url": where}, repository or {"name": REPOSITORY}, taken, hosts), notes


def _is_core(address: str) -> bool:
    try:
        KomodoFacts(address=address, url=address)
    except ValidationError:
        return False
    return True


def _unknown(block: str, what: str, hint: str = "write it into the settings") -> Note:
    return Note(Sort.COMPLETE, f"homeops:{block}", what, hint)


def _repository(resources: Iterable[Resource]) -> dict[str, Any]:
    """The repository that most resources name, as settings."""
    named = Counter(_named(resources))
    if not named:
        return {}
    (name, branch, provider, https, account), _ = named.most_common(1)[0]
    facts: dict[str, Any] = {"name": name, "branch": branch}
    if provider != "github.com":
        facts["provider"] = provider
    if not https:
        facts["https"] = False
    return facts | ({"account": account} if account else {})


def _named(resources: Iterable[Resource]) -> Iterator[tuple[str, str, str, bool, str]]:
    for resource in resources:
        config = resource.config
        if not (name := getattr(config, "repo", "")):
            continue
        branch, provider = getattr(config, "branch", ""), getattr(config, "git_provider", "")
        https, account = getattr(config, "git_https", True), getattr(config, "git_account", "")
        try:
            RepositoryFacts(name=name, branch=branch, provider=provider, https=https, account=account)
        except ValidationError:
            continue
        yield name, branch, provider, https, account


_ADDRESS: TypeAdapter[str] = TypeAdapter(NameOrAddress)


def _address(server: Resource) -> tuple[str, bool]:
    """The host in the address of a Server, and whether it says one."""
    config = server.config
    assert isinstance(config, ServerConfig)  # noqa: S101 - a Server's configuration
    for text in (config.address, config.external_address):
        try:
            return _ADDRESS.validate_python(urlsplit(text if "//" in text else f"//{text}").hostname or ""), True
        except ValueError:
            continue
    try:
        return _ADDRESS.validate_python(server.name), False
    except ValidationError:
        return "host.example", False
