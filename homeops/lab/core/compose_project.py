"""Compose files as ``docker compose`` reads them: interpolated, merged, normalised, and printed as by ``config``.

Covers what people's stacks use: several files, ``${...}``, env files, short and long forms of the common keys. Error
texts are those of compose v5 where they are simple.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from homeops.lab.core.compose_project_yaml import compose_yaml

Mapping_ = dict[str, Any]


class ComposeFailure(Exception):  # noqa: N818 - what the compose command says, not an error of the simulator
    """Compose refuses; the text is what it writes to stderr."""


@dataclass(frozen=True, slots=True)
class Project:
    """One project as compose understood it: services, networks and volumes normalised."""

    name: str
    services: dict[str, Mapping_]
    networks: dict[str, Mapping_]
    volumes: dict[str, Mapping_]
    declared: list[str]
    """The services in the order of the files; ``services`` is sorted by name, as ``config`` prints them."""

    def config(self) -> str:
        """What ``docker compose config`` prints."""
        document: Mapping_ = {"name": self.name, "services": self.services}
        if self.networks:
            document["networks"] = self.networks
        if self.volumes:
            document["volumes"] = self.volumes
        return compose_yaml(document)

    def waves(self, names: Iterable[str]) -> list[list[str]]:
        """These services (all when there are none) and what they depend on, in groups that start together."""
        wanted = list(names) or self.declared
        unknown = [name for name in wanted if name not in self.services]
        if unknown:
            raise ComposeFailure(f"no such service: {unknown[0]}\n")
        depths: dict[str, int] = {}

        def depth(name: str) -> int:
            if name not in depths:
                depths[name] = 0  # a circle ends here
                depths[name] = 1 + max((depth(other) for other in self.services[name].get("depends_on", {})), default=0)
            return depths[name]

        for name in wanted:
            depth(name)
        ordered = sorted(depths, key=self.declared.index)
        return [[name for name in ordered if depths[name] == level] for level in range(1, max(depths.values()) + 1)]


def load_project(
    name: str, directory: Path, files: Iterable[str], env_files: Iterable[str], *, resolve: bool = True
) -> Project:
    """Read compose files (paths relative to ``directory``); ``resolve`` puts the contents of ``env_file`` in place."""
    paths = [directory / file for file in files]
    environment = _environment(directory, paths[0].parent, list(env_files))
    merged: Mapping_ = {}
    for path in paths:
        merged = _merge(merged, _interpolate(_read(path), environment))
    base = paths[0].parent
    declared: dict[str, Mapping_ | None] = merged.get("services") or {}
    networks: Mapping_ = merged.get("networks") or {}
    volumes: dict[str, Mapping_ | None] = merged.get("volumes") or {}
    services = {service: _service(body or {}, base, resolve) for service, body in declared.items()}
    for service in sorted(services):
        for other, wanted in services[service].get("depends_on", {}).items():
            if other not in services and wanted.get("required", True):
                raise ComposeFailure(
                    f'service "{service}" depends on undefined service "{other}": invalid compose project\n'
                )
    return Project(
        name,
        dict(sorted(services.items())),
        _top_level(name, services, networks),
        {key: _named(name, key, volumes[key] or {}) for key in sorted(volumes)},
        list(services),
    )


def _environment(directory: Path, beside: Path, env_files: list[str]) -> dict[str, str]:
    """What fills ``${...}``: the env files given, else ``.env`` beside the first compose file."""
    values: dict[str, str] = {}
    for file in env_files:
        path = directory / file
        if not path.is_file():
            raise ComposeFailure(f"couldn't find env file: {path}\n")
        values |= read_env_file(path.read_text(), values)
    if not env_files and (beside / ".env").is_file():
        values |= read_env_file((beside / ".env").read_text(), values)
    return values


def read_env_file(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """``KEY=value`` lines; quotes are taken off, ``${...}`` is filled from what came before unless in single quotes."""
    values: dict[str, str] = {}
    for raw in text.splitlines():
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#") or "=" not in line:
            continue
        key, _, value = line.partition("=")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] == "'":
            values[key.strip()] = value[1:-1]
            continue
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1].replace("\\n", "\n").replace('\\"', '"')
        else:
            value = re.sub(r"\s+#.*$", "", value)
        values[key.strip()] = filled(value, {**known, **values})
    return values


def _read(path: Path) -> Mapping_:
    if not path.is_file():
        raise ComposeFailure(f"open {path}: no such file or directory\n")
    try:
        loaded: Any = yaml.safe_load(path.read_text())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"L{mark.line + 1}.C{mark.column + 1}" if mark else "L1.C1"
        raise ComposeFailure(
            f"failed to parse {path}: go-yaml load error in parser ({error.context or 'while parsing'}) "
            f"at {where}: {_go_words(error.problem or '')}\n"
        ) from error
    if loaded is None:
        raise ComposeFailure("empty compose file\n")
    if not isinstance(loaded, dict):
        raise ComposeFailure(f"failed to parse {path}: top-level object must be a mapping\n")
    document = cast(Mapping_, loaded)
    services: dict[str, Mapping_ | None] = document.get("services") or {}
    for service, body in services.items():
        for key in body or {}:
            if key not in SERVICE_KEYS and not key.startswith("x-"):
                raise ComposeFailure(
                    f"validating {path}: services.{service} additional properties '{key}' not allowed\n"
                )
    return document


def _go_words(problem: str) -> str:
    """What go-yaml says of a problem that PyYAML found."""
    if problem.startswith("expected the node content"):
        return "did not find expected node content"
    if problem.startswith("found character"):
        return "found character that cannot start any token"
    return problem.replace("not allowed here", "not allowed in this context")


_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\}|([A-Za-z_]\w*))")


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its variables' values; raises ComposeFailure where one that is required is missing."""

    def one(match: re.Match[str]) -> str:
        escaped, name, operator, argument, bare = match.groups()
        if escaped:
            return "$"
        value = values.get(name or bare)
        if operator is None:
            return value or ""
        present = bool(value) if operator.startswith(":") else value is not None
        match operator[-1]:
            case "-":
                return (value or "") if present else filled(argument, values)
            case "+":
                return filled(argument, values) if present else ""
            case _:
                if not present:
                    raise ComposeFailure(
                        f"error while interpolating: required variable {name} is missing a value: {argument}\n"
                    )
                return value or ""

    return _REFERENCE.sub(one, text)


