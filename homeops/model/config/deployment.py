"""Configuration of a Deployment: one container (client/core/rs/src/entities/deployment.rs)."""

from typing import Annotated, Literal

from pydantic import Field

from homeops.model.config.signal import TerminationSignal
from homeops.model.config.version import Version
from homeops.model.fields import (
    I32,
    ArgumentList,
    ContainerNameText,
    ConversionText,
    EnvironmentText,
    KomodoModel,
    LabelText,
    Reference,
    SignalText,
)


class ExternalImage(KomodoModel):
    """An image by its reference."""

    image: str = ""


class BuiltImage(KomodoModel):
    """The image of a Build; version 0.0.0 is the newest."""

    build_id: Annotated[str, Reference("Build", alias="build")] = ""
    version: Version = Version()


class ImageSource(KomodoModel):
    """``{"type": "Image"}``: an image from a registry."""

    type: Literal["Image"] = "Image"
    params: ExternalImage = ExternalImage()


class BuildSource(KomodoModel):
    """``{"type": "Build"}``: the image that a Build made."""

    type: Literal["Build"] = "Build"
    params: BuiltImage = BuiltImage()


class DeploymentConfig(KomodoModel):
    """Every field of a Deployment with the default of Komodo 2.3.2, in Komodo's order."""

    swarm_id: Annotated[str, Reference("Swarm", alias="swarm")] = ""
    server_id: Annotated[str, Reference("Server", alias="server")] = ""
    custom_name: ContainerNameText = ""
    image: Annotated[ImageSource | BuildSource, Field(discriminator="type")] = ImageSource()
    image_registry_account: str = ""
    skip_secret_interp: bool = False
    redeploy_on_build: bool = False
    poll_for_updates: bool = False
    auto_update: bool = False
    send_alerts: bool = True
    links: list[str] = Field(default_factory=list[str])
    network: str = "host"
    restart: Literal["no", "on-failure", "always", "unless-stopped"] = "no"
    command: str = ""
    replicas: I32 = 1
    termination_signal: TerminationSignal = "SIGTERM"
    termination_timeout: I32 = 10
    extra_args: ArgumentList = Field(default_factory=list[str])
    term_signal_labels: SignalText = ""
    ports: ConversionText = ""
    volumes: ConversionText = ""
    environment: EnvironmentText = ""
    labels: LabelText = ""
