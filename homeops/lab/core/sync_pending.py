"""What a ResourceSync has pending, and the requests around its files (api/write/sync.rs)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeops.lab.core.answer import Dropped
from homeops.lab.core.checkouts import remote_of
from homeops.lab.core.dispatch import answers
from homeops.lab.core.executions import service_user
from homeops.lab.core.executions_logs import error_text, log, succeeded
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find, permitted
from homeops.lab.core.refreshes import REFRESHES
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.repositories_refresh import checked_out, git_token
from homeops.lab.core.state import Document
from homeops.lab.core.sync_changes import VIEW_ORDER, changes
from homeops.lab.core.sync_deploys import due_deploys
from homeops.lab.core.sync_entities import group_views, variable_views
from homeops.lab.core.sync_remote import Remote, read_remote, sync_directory
from homeops.lab.core.update_documents import finish, new_update

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_NOTHING: Document = {
    "resource_updates": [],
    "variable_updates": [],
    "user_group_updates": [],
    "pending_deploys": [],
    "pending_error": None,
    "pending_deploy_error": None,
}


def refresh_sync(core: "Core", sync: Document) -> None:
    """Read the files of a sync and keep in its info what they would change; raises Refusal for a Repo that is gone."""
    config = sync["config"]
    configured = config["managed"] or config["files_on_host"] or config["file_contents"] or config["repo"]
    if not configured and not config["linked_repo"]:
        return
    remote = read_remote(core, sync)
    pending = copied(_NOTHING)
    if remote.errors:
        pending["pending_error"] = error_text("Remote resources have errors. Cannot compute diffs.")
    elif remote.failure is not None:
        pending["pending_error"] = error_text(*remote.failure)
    else:
        pending |= _pending(core, config, remote)
    sync["info"] = sync["info"] | {
        "remote_contents": remote.files,
        "remote_errors": remote.errors,
        "pending_hash": remote.hash,
        "pending_message": remote.message,
        **pending,
    }


def _pending(core: "Core", config: Document, remote: Remote) -> Document:
    state, declared = core.state, remote.declared
    delete = config["managed"] or config["delete"]
    found: Document = {}
    if config["include_resources"]:
        stored = {
            (kind, document["name"]): document
            for kind in ("Deployment", "Stack")
            for document in state.resources[kind].values()
        }
        found["pending_deploys"] = [due.view() for due in due_deploys(core, declared, stored)]
        found["resource_updates"] = [
            change.view(state)
            for kind in VIEW_ORDER
            for change in changes(state, kind, declared.resources[kind], delete=delete, match_tags=config["match_tags"])
            if change.visible
        ]
    if config["include_variables"]:
        found["variable_updates"] = variable_views(state, declared.variables, delete=delete)
    if config["include_user_groups"]:
        found["user_group_updates"] = group_views(state, declared.user_groups, delete=delete)
    return found


REFRESHES["ResourceSync"] = refresh_sync


@answers("write", "RefreshResourceSyncPending")
def refresh_pending(core: "Core", caller: Document, params: Document) -> Any:
    """Look again what is pending; what goes wrong stands in the answer's info."""
    sync = permitted(core, caller, "ResourceSync", params["sync"], "Execute")
    if sync["config"]["linked_repo"] and not sync["config"]["files_on_host"]:
        find(core.state, "Repo", sync["config"]["linked_repo"])
    try:
        refresh_sync(core, sync)
    except RecursionError as circle:
        # Running stacks that come after each other: the stack of Core's process overflows.
        raise Dropped from circle
    return copied(sync)


@answers("write", "CommitSync")
def commit_sync(core: "Core", caller: Document, params: Document) -> Any:
    """Write everything that there is to where the sync reads it; the Update."""
    sync = permitted(core, caller, "ResourceSync", params["sync"], "Write")
    config = sync["config"]
    source = config
    if config["linked_repo"] and not config["files_on_host"]:
        source = find(core.state, "Repo", config["linked_repo"])["config"]
    elsewhere = config["files_on_host"] or source["repo"]
    if not config["managed"] and (elsewhere or config["file_contents"].strip()):
        raise Refusal("Cannot commit to sync. Enabled 'managed' mode.")
    path = _committed_path(config) if elsewhere else ""
    remote = read_remote(core, sync)
    existing = {f"{kind.lower()}s": declared for kind, declared in remote.declared.resources.items()}
    toml: str = core.call(
        "read",
        "ExportAllResourcesToToml",
        service_user(5),
        {
            "include_resources": config["include_resources"],
            "tags": config["match_tags"],
            "include_variables": config["include_variables"],
            "include_user_groups": config["include_user_groups"],
            "existing": existing,
        },
    )["toml"]
    target = {"type": "ResourceSync", "id": sync["_id"]["$oid"]}
    update = new_update(core, "CommitSync", target, caller["_id"]["$oid"])
    update["logs"].append(log("Resources", stdout=toml))
    if config["files_on_host"]:
        update["logs"].append(_write(sync_directory(core, sync) / path, toml))
    elif source["repo"]:
        update["logs"] += _commit(core, source, path, toml)
    else:
        sync["config"] = config | {"file_contents": toml}
    refresh_sync(core, sync)
    return finish(core, update)


def _committed_path(config: Document) -> str:
    if not config["resource_path"]:
        raise Refusal("Sync does not have resource path configured.")
    path: str = config["resource_path"][0]
    if Path(path).suffix != ".toml":
        raise Refusal("Resource path missing '.toml' extension")
    return path


def _write(path: Path, toml: str) -> Document:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(toml)
    return log("Write contents", stdout=f'File contents written to "{path}"')


def _commit(core: "Core", source: Document, path: str, toml: str) -> list[Document]:
    done, directory = checked_out(core, source)
    if not succeeded(done.logs):
        return done.logs
    remote = remote_of(source, git_token(core, source["git_provider"], source["git_account"]))
    return [*done.logs, *core.agents.repositories.commit_file(remote, directory, path, toml, "Commit Sync")]


@answers("write", "WriteSyncFileContents")
def write_sync_file_contents(core: "Core", caller: Document, params: Document) -> Any:
    """Write one file of a sync; the Update."""
    sync = permitted(core, caller, "ResourceSync", params["sync"], "Write")
    config = sync["config"]
    source = config
    if config["linked_repo"] and not config["files_on_host"]:
        source = find(core.state, "Repo", config["linked_repo"])["config"]
    if not config["files_on_host"] and not source["repo"]:
        raise Refusal("This method is only for 'files on host' or 'repo' based syncs.")
    target = {"type": "ResourceSync", "id": sync["_id"]["$oid"]}
    update = new_update(core, "WriteSyncContents", target, caller["_id"]["$oid"])
    path = str(Path(params["resource_path"]) / params["file_path"])
    if config["files_on_host"]:
        update["logs"].append(_write(sync_directory(core, sync) / path, params["contents"]))
    else:
        update["logs"] += _commit(core, source, path, params["contents"])
    refresh_sync(core, sync)
    return finish(core, update)
