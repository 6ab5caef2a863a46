"""The pre-deploy hook with the real sops and age, in every POSIX shell at hand."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.hosts.script_machine import machine

Tool = Callable[[str], list[str]]
SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox") if shutil.which(shell)]

DOTENV = """\
# comment
PLAIN=value
EMPTY=
DOLLAR=$argon2id$v=19$m=65540,t=3,p=4$c2FsdA$aGFzaA ${NAME} $(id)
QUOTES="double" 'single' `back` \\ backslash
SPACES=  around  
HASH=a # b
UNICODE=Grüße, 世界 🦎
"""  # noqa: W291  (the blanks at the end of a value belong to it)


@dataclass
class Host:
    """A working directory, a shell and an age key of its own."""

    directory: Path
    shell: list[str]
    sops: list[str]
    key: Path
    recipient: str

    def encrypt(self, name: str, text: str, *, recipient: str = "") -> Path:
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        kind = {"env": "dotenv", "json": "json", "yaml": "yaml"}[name.rpartition(".")[2]]
        self._sops("encrypt", "--age", recipient or self.recipient, "--in-place", "--input-type", kind, str(path))
        return path

    def _sops(self, *arguments: str) -> None:
        # Without a configuration: the repository's own, found upwards, has nothing to say here.
        subprocess.run([*self.sops, "--config", os.devnull, *arguments], check=True, capture_output=True)

    def run(self, script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(Path(self.sops[0]).parent), os.environ["PATH"]])
        variables = {"PATH": path, "HOME": str(self.directory.parent), "SOPS_AGE_KEY_FILE": str(self.key)}
        return subprocess.run(
            [*self.shell, str(script)],
            cwd=self.directory,
            env=variables | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def names(self) -> set[str]:
        return {path.name for path in self.directory.iterdir()}


def new_key(tool: Tool, path: Path) -> str:
    subprocess.run([*tool("age-keygen"), "-o", str(path)], check=True, capture_output=True)
    answer = subprocess.run([*tool("age-keygen"), "-y", str(path)], check=True, capture_output=True, text=True)
    return answer.stdout.strip()


@pytest.fixture
def script(root: Path) -> Path:
    return root / "docker/periphery/scripts/sops-decrypt.sh"


@pytest.fixture
def host(tmp_path: Path, tool: Tool) -> Host:
    directory = tmp_path / "a stack's directory"
    directory.mkdir()
    key = tmp_path / "keys.txt"
    return Host(directory, ["sh"], tool("sops"), key, new_key(tool, key))


@pytest.mark.parametrize("shell", SHELLS)
def test_every_file_comes_back_as_it_was_before_encryption(host: Host, script: Path, shell: str) -> None:
    host.shell = ["busybox", "sh"] if shell == "busybox" else [shell]
    tree = {"key": "line one\nline two\n", "list": ["$x", '"q"', "ü", ""], "nested": {"true": True, "number": 7}}
    host.encrypt(".sops.env", DOTENV)
    host.encrypt("data base.sops.env", "A=1\n")
    host.encrypt(".hidden.sops.env", "B=2\n")
    host.encrypt("s3.sops.json", json.dumps(tree))
    host.encrypt("secrets.sops.yaml", yaml.safe_dump(tree, allow_unicode=True))

    done = host.run(script)

    assert done.returncode == 0, done.stderr
    assert (host.directory / ".env").read_text(encoding="utf-8") == DOTENV
    assert (host.directory / "data base.env").read_text() == "A=1\n"
    assert (host.directory / ".hidden.env").read_text() == "B=2\n"
    assert json.loads((host.directory / "s3.json").read_text()) == tree
    assert yaml.safe_load((host.directory / "secrets.yaml").read_text()) == tree
    plain = {".env", "data base.env", ".hidden.env", "s3.json", "secrets.yaml"}
    assert {name for name in host.names() if ".sops." not in name} == plain
    assert {stat.S_IMODE((host.directory / name).stat().st_mode) for name in plain} == {0o600}


def test_a_secret_file_named_like_the_configuration_of_sops_is_decrypted(host: Host, script: Path) -> None:
    host.encrypt(".sops.yaml", "a: 1\n")
    done = host.run(script)
    assert done.returncode == 0, done.stderr
    assert (host.directory / ".yaml").read_text() == "a: 1\n"


def test_a_second_run_replaces_the_file_in_one_step_and_tightens_its_mode(host: Host, script: Path) -> None:
    host.encrypt(".sops.env", "A=new\n")
    plain = host.directory / ".env"
    plain.write_text("A=old\n")
    plain.chmod(0o644)
    with plain.open() as reader:
        done = host.run(script)
        assert reader.read() == "A=old\n", "a container that reads the old file meanwhile sees it whole"
    assert done.returncode == 0, done.stderr
    assert plain.read_text() == "A=new\n"
    assert stat.S_IMODE(plain.stat().st_mode) == 0o600


def test_nobody_else_can_read_a_file_that_is_still_being_written(host: Host, script: Path, tmp_path: Path) -> None:
    host.encrypt(".sops.env", "A=1\n")
    looking = tmp_path / "bin"
    looking.mkdir()
    (looking / "sops").write_text("#!/bin/sh\nstat -c %a .env.*\n")
    (looking / "sops").chmod(0o755)
    host.shell = ["sh", "-c", 'umask 000; exec sh "$0"']
    done = host.run(script, PATH=f"{looking}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert (host.directory / ".env").read_text() == "600\n"


def break_mac(text: str) -> str:
    return text.replace("data:", "data:AAAA", 1)


def drop_value(text: str) -> str:
    """What is left can be decrypted; only the MAC tells that something is missing."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("B="))


