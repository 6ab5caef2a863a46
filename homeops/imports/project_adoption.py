"""What would adopt a compose project: the declaration of its stack, the files beside it, and what is left to do.

Three forms. ``repository``: the compose file as it is, at docker/stacks/HOST/NAME, with few edits. ``on-host``: the
files stay where they are, because they cannot be used elsewhere. ``rewritten``: the compose file is gone, and one is
written from the containers. ``none``: nothing can be said before the project is repaired.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from homeops.compose.compose_file import ComposeFile, parse_compose
from homeops.compose.interpolation import Interpolation
from homeops.compose.secret_files import encrypted_path
from homeops.errors import ComposeError
from homeops.imports.compose_text import Edited, Moved, NotForAnotherDirectory, Place, edited
from homeops.imports.inspected_compose import compose_of
from homeops.imports.projects import Agent, Project, Running
from homeops.imports.recreation import Fate, fates
from homeops.model.config.stack import AdditionalEnvFile
from homeops.model.conventions import KEEP_SECRETS_OUT
from homeops.model.stack_paths import stack_path
from homeops.secrets.masking import masked

Form = Literal["repository", "on-host", "rewritten", "none"]

_COMPOSE_NAMES = {1: ("compose.yaml",), 2: ("compose.yaml", "compose.override.yaml")}
_OF_COMPOSE = "COMPOSE_"


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file to be made with ``homeops secrets``. ``source``: the file on the host that it is a copy of, or empty.

    ``keys``: each key, and where its value is to be found.
    """

    path: str
    keys: Mapping[str, str]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Adoption:
    """How one project would be adopted. ``fields``: those of the Stack beside its host; ``files``: path to text.

    ``variables``: what is to be declared as variables of Komodo, and where the value is to be found.
    """

    project: Project
    form: Form
    name: str
    fates: tuple[Fate, ...]
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    files: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: tuple[SecretFile, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether every container stays as it is."""
        return self.form != "none" and all(fate.outcome == "kept" for fate in self.fates)


def adoption(project: Project, host: str, name: str, running: Running) -> Adoption:
    """How a project of a host becomes the stack of that name."""
    said = fates(project)
    notes = list(_state_notes(project))
    if project.files.lost:
        return _rewritten(project, host, name, running, said, notes)
    if project.files.config is None:
        return Adoption(project, "none", name, said, notes=tuple(notes))
    try:
        return _in_repository(project, host, name, said, notes)
    except (NotForAnotherDirectory, ComposeError) as error:
        reason = str(error.problems[0].what) if isinstance(error, ComposeError) else str(error)
        return _on_host(project, host, name, running.agent, said, [*notes, f"its files stay where they are: {reason}"])


def _common(project: Project, host: str, name: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"description": f"Adopted on {host}, from {project.files.working_dir or 'its containers'}"}
    if project.name != name:
        fields |= {"project_name": project.name}
    # A pull may bring another image under the same name, and compose would make the container anew.
    return fields | {"auto_pull": False}


def _in_repository(project: Project, host: str, name: str, said: tuple[Fate, ...], notes: list[str]) -> Adoption:
    files = project.files
    if len(files.compose) not in _COMPOSE_NAMES:
        raise NotForAnotherDirectory(f"it is made of {len(files.compose)} compose files")
    directory = stack_path(host, name)
    env_files = _names_beside(files.environments)
    known = {key for keys in files.variables.values() for key in keys}
    place = Place(
        files.working_dir, files.services, env_files, lambda key, value: _leaves(key, value, known), _own_env_file
    )
    texts = [(path, edited(text or "", place)) for path, text in files.compose.items()]
    written = dict(zip(_COMPOSE_NAMES[len(texts)], (edit.text for _, edit in texts), strict=True))
    moved = [(path, entry) for path, edit in texts for entry in edit.moved]
    read = [parse_compose(text, Path(directory, file)) for file, text in written.items()]
    env, variables = _environment(project, name, read)
    secrets = [
        SecretFile(f"{directory}/{encrypted_path(Path(new))}", dict.fromkeys(files.environments[old], ""), old)
        for old, new in env_files.items()
    ]
    secrets += _of_moved(directory, moved, files.variables)
    fields = _common(project, host, name) | ({"env": env} if env else {})
    notes += _path_notes(edit for _, edit in texts)
    if idle := _idle(project):
        notes.append(f"started with a profile, which the declaration gives as COMPOSE_PROFILES: {', '.join(idle)}")
    if shown := sorted(key for key, value in env.items() if value.startswith("[[") and _looks_secret(key, "x")):
        notes.append(f"Komodo would show {', '.join(shown)}, filled in outside of environment: no place for a secret")
    return Adoption(
        project,
        "repository",
        name,
        said,
        fields,
        {f"{directory}/{file}": text for file, text in written.items()},
        tuple(secrets),
        variables,
        tuple(notes),
    )


def _leaves(key: str, value: str, known: set[str]) -> bool:
    """Whether an entry of an environment may not stand in the repository: filled in from an env file, or a secret."""
    used = {match[1] for match in re.finditer(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", value.replace("$$", ""))}
    if "\n" in value:
        return False
    return bool(used & known) or (not used and bool(value) and _looks_secret(key, value))


def _looks_secret(key: str, value: str) -> bool:
    if key.upper().endswith("_FILE") or value.lower() in ("true", "false", "yes", "no", "0", "1"):
        return False
    line = f"{key}={value}"
    return masked(line) != line


def _own_env_file(service: str) -> str:
    return f"{service}.secrets.env"


def _names_beside(environments: Mapping[str, Any]) -> dict[str, str]:
    """A name beside the compose file for each env file, ending as the hook makes them: ``.env``, ``NAME.env``."""
    found: dict[str, str] = {}
    for path in environments:
        base = posixpath.basename(path)
        base = base if base == ".env" or base.endswith(".env") else f"{base.strip('.')}.env"
        if base in found.values():
            base = f"{posixpath.basename(posixpath.dirname(path))}-{base.strip('.')}"
        found[path] = base
    return found


def _of_moved(directory: str, moved: list[tuple[str, Moved]], variables: Mapping[str, Any]) -> Iterator[SecretFile]:
    by_service: dict[str, dict[str, str]] = {}
    for path, entry in moved:
        used = sorted(set(re.findall(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)", entry.written.replace("$$", ""))))
        if entry.written in {f"${name}" for name in used} | {f"${{{name}}}" for name in used}:
            where = f"that of {used[0]} in {', '.join(variables)}"
        else:
            filled = f", with {', '.join(used)} of {', '.join(variables)} filled in" if used else ""
            where = f"that in {path}, services.{entry.service}.environment{filled}"
        dollars = ", each $$ as one $" if "$$" in entry.written else ""
        by_service.setdefault(entry.service, {})[entry.key] = where + dollars
    for service, keys in by_service.items():
        yield SecretFile(f"{directory}/{encrypted_path(Path(_own_env_file(service)))}", keys)


def _environment(project: Project, name: str, read: list[ComposeFile]) -> tuple[dict[str, str], dict[str, str]]:
    """The stack's ``env`` and the variables that it refers to, with where each value is found."""
    files = project.files
    sources = {key: path for path, keys in files.variables.items() for key in keys}
    env: dict[str, str] = {}
    variables: dict[str, str] = {}
    inherited = [variable for file in read for service in file.services for variable in service.inherited]
    elsewhere = [
        Interpolation(key, "", 0)
        for path, keys in files.refers.items()
        for key in keys
        if key not in files.environments[path]
    ]
    for variable in (*(found for file in read for found in file.interpolations), *inherited, *elsewhere):
        key = variable.name
        if key in sources and not key.startswith(_OF_COMPOSE):
            stem = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
            komodo = key if key.upper().startswith(f"{stem}_") else f"{stem}_{key}"
            env[key] = f"[[{komodo}]]"
            variables[komodo] = f"that of {key} in {sources[key]}"
        elif not variable.optional and not key.startswith(_OF_COMPOSE):
            # Nothing on the host gives it a value, and compose counted it as empty.
            env[key] = ""
    profiles = dict.fromkeys(
        str(service["profiles"][0])
        for service_name, service in files.services.items()
        if service.get("profiles") and service_name in project.of_services
    )
    if profiles:
        env["COMPOSE_PROFILES"] = ",".join(profiles)
    return env, variables


def _on_host(
    project: Project, host: str, name: str, agent: Agent | None, said: tuple[Fate, ...], notes: list[str]
) -> Adoption:
    files = project.files
    directory = files.working_dir
    fields = _common(project, host, name) | {
        "files_on_host": True,
        "run_directory": directory,
        "file_paths": [path.removeprefix(f"{directory}/") for path in files.compose],
        "compose_cmd_wrapper": KEEP_SECRETS_OUT,
        "compose_cmd_wrapper_include": ["config"],
    }
    if files.env_file_option:
        # Komodo passes its own env file last, also one that was there before; compose read them in this order.
        *others, last = (path.removeprefix(f"{directory}/") for path in files.env_file_option)
        fields["env_file_path"] = last
        if others:
            fields["additional_env_files"] = [AdditionalEnvFile(path=path, track=False) for path in others]
    if agent and not agent.reads(directory):
        notes.append(f"Periphery's container does not see {directory}: mount it there under the same path first")
    if idle := _idle(project):
        notes.append(
            f"started with a profile, which Komodo does not give: COMPOSE_PROFILES in .env, for {', '.join(idle)}"
        )
    if files.variables:
        notes.append(
            f"what {', '.join(files.variables)} fills into the compose file is shown in Komodo's logs: no secret there"
        )
    return Adoption(project, "on-host", name, said, fields, notes=tuple(notes))


def _rewritten(
    project: Project, host: str, name: str, running: Running, said: tuple[Fate, ...], notes: list[str]
) -> Adoption:
    directory = stack_path(host, name)
    made = compose_of(project, running)
    secrets = tuple(
        SecretFile(
            f"{directory}/{encrypted_path(Path(file))}",
            dict.fromkeys(keys, f"shown by: docker exec {project.of_services[file.removesuffix('.env')][0].name} env"),
        )
        for file, keys in made.env_files.items()
    )
    if project.files.problem:
        notes.append(f"compose does not take the file that is written here: {project.files.problem}")
    notes.append("what Docker does not tell is lost (comments, build, depends_on, ...): read the file before a deploy")
    return Adoption(
        project,
        "rewritten",
        name,
        said,
        _common(project, host, name),
        {f"{directory}/compose.yaml": made.text},
        secrets,
        notes=tuple(notes),
    )


def _state_notes(project: Project) -> Iterator[str]:
    for container in project.containers:
        if container.one_off:
            yield f"{container.name} was made by docker compose run, and stays as it is"
        elif container.state in ("exited", "created", "dead"):
            yield f"{container.name} does not run ({container.state}): a deploy starts it"
        elif container.state == "paused":
            yield f"{container.name} is paused: a deploy lets it go on"
    absent = project.files.active - project.of_services.keys()
    if absent:
        yield f"has no container yet, and a deploy makes one: {', '.join(sorted(absent))}"
    if built := sorted(name for name, service in project.files.services.items() if service.get("build")):
        yield f"its image was built on the host, and the sources are not carried over: {', '.join(built)}"


def _idle(project: Project) -> list[str]:
    """Services that run by a profile which nothing in the files makes active."""
    files = project.files
    with_profile = (name for name, service in files.services.items() if service.get("profiles"))
    return sorted(name for name in with_profile if name in project.of_services and name not in files.active)


def _path_notes(edits: Iterator[Edited]) -> Iterator[str]:
    paths = {old: new for edit in edits for old, new in edit.paths.items() if new.startswith("/")}
    if paths:
        listed = ", ".join(f"{old} is {new}" for old, new in paths.items())
        yield f"its data and files stay where they are on the host: {listed}"
