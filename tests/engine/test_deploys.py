"""Deploys through the real engine: due, ordered, followed, failed."""

from homeops.lab.core.containers_engine import Behaviour
from tests.engine.core import TestCore, writes
from tests.engine.engine import Project
from tests.engine.fleets import COMPOSE, FleetProject

FLEET = """
one = Host("one", periphery=RUNS)
two = Host("two", periphery=RUNS)
core = Stack("komodo-core", host=one, control_plane=True)
db = Stack("db", host=two, env={"TZ": "Etc/UTC"})
web = Stack("web", host=one, after=[db])
aside = Stack("aside", host=two)
return Fleet(hosts=[one, two], stacks=[web, db, core, aside])
"""
FILES = {
    "one/komodo-core/compose.yaml": COMPOSE.format(1),
    "two/db/compose.yaml": COMPOSE.format(1),
    "one/web/compose.yaml": COMPOSE.format(1),
    "one/web/nginx.conf": "a",
    "two/aside/compose.yaml": COMPOSE.format(1),
}


def fleet(project: Project, core: TestCore) -> FleetProject:
    made = FleetProject(project, core, "one", "two")
    made.write(FILES)
    made.declare(FLEET)
    return made


def test_deploys_are_ordered_and_only_what_changed_is_deployed_again(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    # Each takes its time, so that what should wait is seen to wait.
    for host, name in (("one", "komodo-core"), ("two", "db"), ("one", "web"), ("two", "aside")):
        made.host(host).engine.behaviours[name] = Behaviour(seconds=0.4)
    project.up().check()
    spans = {name: (start, end) for _, name, start, end in made.executions()}
    assert set(spans) == {"komodo-core", "db", "web", "aside"}
    assert spans["komodo-core"][1] <= min(spans[name][0] for name in ("db", "web", "aside"))
    assert spans["db"][1] <= spans["web"][0]
    assert spans["aside"][0] < spans["db"][1], "what does not depend on each other runs side by side"
    assert {name: state for name, (_, state) in made.containers("one").items()} == {
        "komodo-core-app-1": "running",
        "web-app-1": "running",
    }
    stacks = project.outputs()["stacks"]
    assert {name: stack["state"] for name, stack in stacks.items()} == dict.fromkeys(spans, "running")
    assert project.preview().check().steps == []
    made.host("one").engine.behaviours.clear()
    made.host("two").engine.behaviours.clear()

    core.asked()
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    preview = project.preview("--diff").check()
    assert preview.steps == [("update", "Deploy web")]
    assert "~ compose docker/stacks/one/web/compose.yaml: " in preview.shown
    project.up().check()
    assert writes(core.asked()) == {"execute DeployStack": 1}

    made.write({"one/web/nginx.conf": "b"})
    assert "~ config docker/stacks/one/web/nginx.conf: " in project.preview("--diff").check().shown
    project.up().check()
    assert [row[:2] for row in made.executions()[-2:]] == [("DeployStack", "web"), ("RestartStack", "web")]

    core.asked()
    made.declare(FLEET.replace('"aside", host=two', '"aside", host=two, description="not in the way"'))
    assert project.up().check().steps == [("update", "Stack aside")]
    assert writes(core.asked()) == {"write UpdateResourceMeta": 1}


def test_a_deploy_that_fails_says_why_once_and_stays_due(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    made.host("two").engine.behaviours["db"] = Behaviour(up="Error response from daemon: port is already allocated\n")
    failed = project.up("--continue-on-error")
    assert failed.exit != 0
    told = [message for message in failed.told if "port is already allocated" in message]
    assert len(told) == 1, failed.text
    assert 'stack "db" on two: Compose Up failed' in told[0]
    assert "Traceback" not in failed.text
    assert {row[1] for row in made.executions()} == {"komodo-core", "db", "aside"}, "its dependant was not deployed"

    assert project.preview().check().of("create") == {"Deploy db", "Deploy web"}
    made.host("two").engine.behaviours.clear()
    project.up().check()
    assert project.preview("--refresh").check().steps == []

    made.write({"two/db/compose.yaml": COMPOSE.format("3")})
    made.host("two").engine.behaviours["db"] = Behaviour(pull="manifest for nginx:3 not found")
    failed = project.up("--continue-on-error")
    assert failed.exit != 0
    assert "manifest for nginx:3 not found" in failed.text
    assert project.preview().check().steps == [("update", "Deploy db")]
    made.host("two").engine.behaviours.clear()
    project.up().check()
    assert project.preview().check().steps == []


def test_a_stack_that_vanished_is_made_and_deployed_again(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    project.up().check()
    core.write("DeleteStack", id="aside")
    assert "aside-app-1" not in made.containers("two")
    preview = project.preview("--refresh").check()
    assert preview.of("create") == {"Stack aside", "Deploy aside"}
    assert project.up("--refresh").check().of("create") == {"Stack aside", "Deploy aside"}
    assert made.containers("two")["aside-app-1"][1] == "running"


def test_a_stack_and_a_host_with_new_names_keep_their_objects_and_containers(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    project.up().check()
    before, containers = project.ids(), made.containers("two")
    core.asked()
    made.declare(
        FLEET.replace('Stack("aside", host=two', 'Stack("next", host=two, renamed_from="aside", directory="two/aside"')
    )
    done = project.up().check()
    assert done.of("create") | done.of("delete") | done.of("replace") == set()
    assert project.ids()["Stack next"] == before["Stack aside"]
    assert writes(core.asked()) == {"write RenameStack": 1}
    assert made.containers("two") == containers
    assert project.preview("--refresh").check().steps == []

    made.declare(
        FLEET.replace('Stack("aside"', 'Stack("next", project_name="aside", directory="two/aside"')
        .replace('Host("two"', 'Host("three", renamed_from="two"')
        .replace('Stack("db"', 'Stack("db", directory="two/db"')
    )
    hosts = project.settings["hosts"]
    hosts["three"] = hosts.pop("two")
    project.configure(**project.settings)
    done = project.up().check()
    assert done.of("create") | done.of("delete") | done.of("replace") == set()
    assert project.ids()["Server three"] == before["Server two"]
    assert made.containers("two") == containers
    assert project.preview("--refresh").check().steps == []


def test_a_host_that_does_not_answer_fails_its_stacks_alone(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    made.host("two").reachable = False
    failed = project.up("--continue-on-error")
    assert failed.exit != 0
    assert 'stack "db" on two' in failed.text
    assert "Traceback" not in failed.text
    assert made.containers("one")["komodo-core-app-1"][1] == "running"
    # Its stack cannot be taken off a host that is silent: Komodo would forget it, and leave its containers there.
    made.declare(FLEET.replace("core, aside]", "core]"))
    failed = project.up("--continue-on-error")
    assert "not deleted: its server two is NotOk" in failed.text
    assert "aside" in core.all("Stack")
    made.host("two").reachable = True
    project.up().check()
    assert "aside" not in core.all("Stack")
