import time
from pathlib import Path

import pytest

from homeops.lab.core.executions_restart import begin_again
from homeops.lab.core.fates import Behaviour, Fate
from tests.lab.rehearsed import COMPOSE, Rehearsed, stages


@pytest.fixture
def lab(tmp_path: Path) -> Rehearsed:
    return Rehearsed(tmp_path)


def test_a_deploy_answers_at_once_and_ends_with_every_stage_in_order(lab: Rehearsed) -> None:
    lab.stack("web", environment="A=1\n", pre_deploy={"command": "true"}, post_deploy={"command": "true"})
    begun = lab.begin("DeployStack", stack="web")
    assert (begun["status"], begun["success"], begun["logs"], begun["end_ts"]) == ("InProgress", True, [], None)
    ended = lab.end(begun)
    assert ended["success"]
    assert stages(ended) == [
        "Write Environment File",
        "Pre Deploy",
        "Compose Config",
        "Compose Pull",
        "Compose Up",
        "Post Deploy",
    ]
    assert lab.state("web") == "running"


def test_a_missing_target_is_refused_and_leaves_no_update(lab: Rehearsed) -> None:
    status, answer = lab.ask("execute", "DeployStack", {"stack": "nope"})
    assert (status, answer["error"]) == (500, "Did not find any Stack matching nope")
    assert lab.updates("DeployStack") == []


def test_a_resource_is_busy_until_its_execution_ends(lab: Rehearsed) -> None:
    lab.stack("web", pre_deploy={"command": "sleep 0.3"})
    first = lab.begin("DeployStack", stack="web")
    second = lab.run("DeployStack", stack="web")
    assert "Resource is busy" in second["logs"][0]["stderr"]
    assert lab.ask("write", "UpdateStack", {"id": "web", "config": {}})[1]["error"] == "Stack busy"
    assert lab.ask("write", "DeleteStack", {"id": "web"})[0] == 500
    assert lab.end(first)["success"]
    assert lab.run("DeployStack", stack="web")["success"]


@pytest.mark.parametrize("reason", ["disabled", "stopped", "none"])
def test_without_an_agent_the_task_fails_and_nothing_is_stored(lab: Rehearsed, reason: str) -> None:
    lab.stack("web")
    expected = "Cannot send command when Server is unreachable or disabled"
    if reason == "disabled":
        lab.write("UpdateServer", id="alpha", config={"enabled": False})
    elif reason == "stopped":
        lab.hosts["alpha"].end()
    else:
        lab.write("UpdateStack", id="web", config={"server_id": ""})
        expected = "Must attach either swarm or server"
    ended = lab.run("DeployStack", stack="web")
    assert not ended["success"]
    assert stages(ended) == ["Task Error"]
    assert expected in ended["logs"][0]["stderr"]
    assert lab.read("GetStack", stack="web")["info"]["deployed_project_name"] is None
    assert lab.state("web") == "unknown"


@pytest.mark.parametrize(
    ("behaviour", "stage"), [(Behaviour(pull="no route"), "Compose Pull"), (Behaviour(up="no space\n"), "Compose Up")]
)
def test_a_failing_step_ends_the_deploy_and_keeps_what_was_deployed(
    lab: Rehearsed, behaviour: Behaviour, stage: str
) -> None:
    lab.stack("web")
    assert lab.run("DeployStack", stack="web")["success"]
    good = lab.read("GetStack", stack="web")["info"]
    lab.hosts["alpha"].engine.behaviours["web"] = behaviour
    lab.write("UpdateStack", id="web", config={"file_contents": f"{COMPOSE}    labels:\n      v: '2'\n"})
    ended = lab.run("DeployStack", stack="web")
    assert not ended["success"]
    assert stages(ended)[-1] == stage
    now = lab.read("GetStack", stack="web")["info"]
    kept = ("deployed_contents", "deployed_config", "deployed_services", "deployed_hash")
    assert {key: now[key] for key in kept} == {key: good[key] for key in kept}


def test_missing_files_are_named_before_anything_runs(lab: Rehearsed) -> None:
    lab.git.push("me/site", {"README.md": "x\n"}, "first")
    lab.stack("web", file_contents="", repo="me/site", file_paths=["web/compose.yaml"])
    ended = lab.run("DeployStack", stack="web")
    assert stages(ended)[-1] == "Validate Files"
    assert "Missing files: web/compose.yaml" in ended["logs"][-1]["stderr"]
    assert lab.read("GetStack", stack="web")["info"]["missing_files"] == ["web/compose.yaml"]


def test_health_is_in_the_container_and_not_in_the_state(lab: Rehearsed) -> None:
    lab.stack("web")
    lab.hosts["alpha"].engine.behaviours["web"] = Behaviour(fates={"web": Fate(health="unhealthy")})
    assert lab.run("DeployStack", stack="web")["success"]
    assert lab.state("web") == "running"
    found = lab.read("InspectStackContainer", stack="web", service="web")
    assert found["State"]["Health"]["Status"] == "unhealthy"
    assert "(unhealthy)" in lab.read("ListStackServices", stack="web")[0]["container"]["status"]


@pytest.mark.parametrize(("code", "state"), [(0, "stopped"), (3, "stopped")])
def test_a_container_that_ends_leaves_a_good_deploy_and_a_stopped_stack(lab: Rehearsed, code: int, state: str) -> None:
    lab.stack("web", file_contents=f"services:\n  web:\n    image: a\n    command: sh -c 'exit {code}'\n")
    assert lab.run("DeployStack", stack="web")["success"]
    assert lab.state("web") == state


