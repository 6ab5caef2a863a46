"""The scripts of a rotation: a key is put beside the host's and the old one taken away, and nothing else."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from homeops.hosts.age_key_rotation import add, drop, look
from homeops.model.host import AgeKey
from homeops.secrets import age_keys

Tool = Callable[[str], list[str]]
QUIRK = AgeKey(reason="decrypts")


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
