"""A sync that is run is followed to its end, and what became of its deploys is told, not what Komodo says of them."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from homeops.errors import DeployFailed
from homeops.lab.core.executions_restart import restart_core
from homeops.lab.core.fates import Behaviour, Fate
from homeops.model.rollout import Rollout
from homeops.sync.changes import Selection
from homeops.sync.run import Outcome, Rollouts, run
from tests.sync.world import ROLLOUT, SERVERS, World, stack

DB_AND_WEB = SERVERS + stack("web", 'deploy = true\nafter = ["db"]') + stack("db", "deploy = true")


def results(outcome: Outcome) -> dict[str, str]:
    return {one.name: one.result for one in outcome.deploys}


def test_all_that_went_well_is_well(world: World) -> None:
    world.declare(DB_AND_WEB)
    outcome = world.run()
    assert outcome.ok
    assert results(outcome) == {"db": "healthy", "web": "healthy"}
    assert [one.host for one in outcome.deploys] == ["alpha", "alpha"]
    assert "db on alpha: web running" in world.heard.lines
    assert world.look().nothing


def test_a_deploy_that_fails_inside_is_told_although_komodo_calls_the_sync_a_success(world: World) -> None:
    world.lab.hosts["alpha"].engine.behaviours["db"] = Behaviour(up="no space left, token=hunter2\n")
    world.declare(DB_AND_WEB)
    outcome = world.run()
    assert world.lab.read("GetUpdate", id=outcome.update)["success"]
    assert not outcome.ok
    assert results(outcome) == {"db": "failed", "web": "healthy"}
    assert outcome.deploys[0].reason == "Compose Up: no space left, token=[secret]"
    assert outcome.failures == []
    # Komodo deploys its dependant again with every run, until it is mended.
    assert outcome.pending == ["deploy stack web: Stack parent dependency 'db' is deploying"]


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        (Fate(health="unhealthy"), 'service "web" (container db-web-1) is not up: unhealthy'),
        (Fate(ends_after=0.0, exit_code=3), 'service "web" (container db-web-1) is not up: exited with code 3'),
    ],
)
def test_containers_that_are_not_up_after_a_good_compose_are_told(world: World, fate: Fate, told: str) -> None:
    world.lab.hosts["alpha"].engine.behaviours["db"] = Behaviour(fates={"web": fate})
    world.declare(DB_AND_WEB)
    outcome = world.run()
    assert results(outcome) == {"db": "unhealthy", "web": "healthy"}
    assert outcome.deploys[0].reason.startswith(told)
    assert not outcome.ok


def test_each_stack_is_judged_by_its_own_rollout(world: World) -> None:
    world.lab.hosts["alpha"].engine.behaviours["db"] = Behaviour(fates={"web": Fate(ends_after=0.0)})
    world.declare(DB_AND_WEB)
    once = Rollout(health_stable=0, one_shot=["web"]).model_dump()
    outcome = run(world.client, world.look(), Rollouts(ROLLOUT, {"db": once}), world.heard, deadline=20)
    assert results(outcome)["db"] == "healthy"


def test_a_deploy_that_cannot_begin_is_told_with_the_log_of_the_sync(world: World) -> None:
    world.declare(SERVERS + stack("web", "deploy = true", server=""))
    outcome = world.run()
    assert results(outcome) == {"web": "not begun"}
    (failure,) = outcome.failures
    assert failure.startswith("Sync Deploy: failed to deploy Stack 'web' in round 1")
    assert not outcome.ok


def test_a_resource_that_fails_is_told_and_the_rest_is_done(world: World) -> None:
    world.declare(SERVERS + stack("bad", server="omega") + stack("good"))
    outcome = world.run()
    assert world.names("Stack") == ["good"]
    (failure,) = outcome.failures
    assert failure.startswith("Update Stacks: failed to create Stack 'bad'")
    assert outcome.pending == ["create stack bad"]


@pytest.mark.parametrize(
    ("command", "result", "reason", "pending"),
    [
        ("sleep infinity", "healthy", "", []),
        # One that has done its work is none the worse for it, but for Komodo, which deploys it again every time.
        ("true", "healthy", "", ["deploy deployment app: deployment has exited state"]),
        ("false", "unhealthy", "container app is not up: exited with code 1", []),
    ],
)
def test_the_container_of_a_deployment_is_looked_at(
    world: World, command: str, result: str, reason: str, pending: list[str]
) -> None:
    world.declare(
        SERVERS + '[[deployment]]\nname = "app"\ndeploy = true\n[deployment.config]\nserver = "alpha"\n'
        f'restart = "no"\ncommand = "{command}"\nimage = {{ type = "Image", params.image = "busybox" }}\n'
    )
    outcome = world.run()
    assert (results(outcome), outcome.pending) == ({"app": result}, pending)
    assert outcome.ok == (command == "sleep infinity")
    assert outcome.deploys[0].reason.startswith(reason)
    assert outcome.deploys[0].where == 'deployment "app" on alpha'


def test_deploys_of_others_and_of_earlier_runs_do_not_count(world: World) -> None:
    world.applied(DB_AND_WEB)
    world.lab.run("DeployStack", stack="db")
    world.declare(DB_AND_WEB + '[[variable]]\nname = "A"\nvalue = "1"\n' + stack("new"))
    outcome = world.run()
    assert (outcome.ok, results(outcome)) == (True, {})


def test_a_part_is_run_alone(world: World) -> None:
    world.declare(SERVERS + stack("web") + stack("db"))
    world.lab.run("RunSync", sync="fleet", resource_type="Server")
    plan = world.look(selection=Selection(names=("db",)))
    assert [change.name for change in plan.at.changes] == ["db"]
    assert world.run(plan).ok
    assert world.names("Stack") == ["db"]


def test_what_was_pushed_in_between_is_told(world: World) -> None:
    source: dict[str, Any] = {"repo": "me/fleet", "resource_path": ["komodo"]}
    world.lab.git.push("me/fleet", {"komodo/all.toml": SERVERS}, "first")
    world.lab.write("CreateResourceSync", name="git", config=source)
    world.lab.git.push("me/fleet", {"komodo/all.toml": SERVERS + stack("web")}, "second")
    plan = world.look("git")
    assert (len(plan.commit.hash), plan.commit.message) == (7, "second")
    world.lab.git.push("me/fleet", {"komodo/all.toml": SERVERS + stack("other")}, "third")
    outcome = world.run(plan)
    assert outcome.commit not in ("", plan.commit.hash)
    (failure,) = outcome.failures
    assert failure.startswith(f"somebody pushed in between: commit {outcome.commit} was applied")


def during_a_deploy(world: World, call: Callable[[], None], seconds: float) -> None:
    """Let something happen while ``db`` is deployed."""
    world.lab.hosts["alpha"].engine.behaviours["db"] = Behaviour(seconds=seconds, during=call)


@contextmanager
def held_deploy(world: World) -> Generator[None]:
    """The deploy of ``db``, once it was begun, does not end before the block does."""
    go_on = threading.Event()

    def hold() -> None:
        go_on.wait(10)

    during_a_deploy(world, hold, 0.02)
    try:
        yield
    finally:
        go_on.set()


def test_a_run_that_is_under_way_already_is_told(world: World) -> None:
    world.declare(DB_AND_WEB)
    plan = world.look()
    with held_deploy(world):
        first = world.lab.begin("RunSync", sync="fleet")
        outcome = world.run(plan)
    assert outcome.failures[0].startswith("another run of it is under way; nothing was changed by this one")
    assert world.lab.end(first)["success"]


def test_core_that_ends_in_the_middle_is_told_as_that(world: World) -> None:
    during_a_deploy(world, lambda: restart_core(world.lab.core, 0.3), 0.5)
    world.declare(DB_AND_WEB)
    outcome = world.run()
    assert outcome.failures == ["Core restarted in the middle of it; what is missing is pending: run it again"]
    assert not outcome.ok


def test_what_is_under_way_is_shown_and_the_end_is_not_waited_for_for_ever(world: World) -> None:
    world.declare(DB_AND_WEB)
    plan = world.look()
    with held_deploy(world), pytest.raises(DeployFailed, match="RunSync is still running"):
        run(world.client, plan, Rollouts(ROLLOUT), world.heard, deadline=1)
    assert any("deploying db" in text for text in world.heard.doing)
    world.lab.until(lambda: world.lab.updates("RunSync")[0]["status"], lambda status: status == "Complete")
