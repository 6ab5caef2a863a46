"""What can happen to a deploy: each fault does in the simulated Core what it was seen to do in a real one."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from homeops.lab.core.clock import SystemClock
from homeops.lab.core.executions_restart import begin_core, end_core, restart_core
from homeops.lab.core.fates import Behaviour, Fate
from homeops.lab.http import CoreServer, CoreTransport
from tests.lab.rehearsed import COMPOSE, Rehearsed, stages

DOWN = 0.6


@pytest.fixture
def lab(tmp_path: Path) -> Rehearsed:
    made = Rehearsed(tmp_path)
    made.core.settings = replace(made.core.settings, silence_seconds=0.3)
    made.stack("web")
    return made


@pytest.fixture
def client(lab: Rehearsed) -> Iterator[httpx.Client]:
    settings = lab.core.settings
    headers = {"X-API-KEY": settings.admin_key, "X-API-SECRET": settings.admin_secret}
    with CoreServer(lab.core) as server, httpx.Client(base_url=server.address, headers=headers, trust_env=False) as one:
        yield one


def version(client: httpx.Client) -> str:
    """Core's version, or the name of the error that came instead."""
    try:
        return client.get("/version").text
    except httpx.TransportError as error:
        return type(error).__name__


def answers_again(client: httpx.Client) -> None:
    deadline = time.monotonic() + 10
    while version(client) != "2.3.2":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def behave(lab: Rehearsed, **told: Any) -> None:
    """What becomes of project ``web`` on alpha."""
    lab.hosts["alpha"].engine.behaviours["web"] = Behaviour(**told)


def after_restart(lab: Rehearsed, begun: dict[str, Any]) -> None:
    """The Update was failed by the restart, the host finished, Core does not know what was deployed."""
    ended = lab.end(begun)
    assert (ended["success"], stages(ended), ended["end_ts"]) == (False, ["Komodo shutdown"], None)
    lab.until(lambda: lab.state("web"), lambda state: state == "running")
    assert lab.read("GetStack", stack="web")["info"]["deployed_contents"] is None


def test_core_ends_in_the_middle_of_its_own_deploy_and_comes_back(lab: Rehearsed, client: httpx.Client) -> None:
    behave(lab, seconds=0.2, during=lambda: end_core(lab.core))
    begun = lab.begin("DeployStack", stack="web")
    seen: set[str] = set()
    lab.until(lambda: version(client), lambda now: bool(seen.add(now)) or now == "ConnectError")
    # One that had a connection open sees it end, who connects is refused.
    assert seen <= {"2.3.2", "RemoteProtocolError", "ReadError", "ConnectError"}
    lab.until(lambda: lab.hosts["alpha"].engine.containers, bool)
    assert version(client) == "ConnectError", "the host finishes without Core"
    begin_core(lab.core)
    assert version(client) == "2.3.2"
    after_restart(lab, begun)
    behave(lab)
    assert lab.run("DeployStack", stack="web")["success"]


def test_core_is_restarted_while_a_stack_deploys(lab: Rehearsed, client: httpx.Client) -> None:
    behave(lab, seconds=0.5)
    begun = lab.begin("DeployStack", stack="web")
    assert client.post("/lab/restart", json={"seconds": DOWN}).status_code == 200
    lab.until(lambda: version(client), lambda now: now == "ConnectError")
    answers_again(client)
    after_restart(lab, begun)


def test_a_transport_refuses_while_core_is_down(lab: Rehearsed) -> None:
    with httpx.Client(transport=CoreTransport(lab.core), base_url="http://core") as inside:
        restart_core(lab.core, 0.2)
        with pytest.raises(httpx.ConnectError):
            inside.get("/version")
        answers_again(inside)


def test_what_a_procedure_had_left_to_do_is_not_done_after_a_restart(lab: Rehearsed) -> None:
    lab.stack("next")
    executions = [{"execution": {"type": "DeployStack", "params": {"stack": name}}} for name in ("web", "next")]
    stages_of = [{"name": str(at), "executions": [entry]} for at, entry in enumerate(executions)]
    lab.write("CreateProcedure", name="all", config={"stages": stages_of})
    behave(lab, seconds=0.2, during=lambda: restart_core(lab.core, 0.1))
    begun = lab.begin("RunProcedure", procedure="all")
    lab.until(lambda: lab.core.life == 1 and not lab.core.down, bool)
    assert not lab.end(begun)["success"]
    lab.until(lambda: lab.state("web"), lambda state: state == "running")
    time.sleep(0.3)
    assert lab.state("next") == "down"


