"""The rules while a key is rotated, and what may be done next: nothing that would leave a host without its key."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from homeops.errors import SecretsError
from homeops.secrets.documents import read_document
from homeops.secrets.policy import parse_policy
from homeops.secrets.rotation import Rotation, begun, ended, retired, settled_policy, under_way
from homeops.secrets.rotation_standing import HostKeys, Standing, next_step, refuse_drop, refuse_retire
from tests.secrets.repository import Repository, Tool

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
    repository = Repository(tmp_path / "checkout", tool)
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
