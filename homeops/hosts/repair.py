"""Setting hosts right, directly: what drifted is applied, and looked at again."""

from collections.abc import Callable
from dataclasses import dataclass

from homeops.errors import HomeopsError, Problem
from homeops.hosts.age_key import install_age_key
from homeops.hosts.condition import Condition, Subject
from homeops.hosts.observation import drift, observe
from homeops.hosts.reach import HostError, HostUnreachable, Reach
from homeops.hosts.requirement import Requirement
from homeops.hosts.script import run_script

Tell = Callable[[str], None]
Key = Callable[[str], str]
"""The text of the key file for a recipient; raises SecretsError when it is not at hand."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of a host: the requirements that are right now, and the problems with the others."""

    host: str
    repaired: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def repair(subject: Subject, condition: Condition, tell: Tell, key: Key) -> Repaired:
    """Apply what drifted, in order, and look again. One that fails does not keep the next from being tried.

    A host that goes away ends it. What went wrong is part of the answer. ``tell`` hears what was changed.
    """
    host, problems = subject.reach.host, list[Problem]()
    todo, failed = condition.drifted, set[str]()
    try:
        for requirement in todo:
            try:
                for line in apply(subject, requirement, condition.found[requirement.name], key).splitlines():
                    tell(f"{host}: {line}")
            except HostUnreachable:
                raise
            except HomeopsError as error:
                failed.add(requirement.name)
                problems.extend(error.problems)
        found = observe(subject.reach, todo)
    except HomeopsError as error:
        return Repaired(host, problems=(*problems, *error.problems))
    left = {item.name: left for item in todo if (left := drift(item, found[item.name]))}
    for name, facts in left.items():
        if name not in failed:
            said = ", ".join(f"{fact} is {is_now}, wanted {wanted}" for fact, (wanted, is_now) in facts.items())
            problems.append(Problem(host, f"{name}: applied, and still not right: {said}"))
    return Repaired(host, tuple(item.name for item in todo if item.name not in left), tuple(problems))


def apply(subject: Subject, requirement: Requirement, found: dict[str, str], key: Key) -> str:
    """Make one requirement true of a host; returns what was said. Raises HostError naming host and requirement."""
    quirk = subject.install_key
    if quirk and requirement.name == quirk.name and found.get("key") == "missing":
        script = install_age_key(quirk, subject.recipient)
        return install_key(subject.reach, quirk.name, script, lambda: key(subject.recipient))
    return run_script(subject.reach, requirement.name, requirement.apply)


def install_key(reach: Reach, name: str, script: str, key: Callable[[], str]) -> str:
    """Run a script of ``install_age_key`` with the text of the key on its standard input; returns what was said.

    Raises HostError naming the host, also where the key is not at hand.
    """
    try:
        text = key()
    except HomeopsError as error:
        problems = (Problem(reach.host, f"{name}: {found.what}", found.hint) for found in error.problems)
        raise HostError(*problems) from None
    return run_script(reach, name, script, text)