def _interpolate(value: Any, values: Mapping[str, str]) -> Any:
    match value:
        case str():
            return filled(value, values)
        case list():
            return [_interpolate(entry, values) for entry in cast(list[Any], value)]
        case dict():
            return {key: _interpolate(entry, values) for key, entry in cast(Mapping_, value).items()}
        case _:
            return value


def _merge(base: Any, over: Any) -> Any:
    """A later file over an earlier one: mappings merge, lists are joined, except those that are one value."""
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(cast(Mapping_, base))
        for key, value in cast(Mapping_, over).items():
            if key in ("environment", "labels", "depends_on", "networks") and key in merged:
                merged[key] = _merge(_as_mapping(merged[key]), _as_mapping(value))
            elif key in merged and key not in ("command", "entrypoint", "test"):
                merged[key] = _merge(merged[key], value)
            else:
                merged[key] = value
        return merged
    if isinstance(base, list) and isinstance(over, list):
        known = cast(list[Any], base)
        return [*known, *(entry for entry in cast(list[Any], over) if entry not in known)]
    return over


def _as_mapping(value: Any) -> Any:
    """``["A=1", "b"]`` as ``{"A": "1", "b": None}``."""
    if not isinstance(value, list):
        return value
    pairs = (str(entry).partition("=") for entry in cast(list[Any], value))
    return {key: text if equals else None for key, equals, text in pairs}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _service(body: Mapping_, base: Path, resolve: bool) -> Mapping_:
    service = {key: value for key, value in body.items() if not key.startswith("x-")}
    for key in ("command", "entrypoint"):
        if isinstance(service.get(key), str):
            service[key] = shlex.split(service[key])
    _put_environment(service, base, resolve)
    if "labels" in service:
        service["labels"] = {key: _text(value) or "" for key, value in sorted(_as_mapping(service["labels"]).items())}
    if "depends_on" in service:
        service["depends_on"] = _depends_on(service["depends_on"])
    if "ports" in service:
        service["ports"] = [_port(entry) for entry in service["ports"]]
    if "volumes" in service:
        service["volumes"] = [_volume(entry, base) for entry in service["volumes"]]
    if "healthcheck" in service:
        service["healthcheck"] = _healthcheck(service["healthcheck"])
    if "network_mode" not in service:
        service["networks"] = _as_mapping(service.get("networks")) or {"default": None}
    if isinstance(service.get("build"), str):
        service["build"] = {"context": str((base / service["build"]).resolve()), "dockerfile": "Dockerfile"}
    for key in ("stop_grace_period",):
        if key in service:
            service[key] = duration_text(service[key])
    if "deploy" not in service and service.get("scale") is not None:
        service["scale"] = int(service["scale"])
    return {key: _sorted_deep(key, service[key]) for key in sorted(service)}


