"""Configuration of a Procedure: stages of executions, on a schedule or by hand (entities/procedure.rs)."""

from typing import Annotated, Literal

from pydantic import Field

from homeops.model.config.execution import AnyExecution
from homeops.model.fields import Alias, KomodoModel, SensitiveText


class EnabledExecution(KomodoModel):
    """An execution of a stage, and whether it runs."""

    execution: AnyExecution
    enabled: bool = True


class ProcedureStage(KomodoModel):
    """Executions that run at the same time; the next stage starts when all of them succeeded."""

    name: str
    enabled: bool = True
    executions: Annotated[list[EnabledExecution], Alias(("execution",))] = Field(default_factory=list[EnabledExecution])


class ProcedureConfig(KomodoModel):
    """Every field of a Procedure with the default of Komodo 2.3.2, in Komodo's order."""

    stages: Annotated[list[ProcedureStage], Alias(("stage",))] = Field(default_factory=list[ProcedureStage])
    schedule_format: Literal["English", "Cron"] = "English"
    schedule: str = ""
    schedule_enabled: bool = True
    schedule_timezone: str = ""
    schedule_alert: bool = True
    failure_alert: bool = True
    webhook_enabled: bool = True
    webhook_secret: SensitiveText = ""
