"""``homeops hosts``: the machines themselves, over SSH: their keys, how they are, setting them right."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.text import Text

from homeops.cli.access import PulumiStack
from homeops.cli.checkout import checkout
from homeops.cli.hosts_table import condition_lines, condition_table, trust_lines, twin_lines
from homeops.cli.screen import Progress, ask, err, out
from homeops.errors import FleetError, HomeopsError, Problem, SettingsError, nearest
from homeops.fleet_graph import FLEET, declared_fleet
from homeops.hosts.condition import Condition, Subject, condition_of, side_by_side
from homeops.hosts.reach import reach_of
from homeops.hosts.repair import Repaired
from homeops.hosts.repair import repair as repair_host
from homeops.hosts.subject import Subjects
from homeops.hosts.trust import Trust, record, trust_of
from homeops.lab.serve import STACK
from homeops.model.host import Host
from homeops.secrets.operators_keys import operators_key
from homeops.settings import load_settings, settings_file

commands = typer.Typer(help="The machines themselves, over SSH.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(metavar="[HOST...]", help="Which hosts; all when none is named.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

Result = TypeVar("Result")


@commands.command()
def trust(
    names: Names = None,
    stack: PulumiStack = STACK,
    replace: Annotated[
        bool, typer.Option("--replace", help="Record a key in place of another one: the host was installed anew.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Fetch the SSH keys of hosts, show their fingerprints, and record them in the checkout's known_hosts.

    Compare the fingerprints with the host's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. A key that changed
    is refused without --replace. Exit 1 when a host showed no key, or another than the recorded one.
    """
    root = checkout()
    subjects, hosts = _hosts(stack, root, names)
    with Progress() as progress:
        progress.working("ssh-keyscan")
        shown, problems = _each(lambda host: trust_of(reach_of(host.name, subjects.site, root)), hosts)
    for found in shown:
        for line in trust_lines(found):
            out.print(Text(line), soft_wrap=True)
    for line in twin_lines(shown):
        err.print(Text(line), style="yellow", soft_wrap=True)
    refused = [found for found in shown if found.changed and not replace]
    problems.extend(_changed(found) for found in refused)
    new = [found for found in shown if not found.settled and found not in refused]
    if new:
        count = f"{len(new)} host" + ("s" if len(new) > 1 else "")
        _ask(f"Record the keys of {count}?", yes, _typed("trust", names, stack, *(["--replace"] if replace else [])))
        record(new)
        out.print(Text(f"recorded in {new[0].reach.known_hosts}: {', '.join(found.reach.host for found in new)}"))
    if problems:
        raise HomeopsError(*problems)


@commands.command()
def show(
    names: Names = None,
    stack: PulumiStack = STACK,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; homeops/hosts/condition.py says its form.")
    ] = False,
) -> None:
    """Show what must be true of hosts and what was found. Exit 0 when every host answered and all is right, else 1."""
    conditions = [condition for _, condition in _look(*_hosts(stack, checkout(), names))]
    if as_json:
        right = all(condition.right for condition in conditions)
        document = {"right": right, "hosts": [condition.document() for condition in conditions]}
        typer.echo(json.dumps(document, indent=2))
    else:
        out.print(condition_table(conditions))
        _tell_problems(conditions)
        for line in condition_lines(conditions, stack):
            out.print(line, soft_wrap=True)
    sys.exit(0 if all(condition.right for condition in conditions) else 1)


