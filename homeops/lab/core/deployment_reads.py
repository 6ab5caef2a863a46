"""Reads of what runs for a Deployment (api/read/deployment.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.references import permitted
from homeops.lab.core.resource_states import deployment_state, reached_server
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@answers("read", "GetDeploymentContainer")
def get_deployment_container(core: "Core", caller: Document, params: Document) -> Any:
    """The state of a Deployment and its container, null while there is none or nobody can tell."""
    deployment = permitted(core, caller, "Deployment", params["deployment"], "Read")
    server = reached_server(core, deployment["config"])
    container = core.agents.container(server, deployment) if server is not None else None
    return {"state": deployment_state(core, deployment), "container": container}
