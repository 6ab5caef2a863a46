"""A simulated Core for a test of the engine: answers on a port of this machine, and tells what it was asked."""

import json
from collections import Counter
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from homeops.lab.core.answer import JSON, Answer
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.hosts import LoopbackAgents, RehearsalHost
from homeops.lab.http import CoreServer
from homeops.model.host import PERIPHERY_PORT
from homeops.model.kinds import KINDS
from tests.lab.clients import environ_of

Document = dict[str, Any]


class TestCore:
    """Core with its hosts, whose agents answer at every address of this machine."""

    __test__ = False

    def __init__(self, directory: Path, settings: Settings | None = None) -> None:
        self.core = Core(settings)
        self.core.agents = LoopbackAgents(self.core.clock, directory=directory)

    @cached_property
    def server(self) -> CoreServer:
        """Answers on a port of its own, within ``with``."""
        return CoreServer(self.core)

    @property
    def environ(self) -> dict[str, str]:
        """What tells homeops of this Core."""
        return environ_of(self.server)

    def ask(self, route: str, request: str, params: Document) -> Any:
        """What Core answers to somebody else; not counted."""
        headers = {
            "Content-Type": "application/json",
            "X-API-KEY": self.core.settings.admin_key,
            "X-API-SECRET": self.core.settings.admin_secret,
        }
        body = json.dumps({"type": request, "params": params}).encode()
        before = Counter(self.core.requests)
        answer = self.core.answer("POST", f"/{route}", headers, body)
        self.core.requests = before
        value = json.loads(answer.body)
        assert answer.status == 200, value
        return value

    def write(self, request: str, **params: Any) -> Any:
        """A write of somebody else."""
        return self.ask("write", request, params)

    def read(self, request: str, **params: Any) -> Any:
        """A read of somebody else."""
        return self.ask("read", request, params)

    def all(self, kind: str) -> dict[str, Document]:
        """Documents of a kind by name."""
        params: Document = {"query": {}, "limit": 0} if KINDS[kind].resource else {}
        return {item["name"]: item for item in self.read(KINDS[kind].list_request, **params)}

    def config(self, kind: str, name: str) -> Document:
        """The configuration of an object; of what has none, the document."""
        document = self.all(kind)[name]
        return document.get("config", document)

    def agent(self, host: str) -> RehearsalHost:
        """The agent at an address of this machine, on Periphery's port."""
        agent = cast(LoopbackAgents, self.core.agents).meet(f"https://{host}:{PERIPHERY_PORT}")
        assert agent is not None
        return agent

    def name_of(self, kind: str, id_: str) -> str:
        """The name behind an id."""
        return next(name for name, item in self.all(kind).items() if item["_id"]["$oid"] == id_)

    def change(self, kind: str, name: str, **config: Any) -> None:
        """Change a configuration behind Pulumi's back."""
        self.write(f"Update{kind}", id=name, config=config)

    def asked(self) -> Counter[str]:
        """How often each request was sent since this was last asked."""
        found = Counter(self.core.requests)
        self.core.requests.clear()
        return found


def writes(asked: Counter[str]) -> Counter[str]:
    """The writes and executions among requests."""
    return Counter({name: times for name, times in asked.items() if name.startswith(("write ", "execute "))})


def lists(asked: Counter[str]) -> Counter[str]:
    """The lists among requests."""
    return Counter({name: times for name, times in asked.items() if name.startswith("read List")})


class LackingCore(TestCore):
    """A Core of an earlier version: it ignores some fields of configurations, and answers without them."""

    def __init__(self, directory: Path, settings: Settings, lacks: tuple[str, ...]) -> None:
        super().__init__(directory, settings)
        whole = self.core.answer

        def answer(method: str, path: str, headers: Any, body: bytes = b"", peer: str = "127.0.0.1") -> Answer:
            asked = self._without(json.loads(body or b"{}"), lacks)
            told = whole(method, path, headers, json.dumps(asked).encode(), peer)
            if told.content_type != JSON:
                return told
            return replace(told, body=json.dumps(self._without(json.loads(told.body), lacks)).encode())

        self.core.answer = answer

    def _without(self, value: Any, lacks: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            fields = cast(Document, value)
            return {key: self._without(item, lacks) for key, item in fields.items() if key not in lacks}
        return [self._without(item, lacks) for item in cast(list[Any], value)] if isinstance(value, list) else value
