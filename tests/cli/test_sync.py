"""``homeops sync``: the whole command against a simulated Core, in this process."""

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from homeops.cli.main import commands
from homeops.errors import HomeopsError
from homeops.lab.core.fates import Behaviour
from homeops.lab.http import CoreServer
from homeops.sync import plan, run
from tests.lab.clients import environ_of
from tests.sync.world import SERVERS, World, stack

Homeops = Callable[..., Result]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def homeops(world: World, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Homeops]:
    """Run the command in this checkout, with the settings of prod and the Core of the test."""
    monkeypatch.chdir(root)
    with CoreServer(world.lab.core) as server:
        for name, value in {**environ_of(server), "STACK": "prod"}.items():
            monkeypatch.setenv(name, value)
        yield lambda *arguments: CliRunner().invoke(commands, ["sync", *arguments])


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        """That it is a person."""
        return True


def said(result: Result) -> str:
    """Everything that a person sees."""
    raised = result.exception
    problems = raised.problems if isinstance(raised, HomeopsError) else ()
    return "\n".join([result.output, *map(str, problems)])


def keys_of(module: Any) -> set[str]:
    documented = Path(module.__file__).read_text().split('"""')[1]
    return set(re.findall(r'"(\w+)":', documented))


def test_the_plan_is_shown_and_nothing_is_run_without_a_yes(world: World, homeops: Homeops) -> None:
    world.applied(
        SERVERS + stack("old", "deploy = true") + stack("web", config='environment = "PIN=1234"'), delete=True
    )
    world.declare(SERVERS + stack("web", "deploy = true", 'environment = "PIN=5678"') + stack("new"), delete=True)
    world.writes()
    shown = homeops("--plan")
    assert shown.exit_code == 0
    assert shown.stdout == (
        "sync fleet: 1 to delete, 1 to update, 1 to create, 1 to deploy\n"
        "  - delete stack old on alpha\n"
        "      Komodo stops and removes old-web-1 on alpha; named volumes stay on the host\n"
        "  ~ update stack web on alpha\n"
        "      config.environment.PIN: (not shown) -> (another, not shown)\n"
        "  + create stack new on alpha\n"
        "Komodo deploys in it, and goes on where one fails:\n"
        "  > stack web: stack has down state\n"
    )
    unsaid = homeops("fleet")
    assert unsaid.exit_code == 1
    assert "nobody is here to say yes; nothing was changed\n  hint: homeops sync fleet --yes" in said(unsaid)
    as_data = homeops("--json")
    assert as_data.exit_code == 0
    assert json.loads(as_data.stdout)["ran"] is None
    assert world.writes() == []


@pytest.mark.usefixtures("homeops")
@pytest.mark.parametrize(("typed", "code", "made"), [("\n", 1, []), ("", 1, []), ("y\n", 0, ["web"])])
def test_whoever_sits_at_a_terminal_is_asked(
    world: World,
    typed: str,
    code: int,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.declare(SERVERS + stack("web"))
    world.writes()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    with pytest.raises(SystemExit) as ended:
        commands(["sync"])
    assert ended.value.code == code
    assert "  + create stack web on alpha\nRun it? [y/N]: " in capsys.readouterr().out
    assert world.names("Stack") == made
    assert world.writes() == (["execute RunSync"] if made else [])


def test_a_failed_deploy_inside_fails_the_command(world: World, homeops: Homeops) -> None:
    world.lab.hosts["alpha"].engine.behaviours["db"] = Behaviour(up="no space left\n")
    world.declare(SERVERS + stack("db", "deploy = true"))
    done = homeops("--yes")
    assert done.exit_code == 1
    assert 'stack "db" on alpha: failed: Compose Up: no space left\n' in done.output
    assert re.search(r"^sync fleet: NOT done in [\d.]+ s; deploys: 1, 1 not well$", done.output, re.MULTILINE)
    again = homeops("--yes", "--json")
    assert again.exit_code == 1
    document = json.loads(again.stdout)
    assert document["ran"]["ok"] is False
    assert [(one["name"], one["result"]) for one in document["ran"]["deploys"]] == [("db", "failed")]
    beside = {
        "resource_type",
        "resources",
        "how",
        "kind",
        "name",
        "fields",
        "field",
        "from",
        "to",
        "all_fields",
        "effect",
    }
    assert keys_of(plan) == {*document, *beside, "hash", "message", "reason", "after"}
    assert keys_of(run) == {*document["ran"], *document["ran"]["deploys"][0]}


def test_what_is_applied_is_done_and_then_there_is_nothing_to_do(world: World, homeops: Homeops) -> None:
    world.declare(SERVERS + stack("web") + stack("db"))
    part = homeops("--yes", "--kind", "Stack", "--only", "web")
    assert part.exit_code == 0, said(part)
    assert "sync fleet, only Stack web: 1 to create\n" in part.output
    assert world.names("Stack") == ["web"]
    assert homeops("--yes").exit_code == 0
    assert world.names("Stack") == ["db", "web"]
    assert homeops().output == "sync fleet: nothing to do\n"


def test_a_refusal_runs_nothing_until_its_flag_is_given(world: World, homeops: Homeops) -> None:
    world.applied(SERVERS + stack("web") + stack("db"), delete=True)
    world.declare(SERVERS, delete=True)
    world.writes()
    done = homeops("--yes")
    assert done.exit_code == 1
    assert "it would delete 2 of 5 objects (40 %): stack web, stack db; at most 5 objects and 30 %" in done.output
    assert homeops("--yes", "--json").exit_code == 1
    assert world.writes() == []
    assert homeops("--yes", "--allow-deletes", "2").exit_code == 0
    assert world.names("Stack") == []


def test_the_fleet_protects_its_stacks_from_a_sync(world: World, homeops: Homeops) -> None:
    world.applied(SERVERS + stack("vaultwarden"), delete=True)
    world.declare(SERVERS, delete=True)
    done = homeops("--yes", "--allow-deletes", "9", "--allow-empty")
    assert done.exit_code == 1
    assert 'stack "vaultwarden": would be deleted, but the fleet protects it: the vault' in done.output
    assert world.names("Stack") == ["vaultwarden"]


def test_an_unknown_kind_is_no_kind(homeops: Homeops) -> None:
    assert '"Stak" is no kind of resource; did you mean "Stack"?' in said(homeops("--kind", "Stak"))
