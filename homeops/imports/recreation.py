"""Which containers ``docker compose up -d`` leaves as they are, and why it makes the others anew.

Compose (v5.5.0, pkg/compose/reconcile.go and hash.go) makes a container anew when its label config-hash is not the hash
of its service as the files say it now, when its image's name means another image now, or when the service whose network
or process namespace it is in is made anew. The hash is of the service after variables are filled in, ``env_file`` read
into ``environment`` and paths made absolute; ``build``, ``depends_on``, ``profiles``, ``pull_policy`` and the number of
containers are no part of it, nor are the project's name, its directory, or where its files are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from homeops.imports.projects import Container, Counted, Files, Project, part, parts

Outcome = Literal["kept", "recreated", "removed", "unknown"]

_SHARED = ("network_mode", "ipc", "pid")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one container when its project is deployed from the same files; ``why`` is empty when kept."""

    container: Container
    outcome: Outcome
    why: str = ""


def fates(project: Project) -> tuple[Fate, ...]:
    """Each container that ``up`` looks at, by service."""
    found: list[Fate] = []
    anew: set[str] = set()
    for service, containers in _parents_first(project):
        said = [_fate(project.files, service, container, anew, place) for place, container in enumerate(containers)]
        if any(fate.outcome == "recreated" for fate in said):
            anew.add(service)
        found += said
    return tuple(sorted(found, key=lambda fate: (fate.container.service, fate.container.number)))


def _parents_first(project: Project) -> Iterator[tuple[str, list[Container]]]:
    waiting = project.of_services
    while waiting:
        ready = [name for name in waiting if not _parents(project.files.services.get(name) or {}) & waiting.keys()]
        for name in ready or list(waiting):
            yield name, waiting.pop(name)


def _parents(service: Mapping[str, Any]) -> set[str]:
    shared = (str(service.get(key) or "") for key in _SHARED)
    names = {value.removeprefix("service:") for value in shared if value.startswith("service:")}
    return names | _volume_sources(service)


def _volume_sources(service: Mapping[str, Any]) -> set[str]:
    sources = (str(source) for source in parts(service, "volumes_from"))
    return {source.partition(":")[0] for source in sources if not source.startswith("container:")}


def _fate(files: Files, name: str, container: Container, anew: set[str], place: int) -> Fate:
    if files.config is None:
        return Fate(container, "recreated" if files.lost else "unknown", _unread(files))
    service = files.services.get(name)
    if service is None:
        return Fate(container, "unknown", "its service is not in the files any more: compose leaves it, and warns")
    if place >= _scale(service):
        return Fate(container, "removed", f"the files want {_scale(service)} of its service (it was scaled by hand)")
    if above := sorted(_parents(service) & anew):
        return Fate(container, "recreated", f"it shares a namespace or volumes with {', '.join(above)}")
    if _volume_sources(service):
        return Fate(container, "unknown", "it takes volumes from another service, which cannot be counted beforehand")
    if why := _counted(files, name, container):
        return Fate(container, "recreated", why)
    if not container.label("image"):
        return Fate(container, "recreated", f"{_maker(container)} noted no image for it")
    if container.current_image and container.current_image != container.image_id:
        return Fate(container, "recreated", f"{container.image} is another image now than when it was made")
    return Fate(container, "kept")


def _unread(files: Files) -> str:
    if files.lost:
        return f"its compose file is gone: {_listed(files)}"
    return f"compose cannot read its files: {files.problem or 'there is no compose on the host'}"


def _listed(files: Files) -> str:
    return ", ".join(files.gone) or "its containers do not say which it was"


def _scale(service: Mapping[str, Any]) -> int:
    deploy = part(service, "deploy")
    wanted = service.get("scale", deploy.get("replicas"))
    return 1 if wanted is None else int(wanted)


def _counted(files: Files, name: str, container: Container) -> str:
    """Why a service's hash is not the container's; empty when every compose that will count has the same one."""
    label = container.label("config-hash")
    own = [item for item in files.counted if item.who == "host"]
    if not any(label in item.hashes.get(name, ()) for item in own):
        if files.lost:
            return f"its compose file is gone ({_listed(files)}), and what Docker tells of it does not count the same"
        differing = differences(files.services[name], container)
        if differing:
            return f"its files say something else now: {'; '.join(differing)}"
        return f"its configuration counts otherwise: {_maker(container)} made it, {_versions(own)} is there now"
    for item in files.counted:
        if item.who == "agent" and label not in item.hashes.get(name, ()):
            return f"{_maker(container)} made it, and Periphery's compose {item.version} counts its services otherwise"
    return ""


def _maker(container: Container) -> str:
    return f"compose {container.label('version') or 'of an unknown version'}"


def _versions(counted: Iterable[Counted]) -> str:
    return ", ".join(f"compose {item.version}" for item in counted) or "no compose"


def differences(service: Mapping[str, Any], container: Container) -> list[str]:
    """What visibly differs between a service and its container; names only, never a value of an environment."""
    config, host = container.inspected["Config"], container.inspected["HostConfig"]
    found: list[str] = []
    if service.get("image") and service["image"] != container.image:
        found.append(f"image {service['image']}, it runs {container.image}")
    found += _environment(service, container.environment)
    found += _mounts(service, container)
    if (command := _words(service.get("command"))) is not None and command != parts(config, "Cmd"):
        found.append("command")
    if (entrypoint := _words(service.get("entrypoint"))) is not None and entrypoint != parts(config, "Entrypoint"):
        found.append("entrypoint")
    ports = {f"{port.get('target')}/{port.get('protocol', 'tcp')}" for port in parts(service, "ports")}
    if ports != {port for port, bound in part(host, "PortBindings").items() if bound is not None}:
        found.append("ports")
    labels = {name: str(value) for name, value in part(service, "labels").items()}
    if changed := sorted(name for name, value in labels.items() if container.labels.get(name) != _unescaped(value)):
        found.append(f"labels {', '.join(changed)}")
    restart = str(service.get("restart") or "no")
    policy = part(host, "RestartPolicy")
    if "deploy" not in service and restart.partition(":")[0] != (policy.get("Name") or "no"):
        found.append(f"restart {restart}")
    return found


def _environment(service: Mapping[str, Any], has: Mapping[str, str]) -> Iterator[str]:
    wants = {name: value for name, value in part(service, "environment").items() if value is not None}
    if added := sorted(wants.keys() - has.keys()):
        yield f"environment has {', '.join(added)} more"
    if changed := sorted(name for name in wants.keys() & has.keys() if _unescaped(str(wants[name])) != has[name]):
        yield f"other values for {', '.join(changed)}"


def _mounts(service: Mapping[str, Any], container: Container) -> Iterator[str]:
    has = {mount["Destination"]: mount for mount in parts(container.inspected, "Mounts")}
    for volume in parts(service, "volumes"):
        target, source = str(volume.get("target")), str(volume.get("source", ""))
        mount = has.get(target.rstrip("/") or "/")
        if mount is None and volume.get("type") in ("bind", "volume"):
            yield f"{target} is mounted"
        elif mount and volume.get("type") == "bind" and mount["Source"] != source:
            yield f"{target} is {source}, it has {mount['Source']}"


def _words(value: Any) -> list[str] | None:
    return None if value is None else [_unescaped(str(word)) for word in value]


def _unescaped(value: str) -> str:
    """``docker compose config`` writes each dollar sign twice."""
    return value.replace("$$", "$")
