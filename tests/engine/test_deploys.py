"""Deploys through the real engine: due, ordered, followed, failed."""

import re
from pathlib import Path

from homeops.deploy.receipts import Journal
from homeops.lab.core.containers import Fate
from homeops.lab.core.containers_engine import Behaviour
from tests.engine.core import TestCore, writes
from tests.engine.engine import Project, Run
from tests.engine.fleets import COMPOSE, FILES, FleetProject

FLEET = """
one = Host("one", periphery=RUNS)
two = Host("two", periphery=RUNS)
core = Stack("komodo-core", host=one, control_plane=True)
db = Stack("db", host=two, env={"TZ": "Etc/UTC"})
web = Stack("web", host=one, after=[db])
aside = Stack("aside", host=two)
return Fleet(hosts=[one, two], stacks=[web, db, core, aside])
"""


def documented(run: Run) -> bool:
    """Whether docs/errors.md quotes one of a run's messages word for word; hashes are its own."""
    document = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    quoted = [re.sub(r"commit [0-9a-f]{7}.*?of", "commit 1a2b3c4 of", text).strip() for text in run.told]
    assert any(text and f"```text\n{text}\n```" in document for text in quoted), "\n\n".join(quoted)
    return True


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
    assert spans["aside"][0] >= spans["db"][1] or spans["db"][0] >= spans["aside"][1], "one host, one at a time"
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
    assert writes(core.asked()) == {"write RefreshStackCache": 1, "execute DeployStack": 1}

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


def test_what_was_not_pushed_fails_before_anything_is_touched(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    project.up().check()
    made.push()
    before = made.containers("one")
    core.asked()
    made.write({"one/web/compose.yaml": COMPOSE.format(2)})
    failed = project.up()
    assert failed.exit != 0
    assert documented(failed)
    assert made.containers("one") == before
    assert writes(core.asked())["execute DeployStack"] == 0
    assert project.preview().check().steps == [("update", "Deploy web")]
    made.push()
    project.up().check()
    assert project.preview().check().steps == []


def test_what_somebody_pushed_since_the_preview_is_not_deployed(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    project.up().check()
    made.write({"one/web/compose.yaml": COMPOSE.format(3), "one/web/nginx.conf": "theirs"})
    made.push()
    made.write({"one/web/compose.yaml": COMPOSE.format(2), "one/web/nginx.conf": "a"})
    failed = project.up()
    assert failed.exit != 0
    assert "docker/stacks/one/web/nginx.conf" in failed.text
    assert "docker/stacks/one/web/compose.yaml" in failed.text


def test_an_unhealthy_service_fails_the_run_and_stops_what_comes_after(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    made.host("two").engine.behaviours["db"] = Behaviour(
        fates={"app": Fate(ends_after=0.0, exit_code=3, output="DB_PASSWORD=hunter2\ncannot open /data\n")}
    )
    failed = project.up("--continue-on-error")
    assert failed.exit != 0
    told = [message for message in failed.told if "is not up" in message]
    assert len(told) == 1, failed.text
    assert documented(failed)
    assert "hunter2" not in failed.text
    assert "Traceback" not in failed.text
    end = next(message.strip() for message in failed.told if "stacks of this run" in message)
    assert end.endswith("\n  deployed: komodo-core, aside\n  failed: db\n  not reached: web (after db)")
    assert project.preview().check().of("create") == {"Deploy db", "Deploy web"}
    made.host("two").engine.behaviours.clear()
    made.host("two").engine.containers["db-app-1"].fate = Fate()
    done = project.up().check()
    assert "deployed: db, web\n  unchanged: komodo-core, aside" in "".join(done.told)
    assert "stacks of this run" not in project.up().check().text


def test_a_stack_that_asks_for_it_is_rolled_back(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    made.declare(FLEET.replace('"aside", host=two', '"aside", host=two, rollback="previous", env={"A": "1"}'))
    project.up().check()
    healthy = project.outputs()["stacks"]["aside"]
    made.declare(FLEET.replace('"aside", host=two', '"aside", host=two, rollback="previous", env={"A": "2"}'))
    made.write({"two/aside/compose.yaml": "services:\n  app:\n    image: nginx:2\n    command: exit 4\n"})
    failed = project.up()
    assert failed.exit != 0
    assert 'service "app" (container aside-app-1) is not up: exited with code 4' in failed.text
    assert f"rolled back: it runs commit {healthy['commit'][:7]} again, app up" in failed.text
    assert made.containers("two")["aside-app-1"][1] == "running"
    assert core.config("Stack", "aside")["commit"] == ""
    assert core.config("Stack", "aside")["environment"] == "A=2\n"
    assert project.preview().check().of("update") == {"Deploy aside"}
    receipts = Journal(project.directory / ".homeops", "test").receipts("aside")
    assert [receipt.result for receipt in receipts] == ["healthy", "rolled back"]


def test_so_many_of_a_host_at_once_and_hosts_side_by_side(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    stacks = {"s0": "one", "s1": "one", "s2": "one", "s3": "one", "t0": "two", "t1": "two"}
    declared = [f'{name} = Stack("{name}", host={host})' for name, host in stacks.items()]
    hosts = ['one = Host("one", periphery=RUNS)', 'two = Host("two", periphery=RUNS)']
    made.declare("\n".join([*hosts, *declared, f"return Fleet(hosts=[one, two], stacks=[{', '.join(stacks)}])"]))
    made.write({f"{host}/{name}/compose.yaml": COMPOSE.format(0) for name, host in stacks.items()})
    settings = project.settings
    project.configure(**settings, deploy=False)
    project.up().check()
    for at_once in (1, 2):
        project.configure(**settings, deploysPerHost=at_once)
        for name, host in stacks.items():
            made.host(host).engine.behaviours[name] = Behaviour(seconds=1)
        made.write({f"{host}/{name}/compose.yaml": COMPOSE.format(at_once) for name, host in stacks.items()})
        begun = len(made.executions())
        project.up().check()
        rows = made.executions()[begun:]
        for host in ("one", "two"):
            spans = [(start, end) for _, name, start, end in rows if stacks[name] == host]
            assert max(sum(start <= moment < end for start, end in spans) for moment, _ in spans) == at_once
        first = {host: min(start for _, name, start, _ in rows if stacks[name] == host) for host in ("one", "two")}
        assert abs(first["one"] - first["two"]) < 1000


def test_a_host_with_another_name_is_no_reason_to_deploy(project: Project, core: TestCore) -> None:
    made = fleet(project, core)
    project.up().check()
    made.declare(
        FLEET.replace('Host("two"', 'Host("three", renamed_from="two"')
        .replace('Stack("db", host=two', 'Stack("db", host=two, directory="two/db"')
        .replace('"aside", host=two', '"aside", host=two, directory="two/aside"')
    )
    hosts = project.settings["hosts"]
    hosts["three"] = hosts.pop("two")
    project.configure(**project.settings)
    core.asked()
    project.up().check()
    assert writes(core.asked())["execute DeployStack"] == 0
    made.declare(
        FLEET.replace('Host("two"', 'Host("three"')
        .replace('Stack("db", host=two', 'Stack("db", host=two, directory="two/db"')
        .replace('"aside", host=two', '"aside", host=two, directory="two/aside"')
    )
    assert project.preview().check().steps == []
