"""Turns: how many stacks of a host are deployed at once, and never two whose files are one checkout.

Stacks that share a Repo share its checkout on their host, and Komodo pulls it for each of them at the same time
(moghtech/komodo #152, #769).
"""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition


class Queue:
    """Who deploys on which host; safe to share between threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._hosts: Counter[str] = Counter()
        self._checkouts: set[tuple[str, str]] = set()

    @contextmanager
    def turn(self, host: str, at_once: int, checkout: str = "") -> Generator[None]:
        """Wait for a turn on a host where ``at_once`` may deploy; ``checkout``: the Repo that has the files."""
        shared = (host, checkout)
        with self._changed:
            self._changed.wait_for(lambda: self._hosts[host] < at_once and not (checkout and shared in self._checkouts))
            self._hosts[host] += 1
            self._checkouts.add(shared)
        try:
            yield
        finally:
            with self._changed:
                self._hosts[host] -= 1
                self._checkouts.discard(shared)
                self._changed.notify_all()


QUEUE = Queue()
"""That of this process: one Pulumi run deploys from one process."""
