"""Executions on the containers, networks, images and volumes of a Server (api/execute/server.rs)."""

from collections.abc import Callable
from dataclasses import dataclass

from homeops.lab.core.agents import Agent, AgentFailure
from homeops.lab.core.executions import REMOTE_ERROR, Run, Steps, executes
from homeops.lab.core.executions_logs import error_log, log, succeeded
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.resource_states import no_connection, server_state
from homeops.lab.core.state import Document


@dataclass(frozen=True, slots=True)
class _Verb:
    """What is done to containers, in the words of Docker, of action states and of people."""

    docker: str
    flag: str
    word: str
    done: str


_VERBS = {
    "Start": _Verb("start", "starting_containers", "start", "started"),
    "Restart": _Verb("restart", "restarting_containers", "restart", "restarted"),
    "Pause": _Verb("pause", "pausing_containers", "pause", "paused"),
    "Unpause": _Verb("unpause", "unpausing_containers", "unpause", "unpaused"),
    "Stop": _Verb("stop", "stopping_containers", "stop", "stopped"),
    "Destroy": _Verb("rm", "destroying_containers", "remove", "removed"),
}


def _asked(run: Run, server: Document, stage: str, told: str, work: Callable[[Agent], Document]) -> Document:
    """What the agent of a Server did; its refusal, or that nobody answers, is a failed entry."""
    state = server_state(run.core, server)
    agent = run.core.agents.of(server)
    if state == "Disabled":
        raise Refusal("server not enabled")
    if agent is None:
        reason = no_connection(run.core, server)
        return error_log(stage, told, [reason["error"], *reason["trace"]])
    try:
        return work(agent)
    except AgentFailure as failure:
        return error_log(stage, told, [REMOTE_ERROR, *failure.causes])


def _register_container(name: str, verb: _Verb) -> None:
    def one(run: Run) -> Steps:
        server = run.resource()
        run.hold(verb.flag)
        run.save()
        yield
        params = run.params
        options = "".join(f" --{key} {params[key]}" for key in ("signal", "time") if params.get(key) is not None)
        stage = f"{verb.word.capitalize()} Container"
        told = f"Failed to {verb.word} container"
        run.log(
            _asked(run, server, stage, told, lambda agent: agent.container(verb.docker + options, params["container"]))
        )

    executes(f"{name}Container", "Server", "server")(one)


def _register_all(name: str, verb: _Verb) -> None:
    def every(run: Run) -> Steps:
        server = run.resource()
        run.busy(verb.flag)
        run.save()
        yield
        state = server_state(run.core, server)
        agent = run.core.agents.of(server)
        if state == "Disabled":
            raise Refusal("server not enabled")
        if agent is None:
            reason = no_connection(run.core, server)
            causes = [reason["error"], *reason["trace"]]
            raise Refusal(f"Failed to {verb.word} all containers on host", causes)
        for container in agent.containers():
            if container.get("labels", {}).get("komodo.skip", "false") == "false":
                entry = agent.container(verb.docker, container["name"])
                stage = f"Docker stop {container['name']}" if name == "Stop" else entry["command"]
                run.log(entry | {"stage": stage})
        if succeeded(run.update["logs"]):
            said = f"All containers have been {verb.done} on the host."
            run.log(log(f"{name} All Containers", stdout=said))

    executes(f"{name}AllContainers", "Server", "server")(every)


@dataclass(frozen=True, slots=True)
class _Prune:
    """What is cleared away: the stage that Periphery logs, its command, and what Core says when that failed."""

    flag: str
    stage: str
    command: str
    told: str


_PRUNES = {
    "PruneContainers": _Prune("containers", "Prune Containers", "container prune -f", "prune containers"),
    "PruneNetworks": _Prune("networks", "Prune Networks", "network prune -f", "prune networks"),
    "PruneImages": _Prune("images", "Prune Images", "image prune -a -f", "prune images"),
    "PruneVolumes": _Prune("volumes", "Prune Volumes", "volume prune -a -f", "prune volumes"),
    "PruneDockerBuilders": _Prune("builders", "Prune Builders", "builder prune -a -f", "docker builder prune"),
    "PruneBuildx": _Prune("buildx", "Prune Buildx", "buildx prune -a -f", "docker buildx prune"),
    "PruneSystem": _Prune("system", "Prune System", "system prune -a -f --volumes", "docker system prune"),
}


def _register_prune(request: str, prune: _Prune) -> None:
    def clear(run: Run) -> Steps:
        server = run.resource()
        run.busy(f"pruning_{prune.flag}")
        run.save()
        yield
        told = f"Failed to {prune.told} on server {server['name']}"
        run.log(_asked(run, server, prune.stage, told, lambda agent: agent.docker(prune.stage, prune.command)))

    executes(request, "Server", "server")(clear)


def _register_delete(what: str) -> None:
    def delete(run: Run) -> Steps:
        server = run.resource()
        run.save()
        yield
        name = run.params["name"]
        told = f"Failed to delete {what} {name}"
        stage = f"Delete {what.capitalize()}"
        failed = stage if what == "network" else stage.lower()
        run.log(_asked(run, server, failed, told, lambda agent: agent.docker(stage, f"{what} rm -- {name}")))

    executes(f"Delete{what.capitalize()}", "Server", "server")(delete)


for _name, _verb in _VERBS.items():
    _register_container(_name, _verb)
    if _name != "Destroy":
        _register_all(_name, _verb)
for _request, _prune in _PRUNES.items():
    _register_prune(_request, _prune)
for _what in ("network", "image", "volume"):
    _register_delete(_what)
