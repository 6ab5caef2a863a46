"""The states of resources. Core keeps them in caches that a loop refreshes; here they are worked out when asked for.

What runs on a host is known to ``core.agents`` alone, and a Core without agents reaches no host.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from homeops.lab.core.state import Document, State

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

STATES: dict[str, tuple[str, ...]] = {
    "Server": ("Ok", "NotOk", "Disabled"),
    "Swarm": ("Healthy", "Unhealthy", "Down", "Unknown"),
    "Stack": (
        "deploying",
        "running",
        "paused",
        "stopped",
        "created",
        "restarting",
        "dead",
        "removing",
        "unhealthy",
        "down",
        "unknown",
    ),
    "Deployment": (
        "deploying",
        "running",
        "created",
        "restarting",
        "stopping",
        "removing",
        "paused",
        "exited",
        "dead",
        "unhealthy",
        "not_deployed",
        "unknown",
    ),
    "Build": ("Building", "Ok", "Failed", "Unknown"),
    "Repo": ("Cloning", "Pulling", "Building", "Ok", "Failed", "Unknown"),
    "Procedure": ("Running", "Ok", "Failed", "Unknown"),
    "Action": ("Running", "Ok", "Failed", "Unknown"),
    "ResourceSync": ("Syncing", "Pending", "Ok", "Failed", "Unknown"),
}
"""The states of each kind in Komodo's order, which is the order of ``sort_by: State``."""

RUNS: dict[str, tuple[str, ...]] = {
    "Build": ("RunBuild",),
    "Repo": ("CloneRepo", "PullRepo", "BuildRepo"),
    "Procedure": ("RunProcedure",),
    "Action": ("RunAction",),
}
"""The operations whose last Update says whether a resource of the kind is well."""


def flags_of(state: State, kind: str, resource_id: str) -> set[str]:
    """What a resource is doing at this moment."""
    return state.action_states.get((kind, resource_id), set())


def server_state(core: "Core", server: Document) -> str:
    """Disabled, Ok, or NotOk when nobody answers."""
    if not server["config"]["enabled"]:
        return "Disabled"
    return "Ok" if core.agents.of(server) is not None else "NotOk"


def no_connection(core: "Core", server: Document) -> Document:
    """Why Core does not reach an enabled Server: it was refused at the address, or nobody has dialled in."""
    address = server["config"]["address"]
    if not address:
        return {"error": f"Server {server['_id']['$oid']} is not connected", "trace": []}
    url = f"{_websocket_address(address)}/?core={quote(urlsplit(core.settings.host).hostname or '', safe='')}"
    refused = "Connection refused (os error 111)"
    return {"error": f"Failed to connect to websocket | url: {url}", "trace": [f"IO error: {refused}", refused]}


def _websocket_address(address: str) -> str:
    """An address as Core dials it: plain for http and bare IP addresses, with TLS for all else (lib/transport)."""
    for scheme, websocket in (("ws://", "ws://"), ("wss://", "wss://"), ("http://", "ws://"), ("https://", "wss://")):
        if address.startswith(scheme):
            return websocket + address.removeprefix(scheme)
    host = re.sub(r":[0-9]+$", "", address)
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return f"wss://{address}"
    return f"ws://{address}"


def swarm_state(_core: "Core", swarm: Document) -> tuple[str, Document | None]:
    """Unknown with the reason: no recording shows a Swarm whose managers answer."""
    if not swarm["config"]["server_ids"]:
        return "Unknown", {"error": "No servers configured as manager nodes", "trace": []}
    return "Unknown", {"error": "Failed to request from Swarm", "trace": ["No managers connected"]}


def reached_server(core: "Core", config: Document) -> Document | None:
    """The Server on which a Stack or Deployment runs, if it answers; None also in Swarm mode."""
    if config["swarm_id"] or not config["server_id"]:
        return None
    server = core.state.resources["Server"].get(config["server_id"])
    return server if server is not None and server_state(core, server) == "Ok" else None


def stack_state(core: "Core", stack: Document) -> str:
    """The state of a Stack: unknown unless its host answers."""
    if "deploying" in flags_of(core.state, "Stack", stack["_id"]["$oid"]):
        return "deploying"
    server = reached_server(core, stack["config"])
    return core.agents.stack_state(server, stack) if server is not None else "unknown"


def deployment_state(core: "Core", deployment: Document) -> str:
    """The state of a Deployment: unknown unless its host answers."""
    if "deploying" in flags_of(core.state, "Deployment", deployment["_id"]["$oid"]):
        return "deploying"
    server = reached_server(core, deployment["config"])
    return core.agents.deployment_state(server, deployment) if server is not None else "unknown"


def last_runs(state: State, kind: str) -> dict[str, list[Document]]:
    """Of each resource of a kind the Updates of its runs, newest first."""
    operations = frozenset((*RUNS[kind], "CancelBuild") if kind == "Build" else RUNS[kind])
    runs: dict[str, list[Document]] = {}
    for update in state.updates.values():
        if update["operation"] in operations:
            runs.setdefault(update["target"]["id"], []).append(update)
    for found in runs.values():
        found.reverse()  # of those that began in the same ms, the later one counts
        found.sort(key=lambda update: update["start_ts"], reverse=True)
    return runs


def run_state(core: "Core", kind: str, document: Document, runs: Iterable[Document]) -> str:
    """The state of a Build, Repo, Procedure or Action, given the Updates of its runs, newest first."""
    flags = flags_of(core.state, kind, document["_id"]["$oid"])
    busy = {"Build": ("building",), "Repo": ("cloning", "pulling", "building")}.get(kind, ("running",))
    for flag in busy:
        if flag in flags:
            return flag.capitalize()
    ended = list(runs)
    if kind == "Build" and ended and ended[0]["operation"] == "CancelBuild":
        # A cancelled run does not count, the one before it does.
        ended = [update for update in ended if update["operation"] == "RunBuild"][1:]
    ended = [update for update in ended if update["operation"] != "CancelBuild"]
    return "Ok" if not ended or ended[0]["success"] else "Failed"


def sync_state(core: "Core", sync: Document) -> str:
    """The state of a ResourceSync, from what its last refresh found."""
    info = sync["info"]
    if "syncing" in flags_of(core.state, "ResourceSync", sync["_id"]["$oid"]):
        return "Syncing"
    if info["pending_error"] is not None or info["pending_deploy_error"] is not None or info["remote_errors"]:
        return "Failed"
    if any(info[name] for name in ("resource_updates", "variable_updates", "user_group_updates", "pending_deploys")):
        return "Pending"
    return "Ok"
