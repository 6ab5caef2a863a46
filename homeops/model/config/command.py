"""A shell command that Periphery runs (client/core/rs/src/entities/mod.rs, SystemCommand)."""

from homeops.model.fields import FileText, KomodoModel


class SystemCommand(KomodoModel):
    """``command`` run in ``path``; without ``shell_mode`` its lines are stripped of comments and joined by ``&&``."""

    path: str = ""
    command: FileText = ""
    shell_mode: bool = False
