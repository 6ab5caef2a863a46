"""Signals that end a container (client/core/rs/src/entities/mod.rs, TerminationSignal)."""

from typing import Annotated, Literal

from homeops.model.fields import Spellings

TerminationSignal = Annotated[
    Literal["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"],
    Spellings((("SIGHUP", ("1",)), ("SIGINT", ("2",)), ("SIGQUIT", ("3",)), ("SIGTERM", ("15",)))),
]
"""A signal by name; Komodo also takes its number as a text."""
