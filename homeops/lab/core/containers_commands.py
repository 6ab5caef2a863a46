"""Docker commands on an engine in memory: of one container, of networks, images and volumes."""

import re

from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.executions_logs import log
from homeops.lab.core.state import Document

_DAEMON = "Error response from daemon"


def container_command(verb: str, name: str) -> tuple[str, str]:
    """Log stage and words of ``docker VERB OPTIONS -- NAME`` as Periphery runs it; ``rename OLD`` has the new name."""
    action, _, options = verb.partition(" ")
    words = f"docker {verb} -- {name}"
    match action:
        case "logs":
            return "Get container log", words
        case "rm":
            stop = " ".join(("docker stop", *([options] if options else []), "--", name))
            return "Docker Stop and Remove", f"{stop} && docker container rm -- {name}"
        case "rename":
            return "Docker Rename", f"docker rename -- {options} {name}"
        case _:
            return f"Docker {action.capitalize()}", words


def docker_container(engine: Engine, verb: str, name: str) -> Document:
    """One such command on an engine in memory; its log entry."""
    action, _, options = verb.partition(" ")
    stage, words = container_command(verb, name)
    if action == "pull":
        return log(stage, words)
    with engine.lock:
        found = engine.containers.get(options if action == "rename" else name)
        if found is None:
            said = f"{_DAEMON}: No such container: {options if action == 'rename' else name}\n"
            if action == "start":
                said += f"failed to start containers: {name}\n"
            return log(stage, words, stderr=said, success=False)
        match action:
            case "logs":
                tail = re.search(r"--tail (\d+)", options)
                lines = found.log_lines(stamped="--timestamps" in options)[-int(tail[1]) if tail else 0 :]
                return log(stage, words, stdout="".join(f"{line}\n" for line in lines))
            case "rm":
                del engine.containers[found.name]
                return log(stage, words, stdout=f"{name}\n{name}\n")
            case "rename":
                del engine.containers[found.name]
                found.name = name
                engine.containers[name] = found
                return log(stage, words)
            case "stop":
                found.stop()
            case "pause" | "unpause":
                found.paused = action == "pause"
            case _:
                found.start()
    return log(stage, words, stdout=f"{name}\n")


def docker_command(engine: Engine, stage: str, command: str) -> Document:
    """``docker network|image|volume|container|system prune`` and ``rm``; images and builders hold nothing here."""
    words = f"docker {command}"
    if removal := re.fullmatch(r"(network|image|volume) rm -- (.+)", command):
        said, failure = _remove(engine, removal[1], removal[2])
        return log(stage, words, stdout=said, stderr=failure, success=not failure)
    what = command.partition(" ")[0]
    with engine.lock:
        gone: list[str] = []
        if what in ("container", "system"):
            stopped = [one for one in engine.containers.values() if one.state in ("exited", "created", "dead")]
            for one in stopped:
                del engine.containers[one.name]
            gone += _deleted("Containers", [one.id for one in stopped])
        if what in ("network", "system"):
            gone += _deleted("Networks", _unused(engine.networks, _used_networks(engine)))
        if what in ("volume", "system"):
            gone += _deleted("Volumes", _unused(engine.volumes, _used_volumes(engine)))
    reclaimed = [] if what == "network" else ["Total reclaimed space: 0B"]
    return log(stage, words, stdout="".join(f"{line}\n" for line in [*gone, *reclaimed]))


def _remove(engine: Engine, what: str, name: str) -> tuple[str, str]:
    with engine.lock:
        if what == "image":
            return "", f"{_DAEMON}: No such image: {name}\n"
        known, used = (
            (engine.networks, _used_networks(engine)) if what == "network" else (engine.volumes, _used_volumes(engine))
        )
        if name not in known:
            missing = f"network {name} not found" if what == "network" else f"get {name}: no such volume"
            return "", f"{_DAEMON}: {missing}\n"
        if name in used:
            return "", f"{_DAEMON}: {what} {name} is in use\n"
        known.discard(name)
    return f"{name}\n", ""


def _unused(known: set[str], used: set[str]) -> list[str]:
    gone = sorted(known - used)
    known.intersection_update(used)
    return gone


def _used_networks(engine: Engine) -> set[str]:
    return {network for container in engine.containers.values() for network in container.networks}


def _used_volumes(engine: Engine) -> set[str]:
    return {volume for container in engine.containers.values() for volume in container.volumes}


def _deleted(what: str, names: list[str]) -> list[str]:
    return [f"Deleted {what}:", *names, ""] if names else []
