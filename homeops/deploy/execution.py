"""Deploying a stack: the execution, followed to its end; failure told with its stage and the last lines of its log."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from homeops.errors import DeployFailed, Problem
from homeops.komodo.client import Client
from homeops.komodo.updates import Log, Update, follow, update_of

PROGRESS_SECONDS = 10
_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of a deploy: Komodo's Update, the stack's id and its state after it, how many seconds it took."""

    update: str
    stack: str
    state: str
    seconds: float


def deploy(
    client: Client, stack: str, server: str, deadline: float, tell: Callable[[str], None], *, restart: bool
) -> Deployed:
    """Deploy a stack and wait for the end, ``deadline`` seconds at most; ``restart`` restarts its services afterwards.

    Raises DeployFailed with stage, last log lines and hint; KomodoError when Core cannot be asked.
    """
    where = f'stack "{stack}" on {server}'
    began = monotonic()
    update = _run(client, "DeployStack", stack, where, deadline, tell)
    if restart:
        _run(client, "RestartStack", stack, where, deadline, tell)
    items: Any = client.read("ListStacks", {"query": {"names": [stack]}, "limit": 0})
    state = str(items[0]["info"]["state"]) if items else "unknown"
    seconds = round(monotonic() - began, 1)
    tell(f"{where}: deployed in {seconds} s, {state}")
    return Deployed(update.id, update.target_id, state, seconds)


def _run(
    client: Client, execution: str, stack: str, where: str, deadline: float, tell: Callable[[str], None]
) -> Update:
    started = update_of(client.execute(execution, {"stack": stack}))
    said = 0.0

    def progress(elapsed: float, update: Update | None) -> None:
        nonlocal said
        if elapsed - said >= PROGRESS_SECONDS:
            said = elapsed
            tell(f"{where}: {'deploying' if update else 'Core is silent'}, {elapsed:.0f} s")

    update = follow(client, started.id, deadline=deadline, on_progress=progress)
    if not update.success:
        raise DeployFailed(failure(where, update))
    return update


def failure(where: str, update: Update) -> Problem:
    """What to tell of a failed Update."""
    if update.cut_short:
        return Problem(
            where,
            "Core or the agent fell silent in the middle of the deploy; what the host did is not known",
            "look at it (homeops status), then run again: the deploy is still due",
        )
    log = update.failed
    if log is None:
        return Problem(where, "the deploy failed and Komodo logged no reason", f"see update {update.id} in Komodo")
    return Problem(where, f"{log.stage} failed\n{_tail(log)}", "mend it and run again: the deploy is still due")


def _tail(log: Log) -> str:
    lines = [line for line in (log.stderr.strip() or log.stdout.strip()).splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
