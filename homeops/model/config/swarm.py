"""Configuration of a Swarm: the manager nodes of a Docker swarm (client/core/rs/src/entities/swarm.rs)."""

from typing import Annotated

from pydantic import Field

from homeops.model.config.maintenance import MaintenanceWindow
from homeops.model.fields import KomodoModel, References, StringList


class SwarmConfig(KomodoModel):
    """Every field of a Swarm with the default of Komodo 2.3.2, in Komodo's order."""

    server_ids: Annotated[list[str], References("Server", aliases=("servers",))] = Field(default_factory=list[str])
    links: StringList = Field(default_factory=list[str])
    send_unhealthy_alerts: bool = True
    maintenance_windows: list[MaintenanceWindow] = Field(default_factory=list[MaintenanceWindow])
