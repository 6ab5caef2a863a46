"""The kinds of Komodo: what each is called in requests, lists and TOML, and what its configuration is.

The configuration's model is imported when it is first asked for: whoever only names kinds loads no models.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from homeops.model.fields import KomodoModel


@dataclass(frozen=True)
class Kind:
    """One kind.

    ``key``: name of the id field in reads of one resource. ``table``: its TOML table. ``module``: where in model.config
    its configuration is, as ``{name}Config``. ``resource``: whether it is one of Komodo's resources (with description,
    tags, template and ``UpdateResourceMeta``) or something kept beside them.
    """

    name: str
    key: str
    table: str
    module: str
    resource: bool = True

    @property
    def plural(self) -> str:
        """As in ``ListServers``."""
        return f"{self.name}s"

    @property
    def list_request(self) -> str:
        """The one request that reads all of the kind with their configurations."""
        return f"ListFull{self.plural}" if self.resource else f"List{self.plural}"

    @cached_property
    def shape(self) -> Any:
        """The configuration's model; a union of several for a Builder."""
        return getattr(import_module(f"homeops.model.config.{self.module}"), f"{self.name}Config")

    @cached_property
    def config(self) -> "TypeAdapter[KomodoModel]":
        """What validates a configuration."""
        from pydantic import TypeAdapter

        return TypeAdapter(self.shape)


def _resource(name: str, key: str, module: str = "") -> Kind:
    module = module or key
    return Kind(name, key, module, module)


def _beside(name: str, key: str, table: str) -> Kind:
    return Kind(name, key, table, "variable", resource=False)


SERVER = _resource("Server", "server")
SWARM = _resource("Swarm", "swarm")
STACK = _resource("Stack", "stack")
DEPLOYMENT = _resource("Deployment", "deployment")
BUILD = _resource("Build", "build")
REPO = _resource("Repo", "repo")
PROCEDURE = _resource("Procedure", "procedure")
ACTION = _resource("Action", "action")
ALERTER = _resource("Alerter", "alerter")
BUILDER = _resource("Builder", "builder")
RESOURCE_SYNC = _resource("ResourceSync", "sync", "resource_sync")
VARIABLE = _beside("Variable", "name", "variable")
TAG = _beside("Tag", "tag", "tag")
USER_GROUP = _beside("UserGroup", "user_group", "user_group")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        SERVER,
        SWARM,
        STACK,
        DEPLOYMENT,
        BUILD,
        REPO,
        PROCEDURE,
        ACTION,
        ALERTER,
        BUILDER,
        RESOURCE_SYNC,
        VARIABLE,
        TAG,
        USER_GROUP,
    )
}
"""Every kind by name, in the order in which Komodo exports them (api/read/toml.rs)."""

RESOURCE_KINDS: tuple[str, ...] = tuple(kind.name for kind in KINDS.values() if kind.resource)
"""The names of Komodo's resources, without what it keeps beside them."""


def called(kind: str, name: str) -> str:
    """How commands and settings call an object: ``stack/frigate``."""
    return f"{kind.lower()}/{name}"
