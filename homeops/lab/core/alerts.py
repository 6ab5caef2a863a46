"""Alerts: those that Core raises of Servers that do not answer, and the requests that show and close them."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.maintenance import in_maintenance
from homeops.lab.core.references import object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import no_connection, server_state
from homeops.lab.core.state import Document
from homeops.lab.core.target_access import demand_target, readable
from homeops.lab.core.updates import PAGE, found_newest_first

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def note_servers(core: "Core") -> None:
    """Open the alert of every Server that does not answer and close those of Servers that do, or that are disabled.

    Core's monitor does it every interval, from the second time on that a Server does not answer; here it is done
    whenever somebody looks or a Server changes.
    """
    unreachable = {
        alert["target"]["id"]: alert
        for alert in core.state.alerts.values()
        if not alert["resolved"] and alert["data"]["type"] == "ServerUnreachable"
    }
    for server_id, server in core.state.resources["Server"].items():
        alert = unreachable.get(server_id)
        down = server_state(core, server) == "NotOk"
        config = server["config"]
        wanted = down and config["send_unreachable_alerts"]
        if alert is not None and not wanted:
            _resolve(core, alert)
        elif alert is None and wanted and not _in_maintenance(core, server):
            _open(core, server_id, server)


def _in_maintenance(core: "Core", server: Document) -> bool:
    return in_maintenance(server["config"]["maintenance_windows"], core.now(), core.settings.timezone)


def _open(core: "Core", server_id: str, server: Document) -> None:
    alert: Document = {
        "_id": {"$oid": core.state.new_id()},
        "ts": core.now(),
        "resolved": False,
        "level": "CRITICAL",
        "target": {"type": "Server", "id": server_id},
        "data": {
            "type": "ServerUnreachable",
            "data": {
                "id": server_id,
                "name": server["name"],
                "region": server["config"]["region"] or None,
                "err": no_connection(core, server),
            },
        },
        "resolved_ts": None,
    }
    core.state.alerts[alert["_id"]["$oid"]] = alert


def _resolve(core: "Core", alert: Document) -> None:
    alert["resolved"] = True
    alert["resolved_ts"] = core.now()


def resolve_alerts(core: "Core", kind: str, resource_id: str) -> None:
    """Close every alert of a resource that is about to be deleted."""
    for alert in core.state.alerts.values():
        if alert["target"] == {"type": kind, "id": resource_id}:
            _resolve(core, alert)


@answers("read", "ListAlerts")
def list_alerts(core: "Core", caller: Document, params: Document) -> Any:
    """A page of alerts, the newest first; ``query`` is MongoDB's."""
    note_servers(core)
    page: int = params["page"]
    found = found_newest_first(core.state.alerts, params["query"], "ts", "failed to get alerts from db")
    shown = readable(core, caller, found)[page * PAGE : (page + 1) * PAGE]
    return {"alerts": copied(shown), "next_page": page + 1 if len(shown) == PAGE else None}


@answers("read", "GetAlert")
def get_alert(core: "Core", caller: Document, params: Document) -> Any:
    """One alert."""
    note_servers(core)
    alert_id = object_id(params["id"], error="failed to query db for alert", trace=["id is not ObjectId"])
    alert = core.state.alerts.get(alert_id)
    if alert is None:
        raise Refusal("no alert found with given id")
    demand_target(core, caller, alert["target"])
    return copied(alert)


@answers("write", "CloseAlert")
def close_alert(core: "Core", caller: Document, params: Document) -> Any:
    """Mark an alert as resolved; an unknown id is no error."""
    if not caller["admin"]:
        raise Refusal("This call is admin only", status=403)
    alert = core.state.alerts.get(object_id(params["id"]))
    if alert is not None:
        alert["resolved"] = True
    return {}