@pytest.mark.parametrize(("effect", "state"), [("hangs", "deploying"), ("hangs_done", "running")])
def test_an_update_that_never_completes(lab: Rehearsed, effect: str, state: str) -> None:
    lab.core.faults.add(effect, type="DeployStack", target="web", count=1)  # type: ignore[arg-type]
    begun = lab.begin("DeployStack", stack="web")
    lab.until(lambda: lab.state("web"), lambda now: now == state)
    time.sleep(0.2)
    shown = lab.read("GetUpdate", id=begun["_id"]["$oid"])
    assert (shown["status"], shown["success"], shown["logs"]) == ("InProgress", True, [])
    assert lab.state("web") == state
    restart_core(lab.core, 0.0)
    lab.until(lambda: lab.core.down, lambda down: not down)
    assert stages(lab.end(begun)) == ["Komodo shutdown"]
    assert lab.run("DeployStack", stack="web")["success"], "the fault hit once, and nothing is busy any more"


def test_a_fault_hits_the_target_that_it_names(lab: Rehearsed) -> None:
    lab.stack("other")
    lab.core.faults.add("busy", target="web", count=2)
    refused = lab.run("DeployStack", stack=lab.read("GetStack", stack="web")["_id"]["$oid"])
    assert (refused["success"], stages(refused)) == (False, ["Task Error"])
    assert "Resource is busy" in refused["logs"][0]["stderr"]
    assert lab.run("DeployStack", stack="other")["success"]
    assert lab.ask("write", "UpdateStack", {"id": "web", "config": {}})[0] == 500
    assert lab.run("DeployStack", stack="web")["success"]


def test_someone_else_deploys_meanwhile(lab: Rehearsed) -> None:
    behave(lab, seconds=0.5)
    theirs = lab.begin("DeployStack", stack="web")
    mine = lab.run("DeployStack", stack="web")
    assert "Resource is busy" in mine["logs"][0]["stderr"]
    assert lab.end(theirs)["success"]


def test_an_agent_that_is_gone_before_a_deploy_is_asked_for_nothing(lab: Rehearsed) -> None:
    lab.hosts["alpha"].end()
    ended = lab.run("DeployStack", stack="web")
    assert "Cannot send command when Server is unreachable or disabled" in ended["logs"][0]["stderr"]
    assert lab.state("web") == "unknown"
    lab.hosts["alpha"].begin()
    assert lab.run("DeployStack", stack="web")["success"]


def test_an_agent_that_ends_during_a_deploy_is_given_up_and_may_come_back(lab: Rehearsed) -> None:
    behave(lab, during=lambda: lab.hosts["alpha"].end(0.2))
    ended = lab.run("DeployStack", stack="web")
    assert (ended["success"], stages(ended)) == (False, ["Task Error"])
    assert "Timed out waiting for message." in ended["logs"][0]["stderr"]
    lab.until(lambda: lab.read("ListServers", query={}, limit=0)[0]["info"]["state"], lambda state: state == "Ok")


def test_a_frozen_agent_finishes_a_deploy_that_failed(lab: Rehearsed) -> None:
    lab.write("UpdateStack", id="web", config={"post_deploy": {"command": "sleep 0.01"}})
    behave(lab, during=lab.hosts["alpha"].freeze)
    ended = lab.run("DeployStack", stack="web")
    assert "Timed out waiting for message." in ended["logs"][0]["stderr"]
    lab.hosts["alpha"].thaw()
    lab.until(lambda: lab.state("web"), lambda state: state == "running")
    assert lab.read("GetStack", stack="web")["info"]["deployed_contents"] is None


def test_a_silent_agent_keeps_those_waiting_who_ask_it_and_nobody_else(lab: Rehearsed) -> None:
    assert lab.run("DeployStack", stack="web")["success"]
    lab.core.settings = replace(lab.core.settings, silence_seconds=20.0)
    host = lab.hosts["alpha"]
    host.freeze()
    begun = lab.begin("DeployStack", stack="web")
    found: list[Any] = []
    asking = threading.Thread(
        target=lambda: found.append(lab.read("InspectStackContainer", stack="web", service="web"))
    )
    asking.start()
    assert lab.state("web") == "deploying"
    assert lab.read("GetUpdate", id=begun["_id"]["$oid"])["status"] == "InProgress"
    assert not found
    host.thaw()
    asking.join()
    assert found[0]["State"]["Status"] == "running"
    assert lab.end(begun)["success"]
    lab.core.settings = replace(lab.core.settings, silence_seconds=0.1)
    host.freeze()
    status, answer = lab.ask("read", "InspectStackContainer", {"stack": "web", "service": "web"})
    assert (status, answer["error"]) == (500, "Timed out waiting for message.")


