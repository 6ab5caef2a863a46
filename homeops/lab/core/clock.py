"""Time in a simulated Core: the machine's own, or one that stands still until it is moved."""

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What a Core needs to know of time; background work waits with ``sleep`` and is counted."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; called from background work only."""
        ...

    def began(self) -> None:
        """A piece of background work is about to start."""
        ...

    def ended(self) -> None:
        """A piece of background work is done."""
        ...


def beside(clock: Clock, work: Callable[[], None]) -> threading.Thread:
    """Do something in the background, counted by the clock."""

    def run() -> None:
        try:
            work()
        finally:
            clock.ended()

    clock.began()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


class SystemClock:
    """The machine's own time, or so many seconds ``ahead`` of it (behind it, when negative)."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead

    def sleep(self, seconds: float) -> None:
        """Wait as long as said."""
        time.sleep(seconds)

    def began(self) -> None:
        """Nothing to count."""

    def ended(self) -> None:
        """Nothing to count."""


class SteppedClock:
    """Time that passes only in ``advance``: background work sleeps until then and runs in the order of its waking.

    A conversation that takes minutes is played in milliseconds, and always in the same order.
    """

    def __init__(self) -> None:
        self._now = time.time()
        self._turn = threading.Condition()
        self._awake = 0
        self._wakings: list[float] = []

    def now(self) -> float:
        """Seconds since 1970, as far as it has been moved."""
        with self._turn:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Wait until time has been moved so far."""
        if seconds <= 0:
            return
        with self._turn:
            waking = self._now + seconds
            self._wakings.append(waking)
            self._awake -= 1
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._now >= waking)
            # ``advance`` counted this worker as awake when it moved time to its waking.

    def began(self) -> None:
        """Count a worker."""
        with self._turn:
            self._awake += 1

    def ended(self) -> None:
        """Count it no more."""
        with self._turn:
            self._awake -= 1
            self._turn.notify_all()

    def settle(self) -> None:
        """Return when all background work sleeps or is done; raises TimeoutError when some does not come to rest."""
        with self._turn:
            if not self._turn.wait_for(lambda: self._awake == 0, timeout=30):
                raise TimeoutError("background work neither sleeps nor ends")

    def advance(self, seconds: float) -> None:
        """Move time, letting everything happen that is due on the way."""
        self.settle()
        with self._turn:
            target = self._now + seconds
        while True:
            with self._turn:
                due = [waking for waking in self._wakings if waking <= target]
                if not due:
                    self._now = max(self._now, target)
                    return
                self._now = max(self._now, min(due))
                woken = [waking for waking in self._wakings if waking <= self._now]
                self._wakings = [waking for waking in self._wakings if waking > self._now]
                self._awake += len(woken)
                self._turn.notify_all()
            self.settle()