def _put_environment(service: Mapping_, base: Path, resolve: bool) -> None:
    environment: dict[str, str | None] = {}
    files = _env_files(service.pop("env_file", None), base)
    for path, required in files if resolve else ():
        if path.is_file():
            environment |= read_env_file(path.read_text(), {})
        elif required:
            raise ComposeFailure(f"env file {path} not found: stat {path}: no such file or directory\n")
    if files and not resolve:
        service["env_file"] = [{"path": str(path)} for path, _ in files]
    declared: dict[str, Any] = _as_mapping(service.get("environment")) or {}
    environment |= {key: _text(value) for key, value in declared.items()}
    if environment:
        service["environment"] = dict(sorted(environment.items()))
    else:
        service.pop("environment", None)


def _env_files(given: Any, base: Path) -> list[tuple[Path, bool]]:
    """The env files of a service, and whether each must be there."""
    if given is None:
        return []
    found: list[tuple[Path, bool]] = []
    for entry in cast(list[Any], given) if isinstance(given, list) else [given]:
        if isinstance(entry, dict):
            named = cast(Mapping_, entry)
            found.append((base / str(named["path"]), bool(named.get("required", True))))
        else:
            found.append((base / str(entry), True))
    return found


def _depends_on(value: Any) -> Mapping_:
    mapping: Mapping_ = cast(Mapping_, value) if isinstance(value, dict) else {name: {} for name in value}
    return {
        name: {"condition": "service_started", "required": True} | (wanted or {}) for name, wanted in mapping.items()
    }


def _port(entry: Any) -> Mapping_:
    if isinstance(entry, dict):
        return {"mode": "ingress", "protocol": "tcp"} | cast(Mapping_, entry)
    text, _, protocol = str(entry).partition("/")
    *host, target = text.rsplit(":", 2 if text.count(":") > 1 else 1)
    port: Mapping_ = {"mode": "ingress"}
    if len(host) == 2:
        port["host_ip"] = host[0]
    port["target"] = int(target) if target.isdigit() else target
    if host:
        port["published"] = host[-1]
    return port | {"protocol": protocol or "tcp"}


def _volume(entry: Any, base: Path) -> Mapping_:
    if isinstance(entry, dict):
        return cast(Mapping_, entry)
    source, _, rest = str(entry).partition(":")
    if not rest:
        return {"type": "volume", "target": source, "volume": {}}
    target, _, mode = rest.partition(":")
    read_only = {"read_only": True} if "ro" in mode.split(",") else {}
    if source.startswith((".", "/", "~")):
        place = source if source.startswith(("/", "~")) else str((base / source).resolve())
        return {"type": "bind", "source": place, "target": target, **read_only, "bind": {}}
    return {"type": "volume", "source": source, "target": target, **read_only, "volume": {}}


def _healthcheck(check: Mapping_) -> Mapping_:
    check = dict(check)
    if isinstance(check.get("test"), str):
        check["test"] = ["CMD-SHELL", check["test"]]
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if key in check:
            check[key] = duration_text(check[key])
    return {key: check[key] for key in _HEALTHCHECK if key in check}


