"""Looking at a host: all probes as one script over one connection, and what it printed as facts."""

from collections.abc import Mapping, Sequence
from shlex import quote

from homeops.errors import Problem
from homeops.hosts.reach import HostError, Reach
from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import as_root
from homeops.hosts.ssh import run

UNKNOWN = "unknown"
"""The value of a fact that its probe did not print: the probe itself failed."""

DEADLINE = 60
"""Seconds for all probes of a host that answers; one that does not is given up after the connect timeout."""

_BEGIN, _END = "== ", "== end =="

Facts = dict[str, dict[str, str]]
"""Requirement to fact to value."""


def probe_script(requirements: Sequence[Requirement]) -> str:
    """All probes in one script, for root; a probe that fails takes no other with it."""
    parts = (f"{_line(_BEGIN + item.name)}sh -c {quote(item.probe)} </dev/null\n" for item in requirements)
    return "".join([*parts, _line(_END)])


def _line(text: str) -> str:
    """Shell text that prints a line of its own, whatever was printed before it."""
    return f"printf '\\n%s\\n' {quote(text)}\n"


def read(text: str) -> Facts:
    """What the script printed, as facts; raises ValueError when its end is missing."""
    facts: Facts = {}
    current: dict[str, str] | None = None
    for line in text.splitlines():
        if line == _END:
            return facts
        if line.startswith(_BEGIN):
            current = facts.setdefault(line.removeprefix(_BEGIN), {})
        elif current is not None and "=" in line:
            fact, _, value = line.partition("=")
            current[fact] = value
    raise ValueError("the end is missing")


def observe(reach: Reach, requirements: Sequence[Requirement]) -> Facts:
    """The facts of a host now: each of ``wanted`` and ``reported`` of each requirement, ``unknown`` where not printed.

    Raises HostError as ``run`` does, and when the probes did not come to their end.
    """
    done = run(reach, as_root(probe_script(requirements), reach.user), deadline=reach.timeout + DEADLINE)
    try:
        found = read(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.code}"])[-1]
        raise HostError(Problem(reach.host, f"the probes did not come to their end: {said}")) from None
    return {
        item.name: {fact: found.get(item.name, {}).get(fact, UNKNOWN) for fact in (*item.wanted, *item.reported)}
        for item in requirements
    }


def drift(requirement: Requirement, found: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What is not as wanted and would be repaired: fact to (wanted, found)."""
    wanted = requirement.wanted.items()
    return {fact: (value, found.get(fact, UNKNOWN)) for fact, value in wanted if found.get(fact, UNKNOWN) != value}
