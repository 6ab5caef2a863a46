"""The rules of ``.sops.yaml`` while one recipient takes the place of another: text in, text out.

A line says which rotation is under way, for whoever goes on with it from whatever machine::

    # rotation: age1old -> age1new
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from homeops.errors import Problem, SecretsError
from homeops.secrets.policy import POLICY_FILE, Policy, parse_policy, policy_text

_RECIPIENT = r"age1[0-9a-z]+"
_MARK = re.compile(rf"^# rotation: ({_RECIPIENT}) -> ({_RECIPIENT})[ \t]*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rotation:
    """Which recipient takes the place of which."""

    old: str
    new: str


def under_way(text: str) -> Rotation | None:
    """The rotation that a ``.sops.yaml`` tells of."""
    found = _MARK.search(text)
    return Rotation(found[1], found[2]) if found else None


def begun(text: str, path: Path, rotation: Rotation) -> str:
    """The rules with the new recipient beside the old one wherever that stands; raises SecretsError."""
    lines = _with(_MARK.sub("", text).splitlines(keepends=True), rotation)
    fresh = f"# rotation: {rotation.old} -> {rotation.new}\n{''.join(lines)}"
    _verify(text, fresh, path, {rotation.old: frozenset((rotation.old, rotation.new))})
    return fresh


def retired(text: str, path: Path, rotation: Rotation) -> str:
    """The rules without the old recipient; the line of the rotation stays. Raises SecretsError."""
    fresh = "".join(
        line if _MARK.match(line) else _without(line, rotation.old) for line in text.splitlines(keepends=True)
    )
    _verify(text, fresh, path, {rotation.old: frozenset()})
    return fresh


def ended(text: str) -> str:
    """The rules without the line of the rotation."""
    return _MARK.sub("", text)


def settled_policy(root: Path) -> Policy:
    """The rules of a checkout by which a host's own key is known: while a rotation lasts, that is one of its two.

    The old one as long as rules name it, then the new one; with both, no host could be told which key to hold. Raises
    SecretsError as ``read_policy`` does.
    """
    text = policy_text(root)
    policy, found = parse_policy(text, root / POLICY_FILE), under_way(text)
    if found is None:
        return policy
    rules = (
        replace(rule, recipients=rule.recipients - {found.new}) if found.old in rule.recipients else rule
        for rule in policy.rules
    )
    return replace(policy, rules=tuple(rules))


def concerned(policy: Policy, rotation: Rotation) -> tuple[bool, bool]:
    """Whether rules name the old recipient, and whether every one that does names the new one, and one does at all."""
    old = [rule for rule in policy.rules if rotation.old in rule.recipients]
    new = [rule for rule in policy.rules if rotation.new in rule.recipients]
    return bool(old), bool(new) and all(rotation.new in rule.recipients for rule in old)


def _item(line: str, recipient: str) -> re.Match[str] | None:
    """A line that is one item of a block list, and nothing else."""
    return re.fullmatch(rf"(\s*-\s+)(['\"]?){recipient}\2[ \t]*(#.*)?\n?", line)


def _with(lines: list[str], rotation: Rotation) -> Iterator[str]:
    for line, after in pairwise([*lines, ""]):
        if line.lstrip().startswith("#") or rotation.new in line:
            yield line
        elif not _item(line, rotation.old):
            yield line.replace(rotation.old, f"{rotation.old},{rotation.new}")
        else:
            yield line if line.endswith("\n") else f"{line}\n"
            # With its comment, which the old one takes away.
            if rotation.new not in after:
                yield line.replace(rotation.old, rotation.new)


def _without(line: str, old: str) -> str:
    if line.lstrip().startswith("#"):
        return line
    if _item(line, old):
        return ""
    return re.sub(rf"{old}\s*,[ \t]*|,\s*{old}", "", line)


def _verify(before: str, after: str, path: Path, instead: dict[str, frozenset[str]]) -> None:
    """Raise SecretsError unless each rule has the recipients that it had, those of ``instead`` for some."""

    def expected(recipients: frozenset[str]) -> frozenset[str]:
        return frozenset[str]().union(*(instead.get(recipient, frozenset((recipient,))) for recipient in recipients))

    was, now = parse_policy(before, path).rules, parse_policy(after, path).rules
    want = [(rule.pattern.pattern, expected(rule.recipients)) for rule in was]
    if [(rule.pattern.pattern, rule.recipients) for rule in now] != want:
        hint = "write it as age: age1...,age1... or as a list with one recipient a line"
        raise SecretsError(
            Problem(path.name, "the recipients are written in a way that cannot be changed safely", hint)
        )
