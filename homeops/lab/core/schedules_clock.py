"""The clock that starts what is scheduled (schedule.rs)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homeops.lab.core.procedures import run_scheduled
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.schedules import next_run

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@dataclass
class ScheduleClock:
    """Knows when what is due. ``tick`` is to be called every second."""

    core: "Core"
    due: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def tick(self) -> None:
        """Start what has become due since the last tick."""
        now = self.core.clock.now() * 1000
        wanted = _due(self.core)
        for key, at in self.due.items():
            if at <= now and key in wanted:
                self._start(*key)
        self.due = {key: at for key, at in wanted.items() if at > now}

    def _start(self, kind: str, identity: str) -> None:
        try:
            run_scheduled(self.core, kind, identity)
        except Refusal:
            # It was deleted since.
            return


def _due(core: "Core") -> dict[tuple[str, str], int]:
    with core.state.lock:
        found = {
            (kind, identity): next_run(core, document)[0]
            for kind in ("Procedure", "Action")
            for identity, document in core.state.resources[kind].items()
        }
    return {key: at for key, at in found.items() if at is not None}
