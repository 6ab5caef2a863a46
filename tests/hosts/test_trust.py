"""``homeops hosts trust``: keys are recorded when somebody said so, and one that changed is refused."""

import dataclasses
import io
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from homeops.hosts.known_hosts import HostKey, keys_of, read_known_hosts
from homeops.hosts.reach import HostUnreachable
from homeops.hosts.ssh import run
from homeops.hosts.trust import Trust, scan, trust_of
from tests.hosts.checkout import homeops, new_checkout
from tests.sshd import Sshd

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture
def checkout(root: Path, tmp_path: Path, sshd: Sshd) -> Path:
    """A checkout where nvr is a machine and all other hosts are dead."""
    return new_checkout(root, tmp_path / "checkout", {"nvr": sshd})


def recorded(checkout: Path, sshd: Sshd) -> set[str]:
    return {str(key) for key in keys_of(read_known_hosts(checkout / "known_hosts"), sshd.name)}


def keys(sshd: Sshd) -> set[str]:
    return {sshd.public(kind) for kind in sshd.kinds}


def test_what_is_recorded_is_what_ssh_then_trusts(
    monkeypatch: Patch, capsys: Capture, checkout: Path, sshd: Sshd
) -> None:
    assert homeops(monkeypatch, checkout, "trust", "nvr", "--yes") == 0
    said = capsys.readouterr().out
    for key in scan(sshd.reach()):
        assert f"  {key.kind} {key.fingerprint}  new\n" in said
    assert recorded(checkout, sshd) == keys(sshd)
    reach = dataclasses.replace(sshd.reach("nvr"), known_hosts=checkout / "known_hosts")
    assert run(reach, "echo there").stdout == "there\n"


def test_a_second_time_changes_nothing_and_asks_nothing(monkeypatch: Patch, checkout: Path) -> None:
    assert homeops(monkeypatch, checkout, "trust", "nvr", "--yes") == 0
    before = (checkout / "known_hosts").stat()
    assert homeops(monkeypatch, checkout, "trust", "nvr") == 0
    after = (checkout / "known_hosts").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_nothing_is_recorded_when_nobody_can_say_yes(monkeypatch: Patch, capsys: Capture, checkout: Path) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert homeops(monkeypatch, checkout, "trust", "nvr") == 1
    command = "homeops hosts trust nvr -s test"
    assert f"{command}: nobody is here to say yes\n  hint: {command} --yes" in capsys.readouterr().err
    assert not (checkout / "known_hosts").exists()


def test_a_changed_key_is_refused_with_both_fingerprints_until_it_is_to_be_replaced(
    monkeypatch: Patch, capsys: Capture, checkout: Path, sshd: Sshd
) -> None:
    assert homeops(monkeypatch, checkout, "trust", "nvr", "--yes") == 0
    old = scan(sshd.reach())
    before = recorded(checkout, sshd)
    sshd.stop()
    sshd.new_key("host_ed25519")
    sshd.start()
    capsys.readouterr()

    assert homeops(monkeypatch, checkout, "trust", "nvr", "--yes") == 1
    said = capsys.readouterr()
    for key in (*old, *scan(sshd.reach())):
        assert key.fingerprint in said.err
    assert "nvr: its host key changed\n    recorded: ecdsa-sha2-nistp256 SHA256:" in said.err
    assert said.err.endswith("  hint: only if it was installed anew: homeops hosts trust nvr -s test --replace\n")
    assert recorded(checkout, sshd) == before

    assert homeops(monkeypatch, checkout, "trust", "nvr", "--replace", "--yes") == 0
    assert recorded(checkout, sshd) == keys(sshd)
    assert keys(sshd) != before


def test_a_dead_host_keeps_no_other_from_being_recorded(
    monkeypatch: Patch, capsys: Capture, checkout: Path, sshd: Sshd
) -> None:
    began = time.monotonic()
    assert homeops(monkeypatch, checkout, "trust", "--yes") == 1
    assert time.monotonic() - began < 20
    said = capsys.readouterr()
    assert recorded(checkout, sshd) == keys(sshd)
    for name in ("komodo", "kasm", "omni", "server04", "seaweedfs"):
        assert f"{name}: shows no host key at 127.0.0." in said.err
    assert "nvr: " not in said.err


def test_an_undeclared_host_is_named(monkeypatch: Patch, capsys: Capture, checkout: Path) -> None:
    assert homeops(monkeypatch, checkout, "trust", "nvrr") == 1
    assert capsys.readouterr().err.startswith(
        'host "nvrr": is not declared; did you mean "nvr"?\n  hint: one of komodo,'
    )


def test_two_hosts_with_one_address_are_not_recorded(
    monkeypatch: Patch, capsys: Capture, root: Path, tmp_path: Path, sshd: Sshd
) -> None:
    twins = new_checkout(root, tmp_path / "twins", {"nvr": sshd, "omni": sshd})
    assert homeops(monkeypatch, twins, "trust", "nvr", "omni", "--yes") == 1
    said = capsys.readouterr().err
    assert f'nvr: has the same address for SSH as "omni": 127.0.0.1 port {sshd.port}\n' in said
    assert f'omni: has the same address for SSH as "nvr": 127.0.0.1 port {sshd.port}\n' in said
    assert not (twins / "known_hosts").exists()


def test_hosts_that_show_one_key_are_told(
    monkeypatch: Patch, capsys: Capture, root: Path, tmp_path: Path, new_sshd: Callable[..., Sshd]
) -> None:
    one, other = new_sshd(), new_sshd()
    other.stop()
    (other.place / "host_ed25519").write_text((one.place / "host_ed25519").read_text())
    other.start()
    twins = new_checkout(root, tmp_path / "twins", {"nvr": one, "omni": other})
    assert homeops(monkeypatch, twins, "trust", "nvr", "omni", "--yes") == 0
    assert "warning: omni shows the same key as nvr: one machine, or a copy of it\n" in capsys.readouterr().err


def test_a_kind_that_came_or_went_beside_a_key_that_stayed_is_no_change(new_sshd: Callable[..., Sshd]) -> None:
    sshd = new_sshd(kinds=("ed25519",))
    sshd.new_key("host_ecdsa")
    sshd.known_hosts.write_text("".join(f"{sshd.name} {sshd.public(kind)}\n" for kind in ("ed25519", "ecdsa")))
    found = trust_of(sshd.reach())
    assert (found.settled, found.changed) == (False, False)
    sshd.known_hosts.write_text(f"{sshd.name} {sshd.public('ecdsa')}\n")
    assert trust_of(sshd.reach()).changed


def test_one_other_key_of_a_known_kind_is_a_change(sshd: Sshd) -> None:
    kept, was, now = HostKey("ssh-rsa", "AAAA"), HostKey("ssh-ed25519", "AAAA"), HostKey("ssh-ed25519", "BBBB")
    assert Trust(sshd.reach(), shown=(kept, now), recorded=(kept, was)).changed


def test_a_host_that_says_nothing_costs_no_more_than_its_timeout_twice(sshd: Sshd) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        reach = dataclasses.replace(sshd.reach(), port=silent.getsockname()[1], timeout=1)
        began = time.monotonic()
        with pytest.raises(HostUnreachable, match="shows no host key"):
            scan(reach)
        assert time.monotonic() - began < 5
