"""The doors of the simulated Core: a server and a transport that say the same, faults, control, restarts."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.http import CoreServer, CoreTransport


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture(params=["server", "transport"])
def client(core: Core, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    headers = {"X-API-KEY": core.settings.admin_key, "X-API-SECRET": core.settings.admin_secret}
    if request.param == "transport":
        with httpx.Client(transport=CoreTransport(core), base_url="http://core", headers=headers) as inside:
            yield inside
        return
    with CoreServer(core) as server, httpx.Client(base_url=server.address, headers=headers, trust_env=False) as outside:
        yield outside


def _read(client: httpx.Client, name: str, /, **params: Any) -> httpx.Response:
    return client.post("/read", json={"type": name, "params": params})


def _write(client: httpx.Client, name: str, /, **params: Any) -> httpx.Response:
    return client.post("/write", json={"type": name, "params": params})


def test_both_doors_answer(client: httpx.Client) -> None:
    assert client.get("/version").text == "2.3.2"
    assert _read(client, "GetVersion").json() == {"version": "2.3.2"}
    assert client.head("/version").content == b""
    assert client.get("/nowhere").status_code == 404


def test_a_body_in_chunks_is_read_whole(client: httpx.Client) -> None:
    chunks = (part for part in (b'{"type":"GetVersion",', b'"params":{}}'))
    answer = client.post("/read", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.json() == {"version": "2.3.2"}
    assert client.get("/version").text == "2.3.2"


def test_a_fault_hits_the_requests_it_names_and_ends_after_its_count(core: Core, client: httpx.Client) -> None:
    core.faults.add("status", type="GetVersion", status=502, error="Bad Gateway", skip=1, count=2)
    statuses = [_read(client, "GetVersion").status_code for _ in range(4)]
    assert statuses == [200, 502, 502, 200]
    assert _read(client, "ListTags").status_code == 200


def test_a_lost_answer_leaves_the_work_done(core: Core, client: httpx.Client) -> None:
    core.faults.add("drop_after", type="CreateTag", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        _write(client, "CreateTag", name="red")
    assert [tag["name"] for tag in _read(client, "ListTags").json()] == ["red"]


def test_a_lost_answer_is_lost_also_when_it_would_be_a_refusal(core: Core, client: httpx.Client) -> None:
    core.faults.add("drop_after", type="DeleteTag", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        _write(client, "DeleteTag", id="nope")


def test_a_dropped_connection_leaves_nothing_done(core: Core, client: httpx.Client) -> None:
    core.faults.add("drop_before", route="write", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        _write(client, "CreateTag", name="red")
    assert _read(client, "ListTags").json() == []


@pytest.mark.parametrize(
    ("effect", "status", "content_type"),
    [("html", 200, "text/html; charset=utf-8"), ("redirect", 302, None), ("locked", 429, "application/json")],
)
def test_what_stands_before_core_answers_in_its_place(
    core: Core, client: httpx.Client, effect: Any, status: int, content_type: str | None
) -> None:
    core.faults.add(effect)
    answer = _read(client, "GetVersion")
    assert (answer.status_code, answer.headers.get("content-type")) == (status, content_type)


def test_faults_and_counts_are_reached_over_http(client: httpx.Client) -> None:
    fault = {"effect": "status", "type": "ListTags", "status": 503}
    assert client.post("/lab/faults", json=fault).json()[0]["status"] == 503
    assert _read(client, "ListTags").status_code == 503
    assert client.delete("/lab/faults").json() == []
    assert _read(client, "ListTags").status_code == 200
    assert client.get("/lab/requests").json() == {"read ListTags": 2}
    assert client.post("/lab/faults", json={"effect": "explode"}).status_code == 422
    assert client.get("/lab/nowhere").status_code == 404


def test_reset_leaves_the_first_user_and_nothing_else(client: httpx.Client) -> None:
    _write(client, "CreateTag", name="red")
    client.post("/lab/reset")
    assert _read(client, "ListTags").json() == []
    assert [user["username"] for user in _read(client, "ListUsers").json()] == ["admin"]


def test_a_core_goes_on_from_what_it_stored(core: Core) -> None:
    headers = {"X-API-KEY": core.settings.admin_key, "X-API-SECRET": core.settings.admin_secret}
    with httpx.Client(transport=CoreTransport(core), base_url="http://core", headers=headers) as client:
        created = _write(client, "CreateStack", name="web").json()
        login = {"username": "admin", "password": "changeme"}
        token = client.post("/auth/login/LoginLocalUser", json=login).json()["data"]["jwt"]
    other = Core()
    other.load(json.loads(json.dumps(core.dump())))
    with httpx.Client(
        transport=CoreTransport(other), base_url="http://core", headers={"Authorization": token}
    ) as client:
        assert _read(client, "GetStack", stack="web").json() == created


def test_requests_at_the_same_time_do_not_disturb_each_other(core: Core) -> None:
    headers = {"X-API-KEY": core.settings.admin_key, "X-API-SECRET": core.settings.admin_secret}
    failures = list[str]()

    def work(number: int) -> None:
        with httpx.Client(transport=CoreTransport(core), base_url="http://core", headers=headers) as client:
            for turn in range(10):
                answer = _write(client, "CreateTag", name=f"t{number}-{turn}")
                if answer.status_code != 200:
                    failures.append(answer.text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(core.state.tags) == 40


def test_a_refusal_before_the_body_was_read_ends_the_connection(core: Core) -> None:
    def in_two_packets() -> Iterator[bytes]:
        yield b'{"type":"GetVersion",'
        yield b'"params":{}}'

    with CoreServer(core) as server, httpx.Client(base_url=server.address, trust_env=False) as client:
        headers = {
            "X-API-KEY": "nobody",
            "X-API-SECRET": "x",
            "Content-Type": "application/json",
            "Content-Length": "33",
        }
        answer = client.post("/read", content=in_two_packets(), headers=headers)
        assert answer.status_code == 401
        assert "connection" not in answer.headers


def test_credentials_may_take_the_time_that_a_real_core_takes() -> None:
    core = Core(Settings(latency_seconds=0.05))
    headers = {"X-API-KEY": core.settings.admin_key, "X-API-SECRET": core.settings.admin_secret}
    with httpx.Client(transport=CoreTransport(core), base_url="http://core", headers=headers) as client:
        started = time.monotonic()
        _read(client, "GetVersion")
    assert time.monotonic() - started >= 0.05
