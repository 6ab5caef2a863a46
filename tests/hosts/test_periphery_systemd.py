"""Periphery as a service, on a machine with systemd."""

from collections.abc import Generator

import pytest

from homeops.hosts.requirement import Requirement
from homeops.model.host import Host, SystemdPeriphery
from tests.hosts.periphery_stand_in import HOST, LEFT_ALONE, a_site, periphery_machine, required, sha256, stand_in
from tests.hosts.script_machine import Machine

HOST_OF_SYSTEMD = Host(HOST, periphery=SystemdPeriphery(path="/etc/komodo/periphery.config.toml"))
BINARY = "/usr/local/bin/periphery"
RELEASES = "http://127.0.0.1:9000"


@pytest.fixture(scope="module")
def empty() -> Generator[Machine]:
    with periphery_machine() as machine:
        machine.sh("mkdir -p /srv; systemd-run --quiet python3 -m http.server --bind 127.0.0.1 --directory /srv 9000")
        machine.sh("until curl -s -o /dev/null http://127.0.0.1:9000; do sleep 0.1; done")
        yield machine


def released(machine: Machine, version: str, text: str) -> None:
    machine.sh(f"mkdir -p /srv/v{version}")
    machine.put(f"/srv/v{version}/periphery-{machine.sh('uname -m')}", text)


def wants(version: str, checksum: str | None, *, hopeless: bool = False) -> Requirement:
    return required(HOST_OF_SYSTEMD, a_site(version, peripherySha256=checksum), binaries=RELEASES, hopeless=hopeless)


def pid(machine: Machine) -> str:
    return machine.sh("systemctl show --property MainPID --value periphery.service")


ONE = stand_in("1.0.0")
FIRST = wants("1.0.0", sha256(ONE))


def facts(machine: Machine, requirement: Requirement) -> dict[str, str]:
    return machine.run(requirement.probe).facts


@pytest.fixture
def machine(empty: Machine) -> Machine:
    """The machine with version 1.0.0 running."""
    released(empty, "1.0.0", ONE)
    assert empty.run(FIRST.apply).code == 0
    assert empty.drift(FIRST) == {}
    return empty


def test_a_bare_host_gets_the_agent(empty: Machine) -> None:
    empty.sh(f"systemctl disable --quiet --now periphery 2>/dev/null || true; rm -rf {BINARY}* /etc/komodo")
    empty.sh("rm -f /etc/systemd/system/periphery.service*; systemctl daemon-reload")
    released(empty, "1.0.0", ONE)
    assert set(facts(empty, FIRST).values()) == {"missing", "stopped", "no"}
    assert "periphery: periphery 1.0.0 runs and answers" in empty.settles(FIRST)
    assert facts(empty, FIRST)["answered_version"] == "1.0.0"
    assert empty.sh("stat -c '%a %U:%G' /usr/local/bin/periphery") == "755 root:root"
    assert 'core_public_keys = ["MCowBQYDK2VuAyEA"]' in empty.sh("cat /etc/komodo/periphery.config.toml")


def test_what_is_right_is_not_restarted(machine: Machine) -> None:
    before = pid(machine)
    assert machine.run(FIRST.apply).lines == ["periphery: nothing to change"]
    assert pid(machine) == before


def test_a_new_version_takes_the_place_of_the_old_one_which_is_kept(machine: Machine) -> None:
    two = stand_in("2.0.0")
    released(machine, "2.0.0", two)
    wanted = wants("2.0.0", sha256(two))
    assert facts(machine, wanted)["version"] == "1.0.0"
    assert "periphery: periphery 2.0.0 runs and answers" in machine.settles(wanted)
    assert machine.sh(f"{BINARY}.previous --version") == "periphery 1.0.0"


def left_alone(machine: Machine, wanted: Requirement) -> str:
    before = pid(machine)
    said = machine.run(wanted.apply).failure
    assert pid(machine) == before
    assert machine.drift(FIRST) == {}
    assert machine.sh("ls /usr/local/bin | grep new || true") == ""
    return said


def test_a_wrong_checksum_leaves_the_agent_alone(machine: Machine) -> None:
    released(machine, "2.0.0", stand_in("2.0.0"))
    said = left_alone(machine, wants("2.0.0", "0" * 64))
    assert said.startswith(f"periphery: wrong checksum; {LEFT_ALONE}: {RELEASES}/v2.0.0/periphery-")


def test_a_binary_of_another_version_leaves_the_agent_alone(machine: Machine) -> None:
    other = stand_in("1.9.9")
    released(machine, "2.0.0", other)
    said = left_alone(machine, wants("2.0.0", sha256(other)))
    assert said.startswith(f"periphery: wrong version; {LEFT_ALONE}")
    assert "1.9.9" in said
    assert "not 2.0.0" in said


def test_a_binary_for_another_processor_leaves_the_agent_alone(machine: Machine) -> None:
    released(machine, "2.0.0", "\x7fELF nothing that runs")
    said = left_alone(machine, wants("2.0.0", sha256("\x7fELF nothing that runs")))
    assert said.startswith(f"periphery: wrong version; {LEFT_ALONE}")


def test_a_download_that_fails_leaves_the_agent_alone(machine: Machine) -> None:
    said = left_alone(machine, wants("3.0.0", "0" * 64))
    assert said.startswith(f"periphery: cannot download {RELEASES}/v3.0.0/periphery-")
    assert LEFT_ALONE in said


def test_an_agent_that_does_not_answer_gives_its_place_back(machine: Machine) -> None:
    silent = stand_in("2.0.0", answers=False)
    released(machine, "2.0.0", silent)
    said = machine.run(wants("2.0.0", sha256(silent), hopeless=True).apply).failure
    assert "does not answer within 6 s (its last word: I do not feel like it); the previous agent is back" in said
    assert machine.drift(FIRST) == {}


def test_what_was_changed_by_hand_is_found_and_put_right(machine: Machine) -> None:
    machine.sh("echo 'port = 1' >>/etc/komodo/periphery.config.toml; systemctl disable --quiet --now periphery")
    assert machine.drift(FIRST).keys() == {"config", "enabled", "service", "answers"}
    machine.settles(FIRST)


def test_an_agent_that_was_started_before_its_binary_was_changed_is_restarted(machine: Machine) -> None:
    machine.sh(f"touch -d '+2 seconds' {BINARY}; sleep 2.1")
    assert facts(machine, FIRST)["service"] == "outdated"
    before = pid(machine)
    machine.settles(FIRST)
    assert pid(machine) != before


def test_without_a_checksum_the_version_is_only_shown(machine: Machine) -> None:
    wanted = wants("2.0.0", None)
    assert machine.run(wanted.apply).lines == ["periphery: nothing to change"]
    assert wanted.reported["version"] == "2.0.0"
    assert facts(machine, wanted)["version"] == "1.0.0"
