"""The sops binary as homeops runs it: real files, real keys, and every way in which it refuses."""

import json
import os
import stat
from pathlib import Path

import pytest

from homeops.errors import SecretsError, ToolError
from homeops.secrets.sops import Sops, SopsFailed
from tests.secrets.repository import SECRET, Repository, Tool

PLAIN = "A=first-value\nB=second-value\n"
VALUE = "hunter2-of-nobody"


class Checkout:
    """A repository with one secret file, and sops with or without a key for it."""

    def __init__(self, root: Path, tool: Tool) -> None:
        self.repository = Repository(root, tool)
        self.path = os.pathsep.join({str(Path(tool(name)[0]).parent) for name in ("sops", "age-keygen")})
        self.private, self.recipient = self.repository.key()
        self.repository.policy(self.recipient)
        self.file = self.repository.secret(SECRET, PLAIN)

    def sops(self, **environ: str) -> Sops:
        return Sops(self.repository.root, {"PATH": self.path, "HOME": "/nonexistent", **environ})

    @property
    def keyed(self) -> Sops:
        return self.sops(SOPS_AGE_KEY=self.private)

    def ciphertext(self, key: str) -> str:
        return next(line for line in self.file.read_text().splitlines() if line.startswith(f"{key}="))


@pytest.fixture
def checkout(tmp_path: Path, tool: Tool) -> Checkout:
    return Checkout(tmp_path / "checkout", tool)


def ignore(_: str) -> None:
    """Accept any content."""


def test_a_file_is_decrypted_with_the_key_of_the_environment(checkout: Checkout) -> None:
    assert checkout.keyed.decrypt(checkout.file) == PLAIN


def test_without_any_setting_the_owners_key_file_is_used(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / ".sops").mkdir()
    (tmp_path / ".sops/key.txt").write_text(f"{checkout.private}\n")
    assert checkout.sops(HOME=str(tmp_path)).decrypt(checkout.file) == PLAIN


def refused(sops: Sops, path: Path) -> SopsFailed:
    with pytest.raises(SopsFailed) as caught:
        sops.decrypt(path)
    assert path.name in str(caught.value)
    assert "hint: " in str(caught.value)
    return caught.value


def test_no_key_is_told_apart_from_a_key_that_cannot_be_read(checkout: Checkout, tmp_path: Path) -> None:
    broken = tmp_path / "key.txt"
    broken.write_text("no key at all\n")
    assert refused(checkout.sops(), checkout.file).reason == "no key"
    assert refused(checkout.sops(SOPS_AGE_KEY_FILE=str(broken)), checkout.file).reason == "bad key"
    assert refused(checkout.sops(SOPS_AGE_KEY_FILE=str(tmp_path / "none")), checkout.file).reason == "bad key"


def test_the_key_of_another_is_told_as_that(checkout: Checkout) -> None:
    other, _ = checkout.repository.key()
    failed = refused(checkout.sops(SOPS_AGE_KEY=other), checkout.file)
    assert failed.reason == "other recipient"
    assert other not in str(failed)


@pytest.mark.parametrize("change", ["a line removed", "a key renamed", "the MAC changed"])
def test_a_file_that_was_changed_by_hand_is_damaged(checkout: Checkout, change: str) -> None:
    text = checkout.file.read_text()
    a_line = checkout.ciphertext("A") + "\n"
    mac = checkout.ciphertext("sops_mac")
    edited = {
        "a line removed": text.replace(a_line, ""),
        "a key renamed": text.replace(a_line, f"X{a_line}"),
        "the MAC changed": text.replace(mac, mac.replace("data:", "data:AAAA")),
    }[change]
    assert edited != text
    checkout.file.write_text(edited)
    assert refused(checkout.keyed, checkout.file).reason == "damaged"


def test_a_plain_file_is_not_encrypted_and_its_content_is_in_no_message(checkout: Checkout) -> None:
    checkout.file.write_text(f"A={VALUE}\n")
    failed = refused(checkout.keyed, checkout.file)
    assert failed.reason == "not encrypted"
    assert VALUE not in str(failed)


@pytest.mark.parametrize("name", ["web.sops.json", "web.sops.yaml", "web.sops.env"])
def test_a_file_of_another_format_than_its_name_says_is_refused_without_a_word_of_it(
    checkout: Checkout, name: str
) -> None:
    path = checkout.file.with_name(name)
    path.write_text(f"{VALUE} {{[ {VALUE}\n")
    failed = refused(checkout.keyed, path)
    assert failed.reason == "format"
    assert VALUE not in str(failed)


def test_a_place_without_a_rule_and_a_file_that_is_not_there(checkout: Checkout) -> None:
    outside = checkout.repository.root / "docs.sops.env"
    with pytest.raises(SopsFailed) as caught:
        checkout.keyed.encrypt(PLAIN, outside, ignore)
    assert caught.value.reason == "no rule"
    assert not outside.exists()
    assert refused(checkout.keyed, outside).reason == "no file"


