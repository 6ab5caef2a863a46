"""What ``docker compose up`` waits for: the containers that others depend on, and with ``--wait`` all of them."""

import math
from collections.abc import Iterable

from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.clock import Clock
from homeops.lab.core.compose_command import Command
from homeops.lab.core.containers import Container

_LOOK_SECONDS = 0.1


def settled(clock: Clock, container: Container, limit: float = math.inf) -> str:
    """Wait until a health check has said something, at most so many seconds.

    Its last word then, ``exited`` where the container ended, or ``healthy`` where there is no check.
    """
    deadline = clock.now() + limit
    while container.health == "starting" and container.state != "exited" and clock.now() < deadline:
        clock.sleep(_LOOK_SECONDS)
    return "exited" if container.state == "exited" else container.health or "healthy"


def dependency(clock: Clock, parent: Container, condition: str) -> tuple[str, str]:
    """Wait for one that another depends on; what is said, and why it cannot be waited for (compose has no limit)."""
    said = f" Container {parent.name} Waiting \n"
    match condition:
        case "service_healthy":
            words = {"unhealthy": "is unhealthy", "exited": f"exited ({parent.exit_code})"}
            wrong = words.get(settled(clock, parent))
            if wrong is None:
                return f"{said} Container {parent.name} Healthy \n", ""
            said += f" Container {parent.name} Error dependency {parent.service} failed to start\n"
            return said, f"dependency failed to start: container {parent.name} {wrong}\n"
        case "service_completed_successfully":
            while parent.state != "exited":
                clock.sleep(_LOOK_SECONDS)
            if not parent.exit_code:
                return f"{said} Container {parent.name} Exited \n", ""
            wrong = f'service "{parent.service}" didn\'t complete successfully: exit {parent.exit_code}'
            return f"{said} Container {parent.name} {wrong} \n", f"{wrong}\n"
        case _:
            return "", ""


def await_health(clock: Clock, command: Command, containers: Iterable[Container], said: str) -> Outcome:
    """The end of ``up``: at once, or with ``--wait`` when every container is healthy."""
    if "--wait" not in command.arguments:
        return Outcome(0, "", said)
    limit = float(command.option("--wait-timeout") or 600)
    deadline = clock.now() + limit
    for container in containers:
        said += f" Container {container.name} Waiting \n"
        match settled(clock, container, deadline - clock.now()):
            case "unhealthy":
                return Outcome(1, "", f"{said}container {container.name} is unhealthy\n")
            case "starting":
                return Outcome(1, "", f"{said}application not healthy after {limit:g}s\n")
            case "exited":
                return Outcome(1, "", f"{said}container {container.name} exited ({container.exit_code})\n")
            case _:
                said += f" Container {container.name} Healthy \n"
    return Outcome(0, "", said)
