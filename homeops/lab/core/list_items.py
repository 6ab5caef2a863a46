"""The short form of each kind in ``List...`` (``to_list_item`` in resource/*.rs)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from homeops.lab.core.json_copy import copied
from homeops.lab.core.resource_states import (
    deployment_state,
    last_runs,
    no_connection,
    reached_server,
    run_state,
    server_state,
    stack_state,
    swarm_state,
    sync_state,
)
from homeops.lab.core.schedules import next_run
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_Runs = Mapping[str, list[Document]]


def list_items(core: "Core", kind: str, documents: list[Document]) -> list[Document]:
    """The short forms of some resources of one kind, in their order."""
    info = _INFO[kind]
    runs = last_runs(core.state, kind) if kind in ("Build", "Repo", "Procedure", "Action") else {}
    return [
        {
            "id": document["_id"]["$oid"],
            "type": kind,
            "name": document["name"],
            "template": document["template"],
            "tags": list(document["tags"]),
            "info": copied(info(core, document, runs)),
        }
        for document in documents
    ]


def _server(core: "Core", server: Document, _runs: _Runs) -> Document:
    config = server["config"]
    state = server_state(core, server)
    found: Document = core.agents.server_info(server) if state == "Ok" else {}
    return {
        "state": state,
        "err": no_connection(core, server) if state == "NotOk" else None,
        "stats": found.get("stats"),
        "alerting_thresholds": {
            f"{what}_{level}": config[f"{what}_{level}"]
            for what in ("cpu", "mem", "disk")
            for level in ("warning", "critical")
        },
        "core_count": found.get("core_count"),
        "logical_core_count": found.get("logical_core_count"),
        "region": config["region"],
        "address": config["address"] or None,
        "external_address": config["external_address"] or None,
        "public_ip": found.get("public_ip"),
        **{
            f"send_{what}_alerts": config[f"send_{what}_alerts"]
            for what in ("unreachable", "cpu", "mem", "disk", "version_mismatch")
        },
        "version": found.get("version"),
        "public_key": found.get("public_key"),
        "attempted_public_key": server["info"]["attempted_public_key"] or None,
        "terminals_disabled": found.get("terminals_disabled", True),
        "container_terminals_disabled": found.get("container_terminals_disabled", True),
    }


def _swarm(core: "Core", swarm: Document, _runs: _Runs) -> Document:
    state, error = swarm_state(core, swarm)
    return {"server_ids": swarm["config"]["server_ids"], "state": state, "err": error}


def _stack(core: "Core", stack: Document, _runs: _Runs) -> Document:
    config, info = stack["config"], stack["info"]
    state = stack_state(core, stack)
    server = reached_server(core, config)
    project: Document = core.agents.project(server, stack) if server is not None else {}
    known = state not in ("down", "unknown")
    return {
        **_host(core, config),
        "files_on_host": config["files_on_host"],
        "file_contents": bool(config["file_contents"]),
        **_source(core, config),
        "state": state,
        "status": project.get("status") if known else None,
        "services": [_with_latest(service, info) for service in project.get("services", [])],
        "auto_update_all_services": config["auto_update_all_services"],
        "project_missing": known and project.get("missing", False),
        "missing_files": info["missing_files"],
        "deployed_hash": info["deployed_hash"],
        "latest_hash": info["latest_hash"],
    }


def _with_latest(service: Document, info: Document) -> Document:
    """A service with the image that its newest files name, where that is another than the one that runs."""
    latest = next((known for known in info["latest_services"] if known["service_name"] == service["service"]), None)
    differs = latest is not None and latest["image"] != service["image"]
    return service | {"latest_image": latest["image"] if latest is not None and differs else None}


def _deployment(core: "Core", deployment: Document, _runs: _Runs) -> Document:
    config = deployment["config"]
    server = reached_server(core, config)
    container: Document = (core.agents.container(server, deployment) or {}) if server is not None else {}
    image, build_id = _image(core, config["image"])
    return {
        "state": deployment_state(core, deployment),
        "status": container.get("status"),
        "custom_name": deployment["info"]["deployed_name"] or config["custom_name"],
        "image": container.get("image") or image,
        "update_available": False,
        **_host(core, config),
        "build_id": build_id,
    }


def _image(core: "Core", image: Document) -> tuple[str, str | None]:
    """The reference of an image, and the id of the Build that makes it: empty for one that is gone."""
    params = image["params"]
    if image["type"] == "Image":
        return params["image"], None
    build = core.state.resources["Build"].get(params["build_id"])
    name, build_id = (build["name"], build["_id"]["$oid"]) if build is not None else ("unknown", "")
    version: Document = params["version"]
    if not any(version.values()) and build is not None:
        version = build["config"]["version"]
    return f"{name}:{version['major']}.{version['minor']}.{version['patch']}", build_id


def _build(core: "Core", build: Document, runs: _Runs) -> Document:
    config, info = build["config"], build["info"]
    registries = config["image_registry"]
    return {
        "state": run_state(core, "Build", build, runs.get(build["_id"]["$oid"], ())),
        "last_built_at": info["last_built_at"],
        "version": config["version"],
        "builder_id": config["builder_id"],
        "files_on_host": config["files_on_host"],
        "dockerfile_contents": bool(config["dockerfile"]),
        **_source(core, config),
        "image_registry_domain": (registries[0]["domain"] or None) if registries else None,
        "built_hash": info["built_hash"],
        "latest_hash": info["latest_hash"],
    }


def _repo(core: "Core", repo: Document, runs: _Runs) -> Document:
    config, info = repo["config"], repo["info"]
    server = reached_server(core, config | {"swarm_id": ""})
    cloned: Document = (core.agents.checkout(server, repo) or {}) if server is not None else {}
    return {
        "server_id": config["server_id"],
        "server_name": _name(core, "Server", config["server_id"]),
        "builder_id": config["builder_id"],
        "last_pulled_at": info["last_pulled_at"],
        "last_built_at": info["last_built_at"],
        "git_provider": config["git_provider"],
        "repo": config["repo"],
        "branch": config["branch"],
        "repo_link": _link(config),
        "state": run_state(core, "Repo", repo, runs.get(repo["_id"]["$oid"], ())),
        "cloned_hash": cloned.get("hash"),
        "cloned_message": cloned.get("message"),
        "built_hash": info["built_hash"],
        "latest_hash": info["latest_hash"],
    }


def _scheduled(core: "Core", kind: str, document: Document, runs: _Runs) -> Document:
    ran = runs.get(document["_id"]["$oid"], [])
    at, error = next_run(core, document)
    return {
        "state": run_state(core, kind, document, ran),
        "last_run_at": next((update["start_ts"] for update in ran if update["status"] == "Complete"), None),
        "next_scheduled_run": at,
        "schedule_error": error,
    }


def _procedure(core: "Core", procedure: Document, runs: _Runs) -> Document:
    return {"stages": len(procedure["config"]["stages"]), **_scheduled(core, "Procedure", procedure, runs)}


def _action(core: "Core", action: Document, runs: _Runs) -> Document:
    return _scheduled(core, "Action", action, runs)


def _alerter(_core: "Core", alerter: Document, _runs: _Runs) -> Document:
    return {"enabled": alerter["config"]["enabled"], "endpoint_type": alerter["config"]["endpoint"]["type"]}


def _builder(_core: "Core", builder: Document, _runs: _Runs) -> Document:
    config = builder["config"]
    instance: str | None = None
    if config["type"] == "Server":
        instance = ", ".join(config["params"]["server_ids"])
    elif config["type"] == "Aws":
        instance = config["params"]["instance_type"]
    return {"builder_type": config["type"], "instance_type": instance}


def _sync(core: "Core", sync: Document, _runs: _Runs) -> Document:
    config, info = sync["config"], sync["info"]
    return {
        "last_sync_ts": info["last_sync_ts"],
        "files_on_host": config["files_on_host"],
        "file_contents": bool(config["file_contents"]),
        "managed": config["managed"],
        "resource_path": config["resource_path"],
        **_source(core, config),
        "last_sync_hash": info["last_sync_hash"],
        "last_sync_message": info["last_sync_message"],
        "state": sync_state(core, sync),
    }


def _name(core: "Core", kind: str, resource_id: str) -> str:
    """The name of a resource; empty for none and for one that is gone."""
    document = core.state.resources[kind].get(resource_id)
    return document["name"] if document is not None else ""


def _host(core: "Core", config: Document) -> Document:
    return {
        "swarm_id": config["swarm_id"],
        "swarm_name": _name(core, "Swarm", config["swarm_id"]),
        "server_id": config["server_id"],
        "server_name": _name(core, "Server", config["server_id"]),
    }


def _source(core: "Core", config: Document) -> Document:
    """Where files come from: the Repo that is linked, or the resource's own fields."""
    repo = core.state.resources["Repo"].get(config["linked_repo"])
    source = config if repo is None else repo["config"]
    return {
        "linked_repo": config["linked_repo"],
        "linked_repo_name": "" if repo is None else repo["name"],
        "git_provider": source["git_provider"],
        "repo": source["repo"],
        "branch": source["branch"],
        "repo_link": _link(source),
    }


def _link(source: Document) -> str:
    """The web page of a repository; of a branch only at GitHub."""
    link = f"http{'s' if source['git_https'] else ''}://{source['git_provider']}/{source['repo']}"
    return f"{link}/tree/{source['branch']}" if source["git_provider"] == "github.com" else link


_INFO: dict[str, Callable[["Core", Document, _Runs], Any]] = {
    "Server": _server,
    "Swarm": _swarm,
    "Stack": _stack,
    "Deployment": _deployment,
    "Build": _build,
    "Repo": _repo,
    "Procedure": _procedure,
    "Action": _action,
    "Alerter": _alerter,
    "Builder": _builder,
    "ResourceSync": _sync,
}