def drop_half(text: str) -> str:
    return text[: len(text) // 2]


def never_encrypted(_text: str) -> str:
    return "A=plain\n"


def empty(_text: str) -> str:
    return ""


@pytest.mark.parametrize("broken", [break_mac, drop_value, drop_half, never_encrypted, empty])
def test_one_bad_file_leaves_all_of_the_old_ones_and_nothing_else(
    host: Host, script: Path, broken: Callable[[str], str]
) -> None:
    host.encrypt("a.sops.env", "A=new-secret\n")
    bad = host.encrypt("b.sops.env", "B=new-secret\nC=new-secret\n")
    bad.write_text(broken(bad.read_text()))
    (host.directory / "a.env").write_text("A=old\n")
    before = host.names()

    done = host.run(script)

    assert done.returncode != 0
    assert f"{host.directory}: b.sops.env: cannot decrypt" in done.stderr
    assert "new-secret" not in done.stdout + done.stderr
    assert (host.directory / "a.env").read_text() == "A=old\n"
    assert host.names() == before


def test_the_wrong_key_fails_with_the_name_of_the_file(host: Host, script: Path, tool: Tool, tmp_path: Path) -> None:
    host.encrypt(".sops.env", "A=1\n", recipient=new_key(tool, tmp_path / "other.txt"))
    done = host.run(script)
    assert done.returncode != 0
    assert f"{host.directory}: .sops.env: cannot decrypt" in done.stderr
    assert host.names() == {".sops.env"}


def test_without_space_it_fails_with_the_name_of_the_file_and_keeps_the_old_one(host: Host, script: Path) -> None:
    host.encrypt("a.sops.env", "A=1\n")
    host.encrypt("b.sops.env", f"B={'x' * 60_000}\n")
    with machine("--tmpfs", "/srv/stack:size=128k") as debian:
        debian.put("/usr/local/bin/sops", Path(host.sops[0]).read_bytes(), "755")
        debian.put("/srv/keys.txt", host.key.read_bytes(), "600")
        debian.put("/srv/hook", script.read_bytes(), "755")
        for name in ("a.sops.env", "b.sops.env"):
            debian.put(f"/srv/stack/{name}", (host.directory / name).read_bytes())
        debian.put("/srv/stack/a.env", "A=old\n")
        told = debian.run("cd /srv/stack; SOPS_AGE_KEY_FILE=/srv/keys.txt /srv/hook")
        assert told.code != 0
        assert "no space left on device" in told.error
        assert "/srv/stack: b.sops.env: cannot decrypt" in told.error
        assert debian.sh("cd /srv/stack; cat a.env; ls -A").split() == ["A=old", "a.env", "a.sops.env", "b.sops.env"]


def test_a_missing_key_fails_with_its_path(host: Host, script: Path, tmp_path: Path) -> None:
    host.encrypt(".sops.env", "A=1\n")
    done = host.run(script, SOPS_AGE_KEY_FILE=str(tmp_path / "absent.txt"))
    assert done.returncode != 0
    assert f"cannot read the age key {tmp_path / 'absent.txt'}" in done.stderr


def test_missing_sops_is_said(host: Host, script: Path, tmp_path: Path) -> None:
    host.encrypt(".sops.env", "A=1\n")
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("sh", "rm"):
        (bare / name).symlink_to(str(shutil.which(name)))
    done = host.run(script, PATH=str(bare))
    assert done.returncode != 0
    assert "sops is not installed" in done.stderr


def test_a_directory_without_secret_files_is_an_error(host: Host, script: Path) -> None:
    (host.directory / "compose.yaml").write_text("services: {}\n")
    done = host.run(script)
    assert done.returncode != 0
    assert f"{host.directory}: no secret file" in done.stderr


def test_a_directory_in_the_way_is_an_error(host: Host, script: Path) -> None:
    host.encrypt("secrets.sops.yaml", "a: 1\n")
    (host.directory / "secrets.yaml").mkdir()
    done = host.run(script)
    assert done.returncode != 0
    assert "secrets.sops.yaml: secrets.yaml is a directory" in done.stderr
    assert list((host.directory / "secrets.yaml").iterdir()) == []


def test_an_interrupted_run_leaves_no_half_file(host: Host, script: Path, tmp_path: Path) -> None:
    host.encrypt(".sops.env", "A=1\n")
    before = host.names()
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "sops").write_text('#!/bin/sh\necho half\nkill -TERM "$PPID"\nsleep 0.2\n')
    (slow / "sops").chmod(0o755)
    done = host.run(script, PATH=f"{slow}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 143
    assert host.names() == before
