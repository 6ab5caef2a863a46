"""What is declared besides hosts and stacks: a name, and the fields of Komodo's kind."""

from typing import Any, ClassVar

from pydantic import Field

from homeops.model.config.action import ActionConfig
from homeops.model.config.alerter import AlerterConfig
from homeops.model.config.build import BuildConfig
from homeops.model.config.builder import AwsBuilderConfig, UrlBuilderConfig
from homeops.model.config.deployment import DeploymentConfig
from homeops.model.config.execution import Execution
from homeops.model.config.procedure import EnabledExecution, ProcedureConfig, ProcedureStage
from homeops.model.config.repo import RepoConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.swarm import SwarmConfig
from homeops.model.config.variable import TagConfig, UserGroupConfig, VariableConfig
from homeops.model.declaration import Declaration
from homeops.model.host import Host


class Builder(Declaration):
    """Where builds run: on hosts of the fleet, at an address, or on AWS; exactly one of the three."""

    kind: ClassVar[str] = "Builder"

    hosts: list[Host | str] = Field(default_factory=list[Host | str])
    url: UrlBuilderConfig | None = None
    aws: AwsBuilderConfig | None = None


class Build(Declaration, BuildConfig):
    """An image made from a Dockerfile. ``builder``: where; ``directory``: the Dockerfile's, in the repository."""

    kind: ClassVar[str] = "Build"

    builder: Builder | str
    directory: str = ""
    args: dict[str, str] = Field(default_factory=dict[str, str])


class Deployment(Declaration, DeploymentConfig):
    """A single container on a host."""

    kind: ClassVar[str] = "Deployment"

    host: Host | str


class Repo(Declaration, RepoConfig):
    """A git checkout on a host."""

    kind: ClassVar[str] = "Repo"

    host: Host | str = ""


class Procedure(Declaration, ProcedureConfig):
    """Stages of executions, by hand or on a schedule."""

    kind: ClassVar[str] = "Procedure"


class Action(Declaration, ActionConfig):
    """A TypeScript program that Core runs."""

    kind: ClassVar[str] = "Action"


class Alerter(Declaration, AlerterConfig):
    """Where alerts go."""

    kind: ClassVar[str] = "Alerter"


class ResourceSync(Declaration, ResourceSyncConfig):
    """Komodo's own applier of the rendered TOML."""

    kind: ClassVar[str] = "ResourceSync"


class Swarm(Declaration, SwarmConfig):
    """A Docker swarm by its managers."""

    kind: ClassVar[str] = "Swarm"

    hosts: list[Host | str] = Field(default_factory=list[Host | str])


class Variable(Declaration, VariableConfig):
    """What ``[[NAME]]`` stands for; not for secrets, which belong in a stack's ``.sops.env``."""

    kind: ClassVar[str] = "Variable"


class Tag(Declaration, TagConfig):
    """A tag with a colour; a tag that is only used needs no declaration."""

    kind: ClassVar[str] = "Tag"


class UserGroup(Declaration, UserGroupConfig):
    """Users with the same permissions."""

    kind: ClassVar[str] = "UserGroup"


def stage(name: str, *executions: Execution, enabled: bool = True) -> ProcedureStage:
    """A stage of a procedure: executions that run at the same time."""
    rows: list[Any] = [EnabledExecution(execution=execution) for execution in executions]
    return ProcedureStage(name=name, enabled=enabled, executions=rows)
