"""``Get...Summary``: how many resources of a kind there are in each state (api/read/*.rs)."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.list_items import list_items
from homeops.lab.core.resource_kinds import RESOURCES
from homeops.lab.core.resource_lists import visible
from homeops.lab.core.resource_states import flags_of
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_COUNTS: dict[str, tuple[str, ...]] = {
    "Server": ("healthy", "warning", "unhealthy", "disabled"),
    "Swarm": ("healthy", "unhealthy", "down", "unknown"),
    "Stack": ("running", "stopped", "down", "unhealthy", "unknown"),
    "Deployment": ("running", "stopped", "not_deployed", "unhealthy", "unknown"),
    "Build": ("ok", "failed", "building", "unknown"),
    "Repo": ("ok", "cloning", "pulling", "building", "failed", "unknown"),
    "Procedure": ("ok", "running", "failed", "unknown"),
    "Action": ("ok", "running", "failed", "unknown"),
    "ResourceSync": ("ok", "syncing", "pending", "failed", "unknown"),
    "Alerter": (),
    "Builder": (),
}
_UNCOUNTED_TEMPLATES = {"Server": "disabled", "Stack": "unknown", "Deployment": "unknown", "Repo": "unknown"}
"""The state in which a template is left out; the total has it all the same."""


def _counted(core: "Core", kind: str, document: Document, item: Document) -> str:
    state = item["info"].get("state", "")
    match kind:
        case "Server":
            if state != "Ok":
                return "disabled" if state == "Disabled" else "unhealthy"
            return "healthy" if item["info"]["version"] in (None, core.settings.version) else "warning"
        case "Stack":
            groups = {"paused": "stopped", "deploying": "unhealthy"}
            return groups.get(state, state if state in _COUNTS[kind] else "unhealthy")
        case "Deployment":
            groups = {"exited": "stopped", "paused": "stopped"}
            return groups.get(state, state if state in _COUNTS[kind] else "unhealthy")
        case "ResourceSync":
            return _sync_count(core, document)
        case _:
            return str(state).lower()


def _sync_count(core: "Core", sync: Document) -> str:
    """Unlike the list item, pending goes before failed and running, and a failed deploy list does not count."""
    info = sync["info"]
    if any(info[name] for name in ("pending_deploys", "resource_updates", "variable_updates", "user_group_updates")):
        return "pending"
    if info["pending_error"] is not None or info["remote_errors"]:
        return "failed"
    return "syncing" if "syncing" in flags_of(core.state, "ResourceSync", sync["_id"]["$oid"]) else "ok"


def _summary(kind: str) -> Callable[["Core", Document, Document], Any]:
    def summarize(core: "Core", caller: Document, _params: Document) -> Document:
        documents = visible(core, caller, kind, core.state.resources[kind].values())
        counts: Counter[str] = Counter()
        if _COUNTS[kind]:
            for document, item in zip(documents, list_items(core, kind, documents), strict=True):
                counted = _counted(core, kind, document, item)
                if not (document["template"] and _UNCOUNTED_TEMPLATES.get(kind) == counted):
                    counts[counted] += 1
        return {"total": len(documents)} | {name: counts[name] for name in _COUNTS[kind]}

    return summarize


for _kind in RESOURCES.values():
    answers("read", f"Get{_kind.plural}Summary")(_summary(_kind.name))
