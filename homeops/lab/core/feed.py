"""``/ws/update``: who follows the Updates, and what each is told (bin/core/src/api/ws)."""

import json
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

from homeops.lab.core.auth import Credentials, proven_user
from homeops.lab.core.json_text import parse
from homeops.lab.core.misfit import Misfit
from homeops.lab.core.permissions import grant_on
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.schema import Field, Struct, Text, plain_enum
from homeops.lab.core.schema_tagged import Tagged
from homeops.lab.core.state import Document
from homeops.lab.core.update_documents import LISTENERS
from homeops.lab.core.users import user_id

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

LOGGED_IN = "LOGGED_IN"
_PHRASES = {400: "Bad Request", 401: "Unauthorized", 429: "Too Many Requests", 500: "Internal Server Error"}
_LOGINS = {
    "Jwt": Struct("Jwt", (Field("jwt", Text()),), expected="struct variant WsLoginMessage::Jwt"),
    "ApiKeys": Struct(
        "ApiKeys", (Field("key", Text()), Field("secret", Text())), expected="struct variant WsLoginMessage::ApiKeys"
    ),
}
_MESSAGE = Tagged("WsLoginMessage", plain_enum(*_LOGINS), _LOGINS.__getitem__)


@dataclass(eq=False)
class Connection:
    """One who follows. ``frames`` are the texts to send; None ends the connection."""

    user: str
    frames: "SimpleQueue[str | None]" = field(default_factory=lambda: SimpleQueue[str | None]())

    def waiting(self) -> list[str]:
        """The frames that came since the last call."""
        taken = list[str]()
        while not self.frames.empty():
            frame = self.frames.get()
            if frame is not None:
                taken.append(frame)
        return taken


class Feed:
    """The connections of one Core."""

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._connections: list[Connection] = []

    def login(self, message: str, address: str) -> Connection:
        """Let somebody in whose first frame was ``message``; raises Refusal."""
        core = self._core
        with core.state.lock:
            core.limiter.check(address, core.now())
            try:
                connection = Connection(user_id(self._user(message)))
            except Refusal as refusal:
                raise core.limiter.failed(address, refusal, core.now()) from None
            self._connections.append(connection)
        return connection

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        with self._core.state.lock:
            if connection in self._connections:
                self._connections.remove(connection)

    def end(self) -> None:
        """End every connection, as the end of Core's process does."""
        with self._core.state.lock:
            for connection in self._connections:
                connection.frames.put(None)
            self._connections.clear()

    def publish(self, item: Document) -> None:
        """Tell everybody of an Update who may see its target; a user who was disabled or deleted is sent away."""
        with self._core.state.lock:
            for connection in list(self._connections):
                user = self._core.state.users.get(connection.user)
                if user is None or not user["enabled"]:
                    self._send_away(connection, user)
                elif self._may_see(user, item["target"]):
                    connection.frames.put(_text(item))

    def _user(self, message: str) -> Document:
        try:
            login = parse(message.encode("utf-8", "surrogatepass"), _MESSAGE)
        except Misfit as misfit:
            misfit.path.clear()
            trace = ["failed to parse json as WsLoginMessage", misfit.message()]
            raise Refusal("Invalid login message", trace, status=400) from None
        params = login["params"]
        if login["type"] == "ApiKeys":
            return proven_user(self._core, Credentials(None, params["key"], params["secret"]), "enabled")
        proven = self._core.tokens.user_id(params["jwt"], self._core.now())
        if proven is None:
            raise Refusal("Invalid user credentials", status=401)
        return proven_user(self._core, Credentials(proven), "enabled")

    def _may_see(self, user: Document, target: Document) -> bool:
        if user["admin"]:
            return True
        if target["type"] == "System":
            return False
        try:
            return grant_on(self._core, user, target["type"], target["id"]).level != "None"
        except Refusal:
            return False

    def _send_away(self, connection: Connection, user: Document | None) -> None:
        error = "User not enabled" if user is not None else f"No user found matching '{connection.user}'"
        connection.frames.put(_text({"type": "INVALID_USER", "msg": _text({"error": error, "trace": []})}))
        connection.frames.put(None)
        self._connections.remove(connection)


def refusal_text(refusal: Refusal) -> str:
    """The frame that somebody gets who is not let in."""
    phrase = f"{refusal.status} {_PHRASES.get(refusal.status, '')}".strip()
    return f"[{phrase}]: {': '.join([refusal.error, *refusal.trace])}"


def _text(value: Document) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _publish(core: "Core", item: Document) -> None:
    core.feed.publish(item)


LISTENERS.append(_publish)
