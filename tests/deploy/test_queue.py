"""Turns on a host."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import sleep

import pytest

from homeops.deploy.queue import Queue


class Crowd:
    """Counts how many are inside at once, by whatever they share."""

    def __init__(self) -> None:
        self.queue, self._lock = Queue(), Lock()
        self.inside: dict[str, int] = {}
        self.most: dict[str, int] = {}

    def deploy(self, host: str, at_once: int, checkout: str = "") -> None:
        with self.queue.turn(host, at_once, checkout):
            for key in filter(None, (host, checkout, "all")):
                self._count(key, 1)
            sleep(0.02)
            for key in filter(None, (host, checkout, "all")):
                self._count(key, -1)

    def _count(self, key: str, change: int) -> None:
        with self._lock:
            self.inside[key] = self.inside.get(key, 0) + change
            self.most[key] = max(self.most.get(key, 0), self.inside[key])


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_of_a_host_at_once_and_hosts_side_by_side(at_once: int) -> None:
    crowd = Crowd()
    with ThreadPoolExecutor(12) as pool:
        for number in range(12):
            pool.submit(crowd.deploy, f"host-{number % 3}", at_once)
    assert [crowd.most[f"host-{number}"] for number in range(3)] == [at_once] * 3
    assert crowd.most["all"] == 3 * at_once


def test_never_two_of_one_checkout() -> None:
    crowd = Crowd()
    with ThreadPoolExecutor(6) as pool:
        for number in range(6):
            pool.submit(crowd.deploy, "host", 6, "shared" if number % 2 else "")
    assert crowd.most["shared"] == 1
    assert crowd.most["host"] > 1


def test_a_failure_gives_the_turn_back() -> None:
    queue = Queue()
    for _ in range(3):
        with pytest.raises(ValueError), queue.turn("host", 1, "shared"):  # noqa: PT011  # any error will do
            raise ValueError
    with queue.turn("host", 1, "shared"):
        pass
