"""What a run may delete, through the real engine: told, counted, refused as a whole, and in the right order."""

import pytest

from homeops.lab.core.containers_engine import Behaviour
from tests.engine.core import TestCore, writes
from tests.engine.engine import Project
from tests.engine.fleets import COMPOSE, FleetProject

HOSTS = """
one = Host("one", periphery=RUNS)
two = Host("two", periphery=RUNS)
"""
STACKS = """
web = Stack("web", host=one)
db = Stack("db", host=two)
aside = Stack("aside", host=two)
"""
VARIABLES = 'variables = [Variable(f"V{number}", value="1") for number in range(12)]\n'
FLEET = f"{HOSTS}{STACKS}{VARIABLES}return Fleet(hosts=[one, two], stacks=[web, db, aside], variables=variables)\n"
PROTECTED = FLEET.replace('Stack("db", host=two', 'Stack("db", host=two, protect=Protection(reason="all the photos")')
FILES = {f"{path}/compose.yaml": COMPOSE.format(1) for path in ("one/web", "two/db", "two/aside")}

NOTHING_DONE = "nothing was changed"


@pytest.fixture
def fleet(project: Project, core: TestCore) -> FleetProject:
    """Two hosts, three stacks and twelve variables, brought up; an error of one thing lets the others go on."""
    # As tools/env.sh has it.
    project.environ = {**project.environ, "PULUMI_CONTINUE_ON_ERROR": "true"}
    made = FleetProject(project, core, "one", "two")
    made.write(FILES)
    made.declare(FLEET)
    project.up().check()
    core.asked()
    return made


def without(*stacks: str, of: str = FLEET) -> str:
    """The fleet without some of its stacks."""
    left = ", ".join(name for name in ("web", "db", "aside") if name not in stacks)
    return of.replace("stacks=[web, db, aside]", f"stacks=[{left}]")


def hosts(project: Project, *names: str) -> None:
    """Let the settings know these hosts alone."""
    known = project.settings["hosts"]
    project.configure(**{**project.settings, "hosts": {name: known[name] for name in names}})


def nothing_was_done(core: TestCore, fleet: FleetProject) -> None:
    """Assert that Komodo was asked for nothing, and that everything runs."""
    assert not writes(core.asked())
    assert {*fleet.containers("one"), *fleet.containers("two")} == {"web-app-1", "db-app-1", "aside-app-1"}


def test_an_empty_fleet_deletes_nothing(project: Project, core: TestCore, fleet: FleetProject) -> None:
    fleet.declare("return Fleet()")
    hosts(project)
    for run in (project.preview(), project.up()):
        assert run.exit != 0
        assert "is empty, so this run would delete 17 of 17 objects (100 %)" in run.text
        assert "pulumi config set --path homeops:deletes.objects 17" in run.text
        assert "pulumi config set --path homeops:deletes.percent 100" in run.text
        assert NOTHING_DONE in run.text
        assert "Traceback" not in run.text
        assert run.done == []
    nothing_was_done(core, fleet)


def test_a_half_loaded_fleet_deletes_and_changes_nothing_before_a_setting_says_so(
    project: Project, core: TestCore, fleet: FleetProject
) -> None:
    half = FLEET.replace("range(12)", "range(6)").replace('value="1"', 'value="2"')
    fleet.declare(half)
    refused = project.up()
    assert refused.exit != 0
    assert "lacks 6 objects of the last run, so this run would delete 6 of 17 objects (35 %)" in refused.text
    assert "variable V10, variable V11, variable V6" in refused.text
    nothing_was_done(core, fleet)
    assert core.config("Variable", "V0")["value"] == "1", "a refusal comes before everything else"

    project.configure(**project.settings, deletes={"objects": 6})
    assert "homeops:deletes.percent 36" in project.preview().text
    project.configure(**{**project.settings, "deletes": {"objects": 6, "percent": 36}})
    assert len(project.preview().check().of("delete")) == 6
    project.up().check()
    assert sorted(core.all("Variable")) == [f"V{number}" for number in range(6)]


