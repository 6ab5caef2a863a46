"""Following an execution: to its end, over a restart of Core, and not for ever."""

import json
from typing import Any

import httpx
import pytest

from homeops.errors import DeployFailed, KomodoGarbled, KomodoUnauthorized, KomodoUnreachable
from homeops.komodo import updates
from homeops.komodo.client import Client, Patience
from homeops.komodo.credentials import Credentials
from homeops.komodo.updates import Update, follow, update_of
from tests.komodo.openapi import Checked

RUNNING: dict[str, Any] = {
    "_id": {"$oid": "6900000000000000000000aa"},
    "operation": "DeployStack",
    "target": {"type": "Stack", "id": "6900000000000000000000bb"},
    "status": "InProgress",
    "success": True,
    "logs": [],
    "start_ts": 1_765_000_000_000,
    "end_ts": None,
}
STAGE = {"stage": "Compose Up", "command": "docker compose up -d", "stdout": "", "stderr": "", "success": True}
DONE = RUNNING | {"status": "Complete", "logs": [STAGE], "end_ts": 1_765_000_002_000, "commit_hash": "abc1234"}
FAILED = DONE | {"success": False, "logs": [STAGE, STAGE | {"success": False, "stderr": "no such image"}]}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(updates, "_LONGEST_PAUSE", 0.002)


def core(*answers: Any) -> Client:
    """A Core that gives these answers to GetUpdate, the last one again and again; an exception is silence."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/version":
            return httpx.Response(200, text="2.3.2")
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, text=json.dumps(answer))

    transport = Checked(httpx.MockTransport(handle))
    return Client("http://core.test", Credentials("K_a_K", "S_a_S"), transport=transport, patience=Patience(tries=1))


def test_it_is_followed_until_complete() -> None:
    seen: list[Update | None] = []
    with core(RUNNING, RUNNING, DONE) as client:
        update = follow(client, "aa", deadline=10, on_progress=lambda _, update: seen.append(update))
    assert update.complete
    assert update.success
    assert update.commit == "abc1234"
    assert [shown.complete for shown in seen if shown] == [False, False, True]


def test_success_while_running_is_not_believed() -> None:
    assert update_of(RUNNING).success
    with core(RUNNING, FAILED) as client:
        update = follow(client, "aa", deadline=10)
    assert not update.success
    assert update.failed is not None
    assert update.failed.stderr == "no such image"


def test_core_may_restart_meanwhile() -> None:
    seen: list[Update | None] = []
    gone = httpx.ConnectError("refused")
    with core(RUNNING, gone, gone, DONE) as client:
        update = follow(client, "aa", deadline=10, on_progress=lambda _, update: seen.append(update))
    assert update.complete
    assert [shown is None for shown in seen] == [False, True, True, False]


def test_what_still_runs_at_the_deadline_is_said() -> None:
    with core(RUNNING) as client, pytest.raises(DeployFailed, match=r"DeployStack is still running after 0 s"):
        follow(client, "aa", deadline=0.02)


def test_a_core_that_stays_silent_is_said() -> None:
    with core(RUNNING, httpx.ConnectError("refused")) as client, pytest.raises(KomodoUnreachable):
        follow(client, "aa", deadline=0.02)


def test_a_refusal_ends_it_at_once() -> None:
    refusal = httpx.Response(401, json={"error": "Invalid user credentials", "trace": []})
    with core(RUNNING, refusal) as client, pytest.raises(KomodoUnauthorized):
        follow(client, "aa", deadline=10)


def test_an_answer_that_is_no_update_is_refused() -> None:
    with core([]) as client, pytest.raises(KomodoGarbled, match="GetUpdate"):
        follow(client, "aa", deadline=10)


def test_a_batch_like_answer_without_an_id_is_understood() -> None:
    assert update_of({key: value for key, value in RUNNING.items() if key != "_id"}).id == ""


@pytest.mark.parametrize(
    ("log", "cut_short"),
    [
        ({"stage": "Komodo shutdown", "success": False}, True),
        ({"stage": "Task Error", "stderr": "ERROR: Timed out waiting for message.", "success": False}, True),
        ({"stage": "Task Error", "stderr": "deadline has elapsed", "success": False}, True),
        ({"stage": "Compose Up", "stderr": "no such image", "success": False}, False),
    ],
)
def test_a_failure_of_the_messenger_is_told_from_one_of_the_deploy(log: dict[str, Any], cut_short: bool) -> None:
    assert update_of(FAILED | {"logs": [STAGE, log]}).cut_short is cut_short


def test_colour_markup_is_dropped_and_other_text_kept() -> None:
    coloured = STAGE | {"stdout": '<span style="color: red">ERROR</span>: <nil> & <none>'}
    assert update_of(DONE | {"logs": [coloured]}).logs[0].stdout == "ERROR: <nil> & <none>"
