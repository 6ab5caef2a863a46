"""A compose file as homeops sees it: services, images, env files, ports, volumes, networks, variables.

Only what stands in the file itself is read: ``include`` and ``extends`` are not followed, and a file that is laid over
another one may say little by itself. Texts are as written, variables not filled in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode

from homeops.compose.interpolation import Interpolation, interpolations
from homeops.compose.nodes import Entry, Nodes, is_null, line_of
from homeops.compose.short_syntax import Port, Volume, parse_port, parse_volume
from homeops.errors import ComposeError, Problem, nearest


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file whose lines become a service's environment; ``path`` is relative to the compose file's directory."""

    path: str
    required: bool
    format: str
    line: int


@dataclass(frozen=True, slots=True)
class Service:
    """One service; an absent text is empty.

    ``healthcheck`` says whether the file has one that is not disabled; ``no_healthcheck`` is the reason that the file
    gives for having none (``x-homeops: {no_healthcheck: ...}``). ``inherited`` are the variables that ``environment``
    names without a value, which compose fills in as it does ``$NAME``. ``secrets`` are the keys that the service needs
    of its env files (``x-homeops: {secrets: [...]}``), each with its line; None when the file does not say.
    """

    name: str
    line: int
    image: str
    build: bool
    env_files: tuple[EnvFile, ...]
    ports: tuple[Port, ...]
    volumes: tuple[Volume, ...]
    container_name: str
    healthcheck: bool
    no_healthcheck: str
    restart: str
    network_mode: str
    inherited: tuple[Interpolation, ...] = ()
    secrets: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """A network of the file. ``name`` is what Docker knows it by, empty for one named after the project."""

    key: str
    name: str
    external: bool
    line: int


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """What a compose file says.

    ``project_name`` is its own ``name:``, empty when there is none. ``files`` are the paths of top-level
    ``configs`` and ``secrets``, as written.
    """

    path: Path
    project_name: str
    services: tuple[Service, ...]
    volumes: tuple[str, ...]
    networks: tuple[Network, ...]
    interpolations: tuple[Interpolation, ...]
    files: tuple[str, ...] = ()

    def service(self, name: str) -> Service:
        """The service of that name. Raises ``ComposeError`` when there is none."""
        for service in self.services:
            if service.name == name:
                return service
        names = [service.name for service in self.services]
        raise ComposeError(
            Problem(str(self.path), f'no service "{name}"{nearest(name, names)}', f"services: {', '.join(names)}")
        )


