"""What ``docker inspect`` says of a container, as Komodo hands it on (entities/docker/container.rs)."""

import hashlib
import json
from typing import Any

from homeops.lab.core.compose_project import seconds
from homeops.lab.core.containers import Container, stamp
from homeops.lab.core.state import Document

DATA_ROOT = "/var/lib/docker"

_ROOT_BYTES = 1982347
"""The size of busybox, as recorded: images weigh nothing here, so every container is said to weigh that."""


def inspection(container: Container, data_root: str = DATA_ROOT) -> Document:
    """One container in full; ``data_root`` is where the engine keeps its files."""
    words = [*_words(container.definition, "entrypoint"), *_words(container.definition, "command")] or ["sh"]
    files = f"{data_root}/containers/{container.id}"
    return {
        "Id": container.id,
        "Created": stamp(container.created),
        "Path": words[0],
        "Args": words[1:],
        "State": _state(container),
        "Image": container.image_id,
        "ResolvConfPath": f"{files}/resolv.conf",
        "HostnamePath": f"{files}/hostname",
        "HostsPath": f"{files}/hosts",
        "LogPath": f"{files}/{container.id}-json.log",
        "Name": f"/{container.name}",
        "RestartCount": container.life.restarts if container.life else 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": [],
        "HostConfig": _host_config(container),
        "GraphDriver": {"Name": "overlay2", "Data": _layers(container, f"{data_root}/overlay2")},
        "SizeRw": 0,
        "SizeRootFs": _ROOT_BYTES,
        "Mounts": _mounts(container, data_root),
        "Config": _config(container),
        "NetworkSettings": _network_settings(container),
    }


def _state(container: Container) -> Document:
    life, state = container.life, container.state
    finished = None if life is None else life.before if life.ended is None else life.ended
    return {
        "Status": state,
        # Docker counts one that waits for its restart as running.
        "Running": state in ("running", "paused", "restarting"),
        "Paused": state == "paused",
        "Restarting": state == "restarting",
        "OOMKilled": container.fate.killed and state in ("exited", "restarting"),
        "Dead": False,
        "Pid": 1 if state in ("running", "paused") else 0,
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": stamp(life.began if life else None),
        "FinishedAt": stamp(finished),
        "Health": _health(container),
    }


def _health(container: Container) -> Document | None:
    life, health = container.life, container.health
    if life is None or health is None:
        return None
    failing = health == "unhealthy" or (health == "starting" and container.fate.health != "healthy")
    said = bool(container.fate.probe) or health != "starting"
    probe = {
        "Start": stamp(life.began),
        "End": stamp(life.began + container.fate.health_after),
        "ExitCode": 1 if failing else 0,
        "Output": container.fate.probe,
    }
    check: Document = container.definition.get("healthcheck") or {}
    streak = int(check.get("retries", 3)) if health == "unhealthy" else 0
    return {"Status": health, "FailingStreak": streak, "Log": [probe] if said else []}


def _config(container: Container) -> Document:
    definition = container.definition
    environment: dict[str, Any] = definition.get("environment") or {}
    return {
        "Hostname": container.id[:12],
        "Domainname": "",
        "User": str(definition.get("user", "")),
        "AttachStdin": False,
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": [],
        "Tty": bool(definition.get("tty")),
        "OpenStdin": bool(definition.get("stdin_open")),
        "StdinOnce": False,
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "Cmd": _words(definition, "command") or ["sh"],
        "Healthcheck": _healthcheck(definition),
        "ArgsEscaped": None,
        "Image": container.image,
        "Volumes": [],
        "WorkingDir": str(definition.get("working_dir", "")),
        "Entrypoint": _words(definition, "entrypoint"),
        "NetworkDisabled": None,
        "OnBuild": [],
        "Labels": container.labels,
        "StopSignal": definition.get("stop_signal"),
        "StopTimeout": _whole_seconds(definition.get("stop_grace_period")),
        "Shell": [],
    }


def _words(definition: Document, key: str) -> list[str]:
    words: list[Any] = definition.get(key) or []
    return [str(word) for word in words]


def _healthcheck(definition: Document) -> Document | None:
    check: Document = definition.get("healthcheck") or {}
    if not check:
        return None
    durations = {
        name: int(seconds(check[key]) * 1e9) if key in check else None
        for name, key in (
            ("Interval", "interval"),
            ("Timeout", "timeout"),
            ("StartPeriod", "start_period"),
            ("StartInterval", "start_interval"),
        )
    }
    return {"Test": check.get("test", []), "Retries": check.get("retries"), **durations}


def _whole_seconds(length: Any) -> int | None:
    return int(seconds(length)) if length else None


def _host_config(container: Container) -> Document:
    policy, _, most = str(container.definition.get("restart", "")).partition(":")
    restart = {"Name": "" if policy == "no" else policy, "MaximumRetryCount": int(most or 0)}
    mode = container.networks[0] if container.networks else "default"
    return _HOST_CONFIG | {"NetworkMode": mode, "RestartPolicy": restart}


