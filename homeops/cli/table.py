"""The fleet's standing as tables for people."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from homeops.cli.standing import HostStanding, StackStanding, Standing


def show(console: Console, standing: Standing) -> None:
    """Print the hosts, the stacks, and one line that sums them up."""
    console.print(_hosts(standing.hosts))
    console.print()
    console.print(_stacks(standing.stacks))
    console.print()
    console.print(_sum(standing), soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _hosts(hosts: list[HostStanding]) -> Table:
    table = _table("HOST", "STATE", "PERIPHERY", "ADDRESS", "")
    for host in hosts:
        table.add_row(
            host.name,
            _state(host.state, host.problems),
            host.periphery or "-",
            host.address,
            _problems(host.problems),
        )
    return table


def _stacks(stacks: list[StackStanding]) -> Table:
    table = _table("STACK", "HOST", "STATE", "SERVICES", "COMMIT", "")
    for stack in stacks:
        services = f"{stack.services.up}/{stack.services.total}" if stack.present else "-"
        behind = stack.commit and stack.newest and stack.commit != stack.newest
        commit = f"{stack.commit} ({stack.newest} is newer)" if behind else stack.commit or "-"
        table.add_row(
            stack.name, stack.host, _state(stack.state, stack.problems), services, commit, _problems(stack.problems)
        )
    return table


def _state(state: str | None, problems: list[str]) -> Text:
    return Text(state or "missing", style="red" if problems else "green")


def _problems(problems: list[str]) -> Text:
    return Text("; ".join(problems), style="red")


def _sum(standing: Standing) -> Text:
    wrong = sum(bool(found.problems) for found in (*standing.hosts, *standing.stacks))
    counts = (
        f"{len(standing.hosts)} hosts, {len(standing.stacks)} stacks at {standing.address} (Komodo {standing.version})"
    )
    if standing.ok:
        return Text(f"{counts}: all as declared and up", style="green")
    return Text(f"{counts}: {wrong} not as declared or not up", style="red")
