"""Looks into what runs: logs searched, containers of Deployments, whose container it is (api/read/docker.rs)."""

import re
import shlex
from typing import TYPE_CHECKING, Any

from homeops.lab.core.agents import AgentFailure, known_services, project_name
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions import REMOTE_ERROR, agent_for, agent_of
from homeops.lab.core.executions_logs import log
from homeops.lab.core.permissions import require
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_lists import visible
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_MOST_LINES = 5000


def _deployed_name(deployment: Document) -> str:
    return deployment["info"]["deployed_name"].strip() or deployment["config"]["custom_name"].strip()


def _searched(entry: Document, command: str, params: Document) -> Document:
    """A log of those lines that hold the terms: any of them, or all; ``invert``: the others."""
    terms: list[str] = params["terms"]
    together = all if params["combinator"] == "And" else any
    lines: list[str] = (entry["stdout"] + entry["stderr"]).splitlines(keepends=True)
    kept = [line for line in lines if together(term in line for term in terms) != params["invert"]]
    return log("Get container log grep", f"{command} 2>&1 | {_grep(params)}", stdout="".join(kept))


def _grep(params: Document) -> str:
    invert = " -v" if params["invert"] else ""
    if params["combinator"] == "And":
        return f"grep{invert} -P {shlex.quote('^(?=.*' + ')(?=.*'.join(params['terms']) + ')')}"
    return f"grep{invert} -E {shlex.quote('|'.join(params['terms']))}"


def _stamped(params: Document) -> str:
    return " --timestamps" if params["timestamps"] else ""


@answers("read", "SearchContainerLog")
def search_container_log(core: "Core", caller: Document, params: Document) -> Any:
    """What one container wrote, as far as it holds some terms."""
    server = require(core, caller, "Server", params["server"], "Read", ("Logs",))
    _, agent = agent_of(core, server["_id"]["$oid"])
    command = f"logs --tail {_MOST_LINES}{_stamped(params)}"
    return _searched(agent.container(command, params["container"]), f"docker {command} {params['container']}", params)


@answers("read", "SearchStackLog")
def search_stack_log(core: "Core", caller: Document, params: Document) -> Any:
    """What the containers of a Stack wrote, as far as it holds some terms."""
    stack = require(core, caller, "Stack", params["stack"], "Read", ("Logs",))
    _, agent = agent_for(core, stack["config"])
    project = project_name(stack)
    command = f"logs --tail {_MOST_LINES}{_stamped(params)} -- {' '.join(params['services'])}"
    entry = agent.compose(project, command, "Get Stack Log")
    return _searched(entry, f"docker compose -p {project} {command}", params)


@answers("read", "GetDeploymentLog")
def get_deployment_log(core: "Core", caller: Document, params: Document) -> Any:
    """What the container of a Deployment wrote."""
    deployment = require(core, caller, "Deployment", params["deployment"], "Read", ("Logs",))
    _, agent = agent_for(core, deployment["config"])
    lines = min(params["tail"], _MOST_LINES)
    return agent.container(f"logs --tail {lines}{_stamped(params)}", _deployed_name(deployment))


@answers("read", "SearchDeploymentLog")
def search_deployment_log(core: "Core", caller: Document, params: Document) -> Any:
    """What the container of a Deployment wrote, as far as it holds some terms."""
    deployment = require(core, caller, "Deployment", params["deployment"], "Read", ("Logs",))
    _, agent = agent_for(core, deployment["config"])
    name, command = _deployed_name(deployment), f"logs --tail {_MOST_LINES}{_stamped(params)}"
    return _searched(agent.container(command, name), f"docker {command} {name}", params)


@answers("read", "InspectDeploymentContainer")
def inspect_deployment_container(core: "Core", caller: Document, params: Document) -> Any:
    """The container of a Deployment in full."""
    deployment = require(core, caller, "Deployment", params["deployment"], "Read", ("Inspect",))
    if not deployment["config"]["swarm_id"] and not deployment["config"]["server_id"]:
        raise Refusal("InspectDeploymentContainer should not be called for Deployment in Swarm Mode", status=400)
    _, agent = agent_for(core, deployment["config"])
    try:
        return agent.inspect(_deployed_name(deployment))
    except AgentFailure as failure:
        raise Refusal("Failed to inspect container on server", [REMOTE_ERROR, *failure.causes]) from failure


@answers("read", "InspectDeploymentSwarmService")
def inspect_deployment_swarm_service(core: "Core", caller: Document, params: Document) -> Any:
    """The service of a Deployment in a swarm."""
    deployment = require(core, caller, "Deployment", params["deployment"], "Read", ("Logs",))
    _refuse_without_swarm(core, deployment, "InspectDeploymentSwarmService", "Deployment")


@answers("read", "InspectStackSwarmService")
def inspect_stack_swarm_service(core: "Core", caller: Document, params: Document) -> Any:
    """One service of a Stack in a swarm."""
    stack = require(core, caller, "Stack", params["stack"], "Read", ("Inspect",))
    _refuse_without_swarm(core, stack, "InspectStackSwarmService", "Stack")


def _refuse_without_swarm(core: "Core", resource: Document, request: str, kind: str) -> None:
    """No swarm answers here, so this always refuses."""
    config = resource["config"]
    if config["swarm_id"] or config["server_id"]:
        agent_for(core, config)
    raise Refusal(f"{request} should only be called for {kind} in Swarm Mode", status=400)


@answers("read", "GetDeploymentStats")
def get_deployment_stats(core: "Core", caller: Document, params: Document) -> Any:
    """The load of a Deployment's container: agents here do not measure it."""
    deployment = require(core, caller, "Deployment", params["deployment"], "Read")
    if not deployment["config"]["server_id"]:
        raise Refusal("Deployment has no Server attached")
    agent_of(core, deployment["config"]["server_id"])
    missing = f"No stats for container {_deployed_name(deployment)}"
    raise Refusal("failed to get stats from periphery", [REMOTE_ERROR, missing])


@answers("read", "GetResourceMatchingContainer")
def get_resource_matching_container(core: "Core", caller: Document, params: Document) -> Any:
    """Which Deployment or Stack a container of a Server belongs to, by its name."""
    server = require(core, caller, "Server", params["server"], "Read")
    container = params["container"]
    for deployment in core.state.resources["Deployment"].values():
        names = (deployment["info"]["deployed_name"], deployment["config"]["custom_name"])
        if container and container in names:
            return {"resource": {"type": "Deployment", "id": deployment["_id"]["$oid"]}}
    stacks = sorted(core.state.resources["Stack"].values(), key=lambda stack: stack["name"])
    mine = [stack for stack in stacks if stack["config"]["server_id"] == server["_id"]["$oid"]]
    for stack in visible(core, caller, "Stack", mine):
        for service in known_services(stack["info"]):
            if re.fullmatch(f"{service['container_name']}-?[0-9]*", container):
                return {"resource": {"type": "Stack", "id": stack["_id"]["$oid"]}}
    return {"resource": None}
