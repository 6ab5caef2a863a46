"""The fingerprint of a stack: a digest of each part whose change means that its containers are out of date.

Two fingerprints side by side say which stack is redeployed and why, by part. Secrets count by the ciphertext of each
key, so neither the plaintext nor a private key is needed, and new recipients for the same data change nothing.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from homeops.compose.secret_files import SecretFile, secret_files
from homeops.deploy.digests import MISSING, ciphertexts, digest
from homeops.errors import Problem, SecretsError
from homeops.model.config.stack import StackConfig
from homeops.model.graph import Graph, Resource
from homeops.model.wire import whole

CONTAINER_FIELDS = (
    "swarm_id",
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
    filled = _Variables(graph, on=not config.skip_secret_interp).filled
    secrets = _secret_files(root, config)
    parts: dict[str, str] = {}
    for path in config.file_paths:
        parts[f"compose {path}"] = _file_digest(root / path)
    for path, file in secrets.items():
        for key, ciphertext in _ciphertexts(path, file.encrypted):
            parts[f"secret {path} {key}"] = ciphertext
    for file in config.config_files:
        # A secret file is no part as a whole: what sops writes beside the values changes nothing that a container sees.
        if file.path not in secrets:
            parts[f"config {file.path}"] = _file_digest(root / file.path)
    for line in config.environment.splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.strip().startswith("#"):
            parts[f"env {name.strip()}"] = digest(filled(value.strip()))
    default = StackConfig()
    for field in CONTAINER_FIELDS:
        value = getattr(config, field)
        if value != getattr(default, field):
            parts[f"komodo {field}"] = digest(filled(json.dumps(whole(value))))
    return parts


class _Variables:
    """Komodo's variables, to put in place of ``[[NAME]]`` as Komodo will; ``on``: whether the stack asks for it."""

    def __init__(self, graph: Graph, *, on: bool) -> None:
        named = graph.of("Variable") if on else ()
        self.values = {variable.name: str(getattr(variable.config, "value", "")) for variable in named}

    def filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda match: self.values.get(match[1], match[0]), text)


def _secret_files(root: Path, config: StackConfig) -> dict[str, SecretFile]:
    """The files that the pre-deploy hook decrypts, by path relative to the repository."""
    directory = root / config.pre_deploy.path
    if not config.pre_deploy.path or not directory.is_dir():
        return {}
    return {str(file.encrypted.relative_to(root)): file for file in secret_files(directory)}


_seen: dict[tuple[Path, int, int], str] = {}


def _file_digest(path: Path) -> str:
    """The digest of a file, or ``missing``; remembered, because many stacks share a directory."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return MISSING
    key = (path, stat.st_mtime_ns, stat.st_size)
    if key not in _seen:
        _seen[key] = digest(path.read_bytes())
    return _seen[key]


def _ciphertexts(path: str, file: Path) -> Iterator[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise SecretsError(Problem(path, f"not a readable secret file ({reason})", f"sops -d {path}")) from None
    yield from ciphertexts(path, text)
