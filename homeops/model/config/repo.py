"""Configuration of a Repo: a git checkout on a Server (client/core/rs/src/entities/repo.rs)."""

from typing import Annotated

from pydantic import Field

from homeops.model.config.command import SystemCommand
from homeops.model.fields import EnvironmentText, KomodoModel, Reference, SensitiveText, StringList


class RepoConfig(KomodoModel):
    """Every field of a Repo with the default of Komodo 2.3.2, in Komodo's order."""

    server_id: Annotated[str, Reference("Server", alias="server")] = ""
    builder_id: Annotated[str, Reference("Builder", alias="builder")] = ""
    git_provider: str = "github.com"
    git_https: bool = True
    git_account: str = ""
    repo: str = ""
    branch: str = "main"
    commit: str = ""
    path: str = ""
    webhook_enabled: bool = True
    webhook_secret: SensitiveText = ""
    on_clone: SystemCommand = SystemCommand()
    on_pull: SystemCommand = SystemCommand()
    links: StringList = Field(default_factory=list[str])
    environment: EnvironmentText = ""
    env_file_path: str = ".env"
    skip_secret_interp: bool = False
