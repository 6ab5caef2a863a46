"""Updates: Komodo's records of what was executed, and following one to its end.

An execution answers at once with an Update that is InProgress, ``success: true`` and without logs; everything else that
can go wrong (permission, busy, host unreachable) is told by the finished Update alone. The logs come all at the end.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, cast

from homeops.errors import DeployFailed, KomodoGarbled, KomodoUnreachable, Problem
from homeops.komodo.client import Client, JsonObject

_MARKUP = re.compile(r"</?span[^>]*>")
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.25, 2.0, 1.3


@dataclass(frozen=True, slots=True)
class Log:
    """One stage of an execution; texts without the UI's colour markup, times in ms since 1970."""

    stage: str
    command: str
    stdout: str
    stderr: str
    success: bool
    start_ts: int
    end_ts: int


@dataclass(frozen=True, slots=True)
class Update:
    """One execution as Komodo records it; ``success`` says something only when ``complete``. Times in ms since 1970."""

    id: str
    operation: str
    target_kind: str
    target_id: str
    complete: bool
    success: bool
    logs: tuple[Log, ...]
    start_ts: int
    end_ts: int | None
    commit: str

    @property
    def failed(self) -> Log | None:
        """The first stage that failed."""
        return next((log for log in self.logs if not log.success), None)

    @property
    def cut_short(self) -> bool:
        """Whether it failed because Core or the agent fell silent: that says nothing about what the host did."""
        texts = f"{self.failed.stage} {self.failed.stderr} {self.failed.stdout}" if self.failed else ""
        return any(
            sign in texts for sign in ("Komodo shutdown", "Timed out waiting for message", "deadline has elapsed")
        )


Progress = Callable[[float, Update | None], None]
"""Called after each look: seconds since the start, and what Core said (None while Core is silent)."""


def update_of(document: JsonObject) -> Update:
    """The Update in an answer of ``/execute`` or ``GetUpdate``; a batch's and DeployStackIfChanged's have no id."""
    target: JsonObject = document.get("target") or {}
    identity: JsonObject = document.get("_id") or {}
    return Update(
        id=identity.get("$oid", ""),
        operation=document.get("operation", ""),
        target_kind=target.get("type", ""),
        target_id=target.get("id", ""),
        complete=document.get("status") == "Complete",
        success=document.get("success") is True,
        logs=tuple(_log(log) for log in document.get("logs") or ()),
        start_ts=document.get("start_ts") or 0,
        end_ts=document.get("end_ts"),
        commit=document.get("commit_hash") or "",
    )


def follow(client: Client, update_id: str, *, deadline: float, on_progress: Progress | None = None) -> Update:
    """Wait until an Update is complete and return it, successful or not.

    ``deadline`` is in seconds from now. Core may fall silent meanwhile (it restarts when komodo-core is deployed): that
    is waited out. Raises DeployFailed when it is still running at the deadline, KomodoUnreachable when Core is silent
    then.
    """
    began, pause = monotonic(), _FIRST_PAUSE
    while True:
        silence: KomodoUnreachable | None = None
        update: Update | None = None
        try:
            answer = client.read("GetUpdate", {"id": update_id})
        except KomodoUnreachable as error:
            silence = error
        else:
            if not isinstance(answer, dict):
                raise KomodoGarbled(Problem(f"komodo {client.address}", "GetUpdate: the answer is no object"))
            update = update_of(cast(dict[str, Any], answer))
        elapsed = monotonic() - began
        if on_progress:
            on_progress(elapsed, update)
        if update and update.complete:
            return update
        if elapsed + pause > deadline:
            if silence:
                raise silence
            operation = update.operation if update else "the execution"
            what = f"{operation} is still running after {elapsed:.0f} s (update {update_id})"
            raise DeployFailed(
                Problem(f"komodo {client.address}", what, "it goes on by itself: look at it in Komodo's UI")
            )
        sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _log(document: JsonObject) -> Log:
    return Log(
        stage=document.get("stage", ""),
        command=document.get("command", ""),
        stdout=_plain(document.get("stdout", "")),
        stderr=_plain(document.get("stderr", "")),
        success=document.get("success") is True,
        start_ts=document.get("start_ts") or 0,
        end_ts=document.get("end_ts") or 0,
    )


def _plain(text: str) -> str:
    """The text of a log without markup."""
    return _MARKUP.sub("", text)
