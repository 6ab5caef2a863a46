"""Faults of Core, of the connection to it and of the run itself, one test a row of docs/reliability.md."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from homeops.lab.core.containers import Fate
from homeops.lab.core.executions_restart import begin_core, end_core, restart_core
from tests.engine.core import TestCore
from tests.engine.engine import Project
from tests.engine.fleets import COMPOSE, FleetProject
from tests.engine.under_way import (
    at_work,
    bad,
    behave,
    clean,
    deployed,
    ended,
    fleet,
    good,
    held,
    idle,
    joined,
    recorded,
    running,
    until,
)

SHORT = 3
"""Seconds that a stack's deploy may take where a test waits for the end of them."""


def core_fleet(project: Project, core: TestCore) -> FleetProject:
    """Core, as a stack of its own host."""
    options = f", control_plane=True, deploy_timeout={SHORT + 2}"
    return fleet(project, core, "komodo-core", options=options)


# Somebody else


def test_a_stack_that_a_person_deploys_is_waited_for_and_not_deployed_again(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    good(project)
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    with held(made, "web") as gate:
        core.ask("execute", "DeployStack", {"stack": "web", "services": [], "stop_time": None})
        text = joined(project, core, gate)
    assert "a deploy is under way already, by admin: waiting for it" in text
    assert deployed(made) == 2
    recorded(project, made, "web")
    idle(project, made)


def test_a_stack_that_a_person_restarts_is_waited_for_then_deployed(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    good(project)
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    core.core.faults.add("hangs", type="RestartStack", count=1)
    core.ask("execute", "RestartStack", {"stack": "web", "services": []})
    with running(project) as run:
        until(lambda: core.core.requests["execute DeployStack"] > 1)
        sleep(1.0)
        core.core.state.action_states.clear()
        text = ended(project, run)
    assert "busy: somebody works on it in Komodo; waiting" in text
    recorded(project, made, "web")


def test_a_stack_that_stays_busy_fails_at_its_deadline(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web", options=f", deploy_timeout={SHORT}")
    good(project)
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    core.core.faults.add("hangs", type="RestartStack", count=1)
    core.ask("execute", "RestartStack", {"stack": "web", "services": []})
    bad(project, f"still busy after {SHORT} s (restarting)", "see who works on it in Komodo's UI")
    restart_core(core.core, 0.1)
    until(lambda: not core.core.down)
    good(project)
    recorded(project, made, "web")


# Answers


def test_an_error_of_a_proxy_is_looked_into_and_sent_again(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    core.core.faults.add("status", type="DeployStack", status=502, error="Bad Gateway", count=1)
    assert "no answer to DeployStack: looking whether it began" in good(project).text
    assert deployed(made) == 1
    recorded(project, made, "web")


def test_an_error_that_stays_is_told_and_nothing_was_deployed(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    core.core.faults.add("status", type="DeployStack", status=503, error="Service Unavailable")
    bad(project, "503", "Service Unavailable")
    assert deployed(made) == 0
    core.core.faults.clear()
    good(project)
    assert deployed(made) == 1


IMPATIENT = """\
import sys

if "pulumi.dynamic" in sys.orig_argv:
    from homeops.komodo import client

    client.Patience.__init__.__defaults__ = (5.0, 1.0, 1.0, 3, 60.0, 0.5)
"""
"""The same waiting in seconds instead of minutes: how long one answer may take."""


def test_an_answer_that_takes_too_long_is_looked_for(project: Project, core: TestCore, tmp_path: Path) -> None:
    made = fleet(project, core, "web")
    (tmp_path / "impatient").mkdir()
    (tmp_path / "impatient" / "sitecustomize.py").write_text(IMPATIENT)
    path = f"{tmp_path / 'impatient'}{os.pathsep}{project.environ['PYTHONPATH']}"
    core.core.faults.add("delay", type="DeployStack", seconds=2.0, count=1)
    core.core.faults.add("delay", type="GetUpdate", seconds=2.0, count=1)
    run = project.up(PYTHONPATH=path).check()
    clean(project, run.text)
    assert "no answer to DeployStack: looking whether it began" in run.text
    assert deployed(made) == 1
    recorded(project, made, "web")


def test_a_deploy_whose_answer_is_lost_is_found_and_followed(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    behave(made, "web", seconds=2.0)
    core.core.faults.add("drop_after", type="DeployStack", count=1)
    core.core.faults.add("drop_before", type="GetUpdate", count=1)
    assert "no answer to DeployStack: looking whether it began" in good(project).text
    assert deployed(made) == 1
    recorded(project, made, "web")
    idle(project, made)


# Updates without an end


def test_a_deploy_that_never_ends_fails_at_its_deadline(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web", options=f", deploy_timeout={SHORT}")
    core.core.faults.add("hangs", type="DeployStack", count=1)
    bad(project, "DeployStack is still running after", "it goes on by itself: look at it in Komodo's UI")
    bad(project, "a deploy is under way already, by admin: waiting for it", "DeployStack is still running after")
    assert core.core.requests["execute DeployStack"] == 1
    restart_core(core.core, 0.1)
    until(lambda: not core.core.down)
    good(project)
    recorded(project, made, "web")


def test_a_deploy_whose_record_never_ends_is_deployed_by_the_next_run(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web", options=f", deploy_timeout={SHORT}")
    core.core.faults.add("hangs_done", type="DeployStack", count=1)
    bad(project, "DeployStack is still running after")
    containers = made.containers("one")
    good(project)
    assert made.containers("one") == containers, "compose finds them as they should be"
    recorded(project, made, "web")


# Core goes away


def test_a_restart_of_core_in_the_middle_is_waited_out(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web", "aside")
    behave(made, "aside", seconds=2.0)
    behave(made, "web", seconds=2.0, during=lambda: restart_core(core.core, 2.0))
    run = good(project)
    assert "Core or the agent fell silent in the middle" in run.text
    assert 1 <= deployed(made, "web") <= 2
    assert 1 <= deployed(made, "aside") <= 2
    recorded(project, made, "web", "aside")
    idle(project, made)


def test_a_restart_of_core_while_containers_are_watched_is_waited_out(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web", options=", health=Health(stable=3, deadline=15)")
    with running(project) as run:
        until(lambda: core.core.requests["read InspectStackContainer"])
        restart_core(core.core, 3.0)
        ended(project, run)
    assert deployed(made) == 1
    recorded(project, made, "web")


def test_core_deploys_itself_and_comes_back(project: Project, core: TestCore) -> None:
    made = core_fleet(project, core)
    behave(made, "komodo-core", seconds=0.6, during=lambda: restart_core(core.core, 2.0))
    run = good(project)
    assert "Core or the agent fell silent in the middle" in run.text
    assert core.core.requests["read GetVersion"]
    recorded(project, made, "komodo-core")
    idle(project, made)


def test_core_comes_back_with_another_version(project: Project, core: TestCore) -> None:
    made = core_fleet(project, core)

    def replaced() -> None:
        core.core.settings = replace(core.core.settings, version="2.4.0")
        restart_core(core.core, 1.0)

    behave(made, "komodo-core", seconds=0.6, during=replaced)
    bad(project, "Core answers as 2.4.0 after its deploy, declared is 2.3.2", "KOMODO_VERSION")
    assert "Deploy komodo-core" not in project.ids()
    core.core.settings = replace(core.core.settings, version="2.3.2")
    good(project)
    recorded(project, made, "komodo-core")


def test_core_does_not_come_back(project: Project, core: TestCore) -> None:
    made = core_fleet(project, core)
    behave(made, "komodo-core", seconds=0.6, during=lambda: end_core(core.core))
    bad(project, "Core did not come back after its own deploy", "homeops recover core")
    assert "Deploy komodo-core" not in project.ids()
    begin_core(core.core)
    good(project)
    recorded(project, made, "komodo-core")


# Keys


def test_a_lockout_in_the_middle_fails_and_the_next_run_goes_on(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    behave(made, "web", seconds=1.0, during=lambda: core.core.faults.add("locked"))
    bad(project, "Too many attempts", "429")
    core.core.faults.clear()
    # The deploy goes on in Komodo, whoever asks.
    until(lambda: made.containers("one"))
    containers = made.containers("one")
    good(project)
    assert made.containers("one") == containers
    recorded(project, made, "web")


def test_a_key_that_is_revoked_in_the_middle_is_not_sent_again(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web", "aside")

    def revoked() -> None:
        core.core.requests.clear()
        core.core.faults.add("status", status=401, error="Invalid user credentials")

    behave(made, "aside", seconds=2.0)
    behave(made, "web", seconds=2.0, during=revoked)
    bad(project, "Invalid user credentials", "401")
    assert sum(core.core.requests.values()) < core.core.settings.auth_rate_limit_max_attempts
    core.core.faults.clear()
    good(project)
    recorded(project, made, "web", "aside")


# The run itself


THREE = ("a", "b", "c")


def test_ctrl_c_in_the_middle_of_three_deploys_ends_with_them(project: Project, core: TestCore) -> None:
    made = fleet(project, core, *THREE, "after")
    declared = project.directory / "fleet_of_test.py"
    declared.write_text(declared.read_text().replace('Stack("after", host=one', 'Stack("after", host=one, after=["a"]'))
    with held(made, *THREE) as gate, running(project) as run:
        until(lambda: core.core.requests["execute DeployStack"] == len(THREE))
        sleep(0.5)
        os.killpg(run.pid, signal.SIGINT)
        sleep(1.0)
        gate.set()
        text = run.communicate(timeout=60)[0]
        until(lambda: not at_work(project), 10)
    assert run.returncode != 0
    assert "If you would like to terminate immediately, press ^C again" in text
    clean(project, text)
    recorded(project, made, *THREE)
    assert project.preview().check().steps == [("create", "Deploy after")]
    good(project)
    assert [deployed(made, name) for name in (*THREE, "after")] == [1, 1, 1, 1]


def test_ctrl_c_twice_ends_at_once_and_the_next_run_joins_the_deploys(project: Project, core: TestCore) -> None:
    made = fleet(project, core, *THREE)
    with held(made, *THREE) as gate:
        with running(project) as run:
            until(lambda: core.core.requests["execute DeployStack"] == len(THREE))
            for _ in range(2):
                sleep(0.5)
                os.killpg(run.pid, signal.SIGINT)
            text = run.communicate(timeout=60)[0]
            until(lambda: not at_work(project), 10)
        assert run.returncode != 0
        assert "terminating" in text
        clean(project, text)
        assert {f"Stack {name}" for name in THREE} <= project.ids().keys()
        text = joined(project, core, gate)
    assert text.count("a deploy is under way already, by admin: waiting for it") >= len(THREE)
    assert [deployed(made, name) for name in THREE] == [1, 1, 1]
    recorded(project, made, *THREE)
    idle(project, made)


def test_a_killed_run_leaves_no_process_and_the_next_joins_its_deploy(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    with held(made, "web") as gate:
        with running(project) as run:
            until(lambda: core.core.requests["execute DeployStack"])
            sleep(0.3)
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
            # Pulumi's own language host looks for its engine every few minutes only.
            until(lambda: all("pulumi-language-python " in command for command in at_work(project).values()), 10)
            for left in at_work(project):
                os.kill(left, signal.SIGTERM)
        bad(project, "the stack is currently locked by 1 lock(s)", f"pid {run.pid}", "pulumi cancel")
        project.run("cancel", "--yes", project.stack).check()
        text = joined(project, core, gate)
    assert "a deploy is under way already, by admin: waiting for it" in text
    assert deployed(made) == 1
    recorded(project, made, "web")
    # A first deploy that was cut off is a pending operation in Pulumi's state, until somebody says that it is clear.
    assert "1 pending operations" in good(project).text
    project.refresh("--clear-pending-creates").check()
    assert "pending operations" not in good(project).text
    recorded(project, made, "web")
    assert deployed(made) == 1


def test_two_runs_on_one_state_are_one_run(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    with held(made, "web") as gate, running(project) as first:
        until(lambda: core.core.requests["execute DeployStack"])
        bad(project, "the stack is currently locked by 1 lock(s)")
        gate.set()
        ended(project, first)
    assert deployed(made) == 1
    recorded(project, made, "web")


def test_two_runs_on_two_states_deploy_once(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    other = replace(project, stack="other")
    other.configure(**project.settings)
    other.run("stack", "init", "other").check()
    with held(made, "web") as gate, running(project) as first:
        until(lambda: core.core.requests["execute DeployStack"])
        second = joined(other, core, gate)
        ended(project, first)
    assert "a deploy is under way already, by admin: waiting for it" in second
    assert deployed(made) == 1
    for one in (project, other):
        recorded(one, made, "web")


# Clocks and views


def up_within_the_pull_cache(made: FleetProject, request: str) -> str:
    """A run that begins within the pull cache, which is over after this request; what it says.

    It ends with version 2 of the stack web running.
    """
    made.agents.repositories.cache_seconds = 60.0
    made.core.core.requests.clear()
    with running(made.project) as run:
        until(lambda: made.core.core.requests[request])
        sleep(1.0)
        made.agents.repositories.cache_seconds = 0.0
        text = ended(made.project, run)
    assert made.host("one").engine.containers["web-app-1"].image == "nginx:2"
    recorded(made.project, made, "web")
    return text


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_of_core_that_is_hours_off_changes_nothing(project: Project, core: TestCore, hours: int) -> None:
    made = fleet(project, core, "web", "aside")
    core.core.clock.ahead = hours * 3600.0  # pyright: ignore[reportAttributeAccessIssue]
    core.core.faults.add("drop_after", type="DeployStack", target="web", count=1)
    behave(made, "aside", seconds=1.0, during=lambda: restart_core(core.core, 1.0))
    run = good(project)
    assert "deployed: web, aside" in run.text or "deployed: aside, web" in run.text
    recorded(project, made, "web", "aside")
    idle(project, made)


def test_a_push_that_core_has_not_pulled_yet_is_waited_for(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    good(project)
    core.write("RefreshStackCache", stack="web")
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    text = up_within_the_pull_cache(made, "write RefreshStackCache")
    assert "Core holds other files than were previewed; looking again after its pull cache of 5 s" in text
    assert core.core.requests["execute DeployStack"] == 1


def test_a_push_that_the_host_has_not_pulled_yet_is_deployed_after_all(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    good(project)
    core.ask("execute", "PullStack", {"stack": "web", "services": []})
    until(lambda: not core.read("ListUpdates", query={"status": "InProgress"})["updates"])
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    core.write("RefreshStackCache", stack="web")
    text = up_within_the_pull_cache(made, "execute DeployStack")
    assert "the host deployed another commit than Core holds; again, after its pull cache of 5 s" in text
    assert core.core.requests["execute DeployStack"] == 2


def test_a_push_between_the_look_and_the_deploy_fails_the_run(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    good(project)
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    made.push()
    core.core.faults.add("delay", type="DeployStack", seconds=1.0, count=1)

    def push() -> None:
        until(lambda: core.core.requests["execute DeployStack"] > 1)
        made.write({"one/web/compose.yaml": COMPOSE.format(3)})
        made.push()
        made.write({"one/web/compose.yaml": COMPOSE.format(2)})

    pushing = Thread(target=push)
    pushing.start()
    bad(project, "the host deployed other files than those that were previewed", "compose.yaml", "did someone push")
    pushing.join()
    assert project.preview().check().steps == [("update", "Deploy web")]


def test_a_repository_that_core_cannot_read_fails_before_anything_is_touched(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    made.agents.repositories.private.add("someone/fleet")
    bad(project, "Komodo cannot read the files of the repository", "could not read Username")
    assert deployed(made) == 0
    made.agents.repositories.private.clear()
    good(project)
    recorded(project, made, "web")


def test_what_a_failing_container_logs_is_shown_without_its_secrets(project: Project, core: TestCore) -> None:
    made = fleet(project, core, "web")
    logged = "DB_PASSWORD=hunter2\npostgres://app:hunter2@db/app\ncannot open /data\n"
    behave(made, "web", fates={"app": Fate(ends_after=0.0, exit_code=3, output=logged)})
    bad(project, "cannot open /data", "DB_PASSWORD=[secret]")
