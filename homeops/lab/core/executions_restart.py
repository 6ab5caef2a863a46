"""The end of a Core's process and what it does when it begins again: interrupted executions, syncs (startup.rs)."""

from typing import TYPE_CHECKING

from homeops.lab.core.executions import ACTIVE, RUNNING
from homeops.lab.core.executions_logs import log
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.sync_pending import refresh_sync

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def end_core(core: "Core") -> None:
    """End at once, as with SIGTERM: nobody is answered, nothing is waited for; the agents go on alone."""
    with core.state.lock:
        core.down = True
        core.life += 1
    for door in core.doors:
        door.close()
    core.feed.end()


def begin_core(core: "Core") -> None:
    """Begin with what was stored when Core ended."""
    core.load(core.dump())
    begin_again(core)
    core.down = False
    for door in core.doors:
        door.open()


def restart_core(core: "Core", seconds: float) -> None:
    """End now and begin after so many seconds; returns at once. To be called from anywhere, also in a host's work."""
    end_core(core)

    def later() -> None:
        core.clock.sleep(seconds)
        begin_core(core)

    core.background(later)


def begin_again(core: "Core") -> None:
    """Fail every Update that was in progress, be busy with nothing, look at every sync before any host is reached."""
    told = "Komodo shutdown during execution. If this is a build, the builder may not have been terminated."
    for run in ACTIVE.pop(id(core), []):
        run.abandon()
    for key in [key for key in RUNNING if key[0] == id(core)]:
        del RUNNING[key]
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
