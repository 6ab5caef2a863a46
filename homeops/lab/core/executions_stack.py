"""Executions of Stacks (api/execute/stack.rs, stack/execute.rs)."""

import shlex
from typing import TYPE_CHECKING

from homeops.lab.core.agents import Deployed, StackOrder, project_name
from homeops.lab.core.agents_stacks import STACK_TEXTS
from homeops.lab.core.executions import (
    Run,
    Steps,
    agent_for,
    executes,
    perform,
)
from homeops.lab.core.executions_interpolation import interpolated, values
from homeops.lab.core.json_copy import copied
from homeops.lab.core.references import find
from homeops.lab.core.repositories_refresh import git_token, refresh_stack_files
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def stack_order(core: "Core", stack: Document, services: list[str], logs: list[Document] | None = None) -> StackOrder:
    """A Stack as its agent is to have it: linked Repo and token with it, Core's variables and secrets filled in."""
    config, repo = stack["config"], None
    if config["linked_repo"] and not config["files_on_host"]:
        repo = copied(find(core.state, "Repo", config["linked_repo"]))
    source = repo["config"] if repo else config
    token = git_token(core, source["git_provider"], source["git_account"])
    if config["skip_secret_interp"]:
        return StackOrder(stack, repo, token, services)
    variables, secrets = values(core)
    config, replacers = interpolated(config, STACK_TEXTS, variables, secrets, logs)
    return StackOrder(stack | {"config": config}, repo, token, services, replacers)


@executes("DeployStack", "Stack", "stack")
def deploy_stack(run: Run) -> Steps:
    """Bring a Stack up, and keep in its info what was deployed."""
    stack = run.resource()
    agent = run.agent(stack["config"])
    if stack["config"]["linked_repo"] and not stack["config"]["files_on_host"]:
        find(run.core.state, "Repo", stack["config"]["linked_repo"])
    run.busy("deploying")
    yield
    run.note_services()
    order = stack_order(run.core, stack, run.params["services"], run.update["logs"])
    result = run.ask(agent, lambda: agent.deploy(order))
    run.update["logs"] += result.logs
    if run.abandoned:
        return
    with run.core.state.lock:
        # Core stores the result under the name that the Stack had at the start (a rename meanwhile loses it).
        for stored in run.core.state.resources["Stack"].values():
            if stored["name"] == stack["name"]:
                stored["info"] = deployed_info(stack, result)


def deployed_info(stack: Document, result: Deployed) -> Document:
    """The info of a Stack after a deploy was tried; ``deployed_*`` are those of the last that worked."""
    info, own_text = stack["info"], bool(stack["config"]["file_contents"])
    services = result.services or info["latest_services"]
    info = info | {
        "missing_files": result.missing_files,
        "deployed_project_name": project_name(stack, fresh=True),
        "latest_services": services,
        "remote_contents": None if own_text else result.files,
        "remote_errors": None if own_text else result.remote_errors,
        "latest_hash": result.commit_hash,
        "latest_message": result.commit_message,
    }
    if not result.deployed:
        return info
    return info | {
        "deployed_services": services,
        "deployed_contents": [{"path": file["path"], "contents": file["contents"]} for file in result.files],
        "deployed_config": result.merged_config,
        "deployed_hash": result.commit_hash,
        "deployed_message": result.commit_message,
    }


@executes("DeployStackIfChanged", "Stack", "stack")
def deploy_stack_if_changed(run: Run) -> Steps:
    """Refresh what is known of the files, then deploy or restart what their differences ask for."""
    stack = run.resource()
    yield
    core, caller = run.core, run.caller
    with core.state.lock:
        stored = find(core.state, "Stack", run.target)
        refresh_stack_files(core, stored)
        stack = copied(stored)
    deploy, restart = changed_services(stack)
    whole: Document = {"stack": stack["name"], "services": [], "stop_time": None}
    if deploy is None:
        run.outcome = perform(core, caller, "DeployStack", whole)
        return
    if restart is not None and not restart and not deploy:
        return
    if deploy:
        done = perform(core, caller, "DeployStack", whole | {"services": deploy})
        if restart and done["success"]:
            done = perform(core, caller, "RestartStack", {"stack": stack["name"], "services": restart})
        run.outcome = done
        return
    _pull_before_restart(run, stack)
    done = perform(core, caller, "RestartStack", {"stack": stack["name"], "services": restart or []})
    run.outcome = done
    if done["success"]:
        contents = [{"path": file["path"], "contents": file["contents"]} for file in stack["info"]["remote_contents"]]
        with run.document() as document:
            document["info"] = document["info"] | {"deployed_contents": contents}


