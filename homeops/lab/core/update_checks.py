"""Whether newer images exist, and what else hosts are asked by way of writes (api/write/{stack,deployment,server}.rs).

The registries are those of the rehearsal's own hosts; Deployments are never found to be behind.
"""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.agents import AgentFailure
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions import REMOTE_ERROR, agent_for
from homeops.lab.core.executions_batches import batch_targets
from homeops.lab.core.executions_logs import log
from homeops.lab.core.host_reads import dial
from homeops.lab.core.permissions import require
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import server_state
from homeops.lab.core.resources import create
from homeops.lab.core.state import Document
from homeops.lab.core.update_documents import finish, new_update

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@answers("write", "CheckStackForUpdate")
def check_stack_for_update(core: "Core", caller: Document, params: Document) -> Any:
    """The services of a Stack, each with what is known of a newer image."""
    stack = require(core, caller, "Stack", params["stack"], "Execute")
    server, agent = agent_for(core, stack["config"])
    deployed = {service["service_name"]: service["image"] for service in stack["info"]["deployed_services"] or ()}
    stack["info"] = stack["info"] | {
        "latest_services": [
            service | {"image_digest": agent.newest(deployed.get(service["service_name"], service["image"]))}
            for service in stack["info"]["latest_services"]
        ]
    }
    services = core.agents.project(server, stack)["services"]
    if core.agents.stack_state(server, stack) != "running":
        services = [service | {"update_available": False} for service in services]
    return {"stack": stack["_id"]["$oid"], "services": services}


@answers("write", "CheckDeploymentForUpdate")
def check_deployment_for_update(core: "Core", caller: Document, params: Document) -> Any:
    """Whether a Deployment's image has a newer one."""
    deployment = require(core, caller, "Deployment", params["deployment"], "Execute")
    agent_for(core, deployment["config"])
    return {"deployment": deployment["_id"]["$oid"], "update_available": False}


@answers("write", "BatchCheckStackForUpdate")
def batch_check_stack_for_update(core: "Core", caller: Document, params: Document) -> Any:
    """The same of several Stacks; those whose host does not answer are left out."""
    return _each(core, caller, params, "Stack", "CheckStackForUpdate")


@answers("write", "BatchCheckDeploymentForUpdate")
def batch_check_deployment_for_update(core: "Core", caller: Document, params: Document) -> Any:
    """The same of several Deployments."""
    return _each(core, caller, params, "Deployment", "CheckDeploymentForUpdate")


def _each(core: "Core", caller: Document, params: Document, kind: str, request: str) -> list[Any]:
    found = list[Any]()
    for name in batch_targets(core, caller, kind, params):
        try:
            found.append(core.call("write", request, caller, {kind.lower(): name}))
        except Refusal:
            continue
    return found


@answers("write", "CreateNetwork")
def create_network(core: "Core", caller: Document, params: Document) -> Any:
    """A Docker network on a Server. Answers with the Update."""
    server = require(core, caller, "Server", params["server"], "Write")
    dial(core, server)
    target = {"type": "Server", "id": server["_id"]["$oid"]}
    update = new_update(core, "CreateNetwork", target, caller["_id"]["$oid"])
    update["logs"].append(log("Create Network", f"docker network create {params['name']}"))
    return finish(core, update)


@answers("write", "CreateDeploymentFromContainer")
def create_deployment_from_container(core: "Core", caller: Document, params: Document) -> Any:
    """A Deployment that describes a container which runs already."""
    server = require(core, caller, "Server", params["server"], "Read", ("Inspect", "Attach"))
    state = server_state(core, server)
    agent = core.agents.of(server)
    if state != "Ok" or agent is None:
        raise Refusal(f"Cannot inspect container: server is {state}")
    try:
        container = agent.inspect(params["name"])
    except AgentFailure as failure:
        raise Refusal("Failed to inspect container", [REMOTE_ERROR, *failure.causes]) from failure
    known = container["Config"]
    config: Document = {
        "server_id": server["_id"]["$oid"],
        "image": {"type": "Image", "params": {"image": known["Image"]}},
        "command": " ".join(known["Cmd"]),
        "environment": "\n".join(f"  {entry}" for entry in known["Env"]),
        "labels": "\n".join(f"  {name}: {value}" for name, value in known["Labels"].items()),
        "network": container["HostConfig"]["NetworkMode"],
    }
    return create(core, caller, "Deployment", params["name"], config)