def test_a_push_within_the_pull_cache_is_missed_by_core_and_by_the_host(lab: Rehearsed) -> None:
    lab.git.cache_seconds, clock = 60.0, SystemClock()
    lab.git.clock = clock
    lab.git.push("me/site", {"compose.yaml": COMPOSE}, "first")
    lab.stack("git", file_contents="", repo="me/site")

    def seen() -> tuple[str, str]:
        """The commits that Core knows and that a deploy takes."""
        lab.write("RefreshStackCache", stack="git")
        latest = lab.read("GetStack", stack="git")["info"]["latest_message"]
        assert lab.run("DeployStack", stack="git")["success"]
        return latest, lab.read("GetStack", stack="git")["info"]["deployed_message"]

    seen()  # a clone does not start the window
    assert seen() == ("first", "first")
    lab.git.push("me/site", {"compose.yaml": COMPOSE, "b": ""}, "second")
    assert seen() == ("first", "first")
    clock.ahead = 61.0
    assert seen() == ("second", "second")


def test_the_clock_of_core_may_be_hours_away(lab: Rehearsed, client: httpx.Client) -> None:
    client.post("/lab/clock", json={"ahead": -7200.0})
    assert isinstance(lab.core.clock, SystemClock)
    ended = lab.run("DeployStack", stack="web")
    assert ended["success"]
    for moment in (ended["start_ts"], ended["end_ts"]):
        assert abs(moment / 1000 - (time.time() - 7200)) < 30


def test_the_door_says_what_shall_happen_on_a_host(lab: Rehearsed, client: httpx.Client) -> None:
    fates = {"web": {"ends_after": 0.0, "exit_code": 3, "output": "no\n"}}
    told = {"server": "alpha", "project": "web", "seconds": 0.1, "fates": fates, "during": {"core": DOWN}}
    assert client.post("/lab/behaviour", json=told).status_code == 200
    begun = lab.begin("DeployStack", stack="web")
    lab.until(lambda: version(client), lambda now: now == "ConnectError")
    answers_again(client)
    assert stages(lab.end(begun)) == ["Komodo shutdown"]
    lab.until(lambda: lab.state("web"), lambda state: state == "stopped")
    assert lab.hosts["alpha"].engine.containers["web-web-1"].fate == Fate(ends_after=0.0, exit_code=3, output="no\n")

    shown = client.post("/lab/host", json={"server": "alpha", "agent": "end", "full": True, "hooks": {"web": "no key"}})
    assert shown.json() == {
        "server": "alpha",
        "reachable": False,
        "silent": False,
        "full": True,
        "hooks": {"web": "no key"},
    }
    client.post("/lab/host", json={"server": "alpha", "agent": "begin"})
    during = {"agent": "freeze", "seconds": 2.0}
    client.post("/lab/behaviour", json={"server": "alpha", "project": "web", "during": during})
    client.post("/lab/host", json={"server": "alpha", "full": False, "hooks": {}})
    assert "Timed out" in lab.run("DeployStack", stack="web")["logs"][0]["stderr"]
    assert client.post("/lab/host", json={"server": "nobody"}).status_code == 422
    assert client.post("/lab/host", json={"server": "alpha", "agent": "explode"}).status_code == 422
    assert client.post("/lab/behaviour", json={"server": "alpha", "project": "web", "up_": 1}).status_code == 422


def test_a_request_that_is_on_its_way_when_core_ends_is_cut_off(lab: Rehearsed, client: httpx.Client) -> None:
    lab.core.faults.add("delay", type="ListTags", seconds=5.0)
    threading.Timer(0.1, restart_core, (lab.core, 0.1)).start()
    began = time.monotonic()
    with pytest.raises(httpx.TransportError):
        client.post("/read", json={"type": "ListTags", "params": {}})
    assert time.monotonic() - began < 4.0
    answers_again(client)
