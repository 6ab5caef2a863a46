"""What a Core does when it begins: with executions that its end interrupted, and with its syncs (startup.rs)."""

from typing import TYPE_CHECKING

from homeops.lab.core.executions import ACTIVE
from homeops.lab.core.executions_logs import log
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.sync_pending import refresh_sync

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def begin_again(core: "Core") -> None:
    """Fail every Update that was in progress, be busy with nothing, look at every sync before any host is reached."""
    told = "Komodo shutdown during execution. If this is a build, the builder may not have been terminated."
    for run in ACTIVE.pop(id(core), []):
        run.abandon()
    with core.state.lock:
        core.state.action_states.clear()
        for update in core.state.updates.values():
            if update["status"] == "InProgress":
                update["logs"] = [*update["logs"], log("Komodo shutdown", stderr=told, success=False)]
                update["status"] = "Complete"
                update["success"] = False
        core.agents.asleep = True
        for sync in core.state.resources["ResourceSync"].values():
            try:
                refresh_sync(core, sync)
            except Refusal:
                # Its Repo is gone; what was known of it stays.
                continue
        core.agents.asleep = False
