"""What becomes of things on a rehearsal host: of containers once started, and of the compose commands of a project."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from homeops.lab.core.compose_project import seconds
from homeops.lab.core.state import Document

Health = Literal["starting", "healthy", "unhealthy"]

NO_SPACE = "Error response from daemon: mkdir /var/lib/docker/overlay2/5c1f-init: no space left on device\n"
"""What Docker says where a container cannot be made because the disk is full."""

_FIRST_WAIT, _LONGEST_WAIT, _LONG_RUN = 0.1, 60.0, 10.0
"""Docker waits twice as long before each restart, and begins anew after a run of ten seconds."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a started container; without arguments it runs for ever and has no health check.

    * ``ends_after``: seconds until it ends by itself, with ``exit_code`` (``killed``: for want of memory, 137)
    * ``restarts``: whether Docker starts it again, ``at_most`` so often, after ``wait`` seconds (None: Docker's own)
    * ``health``: the verdict of its health check ``health_after`` seconds after each start; ``starting`` stays so
    * ``probe``: what the health check says, ``output``: what each run writes to its log
    """

    ends_after: float | None = None
    exit_code: int = 0
    restarts: bool = False
    health: Health | None = None
    health_after: float = 0.0
    output: str = ""
    probe: str = ""
    killed: bool = False
    at_most: int | None = None
    wait: float | None = None

    def waits(self) -> Iterator[float]:
        """How long Docker waits before each restart, in seconds."""
        for number in count():
            if self.wait is not None:
                yield self.wait
            elif (self.ends_after or 0.0) >= _LONG_RUN:
                yield _FIRST_WAIT
            else:
                yield min(_FIRST_WAIT * 2 ** min(number, 16), _LONGEST_WAIT)


@dataclass
class Behaviour:
    """What shall go wrong in one project: texts fail the step with that text on stderr.

    ``up`` takes ``seconds``, and ``during`` is called when half of them are over: there Core may be made to end, as by
    its own deploy, or the agent. ``pull`` may tell services apart. ``fates`` is what becomes of containers by service,
    in place of what their definitions foretell; it counts for containers that are made or started after it was said.
    """

    pull: str | Mapping[str, str] = ""
    up: str = ""
    seconds: float = 0.0
    fates: Mapping[str, Fate] = field(default_factory=dict[str, Fate])
    during: Callable[[], None] | None = None

    def pull_failure(self, service: str) -> str:
        """Why the image of a service cannot be had."""
        return self.pull if isinstance(self.pull, str) else self.pull.get(service, "")


def fate_of(service: Document) -> Fate:
    """The fate that a service's own words foretell: commands that end by themselves, health checks that must fail."""
    words: list[Any] = service.get("command") or service.get("entrypoint") or []
    command = " ".join(str(word) for word in words)
    ends, code, output = _ending(command)
    policy, _, most = str(service.get("restart", "no")).partition(":")
    restarts = policy in ("always", "unless-stopped") or (policy == "on-failure" and code != 0)
    at_most = int(most) if most.isdigit() else None
    check: Document = service.get("healthcheck") or {}
    if not check or check.get("disable"):
        return Fate(ends, code, restarts, output=output, at_most=at_most)
    test = " ".join(str(word) for word in check.get("test", [])[1:])
    _, failing, _ = _ending(test)
    interval = seconds(check.get("interval", "30s"))
    wait = interval
    if failing:
        wait = interval * float(check.get("retries", 3)) + seconds(check.get("start_period", "0s"))
    return Fate(ends, code, restarts, "unhealthy" if failing else "healthy", wait, output, at_most=at_most)


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
