"""The fingerprint of a stack: a digest of each part whose change means that its containers are out of date.

Two fingerprints side by side say which stack is redeployed and why, by part. Secrets count by the ciphertext of each
key, so neither the plaintext nor a private key is needed, and new recipients for the same data change nothing.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from homeops.model.config.stack import StackConfig
from homeops.model.graph import Graph, Resource
from homeops.model.wire import whole

CONTAINER_FIELDS = (
    "server_id",
    "project_name",
    "run_directory",
    "file_paths",
    "file_contents",
    "extra_args",
    "build_extra_args",
    "env_file_path",
    "additional_env_files",
    "linked_repo",
    "repo",
    "branch",
    "commit",
    "compose_cmd_wrapper",
    "registry_provider",
    "registry_account",
    "pre_deploy",
    "post_deploy",
    "skip_secret_interp",
)
"""Fields of a Stack that change its containers; the others (alerts, links, webhooks, updates) do not."""

_VARIABLE = re.compile(r"\[\[([A-Za-z_][A-Za-z0-9_]*)\]\]")


def fingerprint(stack: Resource, graph: Graph, root: Path) -> dict[str, str]:
    """Part to digest, e.g. ``{"compose docker/stacks/nvr/frigate/compose.yaml": "3f1c…", "env TZ": "…"}``."""
    config = stack.config
    if not isinstance(config, StackConfig):
        raise TypeError(f"{stack.kind} {stack.name} has no containers")
    variables = {variable.name: str(getattr(variable.config, "value", "")) for variable in graph.of("Variable")}
    parts: dict[str, str] = {}
    for path in config.file_paths:
        parts[f"compose {path}"] = _file_digest(root / path)
    for file in config.config_files:
        parts[f"config {file.path}"] = _file_digest(root / file.path)
    if config.pre_deploy.path:
        for path in sorted((root / config.pre_deploy.path).glob("*.sops.*")):
            for key, ciphertext in _ciphertexts(path):
                parts[f"secret {path.relative_to(root)} {key}"] = _digest(ciphertext)
    for line in config.environment.splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.strip().startswith("#"):
            parts[f"env {name.strip()}"] = _digest(_VARIABLE.sub(lambda m: variables.get(m[1], m[0]), value.strip()))
    fields = {name: whole(getattr(config, name)) for name in CONTAINER_FIELDS}
    defaults = {name: whole(getattr(StackConfig(), name)) for name in CONTAINER_FIELDS}
    parts |= {f"komodo {name}": _digest(json.dumps(value)) for name, value in fields.items() if value != defaults[name]}
    return parts


def _digest(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:12]


_seen: dict[tuple[Path, int, int], str] = {}


def _file_digest(path: Path) -> str:
    """The digest of a file, or ``missing``; remembered, because many stacks share a directory."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return "missing"
    key = (path, stat.st_mtime_ns, stat.st_size)
    if key not in _seen:
        _seen[key] = _digest(path.read_bytes())
    return _seen[key]


def _ciphertexts(path: Path) -> Iterator[tuple[str, str]]:
    """Each key of an encrypted file with its ciphertext; what sops itself adds is left out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".env":
        for line in text.splitlines():
            name, separator, value = line.partition("=")
            if separator and not name.startswith(("sops_", "#")):
                yield name, value
        return
    document: Any = yaml.safe_load(text)
    if isinstance(document, Mapping):
        yield from _leaves({key: value for key, value in document.items() if key != "sops"}, "")  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, item in value.items():  # pyright: ignore[reportUnknownVariableType]
                yield from _leaves(item, f"{path}.{key}" if path else str(key))  # pyright: ignore[reportUnknownArgumentType]
        case list():
            for place, item in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                yield from _leaves(item, f"{path}[{place}]")
        case _:
            yield path, str(value)
