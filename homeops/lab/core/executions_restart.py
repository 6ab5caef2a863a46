"""What a Core does with executions that its end interrupted (startup.rs)."""

from typing import TYPE_CHECKING

from homeops.lab.core.executions_logs import log

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def end_unfinished(core: "Core") -> None:
    """Fail every Update that was in progress, and be busy with nothing."""
    with core.state.lock:
        core.state.action_states.clear()
        for update in core.state.updates.values():
            if update["status"] == "InProgress":
                said = "Komodo shutdown during execution. If this is a build, the builder may not have been terminated."
                update["logs"] = [*update["logs"], log("Komodo shutdown", stderr=said, success=False)]
                update["status"] = "Complete"
                update["success"] = False