def _layers(container: Container, root: str) -> Document:
    upper, lower = _digest("layer", container.id), _digest("layer", container.image_id)
    return {
        "UpperDir": f"{root}/{upper}/diff",
        "LowerDir": f"{root}/{upper}-init/diff:{root}/{lower}/diff",
        "MergedDir": f"{root}/{upper}/merged",
        "WorkDir": f"{root}/{upper}/work",
    }


def _mounts(container: Container, data_root: str) -> list[Document]:
    volumes: list[Document] = container.definition.get("volumes") or []
    named = [volume for volume in volumes if volume.get("type") == "volume" and volume.get("source")]
    return [
        {
            "Type": "volume",
            "Name": name,
            "Source": f"{data_root}/volumes/{name}/_data",
            "Destination": volume["target"],
            "Driver": "local",
            "Mode": "z",
            "RW": not volume.get("read_only"),
            "Propagation": "",
        }
        for volume, name in zip(named, container.volumes, strict=False)
    ]


def _network_settings(container: Container) -> Document:
    return {
        "SandboxID": _digest("sandbox", container.id),
        "Ports": {},
        "SandboxKey": f"/var/run/docker/netns/{_digest('sandbox', container.id)[:12]}",
        "Networks": {name: _network(container, name) for name in container.networks},
    }


def _network(container: Container, name: str) -> Document:
    return {
        "IPAMConfig": None,
        "Links": [],
        "MacAddress": "02:42:ac:12:00:02",
        "Aliases": [container.name, container.service, container.id[:12]],
        "NetworkID": _digest("network", name),
        "EndpointID": _digest("endpoint", container.id, name),
        "Gateway": "172.18.0.1",
        "IPAddress": "172.18.0.2",
        "IPPrefixLen": 24,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DriverOpts": {},
        "DNSNames": [],
    }


def compose_labels(
    container: Container, config_files: list[str], env_files: list[str], directory: str
) -> dict[str, str]:
    """The labels that compose writes on a container that it made; paths are whole."""
    definition, prefix = container.definition, "com.docker.compose"
    parents: dict[str, Document] = definition.get("depends_on") or {}
    depends = [
        f"{name}:{wanted['condition']}:{str(wanted.get('restart', False)).lower()}" for name, wanted in parents.items()
    ]
    hashed = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
    return {
        **(definition.get("labels") or {}),
        f"{prefix}.config-hash": hashed,
        f"{prefix}.container-number": "1",
        f"{prefix}.depends_on": ",".join(depends),
        f"{prefix}.image": container.image_id,
        f"{prefix}.oneoff": "False",
        f"{prefix}.project": container.project,
        f"{prefix}.project.config_files": ",".join(config_files),
        **({f"{prefix}.project.environment_file": ",".join(env_files)} if env_files else {}),
        f"{prefix}.project.working_dir": directory,
        f"{prefix}.service": container.service,
        f"{prefix}.version": "5.5.0",
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


_HOST_CONFIG: Document = {
    "CpuShares": 0,
    "Memory": 0,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "BlkioWeightDevice": [],
    "BlkioDeviceReadBps": [],
    "BlkioDeviceWriteBps": [],
    "BlkioDeviceReadIOps": [],
    "BlkioDeviceWriteIOps": [],
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpuRealtimePeriod": 0,
    "CpuRealtimeRuntime": 0,
    "CpusetCpus": "",
    "CpusetMems": "",
    "Devices": [],
    "DeviceCgroupRules": [],
    "DeviceRequests": [],
    "MemoryReservation": 0,
    "MemorySwap": 0,
    "MemorySwappiness": None,
    "NanoCpus": 0,
    "OomKillDisable": False,
    "Init": None,
    "PidsLimit": None,
    "Ulimits": [],
    "CpuCount": 0,
    "CpuPercent": 0,
    "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0,
    "Binds": [],
    "ContainerIDFile": "",
    "LogConfig": {"Type": "json-file", "Config": {}},
    "PortBindings": {},
    "AutoRemove": False,
    "VolumeDriver": "",
    "VolumesFrom": [],
    "Mounts": [],
    "ConsoleSize": [0, 0],
    "Annotations": {},
    "CapAdd": [],
    "CapDrop": [],
    "CgroupnsMode": "host",
    "Dns": [],
    "DnsOptions": [],
    "DnsSearch": [],
    "ExtraHosts": [],
    "GroupAdd": [],
    "IpcMode": "private",
    "Cgroup": "",
    "Links": [],
    "OomScoreAdj": 0,
    "PidMode": "",
    "Privileged": False,
    "PublishAllPorts": False,
    "ReadonlyRootfs": False,
    "SecurityOpt": [],
    "StorageOpt": {},
    "Tmpfs": {},
    "UTSMode": "",
    "UsernsMode": "",
    "ShmSize": 67108864,
    "Sysctls": {},
    "Runtime": "runc",
    "Isolation": "",
    "MaskedPaths": [
        "/proc/asound",
        "/proc/acpi",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
    ],
    "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
}