_HEALTHCHECK = ("test", "timeout", "interval", "retries", "start_period", "start_interval", "disable")


def seconds(value: Any) -> float:
    """``1m30s`` and the like in seconds."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "ns": 1e-9, "d": 86400.0}
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|us|ns|[dhms])", str(value))
    return sum(float(number) * units[unit] for number, unit in found)


def duration_text(value: Any) -> str:
    """A duration as Go prints it: ``60s`` is ``1m0s``."""
    total = seconds(value)
    hours, rest = divmod(total, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours:.0f}h{minutes:.0f}m{left:g}s"
    if minutes:
        return f"{minutes:.0f}m{left:g}s"
    return f"{left * 1000:g}ms" if 0 < left < 1 else f"{left:g}s"


def _named(project: str, key: str, body: Mapping_) -> Mapping_:
    if body.get("external"):
        return {"name": body.get("name", key), "external": True}
    return {"name": body.get("name", f"{project}_{key}")} | {k: v for k, v in sorted(body.items()) if k != "name"}


def _top_level(project: str, services: Mapping[str, Mapping_], declared: Mapping_) -> dict[str, Mapping_]:
    attached: list[Mapping_] = [service.get("networks") or {} for service in services.values()]
    used = {network for networks in attached for network in networks}
    missing = sorted(used - {"default"} - declared.keys())
    if missing:
        service = next(name for name in sorted(services) if missing[0] in (services[name].get("networks") or {}))
        raise ComposeFailure(f'service "{service}" refers to undefined network {missing[0]}: invalid compose project\n')
    names = sorted({*(name for name in declared if name in used), *({"default"} & used)})
    return {name: _named(project, name, declared.get(name) or {}) for name in names}


def _sorted_deep(key: str, value: Any) -> Any:
    """Keys in the order in which compose writes them: alphabetical, but for ports, volumes and health checks."""
    if isinstance(value, dict) and key != "healthcheck":
        return {inner: _sorted_deep(inner, cast(Mapping_, value)[inner]) for inner in sorted(cast(Mapping_, value))}
    if isinstance(value, list) and key not in ("ports", "volumes"):
        return [_sorted_deep("", entry) for entry in cast(list[Any], value)]
    return cast(Any, value)


SERVICE_KEYS = frozenset(
    [
        "annotations",
        "attach",
        "blkio_config",
        "build",
        "cap_add",
        "cap_drop",
        "cgroup",
        "cgroup_parent",
        "command",
        "configs",
        "container_name",
        "cpu_count",
        "cpu_percent",
        "cpu_period",
        "cpu_quota",
        "cpu_rt_period",
        "cpu_rt_runtime",
        "cpu_shares",
        "cpus",
        "cpuset",
        "credential_spec",
        "depends_on",
        "deploy",
        "develop",
        "device_cgroup_rules",
        "devices",
        "dns",
        "dns_opt",
        "dns_search",
        "domainname",
        "entrypoint",
        "env_file",
        "environment",
        "expose",
        "extends",
        "external_links",
        "extra_hosts",
        "gpus",
        "group_add",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "ipc",
        "isolation",
        "label_file",
        "labels",
        "links",
        "logging",
        "mac_address",
        "mem_limit",
        "mem_reservation",
        "mem_swappiness",
        "memswap_limit",
        "models",
        "network_mode",
        "networks",
        "oom_kill_disable",
        "oom_score_adj",
        "pid",
        "pids_limit",
        "platform",
        "ports",
        "post_start",
        "pre_stop",
        "privileged",
        "profiles",
        "provider",
        "pull_policy",
        "pull_refresh_after",
        "read_only",
        "restart",
        "runtime",
        "scale",
        "secrets",
        "security_opt",
        "shm_size",
        "stdin_open",
        "stop_grace_period",
        "stop_signal",
        "storage_opt",
        "sysctls",
        "tmpfs",
        "tty",
        "ulimits",
        "use_api_socket",
        "user",
        "userns_mode",
        "uts",
        "volumes",
        "volumes_from",
        "working_dir",
    ]
)
"""The keys of a service in the Compose Specification."""
