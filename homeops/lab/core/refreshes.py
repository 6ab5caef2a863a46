"""What Core reads after a Stack, Build or ResourceSync was written, and keeps in its ``info`` (``Refresh...Cache``).

Here is what needs no git and no host; modules that have those put their own function in ``REFRESHES``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from homeops.lab.core.compose_services import NotComposeError, services_of
from homeops.lab.core.executions_logs import error_text
from homeops.lab.core.references import find
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import no_connection, server_state
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

Refresh = Callable[["Core", Document], None]


def refresh_stack(core: "Core", stack: Document) -> None:
    """Read the services of a Stack whose compose text is in Komodo itself; raises Refusal for a Repo that is gone."""
    config, info = stack["config"], stack["info"]
    if config["files_on_host"]:
        return
    if config["linked_repo"]:
        find(core.state, "Repo", config["linked_repo"])
    elif not config["repo"] and config["file_contents"]:
        digests = {service["service_name"]: service["image_digest"] for service in info["latest_services"]}
        try:
            services = services_of([config["file_contents"]], config["project_name"] or stack["name"], digests)
        except NotComposeError:
            services = info["latest_services"]
        stack["info"] = info | {
            "missing_files": [],
            "latest_services": services,
            "remote_contents": None,
            "remote_errors": None,
            "latest_hash": None,
            "latest_message": None,
        }


def refresh_build(core: "Core", build: Document) -> None:
    """Forget the remote file of a Build whose Dockerfile is in Komodo; say why one on a builder cannot be read."""
    config = build["config"]
    error: str | None = None
    if config["files_on_host"]:
        error = error_text(*_unreadable_on_builder(core, config))
    elif config["linked_repo"]:
        find(core.state, "Repo", config["linked_repo"])
        return
    elif config["repo"]:
        return
    build["info"] = build["info"] | {
        "remote_path": None,
        "remote_contents": None,
        "remote_error": error,
        "latest_hash": None,
        "latest_message": None,
    }


def _unreadable_on_builder(core: "Core", config: Document) -> tuple[str, list[str]]:
    """The error and its causes (api/write/build.rs ``get_on_host_periphery``, helpers/builder.rs)."""
    if not config["builder_id"]:
        return "No builder associated with build", []
    try:
        builder = find(core.state, "Builder", config["builder_id"])["config"]
    except Refusal as reason:
        return "Failed to get builder", [reason.error]
    if builder["type"] == "Aws":
        return "Files on host doesn't work with AWS builder", []
    if builder["type"] == "Url":
        if not builder["params"]["address"]:
            return "Builder has not yet configured an address", []
        return "Url Builder failed health check", ["Server is not currently connected"]
    servers: list[str] = builder["params"]["server_ids"]
    if not servers:
        return "Server Builder has no configured Servers", []
    if len(servers) > 1:
        return "Server builder has no available servers", []
    try:
        server = find(core.state, "Server", servers[0])
    except Refusal as reason:
        return reason.error, []
    if server_state(core, server) == "Disabled":
        return "server not enabled", []
    reason = no_connection(core, server)
    return reason["error"], reason["trace"]


REFRESHES: dict[str, Refresh] = {"Stack": refresh_stack, "Build": refresh_build}
"""By kind: brings ``info`` up to date; raises Refusal when it cannot, which does not undo the write."""
