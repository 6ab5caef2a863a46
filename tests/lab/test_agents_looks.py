"""A machine that hangs keeps nobody else waiting."""

import threading
import time
from collections.abc import Callable, Generator

import pytest

from homeops.lab.core import agents_looks
from homeops.lab.core.agents import AgentGone
from homeops.lab.core.agents_looks import Looks, StillLooking, answering

Patch = pytest.MonkeyPatch


class Machine:
    """Answers with how often it was asked, while nothing hangs."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()
        self.gone = False

    def __call__(self, request: str) -> str:
        self.asked += 1
        answer = f"{request} {self.asked}"
        self.answers.wait(10)
        if self.gone:
            raise AgentGone
        return answer


@pytest.fixture
def machine(monkeypatch: Patch) -> Generator[Machine]:
    monkeypatch.setattr(agents_looks, "PATIENCE_SECONDS", 0.4)
    monkeypatch.setattr(agents_looks, "FRESH_SECONDS", 0.1)
    made = Machine()
    yield made
    made.answers.set()


def until(look: Callable[[], str], wanted: str) -> None:
    deadline = time.monotonic() + 5
    while look() != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_seen_counts_for_a_moment_and_never_past_a_change(machine: Machine) -> None:
    looks = Looks(machine)
    assert [looks("A", ""), looks("A", ""), looks("B", "")] == ["A 1", "A 1", "B 2"]
    looks.forget()
    assert looks("A", "") == "A 3"
    time.sleep(0.15)
    assert looks("A", "") == "A 4"


def test_a_machine_that_is_gone_shows_nothing_and_is_back_at_once(machine: Machine) -> None:
    looks = Looks(machine)
    machine.gone = True
    assert looks("A", "nothing") == "nothing"
    machine.gone = False
    until(lambda: looks("A", "nothing"), "A 2")


def test_a_read_is_told_to_come_again_and_then_sees_it(machine: Machine) -> None:
    looks, began = Looks(machine), time.monotonic()
    machine.answers.clear()
    with answering(again=True, began=began):
        with pytest.raises(StillLooking) as look:
            looks("A", "")
        assert time.monotonic() - began < 0.2, "nothing waits while the state is locked"
    assert look.value.still()
    machine.answers.set()
    while look.value.still():
        time.sleep(0.01)
    time.sleep(0.15)
    with answering(again=True, began=began):
        assert looks("A", "") == "A 1", "what was looked up for a request counts for all of its tries"


@pytest.mark.parametrize("again", [True, False])
def test_one_that_is_known_to_hang_is_nothing_to_wait_for_until_it_answers(machine: Machine, again: bool) -> None:
    looks = Looks(machine)
    machine.answers.clear()
    assert looks("A", "nothing") == "nothing"
    began = time.monotonic()
    with answering(again=again, began=began):
        assert [looks("A", "nothing"), looks("B", "nothing")] == ["nothing", "nothing"]
    assert time.monotonic() - began < 0.2
    machine.answers.set()

    def read() -> str:
        with answering(again=False, began=time.monotonic()):
            return looks("C", "nothing")

    until(lambda: read()[:1], "C")
