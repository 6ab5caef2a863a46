"""``homeops plan`` and ``homeops why``: the preview of the real engine in words and as data."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from homeops.cli import plan, why
from homeops.cli import planned as form
from homeops.cli.planned import Plan, plan_of
from homeops.cli.preview import preview
from homeops.deploy.receipts import Journal, Receipt
from tests.engine.core import TestCore, writes
from tests.engine.engine import Project
from tests.engine.fleets import COMPOSE, FILES, FleetProject

FLEET = """
one = Host("one", periphery=RUNS)
two = Host("two", periphery=RUNS)
core = Stack("komodo-core", host=one, control_plane=True)
db = Stack("db", host=two, env={"TZ": "Etc/UTC", "SHORT": "no-secret-value"})
web = Stack("web", host=one, after=[db])
aside = Stack("aside", host=two)
return Fleet(hosts=[one, two], stacks=[web, db, core, aside])
"""


@pytest.fixture
def fleet(project: Project, core: TestCore) -> FleetProject:
    made = FleetProject(project, core, "one", "two")
    made.write(FILES)
    made.declare(FLEET)
    (project.directory / "tools").symlink_to(project.root / "tools")
    return made


def homeops(fleet: FleetProject, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in the project."""
    return subprocess.run(
        [sys.executable, "-m", "homeops", *arguments],
        cwd=fleet.project.directory,
        env={**fleet.project.environ, "STACK": fleet.project.stack},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def planned(fleet: FleetProject, monkeypatch: pytest.MonkeyPatch, *, refresh: bool = False) -> Plan:
    """The plan, from one preview in the project's environment."""
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in fleet.project.environ.items():
        monkeypatch.setenv(name, value)
    stack = fleet.project.stack
    return plan_of(stack, preview(stack, fleet.project.directory, refresh=refresh))


def words(found: Plan) -> list[str]:
    return list(plan.lines(found))


def reasons(found: Plan, name: str, *receipts: Receipt) -> list[str]:
    """What ``homeops why`` says."""
    return list(why.lines(found, next(stack for stack in found.stacks if stack.name == name), list(receipts)))


def due(found: Plan) -> dict[str, list[str]]:
    return {stack.name: stack.why.words() for stack in found.due}


def test_a_plan_says_which_stacks_are_due_and_why_and_changes_nothing(
    fleet: FleetProject, core: TestCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = planned(fleet, monkeypatch)
    assert [stack.name for stack in first.stacks] == ["komodo-core", "aside", "db", "web"]
    assert set(map(str, due(first).values())) == {"['first deploy']"}
    assert {(item.kind, item.name) for item in first.objects} >= {("Server", "one"), ("Stack", "web")}
    assert words(first)[:5] == [
        "0 of 4 stacks redeploy; 4 are deployed for the first time: komodo-core, aside, db, web",
        "  komodo-core on one: first deploy",
        "  aside on two, after komodo-core: first deploy",
        "  db on two, after komodo-core: first deploy",
        "  web on one, after db, komodo-core: first deploy",
    ]
    assert reasons(first, "db")[0] == "db on two is due: it was not deployed yet"
    assert writes(core.asked()) == {}

    fleet.project.up().check()
    none = planned(fleet, monkeypatch)
    assert (none.complete, none.changes, none.refusals, none.warnings) == (True, False, [], [])
    assert words(none) == ["0 of 4 stacks redeploy", "nothing to do"]
    receipts = Journal(fleet.project.directory / ".homeops", "test").receipts("db")
    lines = reasons(none, "db", *receipts)
    assert lines[:3] == [
        "db on two is not due: nothing that makes its containers differs from its last deploy",
        "it waits for komodo-core",
        "what waits for it: web",
    ]
    last = rf"deployed last: commit {receipts[-1].commit[:7]}, [\d-]+ [\d:]+ by pulumi up in [\d.]+ s"
    assert re.fullmatch(last, lines[3]), lines[3]
    assert len(lines) == 4
    failed = Receipt("db", "two", "failed", "2026-01-02T03:04:05+00:00", reason="port is taken")
    then = replace(failed, result="healthy", commit="0123456789", update="other", reason="", by="homeops rollback")
    assert re.fullmatch(r"then [\d-]+ [\d:]+ by pulumi up: failed: port is taken", reasons(none, "db", failed)[-1])
    assert re.fullmatch(
        r"then [\d-]+ [\d:]+ by homeops rollback: healthy, commit 0123456 runs", reasons(none, "db", then)[-1]
    )

    fleet.write({"one/web/compose.yaml": COMPOSE.format(2), "one/web/extra.conf": "x"})
    fleet.declare(
        FLEET.replace('"TZ": "Etc/UTC", "SHORT": "no-secret-value"', '"TZ": "UTC"').replace(
            '"aside", host=two', '"beside", host=two, renamed_from="aside", directory="two/aside"'
        )
    )
    core.asked()
    changed = planned(fleet, monkeypatch)
    assert {(item.name, item.how, item.was, *item.fields) for item in changed.objects} == {
        ("beside", "update", "aside", "name"),
        ("db", "update", None, "config.environment"),
        ("web", "update", None, "config.config_files"),
    }
    lines = words(changed)
    assert lines[:3] == [
        "2 of 4 stacks redeploy: db, web",
        "  db on two: env TZ, env SHORT (gone)",
        "  web on one, after db: config docker/stacks/one/web/extra.conf (new), "
        "compose docker/stacks/one/web/compose.yaml",
    ]
    assert "  updated: Stack beside, was aside (name)" in lines
    assert reasons(changed, "db")[:5] == [
        "db on two is due",
        "  changed  environment variable TZ",
        "  removed  environment variable SHORT",
        "it waits for komodo-core",
        "what waits for it: web (due)",
    ]
    assert reasons(changed, "web")[1:4] == [
        "  added    config file docker/stacks/one/web/extra.conf",
        "  changed  compose file docker/stacks/one/web/compose.yaml",
        "it waits for db (due), komodo-core",
    ]
    for value in ("Etc/UTC", "no-secret-value"):
        assert value not in json.dumps(changed.document())
    assert writes(core.asked()) == {}

    core.write("DeleteStack", id="web")
    assert due(planned(fleet, monkeypatch, refresh=True))["web"] == ["first deploy"]


def test_the_command_exits_two_for_changes_when_asked_and_one_for_what_is_refused(fleet: FleetProject) -> None:
    done = homeops(fleet, "plan", "--json", "--exit-code")
    assert done.returncode == 2, done.stderr
    found = json.loads(done.stdout)
    documented = Path(form.__file__).read_text().split('"""')[1]
    used = {*found, *found["stacks"][0], *found["objects"][0], "part", "how", "commit", "update", "at", "seconds"}
    assert set(re.findall(r'"(\w+)":', documented)) == used
    assert homeops(fleet, "plan").returncode == 0

    unknown = homeops(fleet, "why", "wbe")
    assert unknown.returncode == 1
    assert unknown.stderr == (
        'stack "wbe": is not deployed by the fleet; did you mean "web"?\n  hint: one of aside, db, komodo-core, web\n'
    )
    without = homeops(fleet, "plan", "-s", "tset")
    assert without.returncode == 1
    assert 'did you mean "test"?' in without.stderr

    fleet.declare(FLEET.replace("core, aside]", "core, aside, aside]"))
    done = homeops(fleet, "plan", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["complete"] is False
    assert len(found["refusals"]) == 1
    assert re.match(r'fleet_of_test\.py:\d+: stack "aside": declared already', found["refusals"][0])
    for command in (["plan"], ["why", "db"]):
        done = homeops(fleet, *command)
        assert done.returncode == 1
        assert 'stack "aside": declared already' in done.stderr
        assert "Traceback" not in done.stderr


def test_what_pulumi_would_refuse_or_could_not_ask_is_said_by_name(
    fleet: FleetProject, core: TestCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.project.up().check()
    core.write("CreateStack", name="there", config={"server_id": "two", "webhook_secret": "not-to-be-told"})
    fleet.write({"two/there/compose.yaml": COMPOSE.format(1)})
    more = FLEET.replace("return", 'there = Stack("there", host=two)\nreturn').replace("aside]", "there]")
    fleet.declare(more)
    found = planned(fleet, monkeypatch)
    assert found.complete
    assert len(found.refusals) == 1
    told = 'stack "there" exists in Komodo and differs, so pulumi up will refuse to adopt it: '
    refusal, *ways_out = found.refusals[0].splitlines()
    assert refusal.startswith(told)
    assert "config.file_paths" in refusal.removeprefix(told).split(", ")
    assert [line.partition("adopt stack/there ")[2].split()[:4] for line in ways_out] == [
        ["-s", fleet.project.stack, "--keep", side] for side in ("komodo", "fleet")
    ]
    assert not [item for item in found.objects if item.name == "there"]
    assert any(note.startswith('will be deleted: stack "aside" on two') for note in found.notes), found.notes
    assert "compose.yaml" not in "".join((*found.refusals, *found.notes))

    silent = {**fleet.project.environ, "KOMODO_ADDRESS": "http://127.0.0.1:1"}
    fleet.project = replace(fleet.project, environ=silent)
    found = planned(fleet, monkeypatch)
    assert len(found.warnings) == 1
    assert "Komodo was not asked" in found.warnings[0]
    assert "connection refused" in found.warnings[0]

    fleet.declare(FLEET.replace("[web, db, core, aside]", "[core]"))
    found = planned(fleet, monkeypatch)
    assert not found.complete
    assert [text.partition(": ")[0] for text in found.refusals] == ["the fleet"]
    assert words(found) == ["the preview failed"]
