"""Looks at hosts beyond containers: services of all Stacks, images, networks, terminals (api/read/docker.rs)."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from homeops.lab.core.agents import Agent
from homeops.lab.core.containers_requests import stack_services
from homeops.lab.core.dispatch import Handler, answers
from homeops.lab.core.permissions import require
from homeops.lab.core.references import find
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_lists import visible
from homeops.lab.core.resource_queries import found_by_name
from homeops.lab.core.resource_states import no_connection, server_state
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_STOPPED = ("created", "paused", "exited")


def _query(**chosen: Any) -> Document:
    every: Document = {
        "names": [],
        "terms": [],
        "tags": [],
        "tag_behavior": "All",
        "templates": "Include",
        "specific": {},
    }
    return every | chosen


def _named(terms: Sequence[str], name: str) -> bool:
    return all(term.lower() in name.lower() for term in terms)


def _agents(core: "Core", caller: Document) -> Iterable[Agent]:
    for server in visible(core, caller, "Server", found_by_name(core, "Server", _query())):
        agent = core.agents.of(server) if server_state(core, server) == "Ok" else None
        if agent is not None:
            yield agent


@answers("read", "GetContainersSummary")
def get_containers_summary(core: "Core", caller: Document, _params: Document) -> Any:
    """How many containers there are, by what they do."""
    summary = {"total": 0, "running": 0, "stopped": 0, "unhealthy": 0, "unknown": 0}
    for agent in _agents(core, caller):
        for container in agent.containers():
            state = container["state"]
            word = "running" if state == "running" else "stopped" if state in _STOPPED else "unhealthy"
            summary[word if state else "unknown"] += 1
            summary["total"] += 1
    return summary


@answers("read", "ListAllStackServices")
def list_all_stack_services(core: "Core", caller: Document, params: Document) -> Any:
    """The services of several Stacks, or of all."""
    query = _query(names=params["stacks"], tags=params["tags"])
    found = [
        service
        for stack in visible(core, caller, "Stack", found_by_name(core, "Stack", query))
        for service in stack_services(core, stack)
        if (not params["state"] or service["state"] in params["state"]) and _named(params["terms"], service["service"])
    ]
    limit = core.settings.default_pagination_limit if params["limit"] is None else params["limit"]
    return found[limit * params["page"] :][:limit] if limit else found


@answers("read", "ListComposeProjects")
def list_compose_projects(core: "Core", caller: Document, params: Document) -> Any:
    """The compose projects on a Server, whoever deployed them; none while it does not answer."""
    server = require(core, caller, "Server", params["server"], "Read")
    agent = core.agents.of(server) if server_state(core, server) == "Ok" else None
    return agent.projects() if agent is not None else []


@answers("read", "ListNetworks", "ListImages", "ListVolumes")
def list_nothing(core: "Core", caller: Document, params: Document) -> Any:
    """What a host holds beside containers; these hosts tell nothing of it."""
    require(core, caller, "Server", params["server"], "Read")
    return []


def _inspecting(request: str, doing: str, what: str) -> Handler:
    def inspect(core: "Core", caller: Document, params: Document) -> Any:
        server = require(core, caller, "Server", params["server"], "Read")
        state = server_state(core, server)
        if state != "Ok":
            raise Refusal(f"Cannot {doing}: server is {state}")
        missing = f"No such {what}: {params[what]}"
        raise Refusal("Decoded error message over Core-Periphery communication channel", [missing])

    return answers("read", request)(inspect)


for _request, _doing, _what in (
    ("InspectNetwork", "inspect network", "network"),
    ("InspectImage", "inspect image", "image"),
    ("ListImageHistory", "get image history", "image"),
    ("InspectVolume", "inspect volume", "volume"),
):
    _inspecting(_request, _doing, _what)


@answers("read", "GetHistoricalServerStats")
def get_historical_server_stats(core: "Core", caller: Document, params: Document) -> Any:
    """Loads of the past: none are kept here."""
    require(core, caller, "Server", params["server"], "Read")
    return {"stats": [], "next_page": None}


@answers("read", "GetSystemInformation")
def get_system_information(core: "Core", caller: Document, params: Document) -> Any:
    """The machine of a Server: these hosts have none to speak of."""
    try:
        require(core, caller, "Server", params["server"], "Read")
    except Refusal as refusal:
        raise Refusal(refusal.error, refusal.trace, status=400) from None
    raise Refusal("Server status missing system Info. The Server may be disconnected.")


@answers("read", "ListSystemProcesses")
def list_system_processes(core: "Core", caller: Document, params: Document) -> Any:
    """The processes of a host: of these, none are told."""
    dial(core, require(core, caller, "Server", params["server"], "Read", ("Processes",)))
    return []


def dial(core: "Core", server: Document) -> None:
    """Refuse unless the agent of a Server can be spoken to."""
    match server_state(core, server):
        case "Disabled":
            raise Refusal("server not enabled")
        case "NotOk":
            reason = no_connection(core, server)
            raise Refusal(reason["error"], reason["trace"])
        case _:
            return


def _terminal_host(core: "Core", caller: Document, target: Document) -> Document:
    """The Server that a terminal is on, if the caller may use terminals there."""
    place = target["params"]
    if target["type"] in ("Server", "Container"):
        if place["server"] is None:
            raise Refusal("Must provide 'target.params.server'", status=400)
        return require(core, caller, "Server", place["server"], "Read", ("Terminal",))
    resource = require(core, caller, target["type"], place[target["type"].lower()], "Read", ("Terminal",))
    return find(core.state, "Server", resource["config"]["server_id"])


@answers("read", "ListTerminals")
def list_terminals(core: "Core", caller: Document, params: Document) -> Any:
    """The open terminals: these hosts open none. Hosts that do not answer are passed over unless asked for."""
    if params["target"] is not None:
        dial(core, _terminal_host(core, caller, params["target"]))
    return []


@answers("write", "CreateTerminal")
def create_terminal(core: "Core", caller: Document, params: Document) -> Any:
    """A terminal; agents here refuse it, as they may on a real host."""
    target = params["target"]
    if target["type"] == "Stack" and target["params"]["service"] is None:
        raise Refusal("Must provide 'target.params.service'", status=400)
    dial(core, _terminal_host(core, caller, target))
    raise Refusal("Failed to create Server Terminal on Periphery", ["Terminals are disabled in the periphery config"])


@answers("write", "DeleteTerminal")
def delete_terminal(core: "Core", caller: Document, params: Document) -> Any:
    """End a terminal; there may be none of that name."""
    dial(core, _terminal_host(core, caller, params["target"]))
    return {}


@answers("write", "DeleteAllTerminals")
def delete_all_terminals(core: "Core", caller: Document, params: Document) -> Any:
    """End all terminals of a Server."""
    dial(core, require(core, caller, "Server", params["server"], "Read", ("Terminal",)))
    return {}


@answers("write", "BatchDeleteAllTerminals")
def batch_delete_all_terminals(core: "Core", _caller: Document, params: Document) -> Any:
    """End all terminals of several Servers, as far as they answer."""
    found_by_name(core, "Server", params["query"])
    return {}
