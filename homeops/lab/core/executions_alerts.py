"""Alerts that are sent: to a test, by hand, because a procedure failed (alert/mod.rs, api/execute/alerter.rs).

Only endpoints on this machine are posted to; for every other one the rehearsal says that it was sent.
"""

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from homeops.lab.core.executions import Run, Steps, executes
from homeops.lab.core.executions_logs import error_log, log
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find, lookup
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_HERE = ("127.0.0.1", "localhost", "::1")


def make_alert(core: "Core", level: str, target: Document, kind: str, data: Document) -> Document:
    """An alert that is over as it is raised."""
    now = core.now()
    return {
        "ts": now,
        "resolved": True,
        "level": level,
        "target": target,
        "data": {"type": kind, "data": data},
        "resolved_ts": now,
    }


def send_alert(core: "Core", level: str, target: Document, kind: str, data: Document) -> None:
    """Send an alert to every alerter that wants it; where one fails, nobody hears of it."""
    spread_alert(core, make_alert(core, level, target, kind, data))


def spread_alert(core: "Core", alert: Document) -> None:
    """Send an alert that is there already."""
    for alerter in _alerters(core):
        if _wants(alerter["config"], alert):
            post_alert(core, alerter, alert)


def _alerters(core: "Core") -> list[Document]:
    with core.state.lock:
        return [copied(alerter) for alerter in core.state.resources["Alerter"].values()]


def _wants(config: Document, alert: Document) -> bool:
    if not config["enabled"] or (config["alert_types"] and alert["data"]["type"] not in config["alert_types"]):
        return False
    if alert["target"] in config["except_resources"]:
        return False
    return not config["resources"] or alert["target"] in config["resources"]


def post_alert(core: "Core", alerter: Document, alert: Document) -> list[str]:
    """Post an alert to one alerter; the error and its causes when that failed, else nothing."""
    endpoint = alerter["config"]["endpoint"]
    url: str = endpoint["params"]["url"]
    told = f"Failed to send alert to {endpoint['type']} Alerter {alerter['name']}"
    if urlsplit(url).hostname not in _HERE:
        return []
    try:
        status, text = core.agents.post(url, alert)
    except ConnectionError:
        return [told, "failed at post request to alerter", f"Error with request: {_refused(url)}"]
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return []
    phrase = HTTPStatus(status).phrase
    return [told, f"post to alerter failed | {status} {phrase} | {text}"]


def _refused(url: str) -> str:
    """That nobody listens, as Rust prints it for debugging."""
    system = 'Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }'
    cause = f'ConnectError("tcp connect error", {urlsplit(url).netloc}, {system})'
    return (
        f'reqwest::Error {{ kind: Request, url: "{url}", source: hyper_util::client::legacy::Error(Connect, {cause}) }}'
    )


@executes("TestAlerter", "Alerter", "alerter")
def test_alerter(run: Run) -> Steps:
    """Send a test to one alerter."""
    alerter = run.resource()
    yield
    if not alerter["config"]["enabled"]:
        disabled = "Alerter is disabled. Enable the Alerter to send alerts."
        run.log(log("Test Alerter", stderr=disabled, success=False))
        return
    data = {"id": run.target, "name": alerter["name"]}
    causes = post_alert(run.core, alerter, make_alert(run.core, "OK", run.update["target"], "Test", data))
    if causes:
        run.log(error_log("Test Alerter", causes[0], causes[1:]))
    else:
        sent = "Alert sent successfully. It should be visible at your alerting destination."
        run.log(log("Test Alerter", stdout=sent))


@executes("SendAlert", "System")
def send_own_alert(run: Run) -> Steps:
    """Send a message to the alerters named, or to all."""
    core, params = run.core, run.params
    wanted: list[str] = params["alerters"]
    named: list[Any] = [
        lookup(core.state.resources["Alerter"], alerter) or find(core.state, "Alerter", alerter) for alerter in wanted
    ]
    ids = [alerter["_id"] for alerter in named]
    yield
    data = {"message": params["message"], "details": params["details"]}
    alert = make_alert(core, params["level"], run.update["target"], "Custom", data)
    failed: list[str] = []
    for alerter in _alerters(core):
        if (not ids or alerter["_id"] in ids) and _wants(alerter["config"], alert):
            failed += post_alert(core, alerter, alert)
    if failed:
        run.log(error_log("Send alert", failed[0], failed[1:]))
    else:
        run.log(log("Send alert", stdout=json.dumps({"_id": {"$oid": ""}, **alert}, indent=2)))
