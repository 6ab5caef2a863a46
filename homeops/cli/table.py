"""The fleet's standing as tables for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from homeops.cli.screen import table_of
from homeops.cli.standing import HostStanding, StackStanding, Standing


def show(console: Console, standing: Standing) -> None:
    """Print the hosts, the stacks, and one line that sums them up."""
    console.print(_hosts(standing.hosts))
    console.print()
    console.print(_stacks(standing.stacks))
    console.print()
    console.print(_sum(standing), soft_wrap=True)


def _table(*columns: str, problems: bool) -> Table:
    """A table; a column for problems only where there are any."""
    return table_of(*columns, *([""] if problems else []))


def _hosts(hosts: list[HostStanding]) -> Table:
    table = _table("HOST", "STATE", "PERIPHERY", "ADDRESS", problems=any(host.problems for host in hosts))
    for host in hosts:
        _row(table, host, host.name, _state(host), host.periphery or "-", host.address)
    return table


def _stacks(stacks: list[StackStanding]) -> Table:
    any_problems = any(stack.problems for stack in stacks)
    table = _table("STACK", "HOST", "STATE", "SERVICES", "COMMIT", problems=any_problems)
    for stack in stacks:
        services = f"{stack.services.up}/{stack.services.total}" if stack.present else "-"
        behind = stack.commit and stack.newest and stack.commit != stack.newest
        commit = f"{stack.commit} ({stack.newest} is newer)" if behind else stack.commit or "-"
        _row(table, stack, stack.name, stack.host, _state(stack), services, commit)
    return table


def _row(table: Table, standing: HostStanding | StackStanding, *cells: str | Text) -> None:
    more = [Text("; ".join(standing.problems), style="red")] if len(table.columns) > len(cells) else []
    table.add_row(*cells, *more)


def _state(standing: HostStanding | StackStanding) -> Text:
    return Text(standing.state or "missing", style="red" if standing.problems else "green")


def _sum(standing: Standing) -> Text:
    wrong = sum(bool(found.problems) for found in (*standing.hosts, *standing.stacks))
    counts = (
        f"{len(standing.hosts)} hosts, {len(standing.stacks)} stacks at {standing.address} (Komodo {standing.version})"
    )
    if standing.ok:
        return Text(f"{counts}: all as declared and up", style="green")
    return Text(f"{counts}: {wrong} not as declared or not up", style="red")
