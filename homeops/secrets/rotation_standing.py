"""Where the rotation of an age key stands, and what is next: at every moment, each host reads what it pulls. Pure.

First the rules and files get the new recipient beside the old one, and hosts the new key; once every host has it, the
old recipient goes and all values are encrypted anew; then hosts lose the old key.
"""

from dataclasses import dataclass, field

from homeops.errors import Problem, SecretsError
from homeops.model.stack_paths import STACKS
from homeops.secrets.policy import POLICY_FILE


@dataclass(frozen=True, slots=True)
class HostKeys:
    """Whether a host has the old and the new key; ``problem``: why that is not known."""

    old: bool = False
    new: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that says where a rotation stands. ``unpublished``: files that differ from what agents pull."""

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
    publish = f"git add {POLICY_FILE} {STACKS} && git commit && git push"
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
        problems.append(Problem(POLICY_FILE, "names the old recipient", "homeops secrets rotate retire"))
    problems += [
        Problem(name, "is not yet where agents pull from", "git commit and push") for name in standing.unpublished
    ]
    if problems:
        raise SecretsError(*problems)


def _lacks(name: str, keys: HostKeys) -> Problem:
    hint = f"homeops secrets rotate install, or --without-host {name} if its stacks may be unreadable for now"
    return Problem(
        name,
        f"whether it has the new key is not known: {keys.problem}" if keys.problem else "has not the new key",
        hint,
    )
