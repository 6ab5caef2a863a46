"""What has to follow when a Deployment or Repo is renamed: its container, its directory (api/write/*.rs)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from homeops.lab.core.executions_logs import error_log, log
from homeops.lab.core.references import find
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import deployment_state, flags_of, no_connection, server_state
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

Follow = Callable[[str, Document], None]
"""Takes the name before and the Update, after the new name is stored."""


def follower(core: "Core", kind: str, document: Document) -> Follow | None:
    """What is to be done once the new name is stored, None where nothing is.

    Raises Refusal where a rename cannot be followed.
    """
    if kind == "Deployment":
        return _container(core, document)
    if kind == "Repo" and document["config"]["server_id"] and not document["config"]["path"]:
        return _directory(core, document)
    return None


def _refuse_busy(core: "Core", kind: str, document: Document) -> None:
    if flags_of(core.state, kind, document["_id"]["$oid"]):
        raise Refusal("Resource is busy")


def _container(core: "Core", deployment: Document) -> Follow | None:
    """The container goes by the name unless it has one of its own; a service keeps its name until the next deploy."""
    _refuse_busy(core, "Deployment", deployment)
    config, info = deployment["config"], deployment["info"]
    state = deployment_state(core, deployment)
    if config["custom_name"].strip() or state == "not_deployed":
        return None
    if config["server_id"]:
        if state == "unknown":
            raise Refusal("Cannot rename Deployment when container status is unknown")

        def follow(before: str, update: Document) -> None:
            server = find(core.state, "Server", config["server_id"])
            old = deployment | {"name": before}
            update["logs"].append(core.agents.rename_container(server, old, deployment["name"]))
            deployment["info"] = info | {"deployed_name": deployment["name"]}

        return follow
    if config["swarm_id"] and not info["deployed_name"]:

        def pin(before: str, update: Document) -> None:
            deployment["info"] = info | {"deployed_name": before.strip()}
            told = (
                f"Swarm services cannot be renamed, so the current service name '{before.strip()}' stays in use until "
                "the next deploy recreates the service under the new name."
            )
            update["logs"].append(log("Pin Service Name", stdout=told))

        return pin
    return None


def _directory(core: "Core", repo: Document) -> Follow:
    """The directory of a Repo on its host; when the host is disabled the rename fails, but the name is stored."""
    _refuse_busy(core, "Repo", repo)

    def follow(before: str, update: Document) -> None:
        server = find(core.state, "Server", repo["config"]["server_id"])
        match server_state(core, server):
            case "Disabled":
                raise Refusal("server not enabled")
            case "Ok":
                entry = core.agents.rename_repo(server, repo | {"name": before}, repo["name"])
            case _:
                reason = no_connection(core, server)
                causes = [reason["error"], *reason["trace"]]
                context = "Failed to rename Repo directory on Server"
                entry = error_log("Rename Repo directory failure", context, causes)
        update["logs"].append(entry)

    return follow