def read_compose(path: Path) -> ComposeFile:
    """Read a compose file. Raises ``ComposeError`` with every problem found, each with file and line."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ComposeError(Problem(str(path), "no such compose file", _other_names(path))) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ComposeError(Problem(str(path), f"cannot read the compose file: {error}")) from error
    return parse_compose(text, path)


def parse_compose(text: str, path: Path) -> ComposeFile:
    """What the text of a compose file says; ``path`` is what messages name. Raises ``ComposeError``."""
    nodes = Nodes(str(path))
    root = nodes.root(text)
    if not isinstance(root, MappingNode):
        raise ComposeError(Problem(f"{path}:{line_of(root)}", "not a compose file: want a mapping"))
    top = nodes.mapping(root, "the file")
    file = ComposeFile(
        path,
        nodes.text(top.get("name"), "name"),
        tuple(_services(nodes, top)),
        tuple(nodes.mapping(top["volumes"].value, "volumes")) if "volumes" in top else (),
        tuple(_networks(nodes, top)),
        tuple(_interpolations(nodes, root)),
        tuple(_files(nodes, top)),
    )
    nodes.refuse_if_wrong()
    return file


def _other_names(path: Path) -> str:
    """A hint: compose files that do stand in the directory."""
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml"))
    return f"in {path.parent}: {', '.join(names)}" if names else f"no YAML file in {path.parent}"


def _services(nodes: Nodes, top: dict[str, Entry]) -> Iterator[Service]:
    for name, entry in nodes.mapping(top["services"].value, "services").items() if "services" in top else ():
        yield _service(nodes, name, entry)


def _service(nodes: Nodes, name: str, entry: Entry) -> Service:
    where = f"services.{name}"
    keys = nodes.mapping(entry.value, where)
    health = nodes.mapping(keys["healthcheck"].value, f"{where}.healthcheck") if "healthcheck" in keys else {}
    extension = nodes.mapping(keys["x-homeops"].value, f"{where}.x-homeops") if "x-homeops" in keys else {}
    return Service(
        name,
        entry.line,
        nodes.text(keys.get("image"), f"{where}.image"),
        "build" in keys,
        tuple(_env_files(nodes, keys, where)),
        tuple(_ports(nodes, keys, where)),
        tuple(_volumes(nodes, keys, where)),
        nodes.text(keys.get("container_name"), f"{where}.container_name"),
        bool(health) and not _disabled(nodes, health, where),
        nodes.text(extension.get("no_healthcheck"), f"{where}.x-homeops.no_healthcheck"),
        _restart(nodes, keys, where),
        nodes.text(keys.get("network_mode"), f"{where}.network_mode"),
        tuple(_inherited(nodes, keys, where)),
        tuple(_secrets(nodes, extension["secrets"], where)) if "secrets" in extension else None,
    )


def _inherited(nodes: Nodes, keys: dict[str, Entry], where: str) -> Iterator[Interpolation]:
    if "environment" not in keys:
        return
    node, what = keys["environment"].value, f"{where}.environment"
    if isinstance(node, MappingNode):
        for name, entry in nodes.mapping(node, what).items():
            if is_null(entry.value):
                yield Interpolation(name, "", entry.line)
        return
    for item in nodes.items(node, what):
        name, equals, _ = nodes.text(item, what).partition("=")
        if name and not equals:
            yield Interpolation(name, "", line_of(item))


def _secrets(nodes: Nodes, entry: Entry, where: str) -> Iterator[tuple[str, int]]:
    what = f"{where}.x-homeops.secrets"
    yield from ((nodes.text(item, what), line_of(item)) for item in nodes.items(entry.value, what))


def _files(nodes: Nodes, top: dict[str, Entry]) -> Iterator[str]:
    for kind in ("configs", "secrets"):
        for name, entry in nodes.mapping(top[kind].value, kind).items() if kind in top else ():
            parts = nodes.mapping(entry.value, f"{kind}.{name}")
            if "file" in parts:
                yield nodes.text(parts["file"], f"{kind}.{name}.file")


def _disabled(nodes: Nodes, health: dict[str, Entry], where: str) -> bool:
    if nodes.text(health.get("disable"), f"{where}.healthcheck.disable").lower() in ("true", "yes", "on"):
        return True
    test = health.get("test")
    if test is None or isinstance(test.value, ScalarNode):
        return False
    words = nodes.items(test.value, f"{where}.healthcheck.test")
    return bool(words) and nodes.text(words[0], f"{where}.healthcheck.test") == "NONE"


def _restart(nodes: Nodes, keys: dict[str, Entry], where: str) -> str:
    if "restart" in keys or "deploy" not in keys:
        return nodes.text(keys.get("restart"), f"{where}.restart")
    deploy = nodes.mapping(keys["deploy"].value, f"{where}.deploy")
    if "restart_policy" not in deploy:
        return ""
    policy = nodes.mapping(deploy["restart_policy"].value, f"{where}.deploy.restart_policy")
    return nodes.text(policy.get("condition"), f"{where}.deploy.restart_policy.condition") or "any"


def _env_files(nodes: Nodes, keys: dict[str, Entry], where: str) -> Iterator[EnvFile]:
    if "env_file" not in keys:
        return
    node, what = keys["env_file"].value, f"{where}.env_file"
    for item in [node] if isinstance(node, ScalarNode) and not is_null(node) else nodes.items(node, what):
        if isinstance(item, ScalarNode):
            yield EnvFile(nodes.text(item, what), required=True, format="", line=line_of(item))
            continue
        parts = nodes.mapping(item, what)
        if "path" not in parts:
            nodes.wrong(line_of(item), f"{what}: an entry without path")
        required = nodes.text(parts.get("required"), f"{what}.required").lower() != "false"
        path, kind = (nodes.text(parts.get(key), f"{what}.{key}") for key in ("path", "format"))
        yield EnvFile(path, required, kind, line_of(item))


def _ports(nodes: Nodes, keys: dict[str, Entry], where: str) -> Iterator[Port]:
    what = f"{where}.ports"
    for item in nodes.items(keys["ports"].value, what) if "ports" in keys else []:
        if not isinstance(item, MappingNode):
            yield parse_port(nodes.text(item, what), line_of(item))
            continue
        parts = nodes.mapping(item, what)
        if "target" not in parts:
            nodes.wrong(line_of(item), f"{what}: an entry without target")
        ip, published, target, protocol = (
            nodes.text(parts.get(key), f"{what}.{key}") for key in ("host_ip", "published", "target", "protocol")
        )
        yield Port(ip, published, target, protocol or "tcp", line_of(item))


def _volumes(nodes: Nodes, keys: dict[str, Entry], where: str) -> Iterator[Volume]:
    what = f"{where}.volumes"
    for item in nodes.items(keys["volumes"].value, what) if "volumes" in keys else []:
        if not isinstance(item, MappingNode):
            yield parse_volume(nodes.text(item, what), line_of(item))
            continue
        parts = nodes.mapping(item, what)
        if "type" not in parts:
            nodes.wrong(line_of(item), f"{what}: an entry without type")
        kind, source, target, read_only = (
            nodes.text(parts.get(key), f"{what}.{key}") for key in ("type", "source", "target", "read_only")
        )
        bind = nodes.mapping(parts["bind"].value, f"{what}.bind") if "bind" in parts else {}
        makes_source = nodes.text(bind.get("create_host_path"), f"{what}.bind.create_host_path").lower() != "false"
        yield Volume(kind, source, target, read_only.lower() == "true", line_of(item), not makes_source)


def _networks(nodes: Nodes, top: dict[str, Entry]) -> Iterator[Network]:
    for key, entry in nodes.mapping(top["networks"].value, "networks").items() if "networks" in top else ():
        parts = nodes.mapping(entry.value, f"networks.{key}")
        name = nodes.text(parts.get("name"), f"networks.{key}.name")
        external = nodes.text(parts.get("external"), f"networks.{key}.external").lower() == "true"
        yield Network(key, name or (key if external else ""), external, entry.line)


def _interpolations(nodes: Nodes, root: Node) -> Iterator[Interpolation]:
    for scalar in nodes.scalars(root):
        try:
            yield from interpolations(str(scalar.value), line_of(scalar))
        except ValueError as error:
            nodes.wrong(line_of(scalar), str(error), "write $$ for a dollar sign")
