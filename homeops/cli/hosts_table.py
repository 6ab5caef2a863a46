"""Hosts as tables and lines for people."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from homeops.cli.screen import table_of
from homeops.hosts.condition import Condition, Fact
from homeops.hosts.known_hosts import HostKey
from homeops.hosts.trust import Trust


def condition_table(conditions: Sequence[Condition]) -> Table:
    """Each fact of each host; what is not as wanted is red, or yellow where no repair is made."""
    table = table_of("HOST", "REQUIREMENT", "FACT", "WANTED", "FOUND")
    for condition in conditions:
        if condition.problems:
            table.add_row(condition.host, "-", "-", "-", Text("not looked at", style="red"))
        for fact in condition.facts:
            table.add_row(
                condition.host, fact.requirement, fact.name, fact.wanted, Text(fact.found, style=_style(fact))
            )
    return table


def condition_lines(conditions: Sequence[Condition], stack: str) -> Iterator[Text]:
    """What it comes to, and what to do; ``stack``: the Pulumi stack whose hosts these are."""
    drifted = [condition.host for condition in conditions if condition.drifted]
    failed = sum(bool(condition.problems) for condition in conditions)
    reported = sum(not fact.right and not fact.repaired for condition in conditions for fact in condition.facts)
    said = [
        f"{len(drifted)} drifted" if drifted else "",
        f"{failed} not looked at" if failed else "",
        f"{reported} facts that no repair changes" if reported else "",
    ]
    said = [part for part in said if part]
    yield Text(f"{len(conditions)} hosts: {', '.join(said) or 'all is right'}", style="red" if said else "green")
    if drifted:
        yield Text(f"  hint: homeops hosts repair {' '.join(drifted)} -s {stack}")


def trust_lines(found: Trust) -> Iterator[str]:
    """The keys of a host: which are recorded, new, other than recorded, or gone."""
    was = {key.kind: key for key in found.recorded}
    yield f"{found.reach.host} ({found.reach.address} port {found.reach.port})"
    for key in found.shown:
        recorded = was.pop(key.kind, None)
        note = "new" if recorded is None else "recorded" if recorded == key else f"recorded is {recorded.fingerprint}"
        yield f"  {key.kind} {key.fingerprint}  {note}"
    for key in was.values():
        yield f"  {key.kind} {key.fingerprint}  recorded, not shown any more"


def twin_lines(shown: Sequence[Trust]) -> Iterator[str]:
    """A warning for each host that shows a key which one before it shows too."""
    of: dict[HostKey, str] = {}
    for found in shown:
        twins = sorted({of[key] for key in found.shown if key in of})
        of.update(dict.fromkeys(found.shown, found.reach.host))
        if twins:
            yield f"warning: {found.reach.host} shows the same key as {', '.join(twins)}: one machine, or a copy of it"


def _style(fact: Fact) -> str:
    if fact.right:
        return "green"
    return "red" if fact.repaired else "yellow"
