"""Scripts on a machine that systemd runs: AppArmor hidden from Docker, Docker started, the clock kept."""

from collections.abc import Generator

import pytest

from homeops.hosts.apparmor import apparmor_mask
from homeops.hosts.docker_engine import docker_engine
from homeops.hosts.time_sync import time_sync
from homeops.model.host import ApparmorMask
from tests.example_site import example_versions
from tests.hosts.script_machine import Machine, machine

MASK = apparmor_mask(ApparmorMask(reason="an LXC container cannot read AppArmor's profiles"))
ENGINE = docker_engine(example_versions())
UNIT = "/etc/systemd/system/mask-apparmor.service"
NEW = {"unit": "missing", "enabled": "missing", "active": "inactive"}


@pytest.fixture(scope="module")
def debian() -> Generator[Machine]:
    with machine(systemd=True) as made:
        _booted(made)
        yield made


def _booted(made: Machine) -> None:
    # Degraded is an end, too, and one with which systemctl fails.
    settled = "systemctl is-system-running --wait | grep -qx -e running -e degraded"
    made.sh(f"timeout 50 sh -c 'until {settled}; do sleep 0.2; done' || true")
    assert made.sh("systemctl is-system-running || true") in ("running", "degraded")


@pytest.fixture
def unmasked(debian: Machine) -> Machine:
    assert debian.run(MASK.undo).code == 0
    return debian


def _masked_before_docker(debian: Machine) -> bool:
    return "mask-apparmor.service" in debian.sh("systemctl show -p After --value docker.service").split()


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_apparmor_is_hidden_before_docker_starts(unmasked: Machine, user: str) -> None:
    assert NEW.items() <= unmasked.drift(MASK, user).items()
    assert unmasked.settles(MASK, user)[:3] == [
        f"apparmor-mask: {UNIT} written",
        "apparmor-mask: mask-apparmor.service enabled",
        "apparmor-mask: mask-apparmor.service started",
    ]
    assert _masked_before_docker(unmasked)
    assert unmasked.sh("ls -A /sys/kernel/security") == ""
    assert unmasked.sh("findmnt -n -o FSTYPE /sys/kernel/security | tail -n 1") == "tmpfs"


@pytest.mark.parametrize(
    ("harm", "drift", "repairs"),
    [
        ("umount /sys/kernel/security", {"mounted"}, ["mask-apparmor.service started"]),
        ("systemctl disable mask-apparmor.service", {"enabled"}, ["mask-apparmor.service enabled"]),
        ("systemctl stop mask-apparmor.service", {"active", "mounted"}, ["mask-apparmor.service started"]),
        (f"sed -i /Before=/d {UNIT}", {"unit"}, [f"{UNIT} written"]),
        (f"chmod 666 {UNIT}", {"unit"}, [f"{UNIT} is root's, mode 644"]),
    ],
)
def test_a_mask_that_was_touched_is_named_and_that_alone_is_repaired(
    debian: Machine, harm: str, drift: set[str], repairs: list[str]
) -> None:
    assert debian.run(MASK.apply).code == 0
    debian.sh(harm)
    assert debian.drift(MASK).keys() == drift
    said = [line for line in debian.settles(MASK) if "docker" not in line.lower()]
    assert said == [f"apparmor-mask: {repair}" for repair in repairs]
    assert _masked_before_docker(debian)
    assert debian.sh("grep -c ' /sys/kernel/security tmpfs ' /proc/mounts") == "1"


def test_after_a_restart_of_the_machine_all_is_as_it_was(debian: Machine) -> None:
    for required in (ENGINE, MASK):
        assert debian.run(required.apply).code == 0
    debian.restart()
    _booted(debian)
    for required in (ENGINE, MASK):
        assert debian.drift(required) == {}
    began = "systemctl show --value -p ActiveEnterTimestampMonotonic mask-apparmor.service docker.service | grep ."
    mask, docker = map(int, debian.sh(began).split())
    assert mask < docker


