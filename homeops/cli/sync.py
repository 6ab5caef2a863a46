"""``homeops sync``: run Komodo's ResourceSync after a look at what it would do, and say what came of it."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import PulumiStack, access
from homeops.cli.checkout import checkout
from homeops.cli.screen import Progress, ask, err, out
from homeops.errors import Problem, SettingsError, nearest
from homeops.fleet_graph import FLEET, declared_fleet, fleet_graph
from homeops.komodo.client import Client
from homeops.lab.serve import STACK
from homeops.model.graph import Graph
from homeops.model.kinds import RESOURCE_KINDS, RESOURCE_SYNC
from homeops.model.rollout import Rollout
from homeops.model.site import Site
from homeops.settings import load_settings
from homeops.sync.changes import Change, Due, Selection
from homeops.sync.guards import Fleet, Leave
from homeops.sync.plan import Plan, find_sync, look
from homeops.sync.run import GOOD, Outcome, Rollouts, run

_STYLES = {"delete": "red", "update": "yellow", "create": "green"}
_SIGNS = {"delete": "-", "update": "~", "create": "+"}
_LEAST_SECONDS = 600


def sync(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The ResourceSync; without it the only one there is.")
    ] = None,
    stack: PulumiStack = STACK,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="Only resources of this kind, e.g. Stack; no variables.")
    ] = "",
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this resource. Can be given again.")
    ] = None,
    allow_deletes: Annotated[
        int | None, typer.Option("--allow-deletes", min=0, metavar="N", help="Delete as many objects as this.")
    ] = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Run it although its files declare nothing.")
    ] = False,
    show_only: Annotated[bool, typer.Option("--plan", help="Show what it would do, and run nothing.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON (homeops/sync/plan.py says its form); runs only with --yes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    timeout: Annotated[
        int | None, typer.Option("--timeout", min=1, metavar="SECONDS", help="How long to wait for its end.")
    ] = None,
) -> None:
    """Run a ResourceSync of Komodo: show what is pending, refuse what loses things, follow it, tell what came of it.

    Exits 1 when it is refused, when it failed, or when anything that it deployed failed or is not healthy.
    """
    root = checkout()
    site = load_settings(stack, root)
    graph, fleet = _fleet(site, root)
    selection = Selection(_kind(kind), tuple(only or ()))
    leave = Leave(site.deletes, allow_deletes, allow_empty)
    core = access(stack, root)
    with Client(core.address, core.credentials) as client:
        with Progress() as progress:
            progress.working("Core reads the files of the sync")
            plan = _look(client, name, [item.name for item in graph.of("ResourceSync")], selection, fleet, leave)
        if not as_json:
            _show(plan)
        if plan.refusals or plan.nothing or show_only or (as_json and not yes):
            if as_json:
                typer.echo(json.dumps(plan.document(stack), indent=2, ensure_ascii=False))
            sys.exit(1 if plan.refusals else 0)
        if not yes:
            hint = f"homeops sync {plan.at.name} --yes"
            ask("Run it?", Problem("homeops sync", "nobody is here to say yes; nothing was changed", hint))
        deadline = timeout or max(_LEAST_SECONDS, site.deploy_timeout_seconds * max(1, len(plan.at.deploys)))
        with Progress() as progress:
            outcome = run(client, plan, _rollouts(graph, site), progress, deadline=deadline)
    if as_json:
        typer.echo(json.dumps(plan.document(stack, outcome.document()), indent=2, ensure_ascii=False))
    else:
        _show_outcome(plan, outcome)
    sys.exit(0 if outcome.ok else 1)


def _fleet(site: Site, root: Path) -> tuple[Graph, Fleet]:
    declared = declared_fleet(FLEET, site)
    graph = fleet_graph(declared, site, root)
    cores = {stack.name for stack in declared.stacks if stack.control_plane}
    return graph, Fleet({item.key for item in graph.resources}, declared.protected, cores)


def _rollouts(graph: Graph, site: Site) -> Rollouts:
    default = Rollout(health_deadline=site.health.deadline, health_stable=site.health.stable)
    return Rollouts(default.model_dump(), {item.name: item.rollout.model_dump() for item in graph.of("Stack")})


def _look(
    client: Client, name: str | None, declared: list[str], selection: Selection, fleet: Fleet, leave: Leave
) -> Plan:
    documents = client.list_all(RESOURCE_SYNC)
    document = find_sync(documents, name, declared)
    others = [one for one in documents if one["name"] != document["name"]]
    return look(client, document, others, selection, fleet, leave)


def _kind(text: str) -> str:
    if text in ("", *RESOURCE_KINDS):
        return text
    hint = f"one of {', '.join(RESOURCE_KINDS)}"
    raise SettingsError(Problem("--kind", f'"{text}" is no kind of resource{nearest(text, RESOURCE_KINDS)}', hint))


def _show(plan: Plan) -> None:
    out.print(Text(_head(plan)), soft_wrap=True)
    for change in plan.at.changes:
        out.print(Text(f"  {_SIGNS[change.how]} {_change(change)}", style=_STYLES[change.how]), soft_wrap=True)
        for line in _details(change):
            out.print(Text(f"      {line}"), soft_wrap=True)
    for line in _deploys(plan.at.deploys):
        out.print(Text(line), soft_wrap=True)
    for problem in plan.warnings:
        err.print(Text(f"warning: {problem}"), style="yellow", soft_wrap=True)
    for problem in plan.refusals:
        err.print(Text(str(problem)), style="red", soft_wrap=True)


def _head(plan: Plan) -> str:
    at, commit = plan.at, plan.commit
    source = f' at commit {commit.hash} "{commit.message.splitlines()[0]}"' if commit.message else ""
    part = f", only {' '.join([at.selection.kind, *at.selection.names]).strip()}" if at.selection.partial else ""
    if plan.nothing:
        return f"sync {at.name}{source}{part}: nothing to do"
    numbers = Counter(change.how for change in at.changes)
    parts = [f"{numbers[how]} to {how}" for how in _SIGNS if numbers[how]]
    parts += [f"{len(at.deploys)} to deploy"] if at.deploys else []
    return f"sync {at.name}{source}{part}: {', '.join(parts)}"


def _change(change: Change) -> str:
    declared = change.new or change.old
    server = str(getattr(declared.config, "server_id", "")) if declared else ""
    where = f" on {server}" if server else ""
    return f"{change.how} {change.kind.lower()} {change.name}{where}"


def _details(change: Change) -> Iterator[str]:
    if change.effect:
        yield change.effect
    yield from map(str, change.fields)
    if not change.whole:
        yield "Komodo's TOML of it cannot be read as a whole: more of it may differ"


def _deploys(deploys: Sequence[Due]) -> Iterator[str]:
    if deploys:
        yield "Komodo deploys in it, and goes on where one fails:"
    for due in deploys:
        after = f", after {', '.join(due.after)}" if due.after else ""
        yield f"  > {due.kind.lower()} {due.name}{after}: {due.reason}"


def _show_outcome(plan: Plan, outcome: Outcome) -> None:
    for one in outcome.deploys:
        if one.result not in GOOD:
            told = f"{one.where}: {one.result}: {one.reason}"
            err.print(Text(told), style="red", soft_wrap=True)
    for text in outcome.failures:
        err.print(Text(f"sync {plan.at.name}: {text}"), style="red", soft_wrap=True)
    for text in outcome.pending:
        err.print(Text(f"still pending: {text}"), style="yellow", soft_wrap=True)
    bad = sum(one.result not in GOOD for one in outcome.deploys)
    all_of = f"{bad} not well" if bad else "all well"
    done = f"sync {plan.at.name}: {'done' if outcome.ok else 'NOT done'} in {outcome.seconds:g} s"
    deploys = f"; deploys: {len(outcome.deploys)}, {all_of}" if outcome.deploys else ""
    out.print(Text(done + deploys, style="green" if outcome.ok else "red"), soft_wrap=True)
