"""Builds: RunBuild and CancelBuild (api/execute/build.rs)."""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from homeops.lab.core.agents import Agent, RepoOrder
from homeops.lab.core.executions import (
    RUNNING,
    Run,
    Steps,
    agent_of,
    error_and_trace,
    executes,
    perform,
    service_user,
)
from homeops.lab.core.executions_alerts import send_alert
from homeops.lab.core.executions_batches import DEFAULTS
from homeops.lab.core.executions_interpolation import interpolated, values
from homeops.lab.core.executions_logs import error_log, log, succeeded
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.repositories_refresh import git_token
from homeops.lab.core.resource_states import deployment_state
from homeops.lab.core.state import Document
from homeops.lab.core.toml_export import version_text
from homeops.lab.core.update_documents import finish

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_REFRESH_SECONDS = 0.06
_TEXTS = ("build_args", "secret_args", "labels", "pre_build", "dockerfile", "extra_args")


@executes("RunBuild", "Build", "build")
def run_build(run: Run) -> Steps:
    """Build on the builder; the version counts up, and is kept only when the build worked."""
    build = run.resource()
    config = build["config"]
    before: Document = config["version"]
    if config["linked_repo"] and not config["files_on_host"]:
        find(run.core.state, "Repo", config["linked_repo"])
    if not config["builder_id"]:
        raise Refusal("Must attach builder to RunBuild")
    run.busy("building")
    if config["auto_increment_version"]:
        config["version"] = before | {"patch": before["patch"] + 1}
    run.update["version"] = config["version"]
    run.save()
    for registry in config["image_registry"]:
        if registry["domain"] and not registry["account"]:
            raise Refusal(f"Must attach account to use registry provider {registry['domain']}")
    RUNNING[id(run.core), run.target] = run
    run.afterwards.append(partial(_refresh, run))
    yield
    try:
        _build(run, build, before)
    finally:
        RUNNING.pop((id(run.core), run.target), None)
    if succeeded(run.update["logs"]) and not run.abandoned:
        _redeploy(run)
    elif not run.abandoned:
        data = {"id": run.target, "name": build["name"], "version": config["version"]}
        send_alert(run.core, "WARNING", run.update["target"], "BuildFailed", data)


def _refresh(run: Run) -> None:
    """Look at the sources again, a moment after the build was complete."""
    run.core.clock.sleep(_REFRESH_SECONDS)
    with suppress(Refusal):
        run.core.call("write", "RefreshBuildCache", run.caller, {"build": run.target})


def _build(run: Run, build: Document, before: Document) -> None:
    core, config = run.core, build["config"]
    try:
        with core.state.lock:
            agent = _builder_agent(core, config["builder_id"])
    except Refusal as reason:
        error, trace = error_and_trace(reason)
        run.log(error_log("Get Builder", "Failed to get Builder", [error, *trace]))
        return
    replacers: list[tuple[str, str]] = []
    if not config["skip_secret_interp"]:
        variables, secrets = values(core)
        variables["$VERSION"] = version_text(before)
        config, replacers = interpolated(config, _TEXTS, variables, secrets, run.update["logs"])
    logs, done = agent.build(build | {"config": config}, _source(core, build), replacers)
    if run.abandoned:
        return
    run.update["logs"] += logs
    if done.hash:
        run.update["commit_hash"] = done.hash
    if succeeded(run.update["logs"]):
        with run.document() as stored:
            stored["config"] = stored["config"] | {"version": build["config"]["version"]}
            stored["info"] = stored["info"] | {
                "last_built_at": core.now(),
                "built_hash": done.hash or "",
                "built_message": done.message,
            }


def _builder_agent(core: "Core", builder_id: str) -> Agent:
    builder = find(core.state, "Builder", builder_id)
    config = builder["config"]
    if config["type"] != "Server":
        raise Refusal(f"{config['type']} builders are not part of the rehearsal")
    servers: list[str] = config["params"]["server_ids"]
    if not servers:
        raise Refusal("Server Builder has no configured Servers")
    refusal = Refusal("Server builder has no available servers")
    for server_id in servers:
        try:
            return agent_of(core, server_id)[1]
        except Refusal as reason:
            refusal = reason
    raise refusal


def _source(core: "Core", build: Document) -> RepoOrder | None:
    config = build["config"]
    if config["files_on_host"]:
        return None
    if config["linked_repo"]:
        repo = copied(find(core.state, "Repo", config["linked_repo"]))
    elif config["repo"]:
        repo = {"name": build["name"], "config": config}
    else:
        return None
    return RepoOrder(repo, git_token(core, repo["config"]["git_provider"], repo["config"]["git_account"]))


def _redeploy(run: Run) -> None:
    """Deploy what runs an image of the Build and wants to follow it."""
    core = run.core
    with core.state.lock:
        names = [
            document["name"]
            for document in core.state.resources["Deployment"].values()
            if document["config"]["redeploy_on_build"]
            and document["config"]["image"]["type"] == "Build"
            and document["config"]["image"]["params"]["build_id"] == run.target
            and deployment_state(core, document) == "running"
        ]

    def deploy() -> None:
        for name in names:
            try:
                perform(core, service_user(4), "Deploy", DEFAULTS["Deploy"] | {"deployment": name})
            except Refusal:
                continue

    if names:
        core.background(deploy)


@executes("CancelBuild", "Build", "build")
def cancel_build(run: Run) -> Steps:
    """End a build that runs; what it left is not kept."""
    run.resource()
    running = RUNNING.pop((id(run.core), run.target), None)
    yield
    if running is None:
        raise Refusal("No build in progress")
    run.log(log("Cancel acknowledged", stdout="The build cancellation has been queued, it may still take some time."))
    running.abandon()
    running.log(error_log("Build Cancelled", "User cancelled build during image build step"))
    running.update["logs"][-1]["stderr"] = "User cancelled build during image build step"
    finish(run.core, running.update)
