"""Containers of a rehearsal host: what they do once started, and what Docker would say of them at any moment."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from homeops.lab.core.fates import Fate
from homeops.lab.core.images import image_id
from homeops.lab.core.state import Document


@dataclass(frozen=True, slots=True)
class Life:
    """Where a started container is in its life: its present run, or its last one.

    ``restarts`` counts those by Docker; ``before`` is when the run before this one ended, None where there was none.
    """

    began: float
    ended: float | None
    restarts: int
    before: float | None
    again: bool
    """Whether Docker waits to start it again."""


@dataclass
class Container:
    """One container; ``service`` is the name of its compose service, ``definition`` what that said."""

    name: str
    project: str
    service: str
    definition: Document
    networks: list[str]
    fate: Fate
    now: Callable[[], float] = time.time
    image_id: str = ""
    """The id of the image that it was made of, ``sha256:...``."""
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    created: float = 0.0
    started: float | None = None
    """When it was last started by somebody; restarts by Docker itself follow from its fate."""
    ended: tuple[float, int] | None = None
    paused: bool = False
    volumes: list[str] = field(default_factory=list[str])
    labels: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.created = self.created or self.now()
        self.image_id = self.image_id or image_id(self.image)

    @property
    def image(self) -> str:
        """The image by the name that the service gives."""
        return str(self.definition.get("image", ""))

    def start(self) -> None:
        """Run from now on."""
        self.started, self.ended, self.paused = self.now(), None, False

    def stop(self, code: int | None = None) -> None:
        """End now; a command that ignores signals is killed, which is 137."""
        if self.state in ("running", "paused", "restarting"):
            self.ended = self.now(), 137 if code is None else code
            self.paused = False

    @property
    def life(self) -> Life | None:
        """Where it is in its life; None before it was started."""
        if self.started is None:
            return None
        began, before, fate = self.started, None, self.fate
        limit = self.ended[0] if self.ended else self.now()
        if fate.ends_after is not None:
            for restarts, wait in enumerate(fate.waits()):
                end = began + fate.ends_after
                if limit < end:
                    return Life(began, self.ended and self.ended[0], restarts, before, again=False)
                again = fate.restarts and restarts != fate.at_most
                if not again or limit < end + wait:
                    return Life(began, end, restarts, before, again and self.ended is None)
                began, before = end + wait, end
        return Life(began, self.ended and self.ended[0], 0, None, again=False)

    @property
    def state(self) -> str:
        """Docker's state of the container at this moment."""
        life = self.life
        if life is None:
            return "created"
        if life.ended is not None:
            return "restarting" if life.again else "exited"
        return "paused" if self.paused else "running"

    @property
    def exit_code(self) -> int:
        """The exit code of its last run, 0 while it runs."""
        if self.ended is not None:
            return self.ended[1]
        if self.state not in ("exited", "restarting"):
            return 0
        return 137 if self.fate.killed else self.fate.exit_code

    @property
    def health(self) -> str | None:
        """``starting``, ``healthy``, ``unhealthy``, or None without a health check."""
        life = self.life
        if self.fate.health is None or life is None:
            return None
        moment = self.now() if life.ended is None else life.ended
        return self.fate.health if moment - life.began >= self.fate.health_after else "starting"

    @property
    def status(self) -> str:
        """Docker's words for it, as ``docker ps`` prints them."""
        life, now = self.life, self.now()
        if life is None:
            return "Created"
        if life.ended is not None:
            word = "Restarting" if life.again else "Exited"
            return f"{word} ({self.exit_code}) {_ago(now - life.ended)} ago"
        words = {"starting": " (health: starting)", None: ""}.get(self.health, f" ({self.health})")
        return f"Up {_ago(now - life.began)}{words}{' (Paused)' if self.paused else ''}"

    def runs_since(self, moment: float) -> bool:
        """Whether its present run began before a moment."""
        life = self.life
        return life is not None and life.ended is None and life.began <= moment

    def log_lines(self, *, stamped: bool = False) -> list[str]:
        """What it wrote since it was last started by somebody; ``stamped``: each line with its time."""
        life = self.life
        if life is None:
            return []
        lines = self.fate.output.splitlines() * (life.restarts + 1)
        return [f"{stamp(life.began)} {line}" for line in lines] if stamped else lines

    def item(self) -> Document:
        """The container as Komodo lists it, without its server."""
        return {
            "name": self.name,
            "id": self.id,
            "image": self.image,
            "image_id": self.image_id,
            "created": int(self.created),
            "state": self.state,
            "status": self.status,
            "network_mode": self.networks[0] if self.networks else "default",
            "networks": self.networks,
            **({"volumes": self.volumes} if self.volumes else {}),
        }


def stamp(moment: float | None) -> str:
    """A moment as Docker writes it; none is the year 1."""
    if moment is None:
        return "0001-01-01T00:00:00Z"
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e9):09d}Z"


def _ago(length: float) -> str:
    for size, unit in ((86400 * 2, 86400), (7200, 3600), (120, 60)):
        if length >= size:
            name = {86400: "days", 3600: "hours", 60: "minutes"}[unit]
            return f"{int(length // unit)} {name}"
    if length >= 3600:
        return "About an hour"
    if length >= 60:
        return "About a minute"
    if length < 1:
        return "Less than a second"
    return f"{int(length)} second{'s' if length >= 2 else ''}"
