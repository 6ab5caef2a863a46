"""A simulated Core with two hosts, for tests: requests in one line, executions followed to their ends."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from homeops.lab.core.agents_rehearsal import RehearsalAgent
from homeops.lab.core.core import Core
from homeops.lab.core.repositories import Repositories
from homeops.lab.core.settings import Settings

Document = dict[str, Any]
COMPOSE = "services:\n  web:\n    image: busybox:1.36\n    command: sleep 1d\n"


class Rehearsed:
    """A Core, its agents ``alpha`` and ``beta``, and the git repositories that stand behind every address."""

    def __init__(self, place: Path) -> None:
        self.core = Core(Settings(execution_seconds=0.01))
        self.core.agents.directory = place
        self.git: Repositories = self.core.agents.repositories
        self.git.cache_seconds = 0.0
        self.hosts = {name: RehearsalAgent(place / name, self.git) for name in ("alpha", "beta")}
        for name, agent in self.hosts.items():
            self.core.agents.add(f"http://{name}", agent)
            self.write("CreateServer", name=name, config={"address": f"http://{name}", "enabled": True})

    def ask(self, route: str, request: str, params: Document) -> tuple[int, Any]:
        """Status and answer of one request as admin."""
        settings = self.core.settings
        headers = {
            "Content-Type": "application/json",
            "X-API-KEY": settings.admin_key,
            "X-API-SECRET": settings.admin_secret,
        }
        body = json.dumps({"type": request, "params": params}).encode()
        answer = self.core.answer("POST", f"/{route}", headers, body)
        return answer.status, json.loads(answer.body)

    def _ok(self, route: str, request: str, params: Document) -> Any:
        status, answer = self.ask(route, request, params)
        assert status == 200, answer
        return answer

    def write(self, request: str, **params: Any) -> Any:
        """A write that must succeed."""
        return self._ok("write", request, params)

    def read(self, request: str, **params: Any) -> Any:
        """A read that must succeed."""
        return self._ok("read", request, params)

    def begin(self, request: str, **params: Any) -> Any:
        """Start an execution; its Update as it is at once."""
        return self._ok("execute", request, params)

    def end(self, update: Document) -> Document:
        """Wait for the end of an Update."""
        return self.until(
            lambda: self.read("GetUpdate", id=update["_id"]["$oid"]), lambda found: found["status"] == "Complete"
        )

    def run(self, request: str, **params: Any) -> Document:
        """An execution, followed to its end."""
        return self.end(self.begin(request, **params))

    def until(self, look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
        """Look again and again until it is good."""
        deadline = time.monotonic() + 20
        while not good(found := look()):
            assert time.monotonic() < deadline, found
            time.sleep(0.01)
        return found

    def stack(self, name: str, **config: Any) -> Document:
        """Create a Stack on alpha with a compose text of its own, unless told otherwise."""
        whole = {"server_id": "alpha", "file_contents": COMPOSE} | config
        return self.write("CreateStack", name=name, config=whole)

    def state(self, name: str) -> str:
        """The state of a Stack in its list."""
        items = self.read("ListStacks", query={"names": [name]}, limit=0)
        return str(items[0]["info"]["state"])

    def updates(self, operation: str) -> list[Document]:
        """The Updates of an operation, newest first."""
        return self.read("ListUpdates", query={"operation": operation})["updates"]


def stages(update: Document) -> list[str]:
    """The stages of an Update's log."""
    return [str(entry["stage"]) for entry in update["logs"]]
