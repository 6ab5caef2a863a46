"""Configuration of an Alerter: where alerts are sent (client/core/rs/src/entities/alerter.rs)."""

from typing import Annotated, Literal

from pydantic import Field

from homeops.model.config.maintenance import MaintenanceWindow
from homeops.model.fields import KomodoModel, SensitiveText

AlertType = Literal[
    "None",
    "Test",
    "SwarmUnhealthy",
    "ServerUnreachable",
    "ServerCpu",
    "ServerMem",
    "ServerDisk",
    "ServerVersionMismatch",
    "ContainerStateChange",
    "DeploymentImageUpdateAvailable",
    "DeploymentAutoUpdated",
    "StackStateChange",
    "StackImageUpdateAvailable",
    "StackAutoUpdated",
    "AwsBuilderTerminationFailed",
    "ResourceSyncPendingUpdates",
    "BuildFailed",
    "RepoBuildFailed",
    "ProcedureFailed",
    "ActionFailed",
    "ScheduleRun",
    "Custom",
]

TargetType = Literal[
    "System",
    "Swarm",
    "Server",
    "Stack",
    "Deployment",
    "Build",
    "Repo",
    "Procedure",
    "Action",
    "Builder",
    "Alerter",
    "ResourceSync",
]


class ResourceTarget(KomodoModel):
    """A resource by kind, declared by its name. Core takes ids alone here: it stores what it is sent, names too."""

    type: TargetType
    id: str


class CustomEndpoint(KomodoModel):
    """An HTTP endpoint that takes Komodo's alerts as JSON."""

    url: str = "http://localhost:7000"


class SlackEndpoint(KomodoModel):
    """A Slack webhook."""

    url: SensitiveText = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"


class DiscordEndpoint(KomodoModel):
    """A Discord webhook."""

    url: SensitiveText = "https://discord.com/api/webhooks/XXXXXXXXXXXX/XXXX-XXXXXXXXXX"


class NtfyEndpoint(KomodoModel):
    """An ntfy topic, with the address it mails to."""

    url: SensitiveText = "http://localhost:8080/komodo"
    email: str | None = None


class PushoverEndpoint(KomodoModel):
    """A Pushover message URL."""

    url: SensitiveText = "https://api.pushover.net/1/messages.json?token=XXXXXXXXXXXXX&user=XXXXXXXXXXXXX"


class CustomAlerter(KomodoModel):
    """``{"type": "Custom"}``."""

    type: Literal["Custom"] = "Custom"
    params: CustomEndpoint = CustomEndpoint()


class SlackAlerter(KomodoModel):
    """``{"type": "Slack"}``."""

    type: Literal["Slack"] = "Slack"
    params: SlackEndpoint = SlackEndpoint()


class DiscordAlerter(KomodoModel):
    """``{"type": "Discord"}``."""

    type: Literal["Discord"] = "Discord"
    params: DiscordEndpoint = DiscordEndpoint()


class NtfyAlerter(KomodoModel):
    """``{"type": "Ntfy"}``."""

    type: Literal["Ntfy"] = "Ntfy"
    params: NtfyEndpoint = NtfyEndpoint()


class PushoverAlerter(KomodoModel):
    """``{"type": "Pushover"}``."""

    type: Literal["Pushover"] = "Pushover"
    params: PushoverEndpoint = PushoverEndpoint()


AlerterEndpoint = CustomAlerter | SlackAlerter | DiscordAlerter | NtfyAlerter | PushoverAlerter


class AlerterConfig(KomodoModel):
    """Every field of an Alerter with the default of Komodo 2.3.2, in Komodo's order."""

    enabled: bool = False
    endpoint: Annotated[AlerterEndpoint, Field(discriminator="type")] = CustomAlerter()
    alert_types: list[AlertType] = Field(default_factory=list[AlertType])
    resources: list[ResourceTarget] = Field(default_factory=list[ResourceTarget])
    except_resources: list[ResourceTarget] = Field(default_factory=list[ResourceTarget])
    maintenance_windows: list[MaintenanceWindow] = Field(default_factory=list[MaintenanceWindow])
