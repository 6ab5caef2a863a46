"""Update documents: Core's record of everything that was changed or run (client/core/rs/src/entities/update.rs)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeops.lab.core.executions_logs import succeeded
from homeops.lab.core.json_copy import copied
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

SYSTEM_TARGET: Document = {"type": "System", "id": "system"}

LISTENERS: list[Callable[["Core", Document], None]] = []
"""Told of every Update that is stored or changed, with its list item; for those who follow ``/ws/update``."""

_OPTIONAL = ("version", "commit_hash", "other_data", "prev_toml", "current_toml")
_NO_VERSION = {"major": 0, "minor": 0, "patch": 0}
_SERVICES = (
    "System",
    "Procedure",
    "Action",
    "Git Webhook",
    "Auto Redeploy",
    "Resource Sync",
    "Stack Wizard",
    "Build Manager",
    "Repo Manager",
)
SERVICE_USERS = frozenset((*_SERVICES, *(f"{number:024}" for number in range(len(_SERVICES)))))
"""Komodo's own users, by name and id; they have no user document."""


def new_update(core: "Core", operation: str, target: Document, operator: str) -> Document:
    """An Update that begins now: no id yet, no logs, complete and successful unless somebody says otherwise."""
    return {
        "operation": operation,
        "start_ts": core.now(),
        "success": True,
        "operator": operator,
        "target": dict(target),
        "logs": [],
        "end_ts": None,
        "status": "Complete",
    }


def finish(core: "Core", update: Document) -> Document:
    """Mark an Update as over, successful if every log is, and store it; returns it as Core answers it."""
    update["success"] = succeeded(update["logs"])
    update["end_ts"] = core.now()
    update["status"] = "Complete"
    return store(core, update)


def store(core: "Core", update: Document) -> Document:
    """Keep an Update, which gets its id here, or keep what became of it; returns it as Core answers it."""
    state = core.state
    with state.lock:
        if "_id" not in update:
            update["_id"] = {"$oid": state.new_id()}
        state.updates[update["_id"]["$oid"]] = copied(update)
        item = list_item(core, update)
    for listener in LISTENERS:
        listener(core, item)
    return answered(update)


def answered(update: Document) -> Document:
    """A copy of an Update as Core answers it: its id first, empty optional fields left out."""
    shown = {
        key: copied(value) for key, value in update.items() if key not in _OPTIONAL or (value and value != _NO_VERSION)
    }
    return {"_id": shown.pop("_id"), **shown} if "_id" in shown else shown


def list_item(core: "Core", update: Document) -> Document:
    """The short form in ``ListUpdates`` and on the websocket; the operator is ``unknown`` once the user is deleted."""
    operator: str = update["operator"]
    user = core.state.users.get(operator)
    item: dict[str, Any] = {
        "id": update["_id"]["$oid"],
        "operation": update["operation"],
        "start_ts": update["start_ts"],
        "success": update["success"],
        "username": operator if operator in SERVICE_USERS else user["username"] if user else "unknown",
        "operator": operator,
        "target": dict(update["target"]),
        "status": update["status"],
    }
    for key in ("version", "other_data"):
        if update.get(key) and update[key] != _NO_VERSION:
            item[key] = copied(update[key])
    return item
