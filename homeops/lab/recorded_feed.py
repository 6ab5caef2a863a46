"""The websocket steps of recorded conversations, played on the feed of a simulated Core."""

import json
from dataclasses import dataclass, field
from typing import Any

from homeops.lab.core.core import Core
from homeops.lab.core.feed import LOGGED_IN, Connection, refusal_text
from homeops.lab.core.refusal import Refusal
from homeops.lab.recording import Bindings, Difference

_PEER = "127.0.0.1"
_CLOSED = {"closed": "ConnectionClosedError"}


@dataclass
class RecordedFeed:
    """The connections of one conversation; the last that was let in is the one that is looked at."""

    core: Core
    bindings: Bindings
    _last: Connection | None = field(default=None, init=False)

    def play(self, step: dict[str, Any]) -> list[Difference]:
        """Play one step: open a connection with its first frame, or look at what came since."""
        if "ws_send" in step:
            frames = self._open(step["ws_send"])
        else:
            frames = [json.loads(frame) for frame in self._last.waiting()] if self._last else []
        return list(self.bindings.differences(step["ws"], frames, "ws"))

    def _open(self, first: Any) -> list[Any]:
        message = first if isinstance(first, str) else json.dumps(self._with_keys(first))
        try:
            self._last = self.core.feed.login(message, _PEER)
        except Refusal as refusal:
            return [refusal_text(refusal), _CLOSED]
        return [LOGGED_IN]

    def _with_keys(self, login: dict[str, Any]) -> dict[str, Any]:
        """The first frame with its keys: those that no answer has shown yet are admin's."""
        settings = self.core.settings
        admin = next(iter(self.core.state.users))
        known = {"key": settings.admin_key, "secret": settings.admin_secret}
        params = dict(login["params"])
        for name, value in params.items():
            filled = self.bindings.fill(value)
            if filled == value and value.startswith("<key:"):
                filled = known.get(name) or self.core.tokens.issue(admin, self.core.now())
                self.bindings.values[value.strip("<>")] = filled
            params[name] = filled
        return {**login, "params": params}
