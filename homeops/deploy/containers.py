"""Whether the containers of a stack are up: what ``docker inspect`` says of them, look after look.

Komodo's own state of a stack knows nothing of health and takes a container for the stack's by its name alone, so each
service's container itself is looked at. Hosts' clocks do not count: how long something lasts is measured here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RESTARTS = 5
"""So many restarts after each other are a loop, not a service that waits for another one."""

SILENT = "its host does not answer"
"""In place of a container's state, where nobody can tell it."""


@dataclass(frozen=True, slots=True)
class Look:
    """One service's container at one moment.

    ``state`` is Docker's (created, running, paused, restarting, exited, dead; or SILENT), ``health`` too (starting,
    healthy, unhealthy; empty without a health check). ``image`` is the name, ``image_id`` the digest of what runs.
    """

    service: str
    container: str
    state: str
    health: str = ""
    exit_code: int = 0
    restarts: int = 0
    started: str = ""
    project: str = ""
    image: str = ""
    image_id: str = ""
    probe: str = ""
    """What the last failed run of the health check said."""
    killed: bool = False
    """Whether it ended for want of memory."""

    @property
    def same_run(self) -> tuple[str, str, int]:
        """Differs when the container was replaced or started again."""
        return self.container, self.started, self.restarts

    @property
    def last_probe(self) -> str:
        """The last line of what the health check said, to put behind its verdict."""
        return f": {self.probe.splitlines()[-1]}" if self.probe else ""


def look_of(service: str, inspection: Mapping[str, Any]) -> Look:
    """A look from an answer of ``InspectStackContainer``."""
    state: Mapping[str, Any] = inspection.get("State") or {}
    health: Mapping[str, Any] = state.get("Health") or {}
    config: Mapping[str, Any] = inspection.get("Config") or {}
    labels: Mapping[str, str] = config.get("Labels") or {}
    probes: Any = health.get("Log") or []
    status = str(health.get("Status") or "")
    failed = [probe for probe in probes if isinstance(probe, dict) and probe.get("ExitCode")]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return Look(
        service=service,
        container=str(inspection.get("Name", "")).lstrip("/"),
        state=str(state.get("Status", "")),
        health="" if status == "none" else status,
        exit_code=int(state.get("ExitCode") or 0),
        restarts=int(inspection.get("RestartCount") or 0),
        started=str(state.get("StartedAt", "")),
        project=str(labels.get("com.docker.compose.project", "")),
        image=str(config.get("Image", "")),
        image_id=str(inspection.get("Image", "")),
        probe=str(failed[-1].get("Output", "")).strip() if failed else "",  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        killed=state.get("OOMKilled") is True,
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of a service, and the words for it."""

    how: Literal["healthy", "waiting", "failed"]
    words: str


@dataclass
class Watch:
    """The services of a stack under observation; times in seconds, by whatever clock the caller has.

    ``one_shot``: services that may end, with exit code 0. ``project``: the compose project that they belong to.
    """

    project: str
    stable: float
    one_shot: Iterable[str] = ()
    _since: dict[str, tuple[object, float]] = field(default_factory=dict[str, tuple[object, float]])
    _first: dict[str, Look] = field(default_factory=dict[str, Look])

    def judge(self, look: Look, now: float) -> Verdict:
        """What is to be thought of a service after this look."""
        if self.project and look.project and look.project != self.project:
            what = f'its container {look.container} belongs to compose project "{look.project}"'
            return Verdict("failed", what)
        first = self._first.setdefault(look.service, look)
        restarts = look.restarts - first.restarts if look.container == first.container else look.restarts
        match look.state:
            case "running" if look.health == "healthy":
                return Verdict("healthy", "healthy")
            case "running" if look.health == "unhealthy":
                settled = self._for(look, "unhealthy", now) >= self.stable
                return Verdict("failed" if settled else "waiting", f"unhealthy{look.last_probe}")
            case "running" if not look.health and self._for(look, look.same_run, now) >= self.stable:
                return Verdict("healthy", "running")
            case "running" if restarts >= RESTARTS:
                return Verdict("failed", f"keeps restarting, {restarts} times since the deploy")
            case "running" if look.health:
                return Verdict("waiting", f"health: {look.health}{look.last_probe}")
            case "running":
                return Verdict("waiting", f"running, not yet for {self.stable:g} s")
            case "restarting":
                words = f"restarting, exit code {look.exit_code}, {restarts} times since the deploy"
                return Verdict("failed" if restarts >= RESTARTS else "waiting", words)
            case "exited" | "dead":
                if look.exit_code == 0 and look.service in self.one_shot:
                    return Verdict("healthy", "done")
                more = ", out of memory" if look.killed else ""
                if look.exit_code == 0:
                    more = f'; if it may end, the stack says so: health=Health(one_shot=["{look.service}"])'
                return Verdict("failed", f"exited with code {look.exit_code}{more}")
            case "paused":
                return Verdict("failed", "is paused")
            case state:
                return Verdict("waiting", state or "not there")

    def _for(self, look: Look, what: object, now: float) -> float:
        """For how long this has been so."""
        known, since = self._since.get(look.service, (None, now))
        if known != what:
            since = now
            self._since[look.service] = (what, now)
        return now - since
