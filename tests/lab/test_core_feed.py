"""``/ws/update``: who is let in, what is told, over a real socket."""

import base64
import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from homeops.lab.core.core import Core
from homeops.lab.http import CoreServer
from homeops.lab.websocket import accept_key


class Client:
    """A websocket client of a few lines."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET /ws/update HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.socket.sendall(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.reader = self.socket.makefile("rb")
        answer = b"".join(iter(self.reader.readline, b"\r\n")).decode()
        assert answer.startswith("HTTP/1.1 101 ")
        assert f"Sec-WebSocket-Accept: {accept_key(key)}" in answer

    def send(self, text: str, kind: int = 0x1) -> None:
        payload, mask = text.encode(), os.urandom(4)
        masked = bytes(letter ^ mask[at % 4] for at, letter in enumerate(payload))
        self.socket.sendall(struct.pack("!BBH", 0x80 | kind, 0x80 | 126, len(payload)) + mask + masked)

    def receive(self) -> str | None:
        head = self.reader.read(2)
        if len(head) < 2:
            return None
        length = head[1]
        if length == 126:
            [length] = struct.unpack("!H", self.reader.read(2))
        return self.reader.read(length).decode()

    def close(self) -> None:
        self.reader.close()
        self.socket.close()


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
def client(core: Core) -> Iterator[Client]:
    with CoreServer(core) as server:
        client = Client(server.address)
        yield client
        client.close()


def _login(core: Core, **changes: str) -> str:
    params = {"key": core.settings.admin_key, "secret": core.settings.admin_secret} | changes
    return json.dumps({"type": "ApiKeys", "params": params})


def _create(core: Core, name: str) -> Any:
    admin = next(iter(core.state.users.values()))
    return core.call("write", "CreateStack", admin, {"name": name, "config": {}})


def test_whoever_logs_in_is_told_of_updates(core: Core, client: Client) -> None:
    client.send(_login(core))
    assert client.receive() == "LOGGED_IN"
    _create(core, "web")
    item = json.loads(client.receive() or "")
    assert (item["operation"], item["status"], item["username"]) == ("CreateStack", "Complete", "admin")


def test_a_wrong_secret_is_told_and_the_connection_ends(core: Core, client: Client) -> None:
    client.send(_login(core, secret="wrong"))
    assert client.receive() == "[401 Unauthorized]: Invalid user credentials"
    assert client.receive() is None


def test_a_first_frame_that_is_no_login_is_refused(client: Client) -> None:
    client.send("hello")
    text = "[400 Bad Request]: Invalid login message: failed to parse json as WsLoginMessage: expected value"
    assert client.receive() == f"{text} at line 1 column 1"


def test_a_ping_is_answered(core: Core, client: Client) -> None:
    client.send(_login(core))
    assert client.receive() == "LOGGED_IN"
    client.send("there?", kind=0x9)
    assert client.receive() == "there?"


def test_a_user_who_was_disabled_is_sent_away(core: Core, client: Client) -> None:
    client.send(_login(core))
    assert client.receive() == "LOGGED_IN"
    admin = next(iter(core.state.users.values()))
    admin["enabled"] = False
    _create(core, "web")
    assert json.loads(client.receive() or "")["type"] == "INVALID_USER"
    assert client.receive() is None


def test_whoever_may_not_see_a_target_is_told_nothing(core: Core) -> None:
    admin = next(iter(core.state.users.values()))
    robot = core.call("write", "CreateServiceUser", admin, {"username": "robot", "description": ""})
    pair = core.call(
        "write", "CreateApiKeyForServiceUser", admin, {"user_id": robot["_id"]["$oid"], "name": "k", "expires": 0}
    )
    connection = core.feed.login(_login(core, **pair), "127.0.0.1")
    _create(core, "web")
    assert connection.waiting() == []
    permission: Any = {"level": "Read", "specific": []}
    target = {"type": "Stack", "id": "web"}
    holder = {"type": "User", "id": "robot"}
    params = {"user_target": holder, "resource_target": target, "permission": permission}
    core.call("write", "UpdatePermissionOnTarget", admin, params)
    core.call("write", "RenameStack", admin, {"id": "web", "name": "site"})
    assert [json.loads(frame)["operation"] for frame in connection.waiting()] == ["RenameStack"]
