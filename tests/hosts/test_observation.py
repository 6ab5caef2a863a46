"""All probes of a host run in one script, and none of them can spoil what another found."""

import subprocess

import pytest

from homeops.hosts.observation import UNKNOWN, drift, observe, probe_script, read
from homeops.hosts.provider import ObservationProvider
from homeops.hosts.reach import HostError
from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text
from homeops.komodo import session
from tests.sshd import Sshd


def probing(name: str, probe: str, **wanted: str) -> Requirement:
    return Requirement(name, "a test", wanted, probe, "true")


def printed(*requirements: Requirement) -> str:
    command = ["sh", "-c", probe_script(requirements)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout


SPOILERS = {
    "exits": "exit 3",
    "fails": "false",
    "is no shell text": "if then (",
    "quotes": "echo \"it's\" '\\'",
    "ends without a line's end": "printf a=1",
    "reads all input": "cat",
    "redirects": "exec >/dev/null",
    "kills itself": "kill -9 $$",
}


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_a_probe_takes_no_other_with_it(spoiler: str) -> None:
    first, last = probing("first", "echo a=b=c"), probing("last", "echo 'd= e'")
    found = read(printed(first, probing("spoiler", SPOILERS[spoiler]), last))
    assert (found["first"], found["last"]) == ({"a": "b=c"}, {"d": " e"})


def test_what_a_login_prints_is_no_fact() -> None:
    assert read("greeting=hello\n" + printed(probing("one", "echo a=1"))) == {"one": {"a": "1"}}


def test_a_text_that_breaks_off_is_no_observation() -> None:
    text = printed(probing("one", "echo a=1"))
    with pytest.raises(ValueError, match="end"):
        read(text[: text.index("a=1") + 3])


def test_a_fact_that_is_not_printed_is_unknown_and_drift() -> None:
    one = probing("one", "false", a="1")
    assert drift(one, {}) == {"a": ("1", UNKNOWN)}
    assert drift(one, {"a": "1", "more": "2"}) == {}


def test_all_probes_take_one_connection(sshd: Sshd) -> None:
    sshd.sudo()
    items = [probing(f"number {number}", f"echo a={number}", a="0", b="1") for number in range(20)]
    found = observe(sshd.reach(), items)
    assert found == {f"number {number}": {"a": str(number), "b": UNKNOWN} for number in range(20)}
    assert sshd.log.count("Accepted publickey") == 1


def test_probes_that_do_not_come_to_their_end_are_told(sshd: Sshd) -> None:
    sshd.sudo()
    with pytest.raises(HostError, match=r"^one: the probes did not come to their end: gone"):
        observe(sshd.reach(), [probing("one", "echo gone >&2; kill -9 $PPID", a="1")])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(session, "tell", said.append)
    return said


def leaving(sshd: Sshd) -> dict[str, object]:
    """What is recorded of a host that leaves."""
    reach = sshd.reach()
    known = {"address": reach.address, "port": reach.port, "user": reach.user, "knownHosts": str(reach.known_hosts)}
    return {"host": "one", **known, "timeout": 5, "parting": {"files": apply_text("files", "say 'a removed'\n")}}


def test_a_host_that_leaves_the_fleet_is_taken_leave_of(sshd: Sshd, told: list[str]) -> None:
    sshd.sudo()
    ObservationProvider().delete("one", leaving(sshd))
    assert told == ["one: files: a removed"]


def test_a_dead_host_leaves_the_fleet_all_the_same(sshd: Sshd, told: list[str]) -> None:
    sshd.stop()
    ObservationProvider().delete("one", leaving(sshd))
    (line,) = told
    assert line.startswith("warning: one: unreachable over SSH at 127.0.0.1")
    assert line.endswith("\n  files: what is left there stays")
