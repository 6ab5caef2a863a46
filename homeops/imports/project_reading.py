"""Reading what runs on a host, over one connection; a second one where compose has to count what was made here."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, cast

from homeops.errors import Problem
from homeops.hosts.reach import HostError, Reach
from homeops.hosts.shell import as_root
from homeops.hosts.ssh import run
from homeops.imports.inspected_compose import compose_of
from homeops.imports.project_probe import COUNT, SCRIPT
from homeops.imports.projects import Agent, Container, Counted, Files, Inspected, Project, Running, parts
from homeops.secrets.masking import masked

DEADLINE = 300
"""Seconds for all of a host that answers: compose is run half a dozen times for each project."""


def running_on(reach: Reach) -> Running:
    """What runs on a host. Raises HostError as ``run`` does, and when the host's Docker cannot be asked.

    A project whose compose file is gone has as its configuration what is written from its containers.
    """
    running = read(_said(reach, SCRIPT))
    documents = counting(running)
    return recounted(running, _said(reach, COUNT, documents)) if documents else running


def _said(reach: Reach, script: str, stdin: str = "") -> str:
    done = run(reach, as_root(script, reach.user), stdin, deadline=reach.timeout + DEADLINE)
    problem = next((record.fields[0] for record in _records(done.stdout) if record.kind == "problem"), "")
    if problem:
        what = f"its containers cannot be listed: {problem}"
        raise HostError(Problem(reach.host, what, "does docker ps work there, as root?"))
    if "\nend\n" not in f"\n{done.stdout}":
        said = (done.stderr.strip().splitlines() or [f"exit code {done.code}"])[-1]
        raise HostError(Problem(reach.host, f"looking at its containers did not come to an end: {masked(said)}"))
    return done.stdout


def counting(running: Running) -> str:
    """What ``COUNT`` takes on standard input: projects without their compose file, as written from their containers."""
    lines: list[str] = []
    for project in running.projects:
        if running.compose_version and project.files.lost:
            text = json.dumps(compose_of(project, running).counting)
            lines.append(f"{project.name} {base64.b64encode(text.encode()).decode()}\n")
    return "".join(lines)


def recounted(running: Running, text: str) -> Running:
    """What runs, with what ``COUNT`` printed."""
    found = _files(_records(text), running.compose_version, running.agent.compose_version if running.agent else "")
    counted = {place[0]: files for place, files in found.items()}
    return replace(running, projects=tuple(_with_counted(project, counted) for project in running.projects))


def _with_counted(project: Project, counted: dict[str, Files]) -> Project:
    if project.name not in counted:
        return project
    more = counted[project.name]
    return replace(
        project, files=replace(project.files, config=more.config, problem=more.problem, counted=more.counted)
    )


class _Record(NamedTuple):
    kind: str
    fields: list[str]


def _records(text: str) -> list[_Record]:
    """The records of a text; what else stands in it, such as a login shell's greeting, is passed over."""
    found: list[_Record] = []
    for line in text.splitlines():
        kind, *fields = line.split("\t")
        try:
            decoded = [base64.b64decode(field, validate=True).decode("utf-8", "replace") for field in fields]
        except binascii.Error:
            continue
        found.append(_Record(kind, decoded))
    return found


def read(text: str) -> Running:
    """What ``SCRIPT`` printed."""
    records = _records(text)
    single = {record.kind: record.fields for record in records}
    current = {record.fields[0]: record.fields[1] for record in records if record.kind == "image"}
    containers = [
        Container(inspected, current.get(inspected["Config"]["Image"], ""))
        for inspected in _objects(single, "containers")
    ]
    version = single["compose"][0]
    agent = _agent(single, containers)
    projects = tuple(_projects(records, containers, version, agent))
    return Running(
        version,
        projects,
        tuple(container for container in containers if not container.project),
        {image["Id"]: image for image in _objects(single, "images")},
        tuple(_objects(single, "networks")),
        tuple(_objects(single, "volumes")),
        agent,
    )


def _objects(single: dict[str, list[str]], kind: str) -> list[Inspected]:
    return cast(list[Inspected], json.loads(single[kind][0] or "[]")) if kind in single else []


def _agent(single: dict[str, list[str]], containers: Iterable[Container]) -> Agent | None:
    if "agent" not in single:
        return None
    id_, version = single["agent"]
    found = next((container for container in containers if container.id == id_), None)
    if found is None:
        return None
    mounts = parts(found.inspected, "Mounts")
    sees = (mount["Source"] for mount in mounts if mount["Type"] == "bind" and mount["Source"] == mount["Destination"])
    return Agent(id_, version, tuple(sees))


def _projects(
    records: Iterable[_Record], containers: list[Container], version: str, agent: Agent | None
) -> Iterator[Project]:
    read_files = _files(records, version, agent.compose_version if agent else "")
    by_name: dict[str, list[Container]] = {}
    for container in containers:
        if container.project:
            by_name.setdefault(container.project, []).append(container)
    for name, own in sorted(by_name.items()):
        # Of a project that was brought up from several places, what counts is the last one.
        newest = max(own, key=lambda container: (not container.one_off, container.created))
        place = _place(newest)
        empty = Files(newest.label("project.working_dir"), {}, problem="it was not looked at")
        yield Project(name, tuple(own), read_files.get((name, *place), empty))


def _place(container: Container) -> tuple[str, str, str]:
    labels = ("project.working_dir", "project.config_files", "project.environment_file")
    directory, files, envs = (container.label(label) for label in labels)
    return directory, files, envs


def _files(records: Iterable[_Record], version: str, agent_version: str) -> dict[tuple[str, ...], Files]:
    found: dict[tuple[str, ...], Files] = {}
    place: tuple[str, ...] = ()
    for kind, fields in records:
        if kind == "project":
            place = tuple(fields)
            option = tuple(path for path in fields[3].split(",") if path)
            found[place] = Files(fields[1], {}, env_file_option=option)
        elif place:
            found[place] = replace(found[place], **_more(found[place], kind, fields, version, agent_version))
    return found


def _more(files: Files, kind: str, fields: list[str], version: str, agent_version: str) -> dict[str, Any]:
    """What one record adds to the files of a project."""
    match kind, fields:
        case "file", [path, text]:
            return {"compose": {**files.compose, path: text}}
        case "missing", [path]:
            return {"compose": {**files.compose, path: None}}
        case "variables", [path, text]:
            return {"variables": {**files.variables, path: tuple(dict.fromkeys(text.split()))}}
        case "environment", [path, text]:
            return {"environments": {**files.environments, path: tuple(dict.fromkeys(text.split()))}}
        case "refers", [path, text]:
            return {"refers": {**files.refers, path: tuple(text.split())}}
        case "config", [text]:
            return {"config": json.loads(text)}
        case "refused", [said]:
            return {"problem": masked(said).strip()}
        case "active", [text]:
            return {"active": frozenset(text.split())}
        case "hashes", [who, text]:
            return {"counted": _with_hashes(files.counted, who, version if who == "host" else agent_version, text)}
        case _:
            return {}


def _with_hashes(counted: tuple[Counted, ...], who: str, version: str, text: str) -> tuple[Counted, ...]:
    pairs = [line.split() for line in text.splitlines() if len(line.split()) == 2]
    before = next((item for item in counted if item.who == who), Counted(who, version, {}))
    merged = dict(before.hashes)
    for service, digest in pairs:
        merged[service] = merged.get(service, frozenset()) | {digest}
    return (*(item for item in counted if item.who != who), Counted(who, version, merged))
