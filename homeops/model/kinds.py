"""The kinds of Komodo: what each is called in requests, lists and TOML, and what its configuration is."""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from homeops.model.config.action import ActionConfig
from homeops.model.config.alerter import AlerterConfig
from homeops.model.config.build import BuildConfig
from homeops.model.config.builder import BuilderConfig
from homeops.model.config.deployment import DeploymentConfig
from homeops.model.config.procedure import ProcedureConfig
from homeops.model.config.repo import RepoConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.config.swarm import SwarmConfig
from homeops.model.config.variable import TagConfig, UserGroupConfig, VariableConfig
from homeops.model.fields import KomodoModel


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    ``key``: name of the id field in reads of one resource. ``table``: its TOML table. ``resource``: whether it is one
    of Komodo's resources (with description, tags, template and ``UpdateResourceMeta``) or something kept beside them.
    ``shape``: the model behind ``config``, or the union of models.
    """

    name: str
    key: str
    table: str
    config: TypeAdapter[KomodoModel]
    shape: Any
    resource: bool = True

    @property
    def plural(self) -> str:
        """As in ``ListServers``."""
        return f"{self.name}s"

    @property
    def list_request(self) -> str:
        """The one request that reads all of the kind with their configurations."""
        return f"ListFull{self.plural}" if self.resource else f"List{self.plural}"


def _kind(name: str, key: str, config: Any, *, table: str = "", resource: bool = True) -> Kind:
    adapter: TypeAdapter[KomodoModel] = TypeAdapter(config)
    return Kind(name, key, table or key, adapter, config, resource)


SERVER = _kind("Server", "server", ServerConfig)
SWARM = _kind("Swarm", "swarm", SwarmConfig)
STACK = _kind("Stack", "stack", StackConfig)
DEPLOYMENT = _kind("Deployment", "deployment", DeploymentConfig)
BUILD = _kind("Build", "build", BuildConfig)
REPO = _kind("Repo", "repo", RepoConfig)
PROCEDURE = _kind("Procedure", "procedure", ProcedureConfig)
ACTION = _kind("Action", "action", ActionConfig)
ALERTER = _kind("Alerter", "alerter", AlerterConfig)
BUILDER = _kind("Builder", "builder", BuilderConfig)
RESOURCE_SYNC = _kind("ResourceSync", "sync", ResourceSyncConfig, table="resource_sync")
VARIABLE = _kind("Variable", "name", VariableConfig, table="variable", resource=False)
TAG = _kind("Tag", "tag", TagConfig, resource=False)
USER_GROUP = _kind("UserGroup", "user_group", UserGroupConfig, resource=False)

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
