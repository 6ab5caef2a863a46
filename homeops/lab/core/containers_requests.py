"""The requests that look at containers: of a Server, of a Stack, their logs (api/read/server.rs, api/read/stack.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.agents import Agent, AgentFailure, project_name
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions import REMOTE_ERROR, agent_for, agent_of
from homeops.lab.core.images import tagged
from homeops.lab.core.references import permitted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_lists import visible
from homeops.lab.core.resource_queries import found_by_name
from homeops.lab.core.resource_states import reached_server, server_state
from homeops.lab.core.state import Document
from homeops.lab.core.wide_query import wide_query

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def _shown(server: Document, container: Document) -> Document:
    told = {name: value for name, value in container.items() if name != "labels"}
    return {"server_id": server["_id"]["$oid"], "server_name": server["name"], **told}


def _answering(core: "Core", server: Document) -> Agent | None:
    return core.agents.of(server) if server_state(core, server) == "Ok" else None


@answers("read", "ListContainers")
def list_containers(core: "Core", caller: Document, params: Document) -> Any:
    """The containers of a Server; none while it does not answer."""
    server = permitted(core, caller, "Server", params["server"], "Read")
    agent = _answering(core, server)
    return [_shown(server, container) for container in agent.containers()] if agent else []


@answers("read", "ListAllContainers")
def list_all_containers(core: "Core", caller: Document, params: Document) -> Any:
    """The containers of several Servers, or of all."""
    query = wide_query(names=params.get("servers", ()))
    servers = visible(core, caller, "Server", found_by_name(core, "Server", query))
    wanted: list[str] = params.get("containers", [])
    return [
        _shown(server, container)
        for server in servers
        if (agent := _answering(core, server)) is not None
        for container in agent.containers()
        if not wanted or container["name"] in wanted
    ]


@answers("read", "InspectContainer")
def inspect_container(core: "Core", caller: Document, params: Document) -> Any:
    """One container of a Server in full."""
    server = permitted(core, caller, "Server", params["server"], "Read", ("Inspect",))
    agent = _answering(core, server)
    if agent is None:
        state = server_state(core, server)
        raise Refusal(f"Cannot inspect container: server is {state}")
    return _inspected(agent, params["container"])


@answers("read", "InspectStackContainer")
def inspect_stack_container(core: "Core", caller: Document, params: Document) -> Any:
    """The container of one service of a Stack in full."""
    stack = permitted(core, caller, "Stack", params["stack"], "Read", ("Inspect",))
    server, agent = agent_for(core, stack["config"])
    for service, container in core.agents.stack_containers(server, stack):
        if service["service_name"] == params["service"] and container is not None:
            return _inspected(agent, container["name"])
    raise Refusal(f"No service found matching '{params['service']}'. Was the stack last deployed manually?")


def _inspected(agent: Agent, container: str) -> Document:
    try:
        return agent.inspect(container)
    except AgentFailure as failure:
        raise Refusal(REMOTE_ERROR, list(failure.causes)) from failure


@answers("read", "ListStackServices")
def list_stack_services(core: "Core", caller: Document, params: Document) -> Any:
    """The services of a Stack with their containers; empty while the host does not answer."""
    return stack_services(core, permitted(core, caller, "Stack", params["stack"], "Read"))


def stack_services(core: "Core", stack: Document) -> list[Document]:
    """The services of a Stack by name, each with the container that goes by its name."""
    server = reached_server(core, stack["config"])
    if server is None:
        return []
    found: list[Document] = []
    for service, container in core.agents.stack_containers(server, stack):
        agent = core.agents.of(server)
        image = agent.image(container) if agent and container else None
        found.append(
            {
                "stack_id": stack["_id"]["$oid"],
                "stack_name": stack["name"],
                "service": service["service_name"],
                "image": image["name"] if image else tagged(service["image"]),
                "container": _shown(server, container) if container else None,
                "swarm_service": None,
                "state": container["state"].capitalize() if container else "Unknown",
                "image_digests": image["digests"] if image else None,
            }
        )
    return sorted(found, key=lambda service: service["service"])


@answers("read", "GetStackLog")
def get_stack_log(core: "Core", caller: Document, params: Document) -> Any:
    """What the containers of a Stack wrote."""
    stack = permitted(core, caller, "Stack", params["stack"], "Read", ("Logs",))
    _, agent = agent_for(core, stack["config"])
    timestamps = " --timestamps" if params["timestamps"] else ""
    command = f"logs --tail {params['tail']}{timestamps} -- {' '.join(params['services'])}"
    return agent.compose(project_name(stack), command, "Get Stack Log")


@answers("read", "GetContainerLog")
def get_container_log(core: "Core", caller: Document, params: Document) -> Any:
    """What one container wrote."""
    server = permitted(core, caller, "Server", params["server"], "Read", ("Logs",))
    _, agent = agent_of(core, server["_id"]["$oid"])
    timestamps = " --timestamps" if params["timestamps"] else ""
    return agent.container(f"logs --tail {params['tail']}{timestamps}", params["container"])


@answers("read", "GetPeripheryInformation")
def get_periphery_information(core: "Core", caller: Document, params: Document) -> Any:
    """What the agent of a Server says of itself."""
    server = permitted(core, caller, "Server", params["server"], "Read")
    agent = _answering(core, server)
    if agent is None:
        raise Refusal("Server status missing Periphery Info. The Server may be disconnected.")
    known = agent.information()
    return {
        "version": known["version"],
        "public_key": known["public_key"],
        "terminals_disabled": known["terminals_disabled"],
        "container_terminals_disabled": known["container_terminals_disabled"],
        "stats_polling_rate": "5-sec",
        "docker_connected": True,
        "public_ip": known["public_ip"],
    }


@answers("read", "GetSystemStats")
def get_system_stats(core: "Core", caller: Document, params: Document) -> Any:
    """The load of a Server."""
    server = permitted(core, caller, "Server", params["server"], "Read")
    agent = _answering(core, server)
    if agent is None:
        raise Refusal("server stats not available")
    return agent.information()["stats"]
