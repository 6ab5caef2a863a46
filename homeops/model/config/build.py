"""Configuration of a Build: an image made from a Dockerfile (client/core/rs/src/entities/build.rs)."""

from typing import Annotated

from pydantic import Field

from homeops.model.config.command import SystemCommand
from homeops.model.config.version import Version
from homeops.model.fields import (
    ArgumentList,
    EnvironmentText,
    KomodoModel,
    LabelText,
    Reference,
    SensitiveText,
    StringList,
)


class ImageRegistryConfig(KomodoModel):
    """Where the image is pushed: registry, account, and the organization that owns it when it is not the account."""

    domain: str = ""
    account: str = ""
    organization: str = ""


class BuildConfig(KomodoModel):
    """Every field of a Build with the default of Komodo 2.3.2, in Komodo's order."""

    builder_id: Annotated[str, Reference("Builder", alias="builder")] = ""
    version: Version = Version()
    auto_increment_version: bool = True
    image_name: str = ""
    image_tag: str = ""
    include_latest_tag: bool = True
    include_version_tags: bool = True
    include_commit_tag: bool = True
    links: StringList = Field(default_factory=list[str])
    linked_repo: Annotated[str, Reference("Repo")] = ""
    git_provider: str = "github.com"
    git_https: bool = True
    git_account: str = ""
    repo: str = ""
    branch: str = "main"
    commit: str = ""
    webhook_enabled: bool = True
    webhook_secret: SensitiveText = ""
    files_on_host: bool = False
    build_path: str = "."
    dockerfile_path: str = "Dockerfile"
    image_registry: list[ImageRegistryConfig] = Field(default_factory=list[ImageRegistryConfig])
    skip_secret_interp: bool = False
    use_buildx: bool = False
    extra_args: ArgumentList = Field(default_factory=list[str])
    pre_build: SystemCommand = SystemCommand()
    dockerfile: str = ""
    build_args: EnvironmentText = ""
    secret_args: EnvironmentText = ""
    labels: LabelText = ""
