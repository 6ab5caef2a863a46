"""What Core saw of a machine a moment ago, and the looks that are under way. Nobody is kept waiting by one that hangs.

A request is answered while the state is locked. So one that can be answered anew, a read, does not wait for a look
here: it is told to come again (StillLooking), and waits where nothing is locked. Others wait, unless the machine is
known to hang. Whoever locks nothing, an execution at work, waits in any case.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from homeops.lab.core.agents import AgentFailure, AgentGone

FRESH_SECONDS = 1.0
"""For so long Core takes what it saw on a machine for what is there."""

PATIENCE_SECONDS = 8.0
"""A machine that says nothing for so long is not there."""

T = TypeVar("T")


class StillLooking(Exception):  # noqa: N818 - not an error of the simulator
    """A read cannot be answered yet; ``still`` says whether that is so."""

    def __init__(self, still: Callable[[], bool]) -> None:
        super().__init__("a machine is being looked at")
        self.still = still


@dataclass
class _Look:
    """One that was begun; ``seen`` holds what came of it, once it is over."""

    began: float = field(default_factory=time.monotonic)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def pending(self) -> bool:
        """Whether its answer may still come in time."""
        return not self.over.is_set() and self.left > 0

    @property
    def left(self) -> float:
        """Seconds that it may still take."""
        return self.began + PATIENCE_SECONDS - time.monotonic()


@dataclass(frozen=True, slots=True)
class _Answering:
    """The request that a thread answers with the state locked; ``began``: when that was tried for the first time."""

    again: bool
    began: float

    def waits_for(self, look: _Look) -> bool:
        """Whether a look is worth to be waited for."""
        return look.pending and time.monotonic() < self.began + PATIENCE_SECONDS


_here = threading.local()


@contextmanager
def answering(*, again: bool, began: float) -> Generator[None]:
    """For as long as the state is locked to answer a request; ``again``: whether it can be answered anew."""
    before: _Answering | None = getattr(_here, "answering", None)
    _here.answering = _Answering(again, began)
    try:
        yield
    finally:
        _here.answering = before


@dataclass
class _Seen:
    """What was seen: when the look was over, and whether the machine answered at all."""

    at: float
    what: Any
    answered: bool


@dataclass
class Looks:
    """The looks at one machine; ``ask`` makes one, and raises AgentGone or AgentFailure where nothing is seen."""

    ask: Callable[[str], Any]
    _seen: dict[str, _Seen] = field(default_factory=dict[str, _Seen])
    _under_way: dict[str, _Look] = field(default_factory=dict[str, _Look])
    _hangs: bool = False
    _changes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: str, nothing: T) -> T:
        """What is there now; ``nothing`` where the machine does not answer."""
        now: _Answering | None = getattr(_here, "answering", None)
        while True:
            found = self._fresh(request, now.began if now else None)
            if found is not None:
                return found.what if found.answered else nothing
            look = self._begun(request)
            if now is not None and self._hangs:
                return nothing
            if now is not None and now.again and now.waits_for(look):
                raise StillLooking(lambda look=look, now=now: now.waits_for(look))
            if not look.over.wait(max(look.left, 0)):
                self._hangs = True
                return nothing

    def forget(self) -> None:
        """What was seen, or is being looked at, is from before a change."""
        with self._lock:
            self._changes += 1
            self._seen.clear()
            self._under_way.clear()

    def _fresh(self, request: str, began: float | None) -> _Seen | None:
        """What was seen a moment ago, or since the request began that asks for it: another try is no reason to look."""
        seen = self._seen.get(request)
        since = time.monotonic() - FRESH_SECONDS
        return seen if seen is not None and seen.at >= (since if began is None else min(since, began)) else None

    def _begun(self, request: str) -> _Look:
        """The look that is under way, or a new one."""
        with self._lock:
            look = self._under_way.get(request)
            if look is None:
                look = self._under_way[request] = _Look()
                threading.Thread(target=self._look, args=(request, look, self._changes), daemon=True).start()
            return look

    def _look(self, request: str, look: _Look, changes: int) -> None:
        try:
            found = _Seen(0.0, self.ask(request), answered=True)
        except (AgentGone, AgentFailure):
            found = _Seen(0.0, None, answered=False)
        with self._lock:
            self._hangs = not found.answered and not look.pending
            # What was seen while something changed may be what was there before.
            if changes == self._changes:
                found.at = time.monotonic()
                self._seen[request] = found
                del self._under_way[request]
        look.over.set()
