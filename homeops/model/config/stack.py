"""Configuration of a Stack: one compose project (client/core/rs/src/entities/stack.rs)."""

from typing import Annotated, Literal

from pydantic import Field

from homeops.model.config.command import SystemCommand
from homeops.model.fields import (
    Alias,
    EnvironmentText,
    FileText,
    KomodoModel,
    OrPath,
    Reference,
    SensitiveText,
    Spellings,
    StringList,
)

Requirement = Annotated[
    Literal["Redeploy", "Restart", "None"],
    Spellings((("Redeploy", ("redeploy",)), ("Restart", ("restart",)), ("None", ("none",)))),
]


class AdditionalEnvFile(KomodoModel):
    """An env file passed to compose; a tracked one is read into Komodo's database, so never track a secret one."""

    path: str
    track: bool = True


class StackFileDependency(KomodoModel):
    """A config file beside the compose files, and what a change of it needs."""

    path: str
    services: Annotated[StringList, Alias(("service",))] = Field(default_factory=list[str])
    requires: Annotated[Requirement, Alias(("req",))] = "None"


class StackConfig(KomodoModel):
    """Every field of a Stack with the default of Komodo 2.3.2, in Komodo's order."""

    swarm_id: Annotated[str, Reference("Swarm", alias="swarm")] = ""
    server_id: Annotated[str, Reference("Server", alias="server")] = ""
    links: StringList = Field(default_factory=list[str])
    project_name: str = ""
    auto_pull: bool = True
    run_build: bool = False
    poll_for_updates: bool = False
    auto_update: bool = False
    auto_update_all_services: bool = False
    auto_update_skip_services: StringList = Field(default_factory=list[str])
    destroy_before_deploy: bool = False
    skip_secret_interp: bool = False
    linked_repo: Annotated[str, Reference("Repo")] = ""
    git_provider: str = "github.com"
    git_https: bool = True
    git_account: str = ""
    repo: str = ""
    branch: str = "main"
    commit: str = ""
    clone_path: str = ""
    reclone: bool = False
    webhook_enabled: bool = True
    webhook_secret: SensitiveText = ""
    webhook_force_deploy: bool = False
    files_on_host: bool = False
    run_directory: str = ""
    file_paths: StringList = Field(default_factory=list[str])
    env_file_path: str = ".env"
    additional_env_files: list[Annotated[AdditionalEnvFile, OrPath()]] = Field(default_factory=list[AdditionalEnvFile])
    config_files: list[Annotated[StackFileDependency, OrPath()]] = Field(default_factory=list[StackFileDependency])
    send_alerts: bool = True
    registry_provider: str = ""
    registry_account: str = ""
    pre_deploy: SystemCommand = SystemCommand()
    post_deploy: SystemCommand = SystemCommand()
    extra_args: StringList = Field(default_factory=list[str])
    build_extra_args: StringList = Field(default_factory=list[str])
    compose_cmd_wrapper: str = ""
    compose_cmd_wrapper_include: StringList = Field(default_factory=list[str])
    ignore_services: StringList = Field(default_factory=list[str])
    file_contents: FileText = ""
    environment: EnvironmentText = ""
