"""What ``docker`` says of containers, in the shapes that Core answers (entities/docker)."""

from datetime import datetime
from typing import Any, cast

from homeops.lab.core.state import Document

_STATES = ("running", "created", "paused", "restarting", "exited", "removing", "dead")

_LISTS = (
    *(
        "ExecIDs",
        "Args",
        "Mounts",
        "Env",
        "Cmd",
        "Entrypoint",
        "OnBuild",
        "Shell",
        "Log",
        "Links",
        "Aliases",
        "DNSNames",
    ),
    *("Devices", "DeviceCgroupRules", "DeviceRequests", "Ulimits", "Binds", "VolumesFrom", "CapAdd", "CapDrop", "Dns"),
    *("DnsOptions", "DnsSearch", "ExtraHosts", "GroupAdd", "SecurityOpt", "MaskedPaths", "ReadonlyPaths"),
    *("BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"),
)
"""What is an empty list for Core where Docker has nothing."""

_TABLES = ("Labels", "Sysctls", "Tmpfs", "StorageOpt", "Annotations", "DriverOpts", "PortBindings", "Ports", "Networks")
"""What is an empty table for Core where Docker has nothing."""

_NAMES_ONLY = ("ExposedPorts", "Volumes")
"""Tables of Docker of which Core knows the names alone."""


def list_item(found: Document) -> Document:
    """A container as Core lists it, without its server; from its line of ``docker ps`` and its ``docker inspect``.

    Its ``labels`` are for Core alone.
    """
    listed, inspected = found["listed"], found["inspected"]
    # Both are of the moment of the list: a container may have ended before it was inspected.
    state = listed["State"]
    ports, volumes = _ports(inspected), [mount["Name"] for mount in inspected["Mounts"] if mount.get("Name")]
    return {
        "name": inspected["Name"].removeprefix("/"),
        "id": inspected["Id"],
        "image": listed["Image"],
        "image_id": inspected["Image"],
        "created": int(datetime.fromisoformat(inspected["Created"]).timestamp()),
        "state": state if state in _STATES else "",
        "status": listed["Status"],
        "network_mode": inspected["HostConfig"]["NetworkMode"],
        "networks": sorted(inspected["NetworkSettings"]["Networks"]),
        "labels": inspected["Config"]["Labels"] or {},
        **({"ports": ports} if ports else {}),
        **({"volumes": volumes} if volumes else {}),
    }


def image_item(found: Document) -> Document:
    """The image of a container: ``{name, digests}``; by its id where no tag means it."""
    image: Document = found["image"] or {}
    tags: list[str] = image.get("RepoTags") or []
    return {"name": tags[0] if tags else found["inspected"]["Image"], "digests": image.get("RepoDigests") or []}


def inspection(found: Document) -> Document:
    """A container in full as Core hands it on: ``docker inspect``, with something empty where that has null."""
    whole = cast(Document, _filled("", found))
    return whole | {"State": {"Health": None} | whole["State"]}


def project_item(found: Document) -> Document:
    """A compose project: ``{name, status, compose_files}``."""
    return {"name": found["Name"], "status": found["Status"], "compose_files": found["ConfigFiles"].split(",")}


def _filled(name: str, value: Any) -> Any:
    if name in _NAMES_ONLY:
        return sorted(value or ())
    if value is None:
        return [] if name in _LISTS else {} if name in _TABLES else None
    if isinstance(value, dict):
        table = cast(Document, value)
        if name in _TABLES and name != "Networks":
            nothing: list[Any] = []
            return {key: nothing if inner is None else inner for key, inner in table.items()}
        return {key: _filled(key, inner) for key, inner in table.items()}
    if isinstance(value, list):
        return [_filled("", inner) for inner in cast(list[Any], value)]
    return value


def _ports(inspected: Document) -> list[Document]:
    found: list[Document] = []
    bound: dict[str, list[Document] | None] = inspected["NetworkSettings"]["Ports"] or {}
    for port, hosts in bound.items():
        number, _, kind = port.partition("/")
        for host in hosts or [{}]:
            public = host.get("HostPort")
            found.append(
                {
                    "IP": host.get("HostIp"),
                    "PrivatePort": int(number),
                    "PublicPort": int(public) if public else None,
                    "Type": kind,
                }
            )
    return found
