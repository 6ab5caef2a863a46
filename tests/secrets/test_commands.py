"""``homeops secrets``: list, view, set, edit, encrypt, updatekeys, with the real sops and age."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from homeops.cli import secrets_files
from tests.secrets.checkout import PLAIN, SEVERAL_LINES, VALUES, WITH_RAW, WITHOUT, Checkout
from tests.secrets.repository import SECRET, STACK, Tool


def set_and_view(checkout: Checkout, file: str, key: str, value: str) -> str:
    checkout.done(secrets_files.set_key, file, key, "--exact", stdin=value.encode())
    return checkout.done(secrets_files.view, file, key, "--show")


@pytest.mark.parametrize("name", ["web.sops.json", "web.sops.yaml"])
def test_every_value_comes_back_from_json_and_yaml_as_it_was_given(checkout: Checkout, name: str) -> None:
    file = f"{STACK}/{name}"
    values = VALUES | SEVERAL_LINES
    for key, value in values.items():
        assert set_and_view(checkout, file, key, value) == value
    plain = checkout.plain(checkout.root / file)
    assert (json.loads(plain) if name.endswith("json") else yaml.safe_load(plain)) == values


def in_container(checkout: Checkout, tool: Tool, plain: str, name: str = ".env") -> dict[str, str]:
    """The environment that compose gives the container, with the secret file decrypted as the hook does it."""
    directory = checkout.root / STACK
    (directory / name).write_bytes(plain.encode())
    command = [*tool("docker-compose"), "-p", "web", "config", "--format", "json"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["services"]["web"]["environment"]
    return {key: value.replace("$$", "$") for key, value in found.items()}


def variables(values: dict[str, str]) -> dict[str, str]:
    return {f"KEY_{number}": value for number, value in enumerate(values.values())}


def test_every_value_reaches_the_container_through_a_dotenv_file_that_compose_reads(
    checkout: Checkout, tool: Tool
) -> None:
    checkout.repository.compose(WITHOUT)
    values = variables(VALUES | SEVERAL_LINES)
    for key, value in values.items():
        assert set_and_view(checkout, SECRET, key, value) == value
    assert in_container(checkout, tool, checkout.plain()) == {"A": "first-value", "B": "second-value", **values}


def test_every_value_of_one_line_reaches_the_container_through_a_raw_dotenv_file(
    checkout: Checkout, tool: Tool
) -> None:
    checkout.repository.compose(WITH_RAW.replace(".env", "web.env"))
    values = variables(VALUES)
    file = f"{STACK}/web.sops.env"
    for key, value in values.items():
        assert set_and_view(checkout, file, key, value) == value
    assert in_container(checkout, tool, checkout.plain(checkout.root / file), "web.env") == values


@pytest.mark.parametrize("value", SEVERAL_LINES.values(), ids=SEVERAL_LINES)
def test_several_lines_in_a_raw_dotenv_file_are_refused_and_change_nothing(checkout: Checkout, value: str) -> None:
    before = checkout.file.read_bytes()
    said = checkout.refused(secrets_files.set_key, SECRET, "A", stdin=value)
    assert f"{SECRET}: A: it has several lines" in said
    assert "hint: put a value of several lines into a .sops.json or .sops.yaml" in said
    assert "BEGIN" not in said
    assert checkout.file.read_bytes() == before


def test_a_file_that_two_services_read_in_two_ways_takes_what_both_read_alike(checkout: Checkout) -> None:
    second = "  other:\n    image: x\n    env_file: .env\n"
    checkout.repository.compose(WITH_RAW + second)
    assert set_and_view(checkout, SECRET, "A", "same-for-both") == "same-for-both"
    assert "one compose file reads the file with `format: raw`" in checkout.refused(
        secrets_files.set_key, SECRET, "A", stdin="not $ame"
    )


def test_a_value_that_stops_compose_where_it_reads_env_for_itself_is_set_with_a_warning(checkout: Checkout) -> None:
    result = checkout.run(secrets_files.set_key, SECRET, "A", stdin="'abc")
    assert result.exit_code == 0
    assert "compose fails on this value if it reads .env for its own variables" in result.stderr
    assert "'abc" not in result.output
    assert checkout.run(secrets_files.set_key, SECRET, "A", stdin="abc").stderr == ""


def test_a_value_that_is_there_already_changes_no_byte(checkout: Checkout) -> None:
    before = checkout.file.read_bytes()
    assert "A unchanged" in checkout.done(secrets_files.set_key, SECRET, "A", stdin="first-value\n")
    assert checkout.file.read_bytes() == before
    assert "A changed" in checkout.done(secrets_files.set_key, SECRET, "A", stdin="new-value\n")
    assert "C added" in checkout.done(secrets_files.set_key, SECRET, "C", stdin="third\n")
    assert checkout.plain() == "A=new-value\nB=second-value\nC=third\n"


def test_an_empty_value_is_set_only_when_asked_for(checkout: Checkout) -> None:
    before = checkout.file.read_bytes()
    assert "the value is empty" in checkout.refused(secrets_files.set_key, SECRET, "A", stdin="\n")
    assert checkout.file.read_bytes() == before
    for file in (SECRET, f"{STACK}/web.sops.json", f"{STACK}/web.sops.yaml"):
        checkout.done(secrets_files.set_key, file, "A", "--empty")
        assert checkout.done(secrets_files.view, file, "A", "--show") == ""
    assert checkout.plain() == "A=\nB=second-value\n"


@pytest.mark.parametrize("key", ["a b", "sops_mac", "1A", "A=B", "", "A.B"])
def test_a_key_that_a_dotenv_file_cannot_hold_is_refused(checkout: Checkout, key: str) -> None:
    before = checkout.file.read_bytes()
    checkout.refused(secrets_files.set_key, SECRET, key, stdin="value")
    assert checkout.file.read_bytes() == before


def test_a_place_below_the_top_is_a_dotted_key(checkout: Checkout) -> None:
    file = f"{STACK}/app.sops.yaml"
    checkout.repository.secret(file, "users:\n  - name: ann\n    pass: old-value\nport: 5432\n")
    assert set_and_view(checkout, file, "users.0.pass", "new-value") == "new-value"
    assert set_and_view(checkout, file, "smtp.password", "third") == "third"
    assert yaml.safe_load(checkout.plain(checkout.root / file)) == {
        "users": [{"name": "ann", "pass": "new-value"}],
        "port": 5432,
        "smtp": {"password": "third"},
    }
    for key, said in {
        "users": "holds several values",
        "users.1.pass": "is a list of 1",
        "users.0.pass.x": "is a value and holds nothing",
        "port": "is a number",
        "sops.mac": "sops keeps its own data",
    }.items():
        assert said in checkout.refused(secrets_files.set_key, file, key, stdin="value")


def test_a_value_that_is_no_utf8_is_refused(checkout: Checkout) -> None:
    assert "is not UTF-8" in checkout.refused(secrets_files.set_key, SECRET, "A", stdin=b"\xff\xfe")


def test_view_masks_every_value_and_needs_no_key_for_that(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOPS_AGE_KEY")
    assert checkout.done(secrets_files.view, SECRET) == "A=********\nB=********\n"
    assert checkout.done(secrets_files.view, "nvr/web", "B") == "B=********\n"
    assert "there is no age key" in checkout.refused(secrets_files.view, "web", "--show")


def test_view_shows_the_file_as_it_is_when_told_to(checkout: Checkout) -> None:
    assert checkout.done(secrets_files.view, "web", "--show") == PLAIN
    assert 'no key "C"' in checkout.refused(secrets_files.view, "web", "C", "--show")
    assert 'no key "C"' in checkout.refused(secrets_files.view, "web", "C")


def test_a_name_that_fits_no_file_or_several_is_refused_with_what_there_is(checkout: Checkout) -> None:
    assert 'did you mean "web"?' in checkout.refused(secrets_files.view, "wep")
    checkout.repository.secret(f"{STACK}/db.sops.env", "C=x\n")
    assert "db.sops.env" in checkout.refused(secrets_files.view, "web")
    assert "is not in this checkout" in checkout.refused(secrets_files.view, "/etc/x.sops.env")


def test_what_a_killed_run_left_is_no_secret_file(checkout: Checkout) -> None:
    left = checkout.repository.write(f"{STACK}/.homeops-x/.sops.env", checkout.file.read_bytes())
    assert "0 of 1 files changed" in checkout.done(secrets_files.updatekeys)
    assert checkout.done(secrets_files.view, "web") == "A=********\nB=********\n"
    assert left.exists()


def test_list_tells_files_keys_and_recipients_and_no_value(checkout: Checkout, root: Path) -> None:
    shutil.copy(root / "Pulumi.prod.yaml", checkout.root)
    checkout.repository.secret("docker/stacks/nvr/frigate/.sops.env", "C=third-value\n")
    listed = checkout.done(secrets_files.list_files, "--json")
    assert json.loads(listed) == [
        {
            "file": "docker/stacks/nvr/frigate/.sops.env",
            "stacks": ["frigate"],
            "keys": ["C"],
            "recipients": [checkout.recipient],
            "encrypted": True,
        },
        {"file": SECRET, "stacks": [], "keys": ["A", "B"], "recipients": [checkout.recipient], "encrypted": True},
    ]
    table = checkout.done(secrets_files.list_files)
    assert "A, B" in table
    assert "value" not in listed + table


def editor(tmp_path: Path, script: str) -> str:
    program = tmp_path / "editor.sh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return str(program)


def test_edit_opens_the_plain_file_in_the_editor_and_encrypts_what_it_leaves(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setenv("EDITOR", editor(tmp_path, f'echo "$1" >{seen}; sed -i s/first/edited/ "$1"'))
    assert "changed" in checkout.done(secrets_files.edit, SECRET)
    assert checkout.plain() == "A=edited-value\nB=second-value\n"
    opened = Path(seen.read_text().strip())
    assert not opened.exists()
    assert opened.is_relative_to("/dev/shm") or not os.access("/dev/shm", os.W_OK)  # noqa: S108


def test_an_editor_that_changes_nothing_changes_no_byte(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = checkout.file.read_bytes()
    monkeypatch.setenv("EDITOR", editor(tmp_path, ":"))
    assert "unchanged" in checkout.done(secrets_files.edit, SECRET)
    assert checkout.file.read_bytes() == before


def test_no_editor_is_opened_for_a_file_that_cannot_be_read(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    monkeypatch.setenv("EDITOR", editor(tmp_path, f"touch {seen}"))
    monkeypatch.delenv("SOPS_AGE_KEY")
    assert "there is no age key" in checkout.refused(secrets_files.edit, SECRET)
    assert not seen.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("db.env", "# comment\n\nA=1\nB='two words'\nC=$x\\n\nE=\n"),
        ("db.json", '{"a": {"b": ["x", 1, null, true]}, "c": "ü"}\n'),
        ("db.yaml", "# comment\na:\n  # inner\n  b: [x, 1, true]\nc: |\n  several\n  lines\n"),
    ],
)
def test_encrypt_replaces_a_plain_file_by_one_that_says_the_same(checkout: Checkout, name: str, text: str) -> None:
    plain = checkout.repository.write(f"{STACK}/{name}", text)
    checkout.done(secrets_files.encrypt, f"{STACK}/{name}")
    assert not plain.exists()
    stem, _, kind = name.rpartition(".")
    found = checkout.plain(plain.with_name(f"{stem}.sops.{kind}"))
    if kind == "env":
        assert found == text.replace("\n\n", "\n")
    else:
        load = json.loads if kind == "json" else yaml.safe_load
        assert load(found) == load(text)


def test_encrypt_takes_a_plain_file_under_the_name_of_a_secret_file(checkout: Checkout) -> None:
    checkout.file.write_text("A=in the clear\n")
    checkout.done(secrets_files.encrypt, SECRET)
    assert checkout.plain() == "A=in the clear\n"
    assert "is encrypted already" in checkout.refused(secrets_files.encrypt, SECRET)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("db.env", "A='first\nsecond'\n", "db.env:1: its quote is not closed"),
        ("db.env", "A=1\r\n", "db.env:1: ends in CR LF"),
        ("db.env", "A=1\nA=2\n", "db.env:2: A stands in line 1 already"),
        ("db.env", "A=1\nexport B=2\n", "db.env:2: its key is no name"),
        ("db.env", "A=1\nhunter2\n", "db.env:2: is neither KEY=VALUE nor a comment"),
        ("db.json", '{"a": "hunter2"', f"{STACK}/db.json: not JSON: line 1"),
        ("db.json", '{"a": "1", "a": "2"}', "db.json:1: a stands in line 1 already"),
        ("db.yaml", "a: 1\na: 2\n", "db.yaml:2: a stands in line 1 already"),
        ("db.yaml", "a: [hunter2\n", f"{STACK}/db.yaml: not YAML: line 2"),
        ("db.yaml", "- hunter2\n", f"{STACK}/db.yaml: want a mapping"),
    ],
)
def test_encrypt_refuses_a_file_that_sops_would_not_keep_whole(
    checkout: Checkout, name: str, text: str, said: str
) -> None:
    plain = checkout.repository.write(f"{STACK}/{name}", text.encode())
    message = checkout.refused(secrets_files.encrypt, f"{STACK}/{name}")
    assert said in message
    assert "hunter2" not in message
    assert plain.read_bytes() == text.encode()
    assert [path.name for path in plain.parent.glob("*db*")] == [name]


def test_encrypt_never_replaces_a_secret_file_by_another(checkout: Checkout) -> None:
    before = checkout.file.read_bytes()
    plain = checkout.repository.write(f"{STACK}/.env", "C=1\n")
    assert "is there already" in checkout.refused(secrets_files.encrypt, f"{STACK}/.env")
    assert checkout.file.read_bytes() == before
    assert plain.read_text() == "C=1\n"


def test_a_plain_file_is_kept_when_what_was_encrypted_cannot_be_read_back(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOPS_AGE_KEY")
    plain = checkout.repository.write(f"{STACK}/db.env", "C=1\n")
    assert "there is no age key" in checkout.refused(secrets_files.encrypt, f"{STACK}/db.env")
    assert plain.read_text() == "C=1\n"
    assert not plain.with_name("db.sops.env").exists()


def test_updatekeys_adds_and_removes_readers_as_the_rules_say(checkout: Checkout) -> None:
    _, second = checkout.repository.key()
    ciphertext = checkout.file.read_text().splitlines()[0]
    checkout.repository.policy(checkout.recipient, second)
    said = checkout.done(secrets_files.updatekeys)
    assert f"{SECRET}: {second} added" in said
    assert "1 of 1 files changed" in said
    assert checkout.file.read_text().splitlines()[0] == ciphertext
    assert "0 of 1 files changed" in checkout.done(secrets_files.updatekeys)
    checkout.repository.policy(checkout.recipient)
    assert f"{second} removed" in checkout.done(secrets_files.updatekeys, "web")
    assert checkout.file.read_text().splitlines()[0] != ciphertext
    assert second not in checkout.file.read_text()
    assert checkout.plain() == PLAIN
