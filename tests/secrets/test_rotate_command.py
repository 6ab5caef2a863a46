"""Rotating an age key: no secret file is unreadable on a host at any moment, and every step may be repeated."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from homeops.cli import secrets_rotate
from homeops.errors import HomeopsError, Problem, SecretsError
from homeops.hosts import script
from homeops.hosts.reach import HostUnreachable, Reach
from homeops.hosts.ssh import Done
from homeops.model.host import AgeKey
from homeops.secrets import age_keys
from homeops.secrets.rotation import under_way
from homeops.secrets.sops import Sops, SopsFailed
from tests.secrets.repository import Repository, Tool

QUIRK = AgeKey(reason="decrypts")
HOSTS = ("komodo", "nvr", "kasm", "omni", "server04", "seaweedfs")


class Fleet:
    """A checkout with a remote, its hosts as directories of this machine, and what their agents can read."""

    def __init__(self, directory: Path, root: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.repository = Repository(directory / "checkout", tool)
        self.root = self.repository.root
        private, self.old = self.repository.key()
        self.key_file = directory / ".sops/key.txt"
        self.key_file.parent.mkdir()
        self.key_file.write_text(f"# mine\n{private}\n")
        self.repository.policy(self.old)
        self.repository.write("Pulumi.yaml", "name: homeops\n")
        settings = yaml.safe_load((root / "Pulumi.prod.yaml").read_text())
        # No sudo here: the scripts run on this machine.
        for host in settings["config"]["homeops:hosts"].values():
            host["sshUser"] = "root"
        settings["config"].setdefault("homeops:ssh", {})
        self.repository.write("Pulumi.prod.yaml", yaml.safe_dump(settings))
        self.files = [
            self.repository.secret(f"docker/stacks/{place}", text)
            for place, text in {"nvr/web/.sops.env": "A=1\n", "omni/omni/secrets.sops.yaml": "a: 1\n"}.items()
        ]
        for name in HOSTS:
            self.host_file(name).parent.mkdir(parents=True)
            self.host_file(name).write_text(f"# public key: {self.old}\n{private}\n")
        self.down: set[str] = set()
        subprocess.run(["git", "init", "--quiet", "--bare", str(directory / "remote")], check=True)
        self.repository.git("checkout", "--quiet", "-b", "main")
        self.repository.git("remote", "add", "origin", str(directory / "remote"))
        self.publish()
        monkeypatch.setattr(script, "run", self.run_on)

    def host_file(self, name: str) -> Path:
        return self.directory / "hosts" / name / "keys.txt"

    def run_on(self, reach: Reach, text: str, stdin: str = "") -> Done:
        """The script as it is, on this machine, with the host's own key file in the place of /etc/sops/age/keys.txt."""
        assert "AGE-SECRET-KEY-1" not in text
        if reach.host in self.down:
            raise HostUnreachable(Problem(reach.host, "unreachable"))
        local = text.replace(QUIRK.path, str(self.host_file(reach.host)))
        done = subprocess.run(["sh", "-c", local], input=stdin, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def publish(self) -> None:
        self.repository.git("add", ".sops.yaml", "docker")
        self.repository.git("commit", "--quiet", "--allow-empty", "-m", "secrets")
        self.repository.git("push", "--quiet", "origin", "main")

    def rotate(self, *arguments: str) -> str:
        app = typer.Typer()
        app.command()(secrets_rotate.rotate)
        result = CliRunner().invoke(app, arguments)
        assert "AGE-SECRET-KEY-1" not in result.output
        self.every_host_reads_what_is_published()
        if isinstance(result.exception, HomeopsError):
            raise result.exception
        assert result.exit_code == 0, result.exception
        return result.stdout

    def every_host_reads_what_is_published(self) -> None:
        """What agents pull is readable with what each host has: the invariant of it all."""
        pulled = self.directory / "pulled"
        shutil.rmtree(pulled, ignore_errors=True)
        subprocess.run(
            ["git", "clone", "--quiet", "-b", "main", str(self.directory / "remote"), str(pulled)], check=True
        )
        for name in HOSTS:
            environ = {"PATH": os.environ["PATH"], "SOPS_AGE_KEY_FILE": str(self.host_file(name))}
            for file in self.files:
                assert Sops(pulled, environ).decrypt(pulled / file.relative_to(self.root))


@pytest.fixture
def fleet(home: Path, root: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("STACK", "prod")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    made = Fleet(home, root, tool, monkeypatch)
    monkeypatch.chdir(made.root)
    yield made
    made.every_host_reads_what_is_published()


def test_a_whole_rotation_each_step_twice(fleet: Fleet) -> None:
    before = [path.read_text().splitlines()[0] for path in fleet.files]
    assert "no rotation is under way" in fleet.rotate("--status")

    for _ in range(2):
        assert "next: git add" in fleet.rotate("begin")
    assert [path.read_text().splitlines()[0] for path in fleet.files] == before, "nothing is redeployed for this"
    assert fleet.key_file.read_text().count("AGE-SECRET-KEY-") == 2
    assert fleet.key_file.stat().st_mode & 0o777 == 0o600
    fleet.publish()

    assert "next: homeops secrets rotate install" in fleet.rotate("--status")
    assert "nvr: age-key: " in fleet.rotate("install")
    assert "next: homeops secrets rotate retire" in fleet.rotate("install")
    for name in HOSTS:
        assert fleet.host_file(name).stat().st_mode & 0o777 == 0o600

    for _ in range(2):
        assert "next: git add" in fleet.rotate("retire")
    assert [path.read_text().splitlines()[0] for path in fleet.files] != before
    fleet.publish()

    assert "next: homeops secrets rotate drop" in fleet.rotate()
    assert "no rotation is under way" in fleet.rotate("drop")
    fleet.publish()
    with pytest.raises(SecretsError, match="no rotation is under way"):
        fleet.rotate("drop")

    text = fleet.repository.read(".sops.yaml")
    assert fleet.old not in text
    for name in HOSTS:
        assert fleet.old not in fleet.host_file(name).read_text()
        assert fleet.host_file(name).read_text().count("AGE-SECRET-KEY-") == 1
    old = age_keys.private_key(fleet.key_file.read_text())
    for path in fleet.files:
        with pytest.raises(SopsFailed):
            Sops(fleet.root, os.environ).alone_with(old).decrypt(path)


def test_no_step_runs_before_its_time(fleet: Fleet) -> None:
    for step in ("install", "retire", "drop"):
        with pytest.raises(SecretsError, match="no rotation is under way"):
            fleet.rotate(step)
    fleet.rotate("begin")
    with pytest.raises(SecretsError, match="is not yet where agents pull from"):
        fleet.rotate("retire")
    fleet.publish()
    with pytest.raises(SecretsError, match="nvr: has not the new key"):
        fleet.rotate("retire")
    fleet.rotate("install")
    with pytest.raises(SecretsError, match=r"\.sops\.yaml: names the old recipient"):
        fleet.rotate("drop")
    fleet.rotate("retire")
    with pytest.raises(SecretsError, match="is not yet where agents pull from"):
        fleet.rotate("drop")
    with pytest.raises(SecretsError, match="this rotation is past that"):
        fleet.rotate("begin")


def test_a_dead_host_holds_up_what_would_lock_it_out_and_no_other_host(fleet: Fleet) -> None:
    fleet.rotate("begin")
    fleet.publish()
    fleet.down = {"kasm"}
    with pytest.raises(HomeopsError, match="kasm: unreachable"):
        fleet.rotate("install")
    assert fleet.host_file("nvr").read_text().count("AGE-SECRET-KEY-") == 2
    assert "kasm" in fleet.rotate("--status")
    with pytest.raises(SecretsError, match="kasm: whether it has the new key is not known"):
        fleet.rotate("retire")
    with pytest.raises(SecretsError, match="no such host"):
        fleet.rotate("retire", "--without-host", "kasn")
    fleet.down = set()
    fleet.rotate("install")
    fleet.rotate("retire")
    fleet.publish()
    fleet.down = {"kasm"}
    with pytest.raises(HomeopsError, match="kasm: unreachable"):
        fleet.rotate("drop")
    assert fleet.old not in fleet.host_file("nvr").read_text()
    assert under_way(fleet.repository.read(".sops.yaml")), "it is not over while a host may have the old key"
    fleet.down = set()
    assert "no rotation is under way" in fleet.rotate("drop")


def test_a_rotation_that_was_cut_short_goes_on_with_the_same_new_key(fleet: Fleet) -> None:
    fleet.rotate("begin")
    begun_rules = fleet.repository.read(".sops.yaml")
    keys = fleet.key_file.read_text()
    fleet.repository.git("checkout", "--quiet", "--", "docker")
    assert "next: homeops secrets rotate begin" in fleet.rotate("--status")
    assert "next: git add" in fleet.rotate("begin")
    assert fleet.repository.read(".sops.yaml") == begun_rules
    assert fleet.key_file.read_text() == keys
    fleet.publish()
    fleet.rotate("install")
    fleet.rotate("retire")
    fleet.repository.git("checkout", "--quiet", "--", "docker/stacks/nvr")
    assert "next: homeops secrets rotate retire" in fleet.rotate("--status")
    assert "next: git add" in fleet.rotate("retire")


def test_which_key_is_replaced_is_said_where_there_are_several(fleet: Fleet) -> None:
    _, other = fleet.repository.key()
    fleet.repository.policy(fleet.old, other)
    with pytest.raises(SecretsError, match=rf"--old {fleet.old}|--old {other}"):
        fleet.rotate("begin")
    with pytest.raises(SecretsError, match="no rule names it"):
        fleet.rotate("begin", "--old", "age1nobody")
    with pytest.raises(SecretsError, match="is not encrypted for whom its rule names"):
        fleet.rotate("begin", "--old", fleet.old)
    assert fleet.key_file.read_text().count("AGE-SECRET-KEY-") == 1
