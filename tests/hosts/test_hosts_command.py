"""``homeops hosts show`` and ``repair``: what drifted is shown and set right, and one host's trouble is its own."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from homeops.errors import SecretsError
from homeops.hosts import subject
from homeops.hosts.age_key import age_key
from homeops.hosts.condition import Condition, Subject, condition_of
from homeops.hosts.repair import repair
from homeops.hosts.requirement import Requirement
from homeops.model.host import AgeKey, Host
from homeops.secrets.operators_keys import operators_key
from tests.hosts.checkout import homeops, new_checkout
from tests.sshd import Sshd

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
Tool = Callable[[str], list[str]]


class NewFleet(Protocol):
    def __call__(self, **hosts: Callable[[Path], list[Requirement]]) -> tuple[Path, list[Path]]: ...


def file_of(path: Path, name: str, *, breaks: bool = False, useless: bool = False) -> Requirement:
    """A file holds the word ``right``. ``breaks``: applying it fails; ``useless``: or changes nothing."""
    file = shlex.quote(str(path / name))
    apply = f"echo right >{file}; echo '{name}: written'"
    if breaks:
        apply = f"echo half-way; echo '{name}: cannot write: No space left on device' >&2; exit 1"
    if useless:
        apply = f"echo '{name}: nothing to change'"
    probe = f'if [ -e {file} ]; then echo "text=$(cat {file})"; else echo text=missing; fi; echo size=big'
    return Requirement(name, "a test", {"text": "right"}, probe, apply, reported={"size": "big"})


@pytest.fixture
def fleet(root: Path, tmp_path: Path, new_sshd: Callable[..., Sshd], monkeypatch: Patch) -> NewFleet:
    """Make a checkout where nvr, omni and so on are machines with these requirements; the others are dead."""

    def make(**hosts: Callable[[Path], list[Requirement]]) -> tuple[Path, list[Path]]:
        machines = {name: new_sshd() for name in hosts}
        # One client for all of them.
        key = (machines[next(iter(hosts))].client / "id.pub").read_text()
        for sshd in machines.values():
            (sshd.client / "id.pub").write_text(key)
            sshd.configure()
            sshd.sudo()
        last = list(machines.values())[-1]
        (last.client / "id").write_text((machines[next(iter(hosts))].client / "id").read_text())
        places = {name: tmp_path / f"disk of {name}" for name in hosts}
        for place in places.values():
            place.mkdir()

        def requirements(host: Host, *_: Any) -> tuple[Requirement, ...]:
            return tuple(hosts[host.name](places[host.name])) if host.name in hosts else ()

        monkeypatch.setattr(subject, "requirements", requirements)
        checkout = new_checkout(root, tmp_path / "checkout", machines)
        known = "".join(sshd.known_hosts.read_text() for sshd in machines.values())
        (checkout / "known_hosts").write_text(known)
        return checkout, list(places.values())

    return make


def test_show_has_every_fact_and_a_dead_host_costs_no_more_than_its_timeout(
    monkeypatch: Patch, capsys: Capture, fleet: NewFleet
) -> None:
    checkout, (disk,) = fleet(nvr=lambda disk: [file_of(disk, "a"), file_of(disk, "b")])
    (disk / "a").write_text("right\n")
    began = time.monotonic()
    assert homeops(monkeypatch, checkout, "show", "--json") == 1
    assert time.monotonic() - began < 15
    document = json.loads(capsys.readouterr().out)
    assert document["right"] is False
    nvr, kasm = (next(item for item in document["hosts"] if item["host"] == name) for name in ("nvr", "kasm"))
    text = {"wanted": "right", "found": "right", "right": True, "repaired": True}
    size = {"wanted": "big", "found": "big", "right": True, "repaired": False}
    missing = {**text, "found": "missing", "right": False}
    assert nvr["requirements"] == {"a": {"text": text, "size": size}, "b": {"text": missing, "size": size}}
    assert nvr["problems"] == []
    assert kasm["requirements"] == {}
    assert [problem["what"][:21] for problem in kasm["problems"]] == ["unreachable over SSH "]


def test_show_is_a_table_and_ends_well_when_all_is_right(monkeypatch: Patch, capsys: Capture, fleet: NewFleet) -> None:
    checkout, (disk,) = fleet(nvr=lambda disk: [file_of(disk, "a")])
    assert homeops(monkeypatch, checkout, "show", "nvr") == 1
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["HOST", "REQUIREMENT", "FACT", "WANTED", "FOUND"],
        ["nvr", "a", "text", "right", "missing"],
        ["nvr", "a", "size", "big", "big"],
        ["1", "hosts:", "1", "drifted"],
        ["hint:", "homeops", "hosts", "repair", "nvr", "-s", "test"],
    ]
    (disk / "a").write_text("right\n")
    assert homeops(monkeypatch, checkout, "show", "nvr") == 0
    assert "1 hosts: all is right" in capsys.readouterr().out


def test_repair_applies_what_drifted_and_nothing_else_and_then_has_nothing_to_do(
    monkeypatch: Patch, capsys: Capture, fleet: NewFleet
) -> None:
    checkout, (disk,) = fleet(nvr=lambda disk: [file_of(disk, "a", breaks=True), file_of(disk, "b")])
    (disk / "a").write_text("right\n")
    assert homeops(monkeypatch, checkout, "repair", "nvr", "--yes") == 0
    said = capsys.readouterr()
    assert said.out == "nvr: b: text is missing, wanted right\nnvr: repaired b\n"
    assert said.err == "nvr: b: written\n"
    assert homeops(monkeypatch, checkout, "repair", "nvr") == 0
    assert capsys.readouterr().out == "nothing to repair\n"


def test_nothing_is_repaired_when_nobody_can_say_yes(monkeypatch: Patch, capsys: Capture, fleet: NewFleet) -> None:
    checkout, (disk,) = fleet(nvr=lambda disk: [file_of(disk, "a")])
    assert homeops(monkeypatch, checkout, "repair", "nvr") == 1
    assert "nobody is here to say yes" in capsys.readouterr().err
    assert list(disk.iterdir()) == []


def test_what_fails_keeps_nothing_else_from_being_repaired(
    monkeypatch: Patch, capsys: Capture, fleet: NewFleet
) -> None:
    checkout, (nvr, omni) = fleet(
        nvr=lambda disk: [file_of(disk, "a", breaks=True), file_of(disk, "b", useless=True), file_of(disk, "c")],
        omni=lambda disk: [file_of(disk, "a")],
    )
    assert homeops(monkeypatch, checkout, "repair", "--yes") == 1
    said = capsys.readouterr()
    assert "nvr: repaired c\n" in said.out
    assert "omni: repaired a\n" in said.out
    assert "nvr: a: cannot write: No space left on device\n" in said.err
    assert "nvr: b: applied, and still not right: text is missing, wanted right\n" in said.err
    assert "kasm: unreachable over SSH at 127.0.0." in said.err
    assert {path.name for path in nvr.iterdir()} == {"c"}
    assert {path.name for path in omni.iterdir()} == {"a"}


def test_a_host_that_goes_away_ends_its_repair(sshd: Sshd, tmp_path: Path) -> None:
    sshd.sudo()
    goes = file_of(tmp_path, "a")
    one = Subject(sshd.reach(), (goes, file_of(tmp_path, "b")))
    found = condition_of(one)
    sshd.stop()
    came = repair(one, found, lambda _: None, lambda _: "")
    assert came.repaired == ()
    assert [problem.what[:12] for problem in came.problems] == ["unreachable "]


def test_a_site_that_manages_no_hosts_says_so_once(
    monkeypatch: Patch, capsys: Capture, root: Path, tmp_path: Path
) -> None:
    checkout = new_checkout(root, tmp_path / "checkout", {})
    settings = (checkout / "Pulumi.test.yaml").read_text()
    (checkout / "Pulumi.test.yaml").write_text(settings[: settings.index("  homeops:ssh:")])
    for command in ("show", "repair", "trust"):
        assert homeops(monkeypatch, checkout, command) == 1
        said = "Pulumi.test.yaml: hosts are not managed over SSH here\n  hint: add homeops:ssh to it"
        assert capsys.readouterr().err.startswith(said)


def new_key(tool: Tool) -> tuple[str, str]:
    """An age key and whose it is."""
    text = subprocess.run(tool("age-keygen"), check=True, capture_output=True, text=True).stdout
    comment, key = (line for line in text.splitlines() if not line.startswith("# created"))
    return key, comment.removeprefix("# public key: ")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to root")
def test_a_missing_age_key_is_installed_where_that_is_allowed(sshd: Sshd, tmp_path: Path, tool: Tool) -> None:
    sshd.sudo()
    key, recipient = new_key(tool)
    path = tmp_path / "sops" / "age" / "keys.txt"
    quirk = AgeKey(reason="a test", path=str(path))
    requirement = age_key(quirk, recipient)

    def repaired(install: AgeKey | None) -> tuple[Condition, list[str]]:
        one = Subject(sshd.reach(), (requirement,), recipient, install)
        came = repair(one, condition_of(one), lambda _: None, lambda _: f"# public key: {recipient}\n{key}\n")
        return condition_of(one), [problem.what for problem in came.problems]

    _, problems = repaired(None)
    assert len(problems) == 1
    assert "installAgeKey" in problems[0]
    assert not path.exists()
    nobodys = repair(
        Subject(sshd.reach(), (requirement,), recipient, quirk),
        condition_of(Subject(sshd.reach(), (requirement,))),
        lambda _: None,
        lambda of: operators_key(of, {"PATH": os.environ["PATH"]}, tmp_path),
    )
    said = "one: age-key: the private key of "
    assert [str(problem)[: len(said)] for problem in nobodys.problems] == [said]
    assert not path.exists()
    condition, problems = repaired(quirk)
    assert problems == []
    assert condition.right
    assert key in path.read_text()
    assert key not in sshd.log


def test_of_the_operators_keys_a_host_gets_its_own_only(tmp_path: Path, tool: Tool) -> None:
    environ = {"PATH": str(Path(tool("age-keygen")[0]).parent)}
    (mine, _), (its, recipient), (_, nobodys) = new_key(tool), new_key(tool), new_key(tool)
    (tmp_path / ".sops").mkdir()
    (tmp_path / ".sops" / "key.txt").write_text(f"{mine}\n{its}\n")
    text = operators_key(recipient, environ, tmp_path)
    assert its in text
    assert mine not in text
    with pytest.raises(SecretsError, match=f"^age key: the private key of {nobodys} is not at hand\n"):
        operators_key(nobodys, environ, tmp_path)
