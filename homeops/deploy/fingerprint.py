"""The fingerprint of a stack: a digest of each part whose change means that its containers are out of date.

Two fingerprints side by side say which stack is redeployed and why, by part. Secrets count by the ciphertext of each
key, so neither the plaintext nor a private key is needed, and new recipients for the same data change nothing.

Parts: ``compose <path>``, ``config <path>`` and ``env_file <path>`` are the files that the Stack names, as it names
them; ``secret <path> <key>`` each value of an encrypted one; ``file <path>`` other files of the repository that compose
reads; ``env <key>``; ``build <name>`` an image that the fleet builds; ``komodo <field>``.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from homeops.compose.secret_files import secret_files
from homeops.deploy.builds import built_images, image_digest
from homeops.deploy.digests import MISSING, digest, is_secret_file
from homeops.deploy.files import File, named_files, read
from homeops.model.config.build import BuildConfig
from homeops.model.config.repo import RepoConfig
from homeops.model.config.stack import StackConfig
from homeops.model.environment import entries
from homeops.model.graph import Graph, Resource
from homeops.model.references import VARIABLE
from homeops.model.site import RepositoryFacts
from homeops.model.wire import defaults, whole

CONTAINER_FIELDS = (
    "swarm_id",
    "project_name",
    "linked_repo",
    "git_provider",
    "repo",
    "branch",
    "commit",
    "files_on_host",
    "clone_path",
    "run_directory",
    "file_paths",
    "file_contents",
    "env_file_path",
    "additional_env_files",
    "skip_secret_interp",
    "pre_deploy",
    "post_deploy",
    "run_build",
    "build_extra_args",
    "extra_args",
    "compose_cmd_wrapper",
)
"""Fields of a Stack that change its containers.

- Where they run, and as which project: ``swarm_id``, ``project_name``. The host is an input of the Deploy by itself,
  because another name of the same host is no reason to deploy.
