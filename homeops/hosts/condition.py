"""How hosts are, beside how they have to be."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from homeops.errors import HomeopsError, Problem
from homeops.hosts.observation import UNKNOWN, Facts, drift, observe
from homeops.hosts.reach import Reach
from homeops.hosts.requirement import Requirement
from homeops.model.host import AgeKey

Item = TypeVar("Item")
Result = TypeVar("Result")

_AT_ONCE = 32
"""How many hosts are worked on at once: a thread and an ssh each."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A host: how it is reached, what must be true of it, whose age key it holds.

    ``install_key``: the key that may be installed on it when it has none; None where that is not allowed.
    """

    reach: Reach
    requirements: tuple[Requirement, ...]
    recipient: str = ""
    install_key: AgeKey | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact; ``repaired``: whether a repair would set it right, or it is only shown."""

    requirement: str
    name: str
    wanted: str
    found: str
    repaired: bool

    @property
    def right(self) -> bool:
        """Whether it is as wanted."""
        return self.found == self.wanted


@dataclass(frozen=True, slots=True)
class Condition:
    """A host as it was found; ``problems``: why nothing could be found of it."""

    host: str
    requirements: tuple[Requirement, ...] = ()
    found: Facts = field(default_factory=Facts)
    problems: tuple[Problem, ...] = ()

    @property
    def drifted(self) -> tuple[Requirement, ...]:
        """The requirements that a repair has something to do for, in order of application."""
        return tuple(item for item in self.requirements if drift(item, self.found.get(item.name, {})))

    @property
    def facts(self) -> Iterator[Fact]:
        """Every fact that was looked for, in order."""
        for item in self.requirements:
            found = self.found.get(item.name, {})
            for values, repaired in ((item.wanted, True), (item.reported, False)):
                for name, wanted in values.items():
                    yield Fact(item.name, name, wanted, found.get(name, UNKNOWN), repaired)

    @property
    def right(self) -> bool:
        """Whether the host answered and all is as wanted."""
        return not self.problems and all(fact.right for fact in self.facts)

    def document(self) -> dict[str, Any]:
        """As JSON: the host, whether all is right, what is wrong with reaching it, each fact by requirement."""
        requirements: dict[str, dict[str, Any]] = {}
        for fact in self.facts:
            of_it = {"wanted": fact.wanted, "found": fact.found, "right": fact.right, "repaired": fact.repaired}
            requirements.setdefault(fact.requirement, {})[fact.name] = of_it
        problems = [{"what": problem.what, "hint": problem.hint} for problem in self.problems]
        return {"host": self.host, "right": self.right, "problems": problems, "requirements": requirements}


def condition_of(subject: Subject) -> Condition:
    """Look at one host; what went wrong with that is part of the answer."""
    try:
        return Condition(subject.reach.host, subject.requirements, observe(subject.reach, subject.requirements))
    except HomeopsError as error:
        return Condition(subject.reach.host, problems=error.problems)


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Do the work for each item at the same time; the results in the items' order."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(work, items))
