"""Configuration of a Server: a machine with a Periphery agent (client/core/rs/src/entities/server.rs)."""

from pydantic import Field

from homeops.model.config.maintenance import MaintenanceWindow
from homeops.model.fields import F32, F64, KomodoModel, SensitiveText, StringList


class ServerConfig(KomodoModel):
    """Every field of a Server with the default of Komodo 2.3.2, in Komodo's order."""

    address: str = ""
    insecure_tls: bool = True
    external_address: str = ""
    region: str = ""
    enabled: bool = False
    auto_rotate_keys: bool = True
    passkey: SensitiveText = ""
    ignore_mounts: StringList = Field(default_factory=list[str])
    auto_prune: bool = True
    links: StringList = Field(default_factory=list[str])
    stats_monitoring: bool = True
    send_unreachable_alerts: bool = True
    send_cpu_alerts: bool = True
    send_mem_alerts: bool = True
    send_disk_alerts: bool = True
    send_version_mismatch_alerts: bool = True
    cpu_warning: F32 = 90.0
    cpu_critical: F32 = 99.0
    mem_warning: F64 = 75.0
    mem_critical: F64 = 95.0
    disk_warning: F64 = 75.0
    disk_critical: F64 = 95.0
    maintenance_windows: list[MaintenanceWindow] = Field(default_factory=list[MaintenanceWindow])