- Which files, of which commit: ``linked_repo`` (with the Repo's own fields) to ``files_on_host``.
- Where on the host the files are, which relative mounts follow: ``clone_path``, ``run_directory``.
- What compose reads, and in which order: ``file_paths`` to ``additional_env_files`` (their paths).
- What ``[[NAME]]`` becomes: ``skip_secret_interp``.
- What else is run on the host before and after: ``pre_deploy``, ``post_deploy``.
- How images are built and containers made: ``run_build`` to ``compose_cmd_wrapper`` (around ``up``, ``build``).

``environment`` counts by its keys, ``config_files`` by their contents. The rest changes none: what is shown (links),
told (alerts, ignore_services) or started by what (webhooks, updates), how git and registries are logged into, and the
way of a deploy (auto_pull, destroy_before_deploy, reclone).
"""

REPO_FIELDS = (
    "git_provider",
    "repo",
    "branch",
    "commit",
    "path",
    "on_clone",
    "on_pull",
    "environment",
    "env_file_path",
    "skip_secret_interp",
)
"""Fields of a Repo that change the files of the stacks that are linked to it."""


def fingerprint(stack: Resource, graph: Graph, root: Path, repository: RepositoryFacts) -> dict[str, str]:
    """Part to digest, e.g. ``{"compose docker/stacks/nvr/frigate/compose.yaml": "3f1c…", "env TZ": "…"}``.

    ``repository`` says which one ``root`` is: files of another are not here, and no part of the fingerprint. Raises
    SecretsError for an encrypted file that is none.
    """
    config = stack.config
    if not isinstance(config, StackConfig):
        raise TypeError(f"{stack.kind} {stack.name} has no containers")
    filled = _Variables(graph, on=not config.skip_secret_interp).filled
    parts: dict[str, str] = {}
    texts = [config.file_contents]
    if _ours(config, graph, repository):
        directory = _Directory(root, config)
        parts |= directory.parts()
        texts += [file.text for file in directory.compose.values() if file]
    for image in built_images(graph):
        if any(image.used_in(text) for text in texts):
            parts[f"build {image.build}"] = image_digest(image, root, ours=_ours(image.config, graph, repository))
    for name, value in entries(filled(config.environment)):
        parts[f"env {name}"] = digest(value)
    default = defaults(StackConfig)
    for field in CONTAINER_FIELDS:
        value = getattr(config, field)
        if value != default[field] and (told := _told(field, config, graph)):
            parts[f"komodo {field}"] = digest(filled(json.dumps(told)))
    return parts


def _told(field: str, config: StackConfig, graph: Graph) -> Any:
    """What counts of a field; nothing when its value changes no container."""
    match field:
        case "linked_repo":
            repo = graph.get("Repo", config.linked_repo)
            fields = {name: whole(getattr(repo.config, name)) for name in REPO_FIELDS} if repo else {}
            return [config.linked_repo, fields]
        case "additional_env_files":
            return [file.path for file in config.additional_env_files]
        case "compose_cmd_wrapper":
            wrapped = set(config.compose_cmd_wrapper_include or ["up"])
            return config.compose_cmd_wrapper if wrapped & {"up", "build"} else ""
        case _:
            return whole(getattr(config, field))


def _ours(config: StackConfig | BuildConfig, graph: Graph, repository: RepositoryFacts) -> bool:
    """Whether the files are those of this repository."""
    source: Any = config
    if config.linked_repo:
        repo = graph.get("Repo", config.linked_repo)
        source = repo.config if repo else RepoConfig()
    named = (source.git_provider, source.repo) == (repository.provider, repository.name)
    return named and not config.files_on_host


class _Variables:
    """Komodo's variables, to put in place of ``[[NAME]]`` as Komodo will; ``on``: whether the stack asks for it."""

    def __init__(self, graph: Graph, *, on: bool) -> None:
        self.graph, self.on = graph, on

    def filled(self, text: str) -> str:
        return VARIABLE.sub(self._value, text) if self.on and "[[" in text else text

    def _value(self, reference: re.Match[str]) -> str:
        variable = self.graph.get("Variable", reference[1])
        return str(getattr(variable.config, "value", "")) if variable else reference[0]


class _Directory:
    """The files of a stack in the repository; Komodo's paths are relative to its ``run_directory``."""

    def __init__(self, root: Path, config: StackConfig) -> None:
        self.root, self.config = root, config
        self.compose = {path: self._file(path) for path in config.file_paths or ["compose.yaml"]}

    def parts(self) -> dict[str, str]:
        """The parts that are files."""
        parts = {f"compose {path}": _digest(file) for path, file in self.compose.items()}
        tracked = [file.path for file in self.config.additional_env_files if file.track]
        listed = dict.fromkeys(tracked, "env_file") | {file.path: "config" for file in self.config.config_files}
        secrets = dict.fromkeys((*self._decrypted(), *(path for path in listed if is_secret_file(path))))
        for path in secrets:
            if file := self._file(path):
                parts |= {f"secret {path} {key}": value for key, value in file.secrets}
        for path, kind in listed.items():
            # A secret file is no part as a whole: what sops writes beside the values changes nothing in a container.
            # A tracked env file that is not here is one that the hook makes.
            file = self._file(path)
            if path not in secrets and (file or kind == "config"):
                parts[f"{kind} {path}"] = _digest(file)
        counted = {self._place(path) for path in (*self.compose, *listed)}
        others = {file.path: file for file in self._others(counted)}
        return parts | {f"file {path}": others[path].digest for path in sorted(others)}

    def _decrypted(self) -> Iterator[str]:
        """The files that the pre-deploy hook decrypts."""
        hook = self.config.pre_deploy
        directory = self.root / self._place(hook.path)
        if hook.command and directory.is_dir():
            yield from (posixpath.join(hook.path, file.encrypted.name) for file in secret_files(directory))

    def _others(self, counted: set[str]) -> Iterator[File]:
        """What compose reads beside the files that the Stack names; paths are relative to the first compose file."""
        base = posixpath.dirname(self._place(next(iter(self.compose))))
        for file in self.compose.values():
            if file:
                yield from named_files(self.root, file, base, counted)
        for env_file in self.config.additional_env_files:
            if not env_file.track and (file := self._file(env_file.path)):
                yield file

    def _place(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.config.run_directory, path))

    def _file(self, path: str) -> File | None:
        return read(self.root, self._place(path))


def _digest(file: File | None) -> str:
    return file.digest if file else MISSING
