"""Configuration of a Builder: where Builds run (client/core/rs/src/entities/builder.rs)."""

from typing import Annotated, Literal

from pydantic import Field

from homeops.model.fields import I32, KomodoModel, References, SensitiveText, StringList


class ProviderAccount(KomodoModel):
    """An account of a git provider or registry; Core drops its token when it stores it."""

    username: str


class GitProvider(KomodoModel):
    """A git provider that an AWS builder knows."""

    domain: str = "github.com"
    https: bool = True
    accounts: list[ProviderAccount]


class ImageRegistry(KomodoModel):
    """An image registry that an AWS builder knows."""

    domain: str = "docker.io"
    accounts: list[ProviderAccount]
    organizations: list[str] = Field(default_factory=list[str])


class UrlBuilderConfig(KomodoModel):
    """A Periphery reached at an address."""

    address: str = "https://periphery:8120"
    periphery_public_key: str = ""
    insecure_tls: bool = True
    passkey: SensitiveText = ""


class ServerBuilderConfig(KomodoModel):
    """One or several Servers that build."""

    server_ids: Annotated[StringList, References("Server", aliases=("server_id", "server", "servers"))] = Field(
        default_factory=list[str]
    )


class AwsBuilderConfig(KomodoModel):
    """An EC2 instance started for each build."""

    region: str = "us-east-1"
    instance_type: str = "c5.2xlarge"
    volume_gb: I32 = 20
    ami_id: str = ""
    subnet_id: str = ""
    key_pair_name: str = ""
    assign_public_ip: bool = False
    use_public_ip: bool = False
    security_group_ids: StringList = Field(default_factory=list[str])
    user_data: str = ""
    port: I32 = 8120
    use_https: bool = True
    periphery_public_key: str = ""
    insecure_tls: bool = True
    git_providers: list[GitProvider] = Field(default_factory=list[GitProvider])
    image_registries: list[ImageRegistry] = Field(default_factory=list[ImageRegistry])
    secrets: StringList = Field(default_factory=list[str])


class UrlBuilder(KomodoModel):
    """``{"type": "Url"}``, the kind of a Builder that declares none."""

    type: Literal["Url"] = "Url"
    params: UrlBuilderConfig = UrlBuilderConfig()


class ServerBuilder(KomodoModel):
    """``{"type": "Server"}``."""

    type: Literal["Server"] = "Server"
    params: ServerBuilderConfig = ServerBuilderConfig()


class AwsBuilder(KomodoModel):
    """``{"type": "Aws"}``."""

    type: Literal["Aws"] = "Aws"
    params: AwsBuilderConfig = AwsBuilderConfig()


BuilderConfig = Annotated[UrlBuilder | ServerBuilder | AwsBuilder, Field(discriminator="type")]
