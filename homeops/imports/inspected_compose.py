"""A compose file from containers alone, for a project whose own one is gone.

What is the image's own, or Docker's default, is left out. Environments become env files, of which only the names of
keys are told. Docker does not tell everything that a compose file says: whether compose counts the result as the same
has to be asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

from homeops.imports.projects import LABEL, Container, Inspected, Project, Running, environment, part, parts

_SHM_SIZE = 64 << 20
_DEFAULT_LOG = "json-file"
_KEPT_NAMES = ("none", "host", "bridge")
_PLAIN = {
    "Privileged": "privileged",
    "ReadonlyRootfs": "read_only",
    "Init": "init",
    "CapAdd": "cap_add",
    "CapDrop": "cap_drop",
    "SecurityOpt": "security_opt",
    "GroupAdd": "group_add",
    "Dns": "dns",
    "DnsOptions": "dns_opt",
    "DnsSearch": "dns_search",
    "ExtraHosts": "extra_hosts",
    "Sysctls": "sysctls",
    "PidsLimit": "pids_limit",
    "Memory": "mem_limit",
    "MemoryReservation": "mem_reservation",
    "CpuShares": "cpu_shares",
    "CpusetCpus": "cpuset",
    "OomScoreAdj": "oom_score_adj",
}
"""Fields of Docker's HostConfig that are the same in a compose file, left out where empty."""


@dataclass(frozen=True, slots=True)
class FromContainers:
    """The compose file, and each env file (name beside it) with the keys that it has to hold.

    ``counting``: the same project with its environments filled in, for compose to count on the host.
    """

    text: str
    env_files: Mapping[str, tuple[str, ...]]
    counting: Mapping[str, Any] = field(repr=False)


def compose_of(project: Project, running: Running) -> FromContainers:
    """The compose file of the project's containers."""
    services: dict[str, Any] = {}
    counted: dict[str, Any] = {}
    env_files: dict[str, tuple[str, ...]] = {}
    for name, containers in project.of_services.items():
        image = running.images.get(containers[0].image_id, {})
        keys = tuple(_own_environment(containers[0], image))
        if keys:
            env_files[f"{name}.env"] = keys
        services[name] = _service(project, name, containers, image, has_environment=bool(keys))
        if len(containers) > 1:
            services[name]["scale"] = len(containers)
        counted[name] = _counting(services[name], containers[0], keys)
    document: dict[str, Any] = {"services": services}
    first = [containers[0] for containers in project.of_services.values()]
    if networks := dict(_networks(project, first, running.networks)):
        document["networks"] = networks
    if volumes := dict(_volumes(project, first, running.volumes)):
        document["volumes"] = volumes
    text = yaml.safe_dump(_escaped(document), sort_keys=False, width=120, allow_unicode=True)
    return FromContainers(text, env_files, _escaped({**document, "services": counted}))


def _counting(service: Mapping[str, Any], container: Container, keys: Iterable[str]) -> dict[str, Any]:
    counted = {key: value for key, value in service.items() if key != "env_file"}
    if values := {key: container.environment[key] for key in keys}:
        counted["environment"] = values
    if str(service.get("network_mode", "")).startswith("service:"):
        # Compose counts the container that the name stands for.
        counted["network_mode"] = container.inspected["HostConfig"]["NetworkMode"]
    return counted


def _escaped(value: Any) -> Any:
    """Out of reach of compose's interpolation."""
    match value:
        case str():
            return value.replace("$", "$$")
        case list():
            return [_escaped(item) for item in cast(list[Any], value)]
        case dict():
            return {key: _escaped(item) for key, item in cast(dict[str, Any], value).items()}
        case _:
            return value


def _own_environment(container: Container, image: Inspected) -> Iterator[str]:
    given = environment(parts(part(image, "Config"), "Env"))
    yield from (name for name, value in container.environment.items() if given.get(name) != value)


def _service(
    project: Project, name: str, containers: list[Container], image: Inspected, *, has_environment: bool
) -> dict[str, Any]:
    container = containers[0]
    config, host = container.inspected["Config"], container.inspected["HostConfig"]
    given: Mapping[str, Any] = part(image, "Config")
    found: dict[str, Any] = {"image": container.image}
    if container.name != f"{project.name}-{name}-{container.number}":
        found["container_name"] = container.name
    for key, theirs in (
        ("entrypoint", "Entrypoint"),
        ("command", "Cmd"),
        ("user", "User"),
        ("working_dir", "WorkingDir"),
    ):
        if config.get(theirs) and config[theirs] != given.get(theirs):
            found[key] = config[theirs]
    if config.get("Hostname") and not container.id.startswith(config["Hostname"]) and host["NetworkMode"] != "host":
        found["hostname"] = config["Hostname"]
    for key, theirs in (("tty", "Tty"), ("stdin_open", "OpenStdin")):
        if config.get(theirs):
            found[key] = True
    if config.get("StopTimeout") is not None:
        found["stop_grace_period"] = f"{config['StopTimeout']}s"
    policy: Mapping[str, Any] = part(host, "RestartPolicy")
    if policy.get("Name") not in (None, "", "no"):
        tries = f":{policy['MaximumRetryCount']}" if policy.get("MaximumRetryCount") else ""
        found["restart"] = f"{policy['Name']}{tries}"
    if has_environment:
        found["env_file"] = [{"path": f"{name}.env", "format": "raw"}]
    more: dict[str, Any] = {
        "ports": list(_ports(host)),
        "volumes": list(_mounts(container)),
        "tmpfs": [f"{path}:{options}" if options else path for path, options in part(host, "Tmpfs").items()],
        "devices": [f"{device['PathOnHost']}:{device['PathInContainer']}" for device in parts(host, "Devices")],
        "labels": _own_labels(container, given),
        **_network(project, container),
        **{ours: host[theirs] for theirs, ours in _PLAIN.items() if host.get(theirs)},
    }
    found |= {key: value for key, value in more.items() if value}
    if host.get("ShmSize") not in (None, 0, _SHM_SIZE):
        found["shm_size"] = host["ShmSize"]
    for key in ("PidMode", "IpcMode"):
        if host.get(key) == "host":
            found[key.removesuffix("Mode").lower()] = "host"
    log: Mapping[str, Any] = part(host, "LogConfig")
    if log.get("Config") or log.get("Type", _DEFAULT_LOG) != _DEFAULT_LOG:
        found["logging"] = {"driver": log.get("Type"), "options": dict(part(log, "Config"))}
    if config.get("Healthcheck") and config["Healthcheck"] != given.get("Healthcheck"):
        found["healthcheck"] = dict(_health(config["Healthcheck"]))
    return found