def changed_services(stack: Document) -> tuple[list[str] | None, list[str] | None]:
    """What to deploy and what to restart: services, or None for all; empty lists for nothing.

    A restart of all comes as ``([], None)``.
    """
    info = stack["info"]
    deployed, latest = info["deployed_contents"], info["remote_contents"]
    if deployed is None:
        return None, []
    known = {file["path"]: file["contents"] for file in deployed}
    deploy: list[str] = []
    restart: list[str] = []
    all_restart = False
    files: list[Document] = latest or []
    for file in files:
        if file["path"] not in known:
            return None, []
        if known[file["path"]] == file["contents"]:
            continue
        wanted: tuple[str, list[str]] = file["requires"], file["services"]
        match wanted:
            case "Redeploy", []:
                return None, []
            case "Redeploy", list(services):
                deploy += [name for name in services if name not in deploy]
            case "Restart", []:
                all_restart = True
            case "Restart", list(services):
                restart += [name for name in services if name not in restart]
            case _:
                pass
    if all_restart and not deploy:
        return [], None
    if all_restart:
        names = [service["service_name"] for service in info["latest_services"]]
        restart = [name for name in names if name not in deploy]
    return deploy, restart


def _pull_before_restart(run: Run, stack: Document) -> None:
    """A restart needs the newest files on the host, which only a deploy or a pull brings there."""
    config = stack["config"]
    if config["files_on_host"] or not (config["repo"] or config["linked_repo"]):
        return
    _, agent = agent_for(run.core, config)
    agent.pull(stack_order(run.core, stack, []))


@executes("PullStack", "Stack", "stack")
def pull_stack(run: Run) -> Steps:
    """Bring the files up to date and pull the images."""
    stack = run.resource()
    agent = run.agent(stack["config"], "PullStack should not be called for Stack in Swarm Mode")
    run.busy("pulling")
    yield
    run.note_services()
    order = stack_order(run.core, stack, run.params["services"], run.update["logs"])
    run.update["logs"] += run.ask(agent, lambda: agent.pull(order))


def _compose(run: Run, flag: str, command: str) -> Steps:
    stack = run.resource()
    refusal = "Compose executions (Start, Stop, Restart) should not be called for Stack in Swarm Mode"
    agent = run.agent(stack["config"], refusal)
    run.busy(flag)
    yield
    run.note_services()
    services = "".join(f" {name}" for name in run.params["services"])
    run.log(run.ask(agent, lambda: agent.compose(project_name(stack), f"{command}{services}")))


def _timeout(run: Run) -> str:
    seconds = run.params.get("stop_time")
    return "" if seconds is None else f" --timeout {seconds}"


@executes("StartStack", "Stack", "stack")
def start_stack(run: Run) -> Steps:
    """``docker compose start``."""
    return _compose(run, "starting", "start")


@executes("RestartStack", "Stack", "stack")
def restart_stack(run: Run) -> Steps:
    """``docker compose restart``."""
    return _compose(run, "restarting", "restart")


@executes("PauseStack", "Stack", "stack")
def pause_stack(run: Run) -> Steps:
    """``docker compose pause``."""
    return _compose(run, "pausing", "pause")


@executes("UnpauseStack", "Stack", "stack")
def unpause_stack(run: Run) -> Steps:
    """``docker compose unpause``."""
    return _compose(run, "unpausing", "unpause")


@executes("StopStack", "Stack", "stack")
def stop_stack(run: Run) -> Steps:
    """``docker compose stop``."""
    return _compose(run, "stopping", f"stop{_timeout(run)}")


@executes("DestroyStack", "Stack", "stack")
def destroy_stack(run: Run) -> Steps:
    """``docker compose down``."""
    orphans = " --remove-orphans" if run.params["remove_orphans"] else ""
    return _compose(run, "destroying", f"down{_timeout(run)}{orphans}")


@executes("RunStackService", "Stack", "stack")
def run_stack_service(run: Run) -> Steps:
    """``docker compose run`` of one service; its exit code decides."""
    stack = run.resource()
    refusal = "RunStackService should not be called for Stack in Swarm Mode"
    agent = run.agent(stack["config"], refusal)
    run.busy("deploying")
    yield
    order = stack_order(run.core, stack, [], run.update["logs"])
    run.log(run.ask(agent, lambda: agent.run_service(order, _run_command(run.params))))


def _run_command(params: Document) -> str:
    flags = ["--rm"]
    flags += [flag for key, flag in (("detach", "-d"), ("no_tty", "--no-tty"), ("no_deps", "--no-deps")) if params[key]]
    if params["service_ports"]:
        flags.append("--service-ports")
    for key, flag in (("workdir", "--workdir"), ("user", "--user"), ("entrypoint", "--entrypoint")):
        if params[key]:
            flags.append(f"{flag} {shlex.quote(params[key])}")
    environment: dict[str, str] = params["env"] or {}
    words: list[str] = params["command"] or []
    flags += [f"-e {shlex.quote(f'{name}={value}')}" for name, value in environment.items()]
    command = [shlex.quote(word) for word in words]
    return " ".join([*flags, "--", shlex.quote(params["service"]), *command])
