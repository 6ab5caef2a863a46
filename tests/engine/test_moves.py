"""Stacks that move to another host or project, and names that change: no container or volume is lost sight of."""

import json
from time import sleep
from typing import Any

import pytest

from homeops.lab.core.answer import JSON, Answer
from homeops.lab.core.containers_engine import Behaviour
from tests.engine.core import TestCore, writes
from tests.engine.engine import Project
from tests.engine.fleets import FleetProject

COMPOSE = """\
services:
  app:
    image: nginx:1
    volumes: [data:/data]
volumes:
  data:
"""
FLEET = """
one = Host("one", periphery=RUNS)
two = Host("two", periphery=RUNS)
web = Stack("web", host=two, directory="two/web")
return Fleet(hosts=[one, two], stacks=[web])
"""
MOVED = FLEET.replace("host=two", "host=one")
TOLD = MOVED.replace("host=one", 'host=one, moved_from="two"')


@pytest.fixture
def fleet(project: Project, core: TestCore) -> FleetProject:
    """Two hosts, and a stack with a volume on the second one, brought up."""
    project.environ = {**project.environ, "PULUMI_CONTINUE_ON_ERROR": "true"}
    made = FleetProject(project, core, "one", "two")
    made.write({"two/web/compose.yaml": COMPOSE})
    made.declare(FLEET)
    _with_volumes(core, made)
    project.up().check()
    assert made.host("two").engine.volumes == {"web_data"}
    core.asked()
    return made


def _with_volumes(core: TestCore, fleet: FleetProject) -> None:
    """Let Core tell the volumes of its hosts."""
    rest = core.core.answer

    def answer(method: str, path: str, headers: Any, body: bytes = b"", peer: str = "127.0.0.1") -> Answer:
        asked = json.loads(body or b"{}")
        if asked.get("type") != "ListVolumes":
            return rest(method, path, headers, body, peer)
        volumes = fleet.host(asked["params"]["server"]).engine.volumes | {"somebodys"}
        return Answer(200, json.dumps([{"name": name, "driver": "local"} for name in sorted(volumes)]).encode(), JSON)

    core.core.answer = answer


def order(core: TestCore) -> list[str]:
    """The executions of stacks so far."""
    updates = core.read("ListUpdates", query={"target.type": "Stack"})["updates"]
    return [item["operation"] for item in sorted(updates, key=lambda item: item["start_ts"])]


def test_a_move_is_refused_until_it_says_what_it_leaves(project: Project, core: TestCore, fleet: FleetProject) -> None:
    before = fleet.containers("two")
    for declared in (MOVED, MOVED.replace("host=one", 'host=one, moved_from="three"')):
        fleet.declare(declared)
        for run in (project.preview(), project.up()):
            assert run.exit != 0
            assert 'stack "web": would move from two to one: its volumes (web_data) and bind mounts stay' in run.text
            assert 'moved_from="two"' in run.text
            assert run.done == []
    silent = project.preview(KOMODO_ADDRESS="http://127.0.0.1:9")
    assert silent.exit != 0
    assert "its named volumes and bind mounts stay on two" in silent.text
    assert not writes(core.asked())
    assert fleet.containers("two") == before


def test_a_move_that_was_said_stops_the_stack_where_it_was(
    project: Project, core: TestCore, fleet: FleetProject
) -> None:
    fleet.declare(TOLD)
    assert project.preview().check().of("update") == {"Stack web", "Deploy web"}
    up = project.up().check()
    assert 'stack "web": stopping it on two (docker compose -p web down); named volumes stay on the host' in up.text
    assert fleet.containers("two") == {}
    assert fleet.host("two").engine.volumes == {"web_data"}
    assert fleet.containers("one")["web-app-1"][1] == "running"
    assert order(core)[-3:] == ["DestroyStack", "UpdateStack", "DeployStack"]
    resources: list[dict[str, Any]] = project.state()["checkpoint"]["latest"]["resources"]
    web = next(item["inputs"] for item in resources if item["type"].endswith("komodo:Stack"))
    assert set(web) == {"__provider", "name", "config"}
    assert project.preview("--refresh").check().steps == []
    fleet.declare(MOVED)
    assert project.preview("--refresh").check().steps == []


def test_a_move_whose_parts_fail_is_finished_by_the_next_run(
    project: Project, core: TestCore, fleet: FleetProject
) -> None:
    fleet.declare(TOLD)
    core.core.faults.add("status", type="DestroyStack", status=500, error="no", count=1)
    assert project.up().exit != 0
    assert fleet.containers("two")["web-app-1"][1] == "running"
    assert core.name_of("Server", core.config("Stack", "web")["server_id"]) == "two"

    core.core.faults.add("drop_after", type="UpdateStack", count=1)
    assert project.up().exit != 0
    assert fleet.containers("two") == {}
    core.asked()
    project.up().check()
    assert "execute DestroyStack" not in core.asked()
    assert fleet.containers("one")["web-app-1"][1] == "running"
    assert project.preview("--refresh").check().steps == []


def test_a_stack_leaves_a_dead_host_with_a_warning(project: Project, fleet: FleetProject) -> None:
    fleet.host("two").reachable = False
    fleet.declare(TOLD)
    up = project.up().check()
    assert 'warning: stack "web" moves to one, but its old host two is NotOk' in up.text
    assert "on two: docker compose -p web down" in up.text
    assert fleet.containers("one")["web-app-1"][1] == "running"
    assert fleet.containers("two")["web-app-1"][1] == "running"


