"""What a Core does by the clock: schedules that are due, and the looks of its monitor."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homeops.lab.core.monitor import Monitor
from homeops.lab.core.schedules_clock import ScheduleClock

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@dataclass
class Heartbeat:
    """To be called at least every second; whoever moves a Core's time calls it as well."""

    core: "Core"
    schedules: ScheduleClock = field(init=False)
    monitor: Monitor = field(init=False)
    _life: int = field(init=False)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.schedules, self.monitor = ScheduleClock(self.core), Monitor(self.core)
        self._life = self.core.life

    def beat(self) -> None:
        """Do what is due. A Core that has ended does nothing, and what came due meanwhile is not made up for."""
        if self.core.down:
            return
        if self._life != self.core.life:
            self._begin()
        self.schedules.tick()
        self.monitor.tick()
