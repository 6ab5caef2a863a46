"""What Core's monitor tells of by itself: Stacks whose state changes, Servers that do not answer (monitor/alert)."""

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homeops.lab.core.agents_looks import answering
from homeops.lab.core.alerts import note_servers
from homeops.lab.core.executions_alerts import make_alert, spread_alert
from homeops.lab.core.json_copy import copied
from homeops.lab.core.resource_states import reached_server
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_UNITS = {"sec": 1.0, "min": 60.0, "hr": 3600.0}
_LOOK_TAKES = 0.01
"""A look is over a moment after the full interval, and none is taken within a second of the last one.

So at an interval of one second every other look is left out, and what it would have seen to be old is told twice.
"""


@dataclass
class Monitor:
    """Looks at each full interval. ``tick`` may be called at any time and does what has become due."""

    core: "Core"
    _next: float = 0.0
    _looked: float = 0.0
    _states: dict[str, tuple[str | None, str]] = field(default_factory=dict[str, tuple[str | None, str]])
    _told: dict[str, bool] = field(default_factory=dict[str, bool])
    """The alerts of Servers that were sent, by id, and whether their end was, too."""

    def __post_init__(self) -> None:
        with self.core.state.lock:
            self._told = {identity: bool(alert["resolved"]) for identity, alert in self.core.state.alerts.items()}

    def tick(self) -> None:
        """Look and tell, if it is time."""
        now = self.core.clock.now()
        if now < self._next:
            return
        interval = _seconds(self.core.settings.monitoring_interval)
        at = now // interval * interval
        self._next = at + interval
        began = time.monotonic()
        self._look_ahead()
        with self.core.state.lock, answering(again=False, began=began):
            busy = self._busy(self._looked)
            if at - self._looked > 1.0:
                self._looked = at + _LOOK_TAKES
                self._states = {
                    identity: (self._states[identity][1] if identity in self._states else None, self._state(stack))
                    for identity, stack in self.core.state.resources["Stack"].items()
                }
            # Who executes something looks at the end of it: what was brought about by Core is no news.
            self._states |= {name: (known[1], known[1]) for name, known in self._states.items() if name in busy}
            alerts = [*self._changes(), *self._servers()]
        for alert in alerts:
            spread_alert(self.core, alert)

    def _look_ahead(self) -> None:
        """Look at every host while nothing is locked: one that hangs keeps nobody else waiting."""
        with self.core.state.lock:
            servers = list(self.core.state.resources["Server"].values())
        for server in servers:
            if agent := self.core.agents.of(server):
                agent.containers()

    def _busy(self, since: float) -> set[str]:
        return {
            update["target"]["id"]
            for update in self.core.state.updates.values()
            if update["status"] == "InProgress" or (update["end_ts"] or 0) >= since * 1000
        }

    def _state(self, stack: Document) -> str:
        server = reached_server(self.core, stack["config"])
        return "unknown" if server is None else self.core.agents.stack_state(server, stack)

    def _changes(self) -> list[Document]:
        found: list[Document] = []
        for identity, (before, now) in self._states.items():
            stack = self.core.state.resources["Stack"].get(identity)
            news = before is not None and before != now and "unknown" not in (before, now)
            if not news or stack is None or not stack["config"]["send_alerts"]:
                continue
            server = self.core.state.resources["Server"].get(stack["config"]["server_id"])
            data = {
                "id": identity,
                "name": stack["name"],
                "server_id": stack["config"]["server_id"] or None,
                "server_name": server["name"] if server else None,
                "swarm_id": None,
                "swarm_name": None,
                "from": before,
                "to": now,
            }
            alert = make_alert(self.core, "WARNING", {"type": "Stack", "id": identity}, "StackStateChange", data)
            kept = {"_id": {"$oid": self.core.state.new_id()}, **alert}
            self.core.state.alerts[kept["_id"]["$oid"]] = kept
            found.append(alert)
        return found

    def _servers(self) -> list[Document]:
        note_servers(self.core)
        found: list[Document] = []
        for identity, alert in self.core.state.alerts.items():
            if alert["data"]["type"] != "ServerUnreachable":
                continue
            if identity not in self._told:
                self._told[identity] = False
                found.append(copied(alert) | {"resolved": False, "resolved_ts": None})
            if alert["resolved"] and not self._told[identity]:
                self._told[identity] = True
                found.append(copied(alert) | {"level": "OK"})
        return found


def _seconds(interval: str) -> float:
    """The length of an interval as Core's configuration writes it: ``15-sec``."""
    found = re.fullmatch(r"(\d+)-(sec|min|hr)", interval)
    return float(found[1]) * _UNITS[found[2]] if found else 15.0
