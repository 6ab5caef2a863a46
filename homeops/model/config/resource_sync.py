"""Configuration of a ResourceSync: declarations in TOML that Core applies (entities/sync.rs)."""

from typing import Annotated

from pydantic import Field

from homeops.model.fields import FileText, KomodoModel, Reference, SensitiveText, StringList


class ResourceSyncConfig(KomodoModel):
    """Every field of a ResourceSync with the default of Komodo 2.3.2, in Komodo's order."""

    linked_repo: Annotated[str, Reference("Repo")] = ""
    git_provider: str = "github.com"
    git_https: bool = True
    repo: str = ""
    branch: str = "main"
    commit: str = ""
    git_account: str = ""
    webhook_enabled: bool = True
    webhook_secret: SensitiveText = ""
    files_on_host: bool = False
    resource_path: StringList = Field(default_factory=list[str])
    managed: bool = False
    delete: bool = False
    include_resources: bool = True
    match_tags: StringList = Field(default_factory=list[str])
    include_variables: bool = False
    include_user_groups: bool = False
    pending_alert: bool = True
    file_contents: FileText = ""