def test_if_changed_follows_the_files_and_not_the_configuration(lab: Rehearsed) -> None:
    lab.git.push("me/site", {"compose.yaml": COMPOSE}, "first")
    lab.stack("web", file_contents="", repo="me/site")
    answer = lab.begin("DeployStackIfChanged", stack="web")
    assert "_id" not in answer
    lab.until(lambda: lab.state("web"), lambda state: state == "running")
    lab.until(lambda: lab.updates("DeployStack"), lambda found: found[0]["status"] == "Complete")
    lab.write("UpdateStack", id="web", config={"environment": "A=1\n"})
    lab.begin("DeployStackIfChanged", stack="web")
    time.sleep(0.3)
    assert len(lab.updates("DeployStack")) == 1
    lab.git.push("me/site", {"compose.yaml": f"{COMPOSE}    labels:\n      v: '2'\n"}, "second")
    lab.begin("DeployStackIfChanged", stack="web")
    lab.until(lambda: lab.updates("DeployStack"), lambda found: len(found) == 2)


def test_secrets_are_masked_in_logs_and_reach_the_container(lab: Rehearsed) -> None:
    lab.write("CreateVariable", name="TOKEN", value="hush-hush", is_secret=True)
    lab.stack("web", file_contents=f"{COMPOSE}    environment:\n      T: '[[TOKEN]]'\n      U: '[[NOT_THERE]]'\n")
    ended = lab.run("DeployStack", stack="web")
    assert "hush-hush" not in str(ended)
    container = lab.hosts["alpha"].engine.containers["web-web-1"]
    assert container.definition["environment"] == {"T": "hush-hush", "U": "[[NOT_THERE]]"}


def test_a_stack_moved_to_another_host_leaves_its_containers_behind(lab: Rehearsed) -> None:
    lab.stack("web")
    lab.run("DeployStack", stack="web")
    lab.write("UpdateStack", id="web", config={"server_id": "beta"})
    assert lab.state("web") == "down"
    assert lab.run("DeployStack", stack="web")["success"]
    assert [list(host.engine.containers) for host in lab.hosts.values()] == [["web-web-1"], ["web-web-1"]]


def test_deleting_a_stack_takes_it_down_and_keeps_its_volumes(lab: Rehearsed) -> None:
    lab.stack("web", file_contents=f"{COMPOSE}    volumes: [data:/data]\nvolumes:\n  data:\n")
    lab.run("DeployStack", stack="web")
    lab.write("DeleteStack", id="web")
    assert lab.hosts["alpha"].engine.containers == {}
    assert lab.hosts["alpha"].engine.volumes == {"web_data"}


def test_a_batch_starts_one_execution_for_each_name_that_matches(lab: Rehearsed) -> None:
    for name in ("media-a", "media-b", "web"):
        lab.stack(name)
    begun = lab.begin("BatchDeployStack", pattern="media-*")
    assert [item["status"] for item in begun] == ["Ok", "Ok"]
    assert all(lab.end(item["data"])["success"] for item in begun)
    assert [lab.state(name) for name in ("media-a", "media-b", "web")] == ["running", "running", "down"]
    assert lab.begin("BatchDeployStack", pattern="") == []
    assert [len(lab.begin("BatchDeployStack", pattern=pattern)) for pattern in (r"\^web$\ ".strip(), "nope")] == [1, 0]


def test_a_failing_stage_of_a_procedure_runs_to_its_end_and_stops_the_next(lab: Rehearsed) -> None:
    for name in ("bad", "good", "later"):
        lab.stack(name)
    lab.hosts["alpha"].engine.behaviours["bad"] = Behaviour(up="no space\n")

    def deploy(name: str) -> dict[str, object]:
        return {"execution": {"type": "DeployStack", "params": {"stack": name}}}

    stages_ = [
        {"name": "One", "executions": [deploy("bad"), deploy("good")]},
        {"name": "Two", "executions": [deploy("later")]},
    ]
    lab.write("CreateProcedure", name="all", config={"stages": stages_})
    ended = lab.run("RunProcedure", procedure="all")
    assert stages(ended) == ["Execute procedure", "Execution error"]
    assert [lab.state(name) for name in ("good", "later")] == ["running", "down"]
    assert {update["operator"] for update in lab.updates("DeployStack")} == {"0" * 23 + "1"}


def test_a_build_counts_up_only_when_it_worked(lab: Rehearsed) -> None:
    lab.write("CreateBuilder", name="here", config={"type": "Server", "params": {"server_ids": ["alpha"]}})
    lab.write("CreateBuild", name="app", config={"builder_id": "here", "dockerfile": "FROM busybox\n"})

    def version() -> int:
        return int(lab.read("GetBuild", build="app")["config"]["version"]["patch"])

    assert lab.run("RunBuild", build="app")["version"]["patch"] == 1
    assert version() == 1
    lab.write("UpdateBuild", id="app", config={"dockerfile": "FROM busybox\nRUN exit 7\n"})
    assert not lab.run("RunBuild", build="app")["success"]
    assert version() == 1


def test_a_core_that_begins_again_fails_what_was_in_progress_and_the_host_goes_on(lab: Rehearsed) -> None:
    lab.stack("web", pre_deploy={"command": "sleep 0.3"})
    begun = lab.begin("DeployStack", stack="web")
    begin_again(lab.core)
    ended = lab.end(begun)
    assert (ended["success"], stages(ended)) == (False, ["Komodo shutdown"])
    lab.until(lambda: lab.state("web"), lambda state: state == "running")
    assert lab.read("GetStack", stack="web")["info"]["deployed_contents"] is None