def test_what_a_failed_run_left_is_counted_again(project: Project, core: TestCore, fleet: FleetProject) -> None:
    core.core.faults.add("status", type="DeleteVariable", status=500, error="no")
    fleet.declare(FLEET.replace("range(12)", "range(8)"))
    failed = project.up()
    assert failed.exit != 0
    assert len(core.all("Variable")) == 12
    core.core.faults.clear()
    fleet.declare(FLEET.replace("range(12)", "range(6)"))
    refused = project.up()
    assert refused.exit != 0
    assert "this run would delete 6 of" in refused.text
    assert len(core.all("Variable")) == 12
    fleet.declare(FLEET.replace("range(12)", "range(8)"))
    preview = project.preview().check()
    assert "will be deleted: variable V10, V11, V8, V9" in preview.text
    assert "an earlier run was to delete variable V10, variable V11, variable V8, variable V9 already" in preview.text
    project.up().check()
    assert len(core.all("Variable")) == 8
    fleet.declare(FLEET.replace("range(12)", "range(6)"))
    assert "will be deleted: variable V6, V7" in project.preview().check().text, "what is gone does not count"


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("return Fleet(stacks=[Stack('web', host='nowhere')])", id="wrong"),
        pytest.param("raise ValueError('of the program itself')", id="crash"),
        pytest.param(without("aside").replace('value="1"', 'value="1", is_secret=True'), id="plain secret"),
    ],
)
def test_a_program_that_fails_deletes_nothing(
    project: Project, core: TestCore, fleet: FleetProject, program: str
) -> None:
    fleet.declare(program)
    if "nowhere" in program:
        hosts(project)
    assert project.up().exit != 0
    nothing_was_done(core, fleet)


def test_a_deploy_that_fails_deletes_what_was_asked_for_and_nothing_else(
    project: Project, core: TestCore, fleet: FleetProject
) -> None:
    fleet.write({"two/db/compose.yaml": COMPOSE.format(2)})
    fleet.host("two").engine.behaviours["db"] = Behaviour(pull="manifest unknown")
    fleet.declare(without("aside"))
    failed = project.up()
    assert failed.exit != 0
    assert "manifest unknown" in failed.text
    assert set(core.all("Stack")) == {"web", "db"}
    assert len(core.all("Server")) == 2
    assert len(core.all("Variable")) == 12
    fleet.host("two").engine.behaviours.clear()
    project.up().check()
    assert set(core.all("Stack")) == {"web", "db"}


def test_a_preview_says_what_will_be_stopped(project: Project, core: TestCore, fleet: FleetProject) -> None:
    fleet.declare(without("web").replace("range(12)", "range(10)"))
    preview = project.preview().check()
    stack = 'will be deleted: stack "web" on one: Komodo stops and removes web-app-1; named volumes stay on the host'
    assert stack in preview.text
    assert "will be deleted: variable V10, V11" in preview.text
    assert "declared nowhere" not in preview.text, "what will be deleted needs no second mention"
    silent = project.preview(KOMODO_ADDRESS="http://127.0.0.1:9").check()
    assert "will be deleted: stack web" in silent.text
    nothing_was_done(core, fleet)
    project.up().check()
    assert "web" not in core.all("Stack")
    assert fleet.containers("one") == {}
    assert "will be deleted" not in project.preview().check().text


def test_what_got_another_name_by_hand_is_told_all_the_same(
    project: Project, core: TestCore, fleet: FleetProject
) -> None:
    core.write("RenameStack", id="web", name="site")
    fleet.declare(without("web"))
    preview = project.preview().check()
    assert 'will be deleted: stack "web", which Komodo does not have under this name' in preview.text
    assert "declared nowhere: Stack site" in preview.text
    project.up().check()
    assert set(core.all("Stack")) == {"db", "aside"}


