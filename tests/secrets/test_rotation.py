"""Rotating an age key: no secret file is unreadable on a host at any moment, and every step may be repeated."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from homeops.cli import secrets_rotate
from homeops.errors import HomeopsError, Problem, SecretsError
from homeops.hosts import script as hosts_script
from homeops.hosts.age_key_rotation import add, drop, look
from homeops.hosts.ssh import Done, HostUnreachable, Reach
from homeops.model.host import AgeKey
from homeops.secrets import age_keys
from homeops.secrets.documents import read_document
from homeops.secrets.policy import parse_policy
from homeops.secrets.rotation import Rotation, begun, ended, retired, settled_policy, under_way
from homeops.secrets.rotation_standing import HostKeys, Standing, next_step, refuse_drop, refuse_retire
from homeops.secrets.sops import Sops, SopsFailed
from tests.secrets.repository import Programs, Repository

Tool = Callable[[str], list[str]]
OLD, NEW, OTHER = "age1aaaaold", "age1bbbbnew", "age1ccccother"
ROTATION = Rotation(OLD, NEW)
CONFIG = Path(".sops.yaml")

RULES = {
    "a text": f"creation_rules:\n  - path_regex: x\n    age: {OLD}\n",
    "a text of several": f"creation_rules:\n  - path_regex: x\n    age: {OTHER},{OLD}\n",
    "a quoted text": f"creation_rules:\n  - path_regex: x\n    age: '{OLD}, {OTHER}'\n",
    "a folded text": f"creation_rules:\n  - path_regex: x\n    age: >-\n      {OTHER},\n      {OLD}\n",
    "a list": f"creation_rules:\n  - path_regex: x\n    age:\n      - {OLD} # the homelab's\n      - {OTHER}\n",
    "a flow list": f"creation_rules:\n  - path_regex: x\n    age: [{OTHER}, {OLD}]\n",
    "a key group": f"creation_rules:\n  - path_regex: x\n    key_groups:\n      - age:\n          - {OLD}\n",
    "anchors": (
        f"keys:\n  - &other {OTHER}\n  - &one {OLD}\ncreation_rules:\n"
        "  - path_regex: x\n    key_groups:\n      - age: [*other, *one]\n  - age: *one\n"
    ),
    "rules of several": f"# who: {OLD}\ncreation_rules:\n  - path_regex: x\n    age: {OTHER}\n  - age: {OLD}\n",
}


def recipients(text: str) -> list[frozenset[str]]:
    return [rule.recipients for rule in parse_policy(text, CONFIG).rules]


@pytest.mark.parametrize("text", RULES.values(), ids=RULES)
def test_the_new_recipient_stands_beside_the_old_one_then_alone(text: str) -> None:
    both = begun(text, CONFIG, ROTATION)
    assert recipients(both) == [found | ({NEW} if OLD in found else set()) for found in recipients(text)]
    assert under_way(both) == ROTATION
    assert begun(both, CONFIG, ROTATION) == both
    one = retired(both, CONFIG, ROTATION)
    assert recipients(one) == [frozenset(NEW if name == OLD else name for name in found) for found in recipients(text)]
    assert under_way(one) == ROTATION
    assert retired(one, CONFIG, ROTATION) == one
    assert ended(one) == one.partition("\n")[2]
    assert under_way(ended(one)) is None
    # All else that a person wrote stays.
    comments = re.findall("#.*", text)
    assert re.findall("#.*", ended(one)) == comments


@pytest.mark.parametrize("text", RULES.values(), ids=RULES)
def test_sops_reads_the_changed_rules_as_they_are_meant(text: str, tmp_path: Path, tool: Tool) -> None:
    repository = Repository(tmp_path / "checkout", Programs(tool("sops"), tool("age-keygen")))
    real = {name: repository.key()[1] for name in (OLD, NEW, OTHER)}
    for name, recipient in real.items():
        text = text.replace(name, recipient)
    rotation = Rotation(real[OLD], real[NEW])
    both = begun(text, CONFIG, rotation)
    for number, rules in enumerate((both, retired(both, CONFIG, rotation))):
        repository.write(".sops.yaml", rules)
        document = read_document(repository.secret(f"x{number}.sops.env", "A=1\n"))
        assert document.recipients == recipients(rules)[0]


def test_a_host_holds_the_old_key_until_it_is_retired(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(RULES["a text of several"])
    assert settled_policy(tmp_path).recipients("x") == {OLD, OTHER}
    both = begun(RULES["a text of several"], CONFIG, ROTATION)
    (tmp_path / CONFIG).write_text(both)
    assert settled_policy(tmp_path).recipients("x") == {OLD, OTHER}
    (tmp_path / CONFIG).write_text(retired(both, CONFIG, ROTATION))
    assert settled_policy(tmp_path).recipients("x") == {NEW, OTHER}


def test_rules_that_cannot_be_changed_safely_are_left_alone() -> None:
    escaped = f'creation_rules:\n  - path_regex: x\n    age: "{OLD[:4]}\\x61{OLD[5:]}"\n'
    assert recipients(escaped) == [{OLD}]
    with pytest.raises(SecretsError, match="cannot be changed safely"):
        begun(escaped, CONFIG, ROTATION)


START = Standing(old_in_rules=True, new_in_rules=False, without_new=("f",), with_old=("f",))
BEGUN = replace(START, new_in_rules=True, without_new=(), hosts={"one": HostKeys(old=True), "two": HostKeys(old=True)})
INSTALLED = replace(BEGUN, hosts={"one": HostKeys(old=True, new=True), "two": HostKeys(old=True, new=True)})
RETIRED = replace(INSTALLED, old_in_rules=False, with_old=())
DROPPED = replace(RETIRED, hosts={"one": HostKeys(new=True), "two": HostKeys(new=True)})
UNKNOWN = {"one": HostKeys(old=True, new=True), "two": HostKeys(problem="unreachable")}


@pytest.mark.parametrize(
    ("standing", "command"),
    [
        (START, "rotate begin"),
        (replace(BEGUN, without_new=("g",)), "rotate begin"),
        (replace(BEGUN, unpublished=("f",)), "git push"),
        (BEGUN, "rotate install"),
        (replace(INSTALLED, hosts=UNKNOWN), "rotate install"),
        (INSTALLED, "rotate retire"),
        (replace(INSTALLED, old_in_rules=False), "rotate retire"),
        (replace(RETIRED, unpublished=("f",)), "git push"),
        (RETIRED, "rotate drop"),
        (DROPPED, "rotate drop"),
    ],
)
def test_every_standing_has_one_next_step(standing: Standing, command: str) -> None:
    assert command in next_step(standing)[0]


@pytest.mark.parametrize(
    "standing",
    [
        START,
        BEGUN,
        replace(INSTALLED, unpublished=("f",)),
        replace(INSTALLED, without_new=("g",)),
        replace(INSTALLED, hosts=UNKNOWN),
    ],
)
def test_the_old_recipient_is_not_retired_while_anything_needs_it(standing: Standing) -> None:
    with pytest.raises(SecretsError):
        refuse_retire(standing, frozenset())


def test_a_host_can_be_given_up_by_name_only() -> None:
    standing = replace(INSTALLED, hosts=UNKNOWN)
    with pytest.raises(SecretsError, match="two: whether it has the new key is not known: unreachable"):
        refuse_retire(standing, frozenset({"one"}))
    refuse_retire(standing, frozenset({"two"}))
    refuse_retire(INSTALLED, frozenset())


@pytest.mark.parametrize(
    "standing", [BEGUN, INSTALLED, replace(RETIRED, with_old=("f",)), replace(RETIRED, unpublished=("f",))]
)
def test_the_old_key_is_not_dropped_while_a_file_may_need_it(standing: Standing) -> None:
    with pytest.raises(SecretsError):
        refuse_drop(standing)


QUIRK = AgeKey(reason="decrypts")
HOSTS = ("komodo", "nvr", "kasm", "omni", "server04", "seaweedfs")


class Fleet:
    """A checkout with a remote, its hosts as directories of this machine, and what their agents can read."""

    def __init__(self, directory: Path, root: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.repository = Repository(directory / "checkout", Programs(tool("sops"), tool("age-keygen")))
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
        monkeypatch.setattr(hosts_script, "run", self.run_on)

    def host_file(self, name: str) -> Path:
        return self.directory / "hosts" / name / "keys.txt"

    def run_on(self, reach: Reach, script: str, stdin: str = "") -> Done:
        """The script as it is, on this machine, with the host's own key file in the place of /etc/sops/age/keys.txt."""
        assert "AGE-SECRET-KEY-1" not in script
        if reach.host in self.down:
            raise HostUnreachable(Problem(reach.host, "unreachable"))
        local = script.replace(QUIRK.path, str(self.host_file(reach.host)))
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
def fleet(tmp_path: Path, root: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    for name in [name for name in os.environ if name.startswith("SOPS_")]:
        monkeypatch.delenv(name)
    bins = [str(Path(tool(name)[0]).parent) for name in ("sops", "age-keygen")]
    monkeypatch.setenv("PATH", os.pathsep.join([*bins, os.environ["PATH"]]))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("STACK", "prod")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    made = Fleet(tmp_path, root, tool, monkeypatch)
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


def script(text: str, path: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    local = text.replace(QUIRK.path, str(path))
    return subprocess.run(["sh", "-c", local], input=stdin, capture_output=True, text=True, check=False)


@pytest.fixture
def pairs(tool: Tool) -> tuple[age_keys.AgeKey, age_keys.AgeKey]:
    environ = {"PATH": str(Path(tool("age-keygen")[0]).parent)}
    return age_keys.generate(environ), age_keys.generate(environ)


def test_the_scripts_add_and_drop_one_key_and_leave_the_rest_of_the_file(
    tmp_path: Path, pairs: tuple[age_keys.AgeKey, age_keys.AgeKey]
) -> None:
    old, new = pairs
    digests = age_keys.digest(old.text), age_keys.digest(new.text)
    path = tmp_path / "keys.txt"
    path.write_text(f"# created by hand\n{old.text.rstrip()}")
    added = script(add(QUIRK, digests[1]), path, new.text)
    assert (added.returncode, added.stderr) == (0, "")
    assert path.read_text() == f"# created by hand\n{old.text}{new.text}"
    assert script(look(QUIRK), path).stdout.split() == list(digests)
    assert "nothing to change" in script(add(QUIRK, digests[1]), path, new.text).stdout
    dropped = script(drop(QUIRK, old.recipient, *digests), path, old.text)
    assert (dropped.returncode, dropped.stderr) == (0, "")
    assert path.read_text() == f"# created by hand\n{new.text}"
    assert "nothing to change" in script(drop(QUIRK, old.recipient, *digests), path, old.text).stdout
    assert [found.name for found in tmp_path.iterdir()] == ["keys.txt"]


def test_the_scripts_refuse_what_would_leave_a_host_without_its_key(
    tmp_path: Path, pairs: tuple[age_keys.AgeKey, age_keys.AgeKey]
) -> None:
    old, new = pairs
    digests = age_keys.digest(old.text), age_keys.digest(new.text)
    path = tmp_path / "keys.txt"
    for text, stdin in ((add(QUIRK, digests[1]), new.text), (drop(QUIRK, old.recipient, *digests), old.text)):
        assert "there is no age key at" in script(text, path, stdin).stderr
    assert script(look(QUIRK), path).stdout == ""
    path.write_text(old.text)
    for text, stdin, said in (
        (drop(QUIRK, old.recipient, *digests), old.text, "has not the new key"),
        (add(QUIRK, digests[1]), "", "is not the new key"),
        (add(QUIRK, digests[1]), old.text, "is not the new key"),
    ):
        done = script(text, path, stdin)
        assert done.returncode != 0
        assert said in done.stderr
        assert "AGE-SECRET-KEY-1" not in done.stdout + done.stderr
        assert path.read_text() == old.text
    path.write_text(old.text + new.text)
    assert script(drop(QUIRK, old.recipient, *digests), path, "").returncode != 0
    assert path.read_text() == old.text + new.text


def test_the_scripts_are_what_shellcheck_accepts() -> None:
    if not (shellcheck := shutil.which("shellcheck")):
        pytest.skip("shellcheck is not installed")
    for text in (look(QUIRK), add(QUIRK, "0" * 64), drop(QUIRK, OLD, "0" * 64, "1" * 64)):
        done = subprocess.run([shellcheck, "-s", "sh", "-"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
