"""What compose files and secret files must agree on: keys that are read exist, keys that exist are read, nothing leaks.

Pure rules over files that were read.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from homeops.compose.compose_file import ComposeFile, Service
from homeops.compose.secret_files import plain_path
from homeops.errors import nearest
from homeops.secrets.consumers import Consumer, Consumers, places, twin, variables
from homeops.secrets.documents import Document
from homeops.secrets.environments import StackEnvironment
from homeops.secrets.file_rules import secret_paths
from homeops.secrets.finding import Finding
from homeops.secrets.git_tree import Tree

Documents = Mapping[str, Document]
Stacks = Sequence[StackEnvironment]

_OF_COMPOSE = "COMPOSE_"


def env_file_findings(tree: Tree, found: Consumers, stacks: Stacks | None) -> Iterator[Finding]:
    """Env files that a service cannot do without and that no host will have."""
    written = {stack.written for stack in stacks or () if stack.written}
    for plain, by in found.by_env_file.items():
        if plain in tree or plain in written:
            continue
        encrypted = twin(plain)
        # Komodo writes a stack's environment to a file of this name; where, only the stacks tell.
        if encrypted in tree or (stacks is None and posixpath.basename(plain) == ".env"):
            continue
        if plain.endswith(".env"):
            name, directory = posixpath.basename(encrypted), posixpath.dirname(encrypted)
            beside = [posixpath.basename(path) for path in secret_paths(tree) if posixpath.dirname(path) == directory]
            missing, hint = f"there is no {name}{nearest(name, beside)}", f"homeops secrets edit {encrypted}"
        else:
            missing, hint = "the repository has no such file", "of a secret file, the hook makes a NAME.env: read that"
        for consumer in by:
            if consumer.env_file.required:
                what = f"service {consumer.service.name} reads {consumer.env_file.path}, and {missing}"
                path, line = consumer.compose.path.as_posix(), consumer.env_file.line
                yield Finding(path, line, "no-secret-file", what, hint)


def variable_findings(documents: Documents, found: Consumers, stacks: Stacks | None) -> Iterator[Finding]:
    """Variables of compose files that are secrets, which leaks them, and those that nothing gives a value."""
    for file in found.files:
        path = file.path.as_posix()
        secrets = _keys_beside(file, documents)
        using = [stack for stack in stacks or () if path in stack.compose]
        told: set[str] = set()
        for variable in variables(file):
            name = variable.name
            lacking = [stack for stack in using if name not in stack.variables]
            if name in told or (using and not lacking) or name.startswith(_OF_COMPOSE):
                continue
            told.add(name)
            if name in secrets:
                what = f"{name} is a secret of {secrets[name]}; compose would write it where Komodo keeps and shows it"
                hint = f"hand the whole file over (env_file, format: raw); inside of the container it is $${name}"
                yield Finding(path, variable.line, "leak", what, hint)
            elif using and not variable.optional:
                given = {*secrets, *(known for stack in lacking for known in stack.variables)}
                what = (
                    f"nothing gives {name} a value: neither {_listed(lacking)} nor a secret file{nearest(name, given)}"
                )
                yield Finding(path, variable.line, "no-such-key", what, "set it in env= of the stack (homeops/fleet)")


def needed_findings(tree: Tree, documents: Documents, found: Consumers) -> Iterator[Finding]:
    """Keys that a service says it needs (``x-homeops.secrets``) and that none of its env files has."""
    for file in found.files:
        for service in file.services:
            twins = [twin(plain) for plain in places(file, (env_file.path for env_file in service.env_files))]
            # Of a file that cannot be read, another rule says so.
            if service.secrets is None or any(path in tree and path not in documents for path in twins):
                continue
            names = {key for path in twins if path in documents for key in documents[path].keys}
            into = next((path for path in twins if path in documents), "")
            for key, line in service.secrets:
                if key not in names:
                    what = f"service {service.name} needs {key}, and no secret file that it gets has it"
                    hint = f"homeops secrets set {into} {key}" if into else "give the service an env_file"
                    yield Finding(file.path.as_posix(), line, "no-such-key", what + nearest(key, names), hint)


def unread_findings(documents: Documents, found: Consumers) -> Iterator[Finding]:
    """Secret files that no compose file reads, and keys that no service needs of those that say what they need."""
    for path, document in documents.items():
        plain = plain_path(document.path).as_posix()
        if found.sees(plain):
            continue
        by = found.by_env_file.get(plain, ())
        if not by and not _interpolated(document, found):
            what = f"no compose file reads {posixpath.basename(plain)}"
            yield Finding(path, 0, "unread", what, "name it in env_file, mount it, or remove it", "warning")
            continue
        needed = _needed(by)
        if needed is None or not document.metadata:
            continue
        for value in document.values:
            if value.key not in needed:
                what = f"no service needs {value.key}"
                hint = f"name it in x-homeops.secrets of a service, or remove it: homeops secrets edit {path}"
                yield Finding(path, value.line, "unread", what, hint, "warning")


def _needed(by: Sequence[Consumer]) -> set[str] | None:
    """The keys that these services need; None when one of them does not say."""
    services: list[Service] = [consumer.service for consumer in by]
    if not services or any(service.secrets is None for service in services):
        return None
    return {key for service in services for key, _ in service.secrets or ()}


def _interpolated(document: Document, found: Consumers) -> bool:
    beside = (file for file in found.files if file.path.parent == document.path.parent)
    return any(variable.name in document.keys for file in beside for variable in variables(file))


def _keys_beside(file: ComposeFile, documents: Documents) -> dict[str, str]:
    """Each key of the secret environment files in a compose file's directory, and the name of its file."""
    beside = (found for found in documents.values() if found.path.parent == file.path.parent and found.format == "env")
    return {key: found.path.name for found in beside for key in found.keys}


def _listed(stacks: Stacks) -> str:
    return f"{'stack' if len(stacks) == 1 else 'stacks'} {', '.join(stack.name for stack in stacks)}"