def test_a_missing_sops_is_told_with_what_brings_it(checkout: Checkout, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"sops: is not installed\n  hint: make tools"):
        checkout.sops(PATH=str(tmp_path)).decrypt(checkout.file)


def test_a_sops_that_takes_no_value_from_standard_input_is_too_old(checkout: Checkout, tmp_path: Path) -> None:
    old = tmp_path / "sops"
    old.write_text("#!/bin/sh\necho 'flag provided but not defined: -value-stdin' >&2\nexit 1\n")
    old.chmod(stat.S_IRWXU)
    with pytest.raises(SopsFailed, match="sops is too old") as caught:
        checkout.sops(PATH=str(tmp_path)).set(checkout.file, ("A",), VALUE, ignore)
    assert caught.value.reason == "old sops"


def test_a_name_of_no_known_format_is_refused(checkout: Checkout) -> None:
    with pytest.raises(SecretsError, match="not a dotenv, JSON or YAML file"):
        checkout.keyed.decrypt(checkout.file.with_name("secrets.ini"))


def test_setting_one_value_leaves_the_ciphertext_of_the_others(checkout: Checkout) -> None:
    other = checkout.ciphertext("B")
    checkout.keyed.set(checkout.file, ("A",), VALUE, ignore)
    assert checkout.keyed.decrypt(checkout.file) == f"A={VALUE}\nB=second-value\n"
    assert checkout.ciphertext("B") == other


def test_what_a_check_refuses_changes_nothing_and_leaves_nothing_behind(checkout: Checkout) -> None:
    def refuse(_: str) -> None:
        raise ValueError("no")

    before = checkout.file.read_bytes()
    fresh = checkout.file.with_name("new.sops.env")
    with pytest.raises(ValueError, match="no"):
        checkout.keyed.set(checkout.file, ("A",), VALUE, refuse)
    with pytest.raises(ValueError, match="no"):
        checkout.keyed.encrypt(PLAIN, fresh, refuse)
    assert checkout.file.read_bytes() == before
    assert [path.name for path in checkout.file.parent.iterdir()] == [checkout.file.name]


def test_a_recipient_is_added_without_a_new_ciphertext_and_removed_with_one(checkout: Checkout) -> None:
    private, recipient = checkout.repository.key()
    before = checkout.ciphertext("A")
    checkout.keyed.updatekeys(checkout.file, [checkout.recipient, recipient])
    assert checkout.ciphertext("A") == before
    second = checkout.sops(SOPS_AGE_KEY=private)
    assert second.decrypt(checkout.file) == checkout.keyed.decrypt(checkout.file) == PLAIN
    second.rotate(checkout.file, remove=[checkout.recipient])
    assert checkout.ciphertext("A") != before
    assert second.decrypt(checkout.file) == PLAIN
    assert refused(checkout.keyed, checkout.file).reason == "other recipient"


def test_recipients_of_the_environment_do_not_override_the_rules(checkout: Checkout) -> None:
    _, other = checkout.repository.key()
    path = checkout.file.with_name("new.sops.env")
    checkout.sops(SOPS_AGE_KEY=checkout.private, SOPS_AGE_RECIPIENTS=other).encrypt(PLAIN, path, ignore)
    assert checkout.keyed.decrypt(path) == PLAIN
    assert other not in path.read_text()


def test_a_secret_file_named_as_the_policy_is_no_policy(checkout: Checkout) -> None:
    path = checkout.file.with_name(".sops.yaml")
    checkout.keyed.encrypt("a: b\n", path, ignore)
    assert checkout.keyed.decrypt(path) == "a: b\n"
    assert checkout.keyed.decrypt(checkout.file) == PLAIN


def test_alone_with_a_key_no_other_key_helps(checkout: Checkout) -> None:
    other, _ = checkout.repository.key()
    assert refused(checkout.keyed.alone_with(other), checkout.file).reason == "other recipient"
    assert checkout.sops().alone_with(checkout.private).decrypt(checkout.file) == PLAIN


def test_no_value_is_an_argument_of_sops(checkout: Checkout, tmp_path: Path, tool: Tool) -> None:
    seen = tmp_path / "seen"
    spy = tmp_path / "bin/sops"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{seen}\nexec {tool("sops")[0]} "$@"\n')
    spy.chmod(stat.S_IRWXU)
    sops = checkout.sops(SOPS_AGE_KEY=checkout.private, PATH=f"{spy.parent}:{os.defpath}")
    sops.set(checkout.file, ("A",), VALUE, ignore)
    sops.encrypt(json.dumps({"a": VALUE}), checkout.file.with_name("b.sops.json"), ignore)
    assert sops.decrypt(checkout.file).startswith(f"A={VALUE}\n")
    arguments = seen.read_text()
    assert "--value-stdin" in arguments
    assert VALUE not in arguments
    assert checkout.private not in arguments