def test_the_mask_is_taken_back(debian: Machine) -> None:
    assert debian.run(MASK.apply).code == 0
    assert debian.run(MASK.undo, "deploy").code == 0
    assert NEW.items() <= debian.drift(MASK).items()
    assert debian.run(MASK.undo).lines == ["apparmor-mask: nothing to change"]


def test_a_mask_that_cannot_be_mounted_says_where_to_look(unmasked: Machine) -> None:
    quirk = ApparmorMask(reason="for a test", unit="mask-nothing.service", mount="/sys/kernel/not-there")
    told = unmasked.run(apparmor_mask(quirk).apply).failure
    assert told.startswith("apparmor-mask: cannot start mask-nothing.service (see: journalctl -u mask-nothing.service)")
    assert unmasked.run(apparmor_mask(quirk).undo).code == 0


def test_docker_is_started_and_restarted_only_where_no_container_runs(unmasked: Machine) -> None:
    unmasked.sh("systemctl stop docker.socket docker.service")
    assert unmasked.drift(ENGINE, "deploy") == {"running": "no"}
    assert unmasked.settles(ENGINE, "deploy") == ["docker: docker.service started"]
    started = unmasked.sh("systemctl show -p MainPID docker.service")
    assert unmasked.settles(MASK)[-1] == "apparmor-mask: docker.service restarted; no container ran"
    again = unmasked.sh("systemctl show -p MainPID docker.service")
    assert again != started
    unmasked.put("/usr/local/sbin/docker", "#!/bin/sh\necho 0123456789ab\n", "755")
    unmasked.sh("umount /sys/kernel/security")
    said = unmasked.run(MASK.apply).lines[-1]
    unmasked.sh("rm /usr/local/sbin/docker")
    assert said == "apparmor-mask: containers run: Docker takes notice when it is restarted (systemctl restart docker)"
    assert unmasked.sh("systemctl show -p MainPID docker.service") == again


def test_a_docker_that_does_not_start_says_where_to_look(debian: Machine) -> None:
    debian.sh("systemctl stop docker.socket docker.service; mkdir -p /etc/docker; echo '{' >/etc/docker/daemon.json")
    try:
        assert debian.run(ENGINE.apply).failure.startswith(
            "docker: cannot start docker.service (see: journalctl -u docker): "
        )
    finally:
        debian.sh("rm /etc/docker/daemon.json; systemctl reset-failed docker.service docker.socket || true")


@pytest.fixture
def metal(debian: Machine) -> Generator[Machine]:
    """A machine that takes itself for one with a clock of its own."""
    debian.put("/usr/local/sbin/systemd-detect-virt", "#!/bin/sh\nexit 1\n", "755")
    yield debian
    debian.sh("systemctl disable --now systemd-timesyncd.service || true")
    debian.sh("rm /usr/local/sbin/systemd-detect-virt; rm -f /etc/systemd/system/*timesyncd.service")
    debian.sh("systemctl daemon-reload")


def test_in_a_container_nothing_is_done_about_the_clock(debian: Machine) -> None:
    assert debian.settles(time_sync(), "deploy") == ["time-sync: nothing to change"]
    assert debian.run(time_sync().probe).facts["clock"] in ("in sync", "not in sync")


def test_a_keeper_of_the_clock_is_started(metal: Machine) -> None:
    metal.sh("rm -f /lib/systemd/system/systemd-timesyncd.service; systemctl daemon-reload")
    assert metal.run(time_sync().apply).failure == (
        "time-sync: there is no chrony, ntpd or systemd-timesyncd: apt-get install systemd-timesyncd"
    )
    metal.put(
        "/etc/systemd/system/systemd-timesyncd.service",
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    )
    metal.sh("systemctl daemon-reload")
    assert metal.drift(time_sync()) == {"kept": "no"}
    assert metal.settles(time_sync(), "deploy") == ["time-sync: systemd-timesyncd started"]


def test_a_keeper_that_dies_at_once_is_told(metal: Machine) -> None:
    metal.put(
        "/etc/systemd/system/systemd-timesyncd.service",
        "[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n",
    )
    metal.sh("systemctl daemon-reload")
    assert metal.run(time_sync().apply).failure.startswith("time-sync: cannot start systemd-timesyncd: ")