def test_what_never_ran_leaves_nothing_behind(project: Project, fleet: FleetProject) -> None:
    project.configure(**project.settings, deploy=False)
    more = 'new = Stack("new", host=two, directory="two/web")\n'
    declared = FLEET.replace("return", f"{more}return").replace("[web]", "[web, new]")
    fleet.declare(declared)
    project.up().check()
    fleet.declare(declared.replace('"new", host=two', '"new", host=one'))
    assert project.preview().check().of("update") == {"Stack new"}


def test_a_host_with_another_name_is_no_move(project: Project, core: TestCore, fleet: FleetProject) -> None:
    before, ids = fleet.containers("two"), project.ids()
    renamed = FLEET.replace('Host("two"', 'Host("three", renamed_from="two"')
    settings = project.settings["hosts"]
    project.configure(**{**project.settings, "hosts": {"one": settings["one"], "three": settings["two"]}})
    fleet.declare(renamed)
    assert "declared nowhere" not in project.preview().check().text
    project.up().check()
    assert project.ids()["Server three"] == ids["Server two"]
    assert fleet.containers("two") == before
    assert writes(core.asked()) == {"write RenameServer": 1, "write UpdateStack": 1}
    assert project.preview("--refresh").check().steps == []
    moved = renamed.replace("host=two", "host=one")
    fleet.declare(moved)
    assert "would move from three to one" in project.preview().text
    fleet.declare(moved.replace("host=one", 'host=one, moved_from="three"'))
    project.up().check()
    assert fleet.containers("two") == {}


def test_another_project_is_refused_like_a_move(project: Project, fleet: FleetProject) -> None:
    """It happens when renamed_from is taken away and nothing pins the project that the stack keeps."""
    before = fleet.containers("two")
    renamed = FLEET.replace('"web", host=two', '"site", host=two, renamed_from="web"')
    fleet.declare(renamed)
    project.up().check()
    assert fleet.containers("two") == before
    unpinned = renamed.replace(', renamed_from="web"', "")
    fleet.declare(unpinned)
    for run in (project.preview(), project.up()):
        assert run.exit != 0
        assert 'stack "site": would leave its compose project web for site: its volumes (web_data)' in run.text
        assert 'give project_name="web"' in run.text
    assert fleet.containers("two") == before
    fleet.declare(renamed.replace('renamed_from="web"', 'project_name="web"'))
    assert project.preview("--refresh").check().steps == []
    fleet.declare(renamed.replace('renamed_from="web"', 'moved_from="two"'))
    project.up().check()
    assert set(fleet.containers("two")) == {"site-app-1"}
    assert fleet.host("two").engine.volumes == {"web_data", "site_data"}


def test_what_is_adopted_does_not_move_by_the_way(project: Project, fleet: FleetProject) -> None:
    project.run("stack", "rm", "test", "--yes", "--force", "--preserve-config").check()
    project.run("stack", "init", "test").check()
    project.configure(**project.settings, adopt="overwrite")
    fleet.declare(MOVED)
    refused = project.up()
    assert refused.exit != 0
    assert 'stack "web": would move from two to one' in refused.text
    assert fleet.containers("two")["web-app-1"][1] == "running"
    fleet.declare(TOLD)
    project.up().check()
    assert fleet.containers("two") == {}
    assert fleet.containers("one")["web-app-1"][1] == "running"


@pytest.mark.parametrize("change", ["rename", "update", "delete"])
def test_nothing_changes_under_a_deploy(project: Project, core: TestCore, fleet: FleetProject, change: str) -> None:
    """One that somebody else began: Komodo would let the name change, and lose what the deploy did."""
    project.configure(**project.settings, deploy=False, deletes={"percent": 50})
    operation, asks, declared = {
        "rename": (
            "RenameStack",
            "read GetStackActionState",
            FLEET.replace('"web", host=two', '"site", host=two, renamed_from="web"'),
        ),
        "update": ("UpdateStack", "write UpdateStack", FLEET.replace("host=two", 'host=two, env={"A": "1"}')),
        "delete": ("DeleteStack", "write DeleteStack", FLEET.replace("[web]", "[]")),
    }[change]
    fleet.declare(declared)
    before = fleet.containers("two")

    def until_met() -> None:
        while not core.core.requests[asks]:
            sleep(0.05)

    fleet.host("two").engine.behaviours["web"] = Behaviour(during=until_met)
    core.ask("execute", "DeployStack", {"stack": "web"})
    up = project.up().check()
    updates = core.read("ListUpdates", query={})["updates"]
    latest = {item["operation"]: core.read("GetUpdate", id=item["id"]) for item in reversed(updates)}
    assert latest["DeployStack"]["success"]
    assert latest["DeployStack"]["end_ts"] <= latest[operation]["start_ts"]
    if change == "rename":
        assert 'stack "web": deploying in Komodo; waiting for its end' in up.text
        assert core.all("Stack")["site"]["info"]["deployed_project_name"] == "web"
    if change == "delete":
        assert fleet.containers("two") == {}
    else:
        assert fleet.containers("two") == before
