"""Rotating an age key: another one takes its place, and no secret file is unreadable on a host at any moment. Pure.

A line of ``.sops.yaml`` says which rotation is under way, for whoever goes on with it from whatever machine::

    # rotation: age1old -> age1new

First the rules and files get the new recipient beside the old one, and hosts the new key; once every host has it, the
old recipient goes and all values are encrypted anew; then hosts lose the old key, and the line goes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from homeops.errors import Problem, SecretsError
from homeops.secrets.policy import Policy, parse_policy, read_policy

_RECIPIENT = r"age1[0-9a-z]+"
_MARK = re.compile(rf"^# rotation: ({_RECIPIENT}) -> ({_RECIPIENT})[ \t]*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rotation:
    """Which recipient takes the place of which."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class HostKeys:
    """Whether a host has the old and the new key; ``problem``: why that is not known."""

    old: bool = False
    new: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that says where a rotation stands. ``unpublished``: files that differ from what agents pull."""

    rotation: Rotation
    old_in_rules: bool
    new_in_rules: bool
    without_new: tuple[str, ...] = ()
    with_old: tuple[str, ...] = ()
    unpublished: tuple[str, ...] = ()
    hosts: dict[str, HostKeys] = field(default_factory=dict[str, HostKeys])

    @property
    def begun(self) -> bool:
        """Rules and files have the new recipient."""
        return self.new_in_rules and not self.without_new

    @property
    def retired(self) -> bool:
        """Neither rules nor files have the old recipient."""
        return self.begun and not self.old_in_rules and not self.with_old

    def lacking(self) -> dict[str, HostKeys]:
        """Hosts that have the old key and not the new one, or that gave no answer."""
        return {name: keys for name, keys in self.hosts.items() if keys.problem or (keys.old and not keys.new)}

    def keeping(self) -> dict[str, HostKeys]:
        """Hosts that have the old key, or that gave no answer."""
        return {name: keys for name, keys in self.hosts.items() if keys.problem or keys.old}


def next_step(standing: Standing) -> tuple[str, str]:
    """What is to be done next, and why."""
    publish = "git add .sops.yaml docker/stacks && git commit && git push"
    differ = f"not yet where agents pull from: {', '.join(standing.unpublished)}"
    if not standing.begun:
        return "homeops secrets rotate begin", "the new recipient is not in all rules and files"
    if standing.old_in_rules:
        if standing.unpublished:
            return publish, differ
        if lacking := standing.lacking():
            return "homeops secrets rotate install", f"without the new key: {', '.join(lacking)}"
        return "homeops secrets rotate retire", "every host has the new key"
    if not standing.retired:
        return "homeops secrets rotate retire", f"the old recipient is still in {', '.join(standing.with_old)}"
    if standing.unpublished:
        return publish, differ
    if keeping := standing.keeping():
        return "homeops secrets rotate drop", f"the old key is still on {', '.join(keeping)}"
    return "homeops secrets rotate drop", "the old key is nowhere in use; this ends the rotation"


def refuse_retire(standing: Standing, without: frozenset[str]) -> None:
    """Raise SecretsError where a file would be unreadable without the old key, but for the hosts in ``without``."""
    problems = [
        Problem(name, "has not the new recipient", "homeops secrets rotate begin") for name in standing.without_new
    ]
    # Once the old recipient is out of the rules, this was seen to be safe, and is only gone on with.
    if standing.old_in_rules:
        problems += [
            Problem(name, "is not yet where agents pull from", "git commit and push") for name in standing.unpublished
        ]
        problems += [_lacks(name, keys) for name, keys in standing.lacking().items() if name not in without]
    if problems:
        raise SecretsError(*problems)


def refuse_drop(standing: Standing) -> None:
    """Raise SecretsError where a host may still need the old key."""
    problems = [Problem(name, "has the old recipient", "homeops secrets rotate retire") for name in standing.with_old]
    if standing.old_in_rules:
        problems.append(Problem(".sops.yaml", "names the old recipient", "homeops secrets rotate retire"))
    problems += [
        Problem(name, "is not yet where agents pull from", "git commit and push") for name in standing.unpublished
    ]
    if problems:
        raise SecretsError(*problems)


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
    policy = read_policy(root)
    found = under_way(policy.path.read_text(encoding="utf-8"))
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


def _lacks(name: str, keys: HostKeys) -> Problem:
    hint = f"homeops secrets rotate install, or --without-host {name} if its stacks may be unreadable for now"
    return Problem(
        name,
        f"whether it has the new key is not known: {keys.problem}" if keys.problem else "has not the new key",
        hint,
    )


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