@pytest.mark.parametrize("how", ["dead", "disabled"])
def test_neither_a_stack_on_a_dead_host_nor_its_host_is_deleted(
    project: Project, core: TestCore, fleet: FleetProject, how: str
) -> None:
    state = "NotOk" if how == "dead" else "Disabled"
    if how == "dead":
        fleet.host("one").reachable = False
    else:
        core.change("Server", "one", enabled=False)
    alone = HOSTS.replace('one = Host("one", periphery=RUNS)\n', "")
    stacks = STACKS.replace('web = Stack("web", host=one)\n', "")
    fleet.declare(f"{alone}{stacks}{VARIABLES}return Fleet(hosts=[two], stacks=[db, aside], variables=variables)")
    everything = project.settings["hosts"]
    hosts(project, "two")
    preview = project.preview().check()
    assert f'will NOT be deleted: stack "web": its server one is {state}' in preview.text
    assert 'will NOT be deleted: server "one": web still on it' in preview.text
    failed = project.up()
    assert failed.exit != 0
    assert f'stack "web": not deleted: its server one is {state}' in failed.text
    assert "web" in core.all("Stack")
    assert "one" in core.all("Server")
    assert fleet.containers("one")["web-app-1"][1] == "running"

    fleet.host("one").reachable = True
    core.change("Server", "one", enabled=True)
    core.asked()
    done = project.up().check()
    assert "web" not in core.all("Stack")
    assert "one" not in core.all("Server")
    project.configure(**{**project.settings, "hosts": everything})
    assert fleet.containers("one") == {}
    order = [name for op, name in done.done if op == "delete"]
    assert order.index("Stack web") < order.index("Server one")


def test_a_host_with_stacks_that_nobody_declares_is_kept(project: Project, core: TestCore, fleet: FleetProject) -> None:
    core.write("CreateStack", name="somebodys", config={"server_id": "one"})
    fleet.declare(
        f"{HOSTS}{STACKS}{VARIABLES}return Fleet(hosts=[two], stacks=[db, aside], variables=variables)".replace(
            'Stack("web", host=one)', "None"
        )
    )
    hosts(project, "two")
    assert 'will NOT be deleted: server "one": somebodys still on it' in project.preview().check().shown
    failed = project.up()
    assert failed.exit != 0
    assert 'server "one": not deleted: somebodys still on it' in failed.shown
    assert core.config("Stack", "somebodys")["server_id"] == core.all("Server")["one"]["_id"]["$oid"]


def test_a_protected_stack_is_kept_until_its_protection_is_lifted(
    project: Project, core: TestCore, fleet: FleetProject
) -> None:
    fleet.declare(PROTECTED)
    project.up().check()
    core.asked()
    gone = without("db").replace('value="1"', 'value="2"')
    fleet.declare(gone)
    for run in (project.preview(), project.up()):
        assert run.exit != 0
        assert 'stack "db": is declared no more, but protected: all the photos' in run.text
        assert "declare it again without protect=, pulumi up, and then take it away" in run.text
        assert run.done == []
    nothing_was_done(core, fleet)
    destroyed = project.destroy()
    assert destroyed.exit != 0
    assert "protect" in destroyed.text
    assert set(core.all("Stack")) == {"db"}
    assert set(core.all("Server")) == {"two"}, "what a protected stack needs stays with it"
    assert fleet.containers("two")["db-app-1"][1] == "running"


def test_a_protection_that_was_lifted_lets_go(project: Project, core: TestCore, fleet: FleetProject) -> None:
    fleet.declare(PROTECTED)
    project.up().check()
    fleet.declare(FLEET)
    project.up().check()
    fleet.declare(without("db"))
    project.preview().check()
    project.up().check()
    assert "db" not in core.all("Stack")
    assert "db-app-1" not in fleet.containers("two")


def test_a_renamed_object_is_no_deletion(project: Project, core: TestCore, fleet: FleetProject) -> None:
    project.configure(**project.settings, deletes={"objects": 0, "percent": 0})
    renamed = 'Stack("nas", host=two, renamed_from="aside", directory="two/aside")'
    fleet.declare(FLEET.replace('Stack("aside", host=two)', renamed))
    assert "will be deleted" not in project.preview().check().text
    project.up().check()
    pinned = 'Stack("nas", host=two, project_name="aside", directory="two/aside")'
    fleet.declare(FLEET.replace('Stack("aside", host=two)', pinned))
    assert project.preview().check().steps == []
    assert set(core.all("Stack")) == {"web", "db", "nas"}
