"""Ports and volumes written as one text: ``127.0.0.1:8080:80/tcp``, ``./config:/config:ro``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service. ``published`` is empty when the host's port is left to Docker; both may be ranges."""

    host_ip: str
    published: str
    target: str
    protocol: str
    line: int


@dataclass(frozen=True, slots=True)
class Volume:
    """A mount of a service.

    ``kind`` is ``bind`` (``source`` is a path, relative to the compose file's directory), ``volume`` (``source`` is a
    name, or empty for an anonymous one), or what the long syntax says (``tmpfs``, ...). A source that begins with a
    variable counts as a path. ``has_to_exist``: Docker refuses the mount of a source that is not there
    (``create_host_path: false``).
    """

    kind: str
    source: str
    target: str
    read_only: bool
    line: int
    has_to_exist: bool = False


def parse_port(text: str, line: int) -> Port:
    """``[[IP:]PUBLISHED:]TARGET[/PROTOCOL]``; an IPv6 address stands in brackets."""
    text, _, protocol = text.partition("/")
    ip, published, target = ("", "", *split_outside_brackets(text))[-3:]
    return Port(ip.strip("[]"), published, target, protocol or "tcp", line)


def parse_volume(text: str, line: int) -> Volume:
    """``[SOURCE:]TARGET[:OPTION,...]``."""
    parts = split_outside_brackets(text)
    if len(parts) == 1:
        return Volume("volume", "", parts[0], read_only=False, line=line)
    source, target, *options = parts
    kind = "bind" if source.startswith(("/", ".", "~", "$")) else "volume"
    return Volume(kind, source, target, "ro" in ",".join(options).split(","), line)


def split_outside_brackets(text: str) -> list[str]:
    """The parts of a text between colons that stand outside ``{}`` and ``[]``."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "{[") - (char in "}]")
        if char == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts
