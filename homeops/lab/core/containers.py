"""Containers of a rehearsal host: what they do once started, and what Docker would say of them at any moment."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from homeops.lab.core.compose_project import seconds
from homeops.lab.core.state import Document

Health = Literal["healthy", "unhealthy"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a started container: it runs for ever, or ends; its health check says yes, no, or nothing."""

    ends_after: float | None = None
    exit_code: int = 0
    restarts: bool = False
    health: Health | None = None
    health_after: float = 0.0
    output: str = ""


def fate_of(service: Document) -> Fate:
    """The fate that a service's own words foretell: commands that end by themselves, health checks that must fail."""
    words: list[Any] = service.get("command") or service.get("entrypoint") or []
    command = " ".join(str(word) for word in words)
    ends, code, output = _ending(command)
    restart = str(service.get("restart", "no"))
    restarts = restart in ("always", "unless-stopped") or (restart.startswith("on-failure") and code != 0)
    check: Document = service.get("healthcheck") or {}
    if not check or check.get("disable"):
        return Fate(ends, code, restarts, output=output)
    test = " ".join(str(word) for word in check.get("test", [])[1:])
    _, failing, _ = _ending(test)
    interval = seconds(check.get("interval", "30s"))
    wait = interval
    if failing:
        wait = interval * float(check.get("retries", 3)) + seconds(check.get("start_period", "0s"))
    return Fate(ends, code, restarts, "unhealthy" if failing else "healthy", wait, output)


def _ending(command: str) -> tuple[float | None, int, str]:
    """After how many seconds a shell command ends by itself, with which code and output; None when it does not."""
    words = command.removeprefix("sh -c ").removeprefix("/bin/sh -c ").strip("'\"")
    if words in ("true", "/bin/true"):
        return 0.0, 0, ""
    if words in ("false", "/bin/false"):
        return 0.0, 1, ""
    after, output = 0.0, ""
    for step in re.split(r"[;\n]|&&", words):
        match step.split():
            case ["exit", code] if code.isdigit():
                return after, int(code), output
            case ["sleep", length]:
                after += seconds(length) if length[-1:].isalpha() else float(length)
            case ["echo", *said]:
                output += " ".join(said) + "\n"
            case ["true"] | []:
                pass
            case _:
                return None, 0, output
    # A service that only sleeps is one that stays.
    return (after, 0, output) if output and not after else (None, 0, output)


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
    revision: int = 0
    """Which building of the image it runs."""
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    created: float = 0.0
    started: float | None = None
    ended: tuple[float, int] | None = None
    paused: bool = False
    volumes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.created = self.created or self.now()

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
    def state(self) -> str:
        """Docker's state of the container at this moment."""
        if self.started is None:
            return "created"
        if self.ended is not None:
            return "exited"
        if self.paused:
            return "paused"
        if self.fate.ends_after is not None and self.now() - self.started >= self.fate.ends_after:
            return "restarting" if self.fate.restarts else "exited"
        return "running"

    @property
    def exit_code(self) -> int:
        """The exit code, 0 while it runs."""
        if self.ended is not None:
            return self.ended[1]
        return self.fate.exit_code if self.state in ("exited", "restarting") else 0

    @property
    def health(self) -> str | None:
        """``starting``, ``healthy``, ``unhealthy``, or None without a health check."""
        if self.fate.health is None or self.started is None:
            return None
        return self.fate.health if self.now() - self.started >= self.fate.health_after else "starting"

    @property
    def status(self) -> str:
        """Docker's words for it, as ``docker ps`` prints them."""
        now = self.now()
        match self.state:
            case "created":
                return "Created"
            case "exited":
                since = self.ended[0] if self.ended else (self.started or now) + (self.fate.ends_after or 0.0)
                return f"Exited ({self.exit_code}) {_ago(now - since)} ago"
            case "restarting":
                return f"Restarting ({self.exit_code}) {_ago((now - (self.started or now)) % 1)} ago"
            case state:
                words = {"starting": " (health: starting)", None: ""}.get(self.health, f" ({self.health})")
                paused = " (Paused)" if state == "paused" else ""
                return f"Up {_ago(now - (self.started or now))}{words}{paused}"

    def item(self) -> Document:
        """The container as Komodo lists it, without its server."""
        return {
            "name": self.name,
            "id": self.id,
            "image": self.image,
            "image_id": f"sha256:{image_id(self.image)}",
            "created": int(self.created),
            "state": self.state,
            "status": self.status,
            "network_mode": self.networks[0] if self.networks else "default",
            "networks": self.networks,
            **({"volumes": self.volumes} if self.volumes else {}),
        }

    def inspection(self) -> Document:
        """The parts of ``docker inspect`` that Komodo's callers look at."""
        environment: dict[str, Any] = self.definition.get("environment") or {}
        command = [str(word) for word in self.definition.get("command") or ["sh"]]
        state: dict[str, Any] = {
            "Status": self.state,
            "Running": self.state in ("running", "paused"),
            "Paused": self.state == "paused",
            "Restarting": self.state == "restarting",
            "OOMKilled": False,
            "Dead": False,
            "Pid": 1 if self.state in ("running", "paused") else 0,
            "ExitCode": self.exit_code,
            "Error": "",
            "StartedAt": stamp(self.started),
            "FinishedAt": stamp(self.ended[0] if self.ended else None),
        }
        if self.health is not None:
            failing = 1 if self.health == "unhealthy" else 0
            probe = {"Start": stamp(self.started), "End": stamp(self.started), "ExitCode": failing, "Output": ""}
            state["Health"] = {"Status": self.health, "FailingStreak": failing, "Log": [probe]}
        return {
            "Id": self.id,
            "Created": stamp(self.created),
            "Path": command[0],
            "Args": command[1:],
            "State": state,
            "Image": f"sha256:{image_id(self.image)}",
            "Name": f"/{self.name}",
            "RestartCount": 0,
            "Driver": "overlay2",
            "Platform": "linux",
            "HostConfig": {"NetworkMode": self.networks[0] if self.networks else "default"},
            "Config": {
                "Image": self.image,
                "Cmd": command,
                "Env": [f"{key}={value}" for key, value in environment.items()],
                "Labels": {
                    "com.docker.compose.project": self.project,
                    "com.docker.compose.service": self.service,
                },
            },
        }


def image_id(image: str) -> str:
    """A stable id for an image name."""
    return hashlib.sha256(image.encode()).hexdigest()


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
