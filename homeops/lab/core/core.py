"""The simulated Core: what it holds, and the one function that answers a request."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from homeops.lab.core.agents import Agents
from homeops.lab.core.answer import Answer, Dropped
from homeops.lab.core.auth import RateLimiter, Tokens, digest
from homeops.lab.core.clock import Clock, SystemClock, beside
from homeops.lab.core.control import answer_control
from homeops.lab.core.dispatch import HANDLERS, Route
from homeops.lab.core.faults import Faults
from homeops.lab.core.feed import Feed
from homeops.lab.core.parts import load_parts
from homeops.lab.core.public_keys import any_public_key
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.routes import answer_request
from homeops.lab.core.settings import Settings
from homeops.lab.core.state import Document, State
from homeops.lab.core.users import new_user


class CoreEnded(Exception):  # noqa: N818 - the end of a Core's process, not an error of the simulator
    """Core's process ended, and with it what it did."""


class Door(Protocol):
    """Where requests to a Core come in."""

    def close(self) -> None:
        """End every connection and take no more."""
        ...

    def open(self) -> None:
        """Take connections again."""
        ...


class Core:
    """One Core. ``answer`` is thread-safe; handlers run one at a time, with ``state.lock`` held.

    Work that takes time (an execution) belongs in ``background``, where the lock is taken only to read and write.
    ``faults`` are the faults in force, ``requests`` counts what was answered by route and type. ``down`` is whether its
    process has ended for now (executions_restart), ``life`` how often it has; ``doors`` close and open with it.
    """

    def __init__(self, settings: Settings | None = None, *, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.agents = Agents(self.clock)
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        self.down = False
        self.life = 0
        self.doors: list[Door] = []
        self._here = threading.local()
        self.feed = Feed(self)
        self.reset()

    def reset(self) -> None:
        """Begin with nothing but the first user and its key pair."""
        settings = self.settings
        self.state = State()
        self.tokens = Tokens()
        self.public_key = any_public_key()
        window = settings.auth_rate_limit_window_seconds * 1000
        disabled, attempts = settings.auth_rate_limit_disabled, settings.auth_rate_limit_max_attempts
        self.limiter = RateLimiter(disabled, attempts, window)
        self.login_limiter = RateLimiter(disabled, attempts, window)
        self.requests.clear()
        self.faults.clear()
        config = {"type": "Local", "data": {"password": digest(settings.admin_password)}}
        admin = new_user(self, settings.admin_username, config, enabled=True, admin=True)
        self.state.api_keys[settings.admin_key] = {
            "key": settings.admin_key,
            "secret": digest(settings.admin_secret),
            "user_id": admin["_id"]["$oid"],
            "name": "test",
            "created_at": self.now(),
            "expires": 0,
        }

    def now(self) -> int:
        """The time in ms, as Core stamps documents."""
        return int(self.clock.now() * 1000)

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", peer: str = "127.0.0.1"
    ) -> Answer:
        """Answer one request; raises Dropped where the connection ends without an answer."""
        if path.startswith("/lab/"):
            return answer_control(self, method, path, body)
        if self.down:
            raise Dropped
        lower = {name.lower(): value for name, value in headers.items()}
        return answer_request(self, method, path, lower, body, peer)

    def call(self, route: Route, name: str, caller: Document, params: Document) -> Any:
        """What the part that answers a request says; raises Refusal. Parts call each other through this as well."""
        handler = HANDLERS.get((route, name))
        if handler is None:
            raise Refusal(f"The simulated Core has no answer to {name}")
        with self.state.lock:
            return handler(self, caller, params)

    def background(self, work: Callable[[], None]) -> threading.Thread:
        """Run something beside the requests, as Core's tasks do.

        It takes ``state.lock`` itself, briefly, where it reads or writes; it waits with ``clock.sleep`` and never while
        it holds the lock.
        """
        life = self._life_here()

        def run() -> None:
            self._here.life = life
            with suppress(CoreEnded):
                work()

        return beside(self.clock, run)

    def go_on(self) -> None:
        """Called by background work where it is about to do something; raises CoreEnded where Core ended meanwhile."""
        if self._life_here() != self.life:
            raise CoreEnded

    def _life_here(self) -> int:
        """In which of Core's lives the work of this thread began."""
        return getattr(self._here, "life", self.life)

    def dump(self) -> Document:
        """Everything that must survive a restart, as JSON."""
        with self.state.lock:
            document: Document = json.loads(json.dumps(self.state.document()))
        document["signing_key"] = base64.b64encode(self.tokens.signing_key).decode()
        document["public_key"] = self.public_key
        return document

    def load(self, document: Document) -> None:
        """Go on from what ``dump`` gave; tokens stay valid, faults and counts begin anew."""
        self.tokens = Tokens(base64.b64decode(document["signing_key"]))
        self.public_key = str(document["public_key"])
        self.state = State.of_document(document)


load_parts()
