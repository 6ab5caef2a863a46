"""Maintenance windows, in which Core sends no alerts (client/core/rs/src/entities/maintenance.rs)."""

from typing import Literal

from homeops.model.fields import U8, U32, KomodoModel


class MaintenanceWindow(KomodoModel):
    """A recurring or single time span; ``hour`` and ``minute`` are its start in ``timezone`` (empty: Core's own)."""

    name: str
    description: str = ""
    schedule_type: Literal["Daily", "Weekly", "OneTime"] = "Daily"
    day_of_week: str = ""
    date: str = ""
    hour: U8 = 0
    minute: U8 = 0
    duration_minutes: U32
    timezone: str = ""
    enabled: bool = True
