"""What a Core does by the clock: schedules fire, served or where a test moves the time; the monitor tells."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeops.komodo.client import Client
from homeops.lab.core.agents_rehearsal import RehearsalAgent
from homeops.lab.core.clock import SteppedClock
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.core import Core
from homeops.lab.core.executions_restart import begin_core, end_core
from homeops.lab.core.heartbeat import Heartbeat
from homeops.lab.core.settings import Settings
from homeops.lab.home import LabHome

NAP = [{"name": "nap", "executions": [{"execution": {"type": "Sleep", "params": {"duration_ms": 1}}}]}]


class Stepped:
    """A Core with one host, ``alpha``, whose time stands still unless it is moved."""

    def __init__(self, place: Path) -> None:
        self.clock = SteppedClock()
        self.core = Core(Settings(), clock=self.clock)
        self.core.agents.directory = place
        self.host = RehearsalAgent(place / "alpha", self.core.agents.repositories, Engine(self.clock), self.clock)
        self.core.agents.add("http://alpha", self.host)
        self.sent: list[dict[str, Any]] = []
        self.core.agents.post = self._post
        self.heart = Heartbeat(self.core)
        self.ask("write", "CreateServer", name="alpha", config={"address": "http://alpha", "enabled": True})

    def _post(self, _url: str, alert: dict[str, Any]) -> tuple[int, str]:
        self.sent.append(alert)
        return 200, ""

    def ask(self, route: str, request: str, **params: Any) -> Any:
        settings = self.core.settings
        headers = {
            "Content-Type": "application/json",
            "X-API-KEY": settings.admin_key,
            "X-API-SECRET": settings.admin_secret,
        }
        body = json.dumps({"type": request, "params": params}).encode()
        answer = self.core.answer("POST", f"/{route}", headers, body)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def advance(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1.0)
            self.heart.beat()
        self.clock.settle()

    def runs(self) -> list[dict[str, Any]]:
        return self.ask("read", "ListUpdates", query={"operation": "RunProcedure"})["updates"]

    def procedure(self, name: str, schedule: str, **config: Any) -> None:
        whole = {"stages": NAP, "schedule_format": "Cron", "schedule": schedule} | config
        self.ask("write", "CreateProcedure", name=name, config=whole)


@pytest.fixture
def lab(tmp_path: Path) -> Stepped:
    return Stepped(tmp_path)


def test_a_schedule_fires_each_time_it_is_due_and_not_while_it_is_off(lab: Stepped) -> None:
    lab.procedure("often", "0 * * * * *")
    lab.procedure("off", "0 * * * * *", schedule_enabled=False)
    lab.heart.beat()
    # One at a time: a run that meets the one before it fails as busy.
    for _ in range(3):
        lab.advance(60)
        until = time.monotonic() + 20
        while any(run["status"] != "Complete" for run in lab.runs()) and time.monotonic() < until:
            time.sleep(0.02)
    runs = lab.runs()
    procedure = lab.ask("read", "GetProcedure", procedure="often")
    assert len(runs) == 3
    assert {run["target"]["id"] for run in runs} == {procedure["_id"]["$oid"]}
    assert {run["operator"] for run in runs} == {f"{1:024}"}
    assert all(run["success"] and run["status"] == "Complete" for run in runs)
    assert all(run["start_ts"] // 1000 % 60 <= 1 for run in runs)


def test_what_came_due_while_core_was_down_is_not_made_up_for(lab: Stepped) -> None:
    lab.procedure("often", "0 * * * * *")
    lab.heart.beat()
    end_core(lab.core)
    lab.advance(180)
    begin_core(lab.core)
    lab.heart.beat()
    assert lab.runs() == []
    lab.advance(60)
    assert len(lab.runs()) == 1


def test_the_monitor_tells_of_what_nobody_brought_about(lab: Stepped) -> None:
    endpoint = {"type": "Custom", "params": {"url": "http://127.0.0.1:1/alerts"}}
    lab.ask("write", "CreateAlerter", name="ops", config={"enabled": True, "endpoint": endpoint})
    text = "services:\n  web:\n    image: a\n"
    lab.ask("write", "CreateStack", name="web", config={"server_id": "alpha", "file_contents": text})
    lab.ask("execute", "DeployStack", stack="web")
    lab.advance(10)
    assert lab.sent == [], "a deploy is no news"
    lab.host.engine.containers["web-web-1"].stop(137)
    lab.advance(10)
    assert {(alert["data"]["data"]["from"], alert["data"]["data"]["to"]) for alert in lab.sent} == {
        ("running", "stopped")
    }
    lab.sent.clear()
    lab.host.end()
    lab.advance(5)
    lab.host.begin()
    lab.advance(5)
    assert [(alert["data"]["type"], alert["resolved"], alert["level"]) for alert in lab.sent] == [
        ("ServerUnreachable", False, "CRITICAL"),
        ("ServerUnreachable", True, "OK"),
    ]
    assert lab.sent[0]["_id"] == lab.sent[1]["_id"]


@pytest.fixture
def served(tmp_path: Path, root: Path) -> Iterator[LabHome]:
    """The lab's own process, with an empty Core."""
    for file in root.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    home = LabHome(tmp_path)
    code = "import sys; from pathlib import Path; from homeops.lab.home import LabHome; "
    code += "from homeops.lab.serve import serve; serve(LabHome(Path(sys.argv[1])), 0)"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=root)
    try:
        deadline = time.monotonic() + 30
        while home.running() is None or home.last() is None:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield home
    finally:
        process.terminate()
        process.wait(10)


def test_a_schedule_fires_in_the_served_core_and_is_remembered(served: LabHome) -> None:
    access = served.access()
    with Client(access.address, access.credentials) as client:
        config = {"stages": NAP, "schedule_format": "Cron", "schedule": "* * * * * *"}
        client.write("CreateProcedure", {"name": "often", "config": config})
        deadline = time.monotonic() + 20
        found: list[dict[str, Any]] = []
        while not found:
            assert time.monotonic() < deadline
            time.sleep(0.2)
            found = client.read("ListUpdates", {"query": {"operation": "RunProcedure"}})["updates"]
        assert found[-1]["operator"] == f"{1:024}"
    while '"RunProcedure"' not in served.memory.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)