@commands.command()
def repair(names: Names = None, stack: PulumiStack = STACK, yes: Yes = False) -> None:
    """Set right what drifted on hosts, directly over SSH and without Pulumi, and look at it again.

    Applies nothing else. A host that fails keeps no other from being repaired; exit 1 when one did.
    """
    subjects, hosts = _hosts(stack, checkout(), names)
    looked = _look(subjects, hosts)
    problems = [problem for _, condition in looked for problem in condition.problems]
    todo = [(subject, condition) for subject, condition in looked if subject and condition.drifted]
    for _, condition in todo:
        for fact in condition.facts:
            if fact.repaired and not fact.right:
                line = f"{condition.host}: {fact.requirement}: {fact.name} is {fact.found}, wanted {fact.wanted}"
                out.print(Text(line), soft_wrap=True)
    if todo:
        _ask(f"Repair {', '.join(condition.host for _, condition in todo)}?", yes, _typed("repair", names, stack))
        with Progress() as progress:
            progress.working("repairing")

            def work(item: tuple[Subject, Condition]) -> Repaired:
                return repair_host(*item, progress.line, lambda of: operators_key(of, os.environ, Path.home()))

            done = side_by_side(work, todo)
        for came_of in done:
            if came_of.repaired:
                out.print(Text(f"{came_of.host}: repaired {', '.join(came_of.repaired)}"), soft_wrap=True)
            problems.extend(came_of.problems)
    elif not problems:
        out.print("nothing to repair")
    if problems:
        raise HomeopsError(*problems)


def _hosts(stack: str, root: Path, names: Sequence[str] | None) -> tuple[Subjects, list[Host]]:
    """The hosts with these names, all without any. Raises FleetError for one that is not declared.

    Raises SettingsError where hosts are not managed over SSH.
    """
    site = load_settings(stack, root)
    if site.ssh is None:
        where = settings_file(stack, root).name
        hint = "add homeops:ssh to it; an empty block will do: {}"
        raise SettingsError(Problem(where, "hosts are not managed over SSH here", hint))
    fleet = declared_fleet(FLEET, site)
    declared = {host.name: host for host in fleet.hosts}
    unknown = [name for name in names or () if name not in declared]
    if unknown:
        hint = f"one of {', '.join(declared) or 'none'}"
        problems = (Problem(f'host "{name}"', f"is not declared{nearest(name, declared)}", hint) for name in unknown)
        raise FleetError(*problems)
    return Subjects(fleet, site, root), [declared[name] for name in dict.fromkeys(names or declared)]


def _look(subjects: Subjects, hosts: Sequence[Host]) -> list[tuple[Subject | None, Condition]]:
    def look(host: Host) -> tuple[Subject | None, Condition]:
        try:
            subject = subjects.of(host)
        except HomeopsError as error:
            return None, Condition(host.name, problems=error.problems)
        return subject, condition_of(subject)

    with Progress() as progress:
        progress.working(f"looking at {len(hosts)} hosts")
        return side_by_side(look, hosts)


def _each(work: Callable[[Host], Result], hosts: Sequence[Host]) -> tuple[list[Result], list[Problem]]:
    """The work for each host side by side: what came of it, and the problems of those where nothing did."""

    def attempt(host: Host) -> Result | HomeopsError:
        try:
            return work(host)
        except HomeopsError as error:
            return error

    came = side_by_side(attempt, hosts)
    problems = [problem for error in came if isinstance(error, HomeopsError) for problem in error.problems]
    return [result for result in came if not isinstance(result, HomeopsError)], problems


def _changed(found: Trust) -> Problem:
    was = ", ".join(f"{key.kind} {key.fingerprint}" for key in found.recorded)
    now = ", ".join(f"{key.kind} {key.fingerprint}" for key in found.shown)
    what = f"its host key changed\n    recorded: {was}\n    it shows: {now}"
    hint = f"only if it was installed anew: {found.reach.hosts_command('trust')} --replace"
    return Problem(found.reach.host, what, hint)


def _tell_problems(conditions: Sequence[Condition]) -> None:
    for condition in conditions:
        for problem in condition.problems:
            err.print(Text(str(problem)), style="red", soft_wrap=True)


def _typed(verb: str, names: Sequence[str] | None, stack: str, *options: str) -> str:
    """The command as it was typed."""
    return " ".join(("homeops hosts", verb, *(names or ()), "-s", stack, *options))


def _ask(question: str, yes: bool, command: str) -> None:
    if not yes:
        ask(question, Problem(command, "nobody is here to say yes", f"{command} --yes"))
