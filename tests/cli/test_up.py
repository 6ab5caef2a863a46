"""``homeops up``: which hosts it leaves out, and how pulumi is told."""

import getpass
import json
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from homeops.cli.up import out_of_reach, up
from homeops.hosts.skipping import LEFT_OUT, with_a_canary_that_is_there
from homeops.model.site import Site
from tests.example_site import example_settings, example_site
from tests.sshd import Sshd

COMMAND = typer.Typer()
COMMAND.command()(up)

PULUMI = '#!/bin/sh\nprintf "%s\\n" "$@" "$HOMEOPS_LEFT_OUT" >pulumi-said\nexit "$(cat code)"\n'


@pytest.fixture
def closed() -> Generator[int]:
    """A port at which nobody answers."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield nobody.getsockname()[1]


def settings(sshd: Sshd, closed: int) -> dict[str, Any]:
    """One host that is there, one that is not, one whose key nobody recorded."""
    made = example_settings("there", "gone", "stranger")
    for name, address, port in (
        ("there", "127.0.0.1", sshd.port),
        ("gone", "127.0.0.1", closed),
        ("stranger", "localhost", sshd.port),
    ):
        made["hosts"][name] |= {"sshAddress": address, "sshPort": port, "sshUser": getpass.getuser()}
    made["ssh"] = {"knownHosts": str(sshd.known_hosts), "connectTimeoutSeconds": 2}
    return made


def test_hosts_that_do_not_answer_or_let_nobody_in_are_told_of(
    sshd: Sshd, closed: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    site = Site.model_validate(settings(sshd, closed))

    def found(*but: str) -> list[str]:
        return list(out_of_reach(site, tmp_path, but))

    assert found() == ["gone", "stranger"]
    told = capfd.readouterr().err
    assert "warning: gone: unreachable over SSH" in told
    assert "error: stranger: its host key is not recorded" in told
    assert told.count("left out of this run") == 2
    assert found("gone") == ["stranger"]
    assert out_of_reach(site.model_copy(update={"ssh": None}), tmp_path) == {}


def test_a_host_is_left_out_by_its_name_whatever_the_error_is_about(sshd: Sshd, closed: int, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    made = settings(sshd, closed)
    made["ssh"]["knownHosts"] = "keys"
    bad = out_of_reach(Site.model_validate(made), tmp_path, ["stranger"])
    assert list(bad) == ["there", "gone"]
    assert bad["there"].problems[0].where == str(tmp_path / "keys")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Path]:
    """Make a checkout with these settings, whose pulumi writes down what it is called with."""

    def make(site: dict[str, Any]) -> Path:
        monkeypatch.delenv("HOMEOPS_TOOLS", raising=False)
        root = tmp_path / "checkout"
        (root / ".tools" / "bin").mkdir(parents=True)
        pulumi = root / ".tools" / "bin" / "pulumi"
        pulumi.write_text(PULUMI)
        pulumi.chmod(0o755)
        config = {f"homeops:{name}": value for name, value in site.items()}
        (root / "code").write_text("7")
        (root / "Pulumi.prod.yaml").write_text(json.dumps({"config": config}))
        monkeypatch.setattr("homeops.cli.up.checkout", lambda: root)
        return root

    return make


def test_pulumi_is_told_what_to_leave_out_and_its_exit_code_is_ours(
    sshd: Sshd, closed: int, checkout: Callable[[dict[str, Any]], Path]
) -> None:
    root = checkout(settings(sshd, closed))
    done = CliRunner().invoke(COMMAND, ["-s", "prod", "--skip-host", "stranger", "--refresh", "--yes"])
    assert done.exit_code == 7, done.output
    said = (root / "pulumi-said").read_text().splitlines()
    assert said[:6] == ["up", "--stack", "prod", "--refresh", "--yes", "--skip-preview"]
    prefix = "urn:pulumi:prod::homeops::homeops:hosts:Host$"
    for name in ("stranger", "gone"):
        assert f"{prefix}command:remote:Command::{name} *" in said
    assert not [word for word in said if "::there" in word]
    assert said[-2:] == ["--exclude-dependents", "stranger gone"]


@pytest.mark.parametrize(("left_out", "canary"), [("", "b"), ("a c", "b"), ("b", "a"), ("b a", "c"), ("a b c", "b")])
def test_a_canary_that_is_left_out_keeps_no_other_host_waiting(left_out: str, canary: str) -> None:
    made = example_settings("a", "b", "c") | {"ssh": {"canary": "b", "knownHosts": "other"}}
    site = with_a_canary_that_is_there(Site.model_validate(made).of_stack("prod"), {LEFT_OUT: left_out})
    assert site.ssh
    assert (site.ssh.canary, site.ssh.known_hosts, site.stack) == (canary, "other", "prod")


def test_without_a_canary_none_is_chosen() -> None:
    site = example_site("a")
    assert with_a_canary_that_is_there(site, {LEFT_OUT: "a"}) == site


@pytest.mark.parametrize(("skipped", "code"), [("stranger", 0), ("gone", 1)])
def test_a_host_that_is_away_is_no_failure_and_one_that_lets_nobody_in_is(
    sshd: Sshd, closed: int, checkout: Callable[[dict[str, Any]], Path], skipped: str, code: int
) -> None:
    root = checkout(settings(sshd, closed))
    (root / "code").write_text("0")
    done = CliRunner().invoke(COMMAND, ["-s", "prod", "--skip-host", skipped])
    assert done.exit_code == code, done.output
    left_out = (root / "pulumi-said").read_text().splitlines()[-1]
    assert sorted(left_out.split()) == ["gone", "stranger"]


def test_an_unknown_host_is_refused_before_anything_runs(
    sshd: Sshd, closed: int, checkout: Callable[[dict[str, Any]], Path]
) -> None:
    root = checkout(settings(sshd, closed))
    done = CliRunner().invoke(COMMAND, ["-s", "prod", "--skip-host", "ther"])
    assert done.exit_code == 1
    assert 'host "ther": is not there; did you mean "there"?' in str(done.exception)
    assert not (root / "pulumi-said").exists()
