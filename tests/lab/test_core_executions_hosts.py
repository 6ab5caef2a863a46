from pathlib import Path

import pytest

from homeops.lab.core.agents import AgentFailure
from tests.lab.rehearsed import Rehearsed, stages


@pytest.fixture
def lab(tmp_path: Path) -> Rehearsed:
    return Rehearsed(tmp_path)


def test_a_prune_takes_what_has_stopped_and_leaves_what_runs(lab: Rehearsed) -> None:
    for name in ("web", "db"):
        lab.stack(name)
        assert lab.run("DeployStack", stack=name)["success"]
    stopped = lab.run("StopContainer", server="alpha", container="db-web-1")
    assert (stages(stopped), stopped["success"]) == (["Docker Stop"], True)
    pruned = lab.run("PruneSystem", server="alpha")
    assert pruned["success"]
    assert pruned["logs"][0]["command"] == "docker system prune -a -f --volumes"
    assert [one["name"] for one in lab.read("ListContainers", server="alpha")] == ["web-web-1"]


def test_all_containers_are_stopped_and_started_again(lab: Rehearsed) -> None:
    lab.stack("web")
    assert lab.run("DeployStack", stack="web")["success"]
    assert stages(lab.run("StopAllContainers", server="alpha")) == ["Docker stop web-web-1", "Stop All Containers"]
    assert lab.state("web") == "stopped"
    assert stages(lab.run("StartAllContainers", server="alpha"))[-1] == "Start All Containers"
    assert lab.state("web") == "running"


def test_a_container_that_is_not_there_fails_its_execution(lab: Rehearsed) -> None:
    ended = lab.run("DestroyContainer", server="alpha", container="nope")
    assert not ended["success"]
    assert "No such container: nope" in ended["logs"][0]["stderr"]


def test_without_deno_an_action_fails_as_it_begins(lab: Rehearsed) -> None:
    lab.write("CreateAction", name="hello", config={"file_contents": "console.log('[[NAME]]')"})
    ended = lab.run("RunAction", action="hello")
    assert not ended["success"]
    assert stages(ended) == ["Execute Action"]
    assert ended["logs"][0]["command"].startswith("deno run --allow-all ")
    cancelled = lab.run("CancelAction", action="hello")
    assert "No active run to cancel found" in cancelled["logs"][0]["stderr"]


@pytest.mark.parametrize("request_name", ["GlobalAutoUpdate", "RotateAllServerKeys", "ClearRepoCache"])
def test_an_execution_of_core_itself_ends_well(lab: Rehearsed, request_name: str) -> None:
    params = {"skip_auto_update": False} if request_name == "GlobalAutoUpdate" else {}
    assert lab.run(request_name, **params)["success"]


def test_an_agent_that_makes_no_new_key_is_named_and_the_others_still_make_theirs(
    lab: Rehearsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> str:
        raise AgentFailure("private_key: only one that is in a file can be replaced")

    before = lab.hosts["beta"].public_key
    monkeypatch.setattr(lab.hosts["alpha"], "rotated_key", refuse)
    status, answer = lab.ask("write", "RotateServerKeys", {"server": "alpha"})
    assert (status, answer["error"]) == (500, "Failed to rotate Periphery private key")
    for name in ("alpha", "beta"):
        lab.write("UpdateServer", id=name, config={"auto_rotate_keys": True})
    ended = lab.run("RotateAllServerKeys")
    assert not ended["success"]
    assert stages(ended) == ["Key Rotation Failure", "Rotate Server Keys"]
    assert "only one that is in a file can be replaced" in ended["logs"][0]["stderr"]
    after = lab.read("GetServer", server="beta")["info"]["public_key"]
    assert after == lab.hosts["beta"].public_key != before
