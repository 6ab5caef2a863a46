"""Configuration of an Action: a TypeScript program that Core runs (client/core/rs/src/entities/action.rs)."""

from typing import Literal

from homeops.model.fields import FileText, KomodoModel, SensitiveText


class ActionConfig(KomodoModel):
    """Every field of an Action with the default of Komodo 2.3.2, in Komodo's order.

    ``file_contents``: Core writes a sample script when the field is absent at creation; an empty text stays empty.
    """

    run_at_startup: bool = False
    schedule_format: Literal["English", "Cron"] = "English"
    schedule: str = ""
    schedule_enabled: bool = True
    schedule_timezone: str = ""
    schedule_alert: bool = True
    failure_alert: bool = True
    webhook_enabled: bool = True
    webhook_secret: SensitiveText = ""
    reload_deno_deps: bool = False
    file_contents: FileText = ""
    arguments_format: Literal["key_value", "toml", "yaml", "json"] = "key_value"
    arguments: FileText = ""
