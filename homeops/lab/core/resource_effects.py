"""What else happens when a resource is written or deleted (``post_create``, ``pre_delete``, ... in resource/*.rs)."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from homeops.lab.core.alerts import note_servers, resolve_alerts
from homeops.lab.core.executions_logs import error_log
from homeops.lab.core.references import find
from homeops.lab.core.refreshes import REFRESHES
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import deployment_state, flags_of, no_connection, server_state, stack_state
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_REFRESH_FAILURES = {
    "Stack": (
        "Refresh stack cache",
        "The stack cache has failed to refresh. This may be due to a misconfiguration of the Stack",
    ),
    "Build": (
        "Refresh build cache",
        "The build cache has failed to refresh. This may be due to a misconfiguration of the Build",
    ),
    "ResourceSync": (
        "Refresh sync pending",
        "The sync pending cache has failed to refresh. This is likely due to a misconfiguration of the sync",
    ),
}


def after_write(core: "Core", kind: str, document: Document, update: Document) -> None:
    """Look at a resource that was created or changed; a failure is logged in the Update and nothing else."""
    if kind == "Server":
        note_servers(core)
    refresh = REFRESHES.get(kind)
    if refresh is None:
        return
    try:
        refresh(core, document)
    except Refusal as reason:
        stage, context = _REFRESH_FAILURES[kind]
        update["logs"].append(error_log(stage, context, [reason.error, *reason.trace]))


def before_delete(core: "Core", kind: str, document: Document, update: Document) -> None:
    """Take down what a resource runs and take its id from those that refer to it; raises Refusal to keep it."""
    clean = _BEFORE_DELETE.get(kind)
    if clean is not None:
        clean(core, document, update)


def after_delete(core: "Core", kind: str, document: Document) -> None:
    """Forget a resource that is gone: permissions on it, who viewed it last, alerters that named it."""
    state, gone = core.state, {"type": kind, "id": document["_id"]["$oid"]}
    state.permissions[:] = [permission for permission in state.permissions if permission["resource_target"] != gone]
    for user in state.users.values():
        viewed = user["recents"].get(kind)
        if viewed:
            viewed[:] = [seen for seen in viewed if seen != gone["id"]]
    for alerter in state.resources["Alerter"].values():
        for name in ("resources", "except_resources"):
            targets = alerter["config"][name]
            if gone in targets:
                alerter["config"] |= {name: [target for target in targets if target != gone]}
    state.action_states.pop((kind, gone["id"]), None)


def _clear(core: "Core", kinds: tuple[str, ...], name: str, gone: str) -> None:
    for kind in kinds:
        for document in core.state.resources[kind].values():
            if document["config"][name] == gone:
                document["config"] = document["config"] | {name: ""}


def _server(core: "Core", server: Document, _update: Document) -> None:
    """Swarms and Builders keep the id: Core looks for it under a name that they no longer use."""
    gone = server["_id"]["$oid"]
    _clear(core, ("Deployment", "Stack", "Repo"), "server_id", gone)
    resolve_alerts(core, "Server", gone)
    for key in core.state.onboarding_keys.values():
        key["onboarded"] = [server_id for server_id in key["onboarded"] if server_id != gone]
        if key["copy_server"] == gone:
            key["copy_server"] = ""


def _builder(core: "Core", builder: Document, _update: Document) -> None:
    _clear(core, ("Build", "Repo"), "builder_id", builder["_id"]["$oid"])


def _sync(core: "Core", sync: Document, _update: Document) -> None:
    resolve_alerts(core, "ResourceSync", sync["_id"]["$oid"])


@contextmanager
def _destroying(core: "Core", kind: str, document: Document) -> Generator[None]:
    """While a host stops containers, others get their answers; but nobody else touches this one."""
    key = (kind, document["_id"]["$oid"])
    core.state.action_states[key] = flags_of(core.state, *key) | {"destroying"}
    try:
        with core.state.lock.released():
            yield
    finally:
        core.state.action_states[key] = flags_of(core.state, *key) - {"destroying"}


def _stack(core: "Core", stack: Document, update: Document) -> None:
    if stack_state(core, stack) in ("down", "unknown"):
        return
    server = find(core.state, "Server", stack["config"]["server_id"])
    with _destroying(core, "Stack", stack):
        entry = core.agents.take_down(server, stack)
    update["logs"].append(entry)


def _deployment(core: "Core", deployment: Document, update: Document) -> None:
    if deployment_state(core, deployment) in ("not_deployed", "unknown"):
        return
    server = find(core.state, "Server", deployment["config"]["server_id"])
    with _destroying(core, "Deployment", deployment):
        entry = core.agents.remove_container(server, deployment)
    update["logs"].append(entry)


def _repo(core: "Core", repo: Document, update: Document) -> None:
    """Files on a host that does not answer stay there; a disabled or deleted host keeps the Repo alive."""
    if not repo["config"]["server_id"]:
        return
    server = find(core.state, "Server", repo["config"]["server_id"])
    match server_state(core, server):
        case "Disabled":
            raise Refusal("server not enabled")
        case "Ok":
            update["logs"].append(core.agents.delete_repo(server, repo))
        case _:
            reason = no_connection(core, server)
            causes = [reason["error"], *reason["trace"]]
            update["logs"].append(error_log("Delete Repo on Periphery", "Failed to delete repo files", causes))


_BEFORE_DELETE: dict[str, Callable[["Core", Document, Document], None]] = {
    "Server": _server,
    "Builder": _builder,
    "ResourceSync": _sync,
    "Stack": _stack,
    "Deployment": _deployment,
    "Repo": _repo,
}