def _own_labels(container: Container, given: Mapping[str, Any]) -> dict[str, str]:
    of_image = part(given, "Labels")
    own = ((name, value) for name, value in container.labels.items() if not name.startswith(LABEL))
    return {name: value for name, value in own if of_image.get(name) != value}


def _ports(host: Mapping[str, Any]) -> Iterator[str]:
    for target, bindings in part(host, "PortBindings").items():
        port = target.removesuffix("/tcp")
        for binding in bindings or ():
            ip = binding.get("HostIp") or ""
            before = f"[{ip}]:" if ":" in ip else f"{ip}:" if ip else ""
            published = binding.get("HostPort") or ""
            yield f"{before}{published}:{port}" if published or before else port


def _mounts(container: Container) -> Iterator[str]:
    for mount in sorted(parts(container.inspected, "Mounts"), key=lambda mount: str(mount["Destination"])):
        source = mount["Source"] if mount["Type"] == "bind" else mount.get("Name", "")
        mode = "" if mount.get("RW", True) else ":ro"
        if mount["Type"] == "bind" or (mount["Type"] == "volume" and not _anonymous(source)):
            key = source.removeprefix(f"{container.project}_") if mount["Type"] == "volume" else source
            yield f"{key}:{mount['Destination']}{mode}"


def _anonymous(name: str) -> bool:
    return len(name) == 64 and all(char in "0123456789abcdef" for char in name)


def _network(project: Project, container: Container) -> dict[str, Any]:
    mode = str(container.inspected["HostConfig"]["NetworkMode"])
    if mode in ("default", *_KEPT_NAMES):
        return {"network_mode": "bridge" if mode == "default" else mode}
    if mode.startswith("container:"):
        parent = next((other for other in project.containers if mode.endswith(other.id)), None)
        return {"network_mode": f"service:{parent.service}" if parent else mode}
    names = [name.removeprefix(f"{project.name}_") for name in _attached(container)]
    return {} if names == ["default"] else {"networks": names}


def _attached(container: Container) -> list[str]:
    return sorted(part(part(container.inspected, "NetworkSettings"), "Networks"))


def _networks(
    project: Project, containers: Iterable[Container], known: Iterable[Inspected]
) -> Iterator[tuple[str, dict[str, Any]]]:
    owner = {network["Name"]: part(network, "Labels").get(f"{LABEL}project", "") for network in known}
    driver = {network["Name"]: network.get("Driver", "bridge") for network in known}
    for name in sorted({name for container in containers for name in _attached(container)} - {*_KEPT_NAMES}):
        key = name.removeprefix(f"{project.name}_")
        if owner.get(name) != project.name:
            yield key, {"external": True, "name": name}
        elif key != "default" or driver.get(name) != "bridge":
            yield key, {**({"driver": driver[name]} if driver[name] != "bridge" else {}), **_named(project, key, name)}


def _volumes(
    project: Project, containers: Iterable[Container], known: Iterable[Inspected]
) -> Iterator[tuple[str, dict[str, Any]]]:
    by_name = {str(volume["Name"]): volume for volume in known}
    mounts = (mount for container in containers for mount in parts(container.inspected, "Mounts"))
    names = {str(mount["Name"]) for mount in mounts if mount["Type"] == "volume"}
    for name in sorted(name for name in names if not _anonymous(name)):
        key = name.removeprefix(f"{project.name}_")
        volume = by_name.get(name, {})
        if part(volume, "Labels").get(f"{LABEL}project") != project.name:
            yield key, {"external": True, "name": name}
            continue
        made: dict[str, Any] = {} if volume.get("Driver", "local") == "local" else {"driver": volume["Driver"]}
        if options := part(volume, "Options"):
            made["driver_opts"] = dict(options)
        yield key, made | _named(project, key, name)


def _named(project: Project, key: str, name: str) -> dict[str, Any]:
    return {} if name == f"{project.name}_{key}" else {"name": name}


def _health(check: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "test", check.get("Test")
    for theirs, key in (("Interval", "interval"), ("Timeout", "timeout"), ("StartPeriod", "start_period")):
        if check.get(theirs):
            yield key, f"{check[theirs] / 1e9:g}s"
    if check.get("Retries"):
        yield "retries", check["Retries"]
