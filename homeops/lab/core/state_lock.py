"""The lock that guards what a Core holds; whoever has it can let others go ahead while a host works."""

import threading
from collections.abc import Generator
from contextlib import contextmanager


class StateLock:
    """A lock that its owner may take again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._owner = 0
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._owner = threading.get_ident()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._owner = self._owner if self._depth else 0
        self._lock.release()

    @contextmanager
    def released(self) -> Generator[None]:
        """Let others have it meanwhile, however often its owner took it; nothing for whoever does not have it."""
        depth = self._depth if self._owner == threading.get_ident() else 0
        for _ in range(depth):
            self.__exit__()
        try:
            yield
        finally:
            for _ in range(depth):
                self.__enter__()
