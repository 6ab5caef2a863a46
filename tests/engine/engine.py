"""Pulumi projects of tests: written into a directory of their own, run by the real ``pulumi`` command."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

Document = dict[str, Any]

PROGRAM = """\
import json
from pathlib import Path

import pulumi

from homeops.komodo.census import Census
from homeops.komodo.gate import Gate
from homeops.komodo.core import Core
from homeops.komodo.resources import RESOURCES
from homeops.model.graph import Graph, Resource, in_order
from homeops.model.kinds import KINDS
from homeops.model.site import DeleteBudget

Core()
declared = json.loads(Path("declared.json").read_text())
resources = [
    Resource(
        item["kind"],
        item["name"],
        KINDS[item["kind"]].config.validate_python(item["config"]),
        item["description"],
        tuple(item["tags"]),
        item["template"],
    )
    for item in declared["resources"]
]
graph = Graph(in_order(tuple(resources))[0])
former = {(item["kind"], item["name"]): item["former"] for item in declared["resources"]}
made = {}
for resource in graph.resources:
    options = pulumi.ResourceOptions(
        depends_on=[made[need.key] for need in graph.needs(resource)],
        aliases=[pulumi.Alias(name=former[resource.key])] if former[resource.key] else None,
    )
    made[resource.key] = RESOURCES[resource.kind](resource, overwrite=declared["overwrite"], opts=options)
Gate(graph, DeleteBudget(objects=1000, percent=100))
Census(graph)
"""
"""Komodo's objects as ``declared.json`` lists them, each after the ones it refers to."""


def declared(
    kind: str,
    name: str,
    /,
    *,
    description: str = "",
    tags: Sequence[str] = (),
    template: bool = False,
    former: str = "",
    **config: Any,
) -> Document:
    """An object for ``Project.declare``; ``former`` is the name that it had."""
    return {
        "kind": kind,
        "name": name,
        "config": config,
        "description": description,
        "tags": list(tags),
        "template": template,
        "former": former,
    }


def changed(thing: Document, **changes: Any) -> Document:
    """A declaration with other fields; ``description``, ``tags`` and ``template`` stand beside the configuration."""
    beside = {key: changes.pop(key) for key in ("description", "tags", "template", "former", "name") if key in changes}
    return {**thing, **beside, "config": {**thing["config"], **changes}}


_OURS = (":Census", ":Core", ":Gate", ":Pushed")
"""Resources that stand for nothing in Komodo."""


@dataclass(frozen=True)
class Run:
    """What one ``pulumi`` command did: exit code, the text that people see, the engine's events."""

    exit: int
    text: str
    events: list[Document]

    @cached_property
    def steps(self) -> list[tuple[str, str]]:
        """``(op, "Stack frigate")`` of every resource that is not a component and did not stay as it was, in order."""
        return list(self._steps("resourcePreEvent"))

    @cached_property
    def done(self) -> list[tuple[str, str]]:
        """The same, of what ended well."""
        return list(self._steps("resOutputsEvent"))

    def seconds(self, op: str, name: str) -> int:
        """How long one step took, in whole seconds, rounded up at both ends."""
        times = [
            int(event["timestamp"])
            for event in self.events
            for kind in ("resourcePreEvent", "resOutputsEvent")
            if (metadata := _metadata(event, kind)) and (metadata["op"], _name(metadata["urn"])) == (op, name)
        ]
        assert len(times) == 2, f"{op} {name}: {times}"
        return times[1] - times[0] + 1

    @cached_property
    def told(self) -> list[str]:
        """The messages that stay on the screen, each once."""
        found: list[Document] = [event["diagnosticEvent"] for event in self.events if event.get("diagnosticEvent")]
        return [item["message"] for item in found if item["severity"] != "debug" and not item.get("ephemeral")]

    @cached_property
    def shown(self) -> str:
        """The text without the spaces that align it."""
        return re.sub(r" +: ", ": ", self.text)

    def of(self, op: str) -> set[str]:
        """The resources that met this op, e.g. ``{"Stack frigate"}``."""
        return {name for found, name in self.steps if found == op}

    def fields(self, resource: str) -> set[str]:
        """The inputs in which an updated resource differs: ``{"description", "config.environment"}``."""
        for event in self.events:
            metadata = _metadata(event, "resourcePreEvent")
            if metadata and _name(metadata["urn"]) == resource and metadata["op"] == "update":
                old, new = (_flat(metadata[side]["inputs"]) for side in ("old", "new"))
                return {key for key in old | new if old.get(key) != new.get(key)}
        return set()

    def _steps(self, event_kind: str) -> Iterator[tuple[str, str]]:
        for event in self.events:
            metadata = _metadata(event, event_kind)
            if not metadata or metadata["op"] in ("same", "refresh", "read"):
                continue
            if metadata["type"].startswith("pulumi-python:dynamic/") and not metadata["type"].endswith(_OURS):
                yield metadata["op"], _name(metadata["urn"])

    def check(self) -> "Run":
        """Assert that it went well."""
        assert self.exit == 0, self.text
        return self


def _metadata(event: Document, kind: str) -> Document:
    """What an event says of a resource; empty when it is about something else."""
    body: Document = event.get(kind) or {}
    return body.get("metadata") or {}


def _name(urn: str) -> str:
    kind, name = urn.rsplit("::", 2)[1:]
    return f"{kind.rsplit(':', 1)[-1]} {name}"


def _flat(inputs: Document) -> Document:
    """Inputs with the fields of the configuration at the top."""
    fields: Document = inputs.get("config") or {}
    config = {f"config.{key}": value for key, value in fields.items()}
    return {key: value for key, value in inputs.items() if key not in ("config", "__provider")} | config


@dataclass
class Project:
    """One Pulumi project and stack in a directory, with a state of its own."""

    directory: Path
    environ: Mapping[str, str]
    root: Path
    stack: str = "test"
    settings: Document = field(default_factory=dict[str, Any])
    _runs: int = 0

    def write(self, program: str = PROGRAM) -> "Project":
        """Write the project and make its Pulumi stack."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "Pulumi.yaml").write_text("name: homeops\nruntime: python\n")
        (self.directory / "__main__.py").write_text(program)
        self.configure(**self.settings)
        self.run("stack", "init", self.stack).check()
        return self

    def configure(self, **settings: Any) -> None:
        """Write the settings of the Pulumi stack."""
        self.settings = settings
        config = {f"homeops:{key}": value for key, value in settings.items()}
        # JSON is YAML.
        (self.directory / f"Pulumi.{self.stack}.yaml").write_text(json.dumps({"config": config}))

    def declare(self, *things: Document, overwrite: bool = False) -> None:
        """Say what the program registers."""
        text = json.dumps({"resources": things, "overwrite": overwrite})
        (self.directory / "declared.json").write_text(text)

    def preview(self, *options: str, **environ: str) -> Run:
        """``pulumi preview``."""
        return self.run("preview", *options, **environ)

    def up(self, *options: str, **environ: str) -> Run:
        """``pulumi up`` without a preview before it."""
        return self.run("up", "--yes", "--skip-preview", *options, **environ)

    def refresh(self, *options: str, **environ: str) -> Run:
        """``pulumi refresh`` without a preview before it."""
        return self.run("refresh", "--yes", "--skip-preview", *options, **environ)

    def destroy(self, *options: str, **environ: str) -> Run:
        """``pulumi destroy`` without a preview before it."""
        return self.run("destroy", "--yes", "--skip-preview", *options, **environ)

    def outputs(self) -> Document:
        """``pulumi stack output --json``."""
        done = self._pulumi(["stack", "output", "--json", "--stack", self.stack], {})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def state(self) -> Document:
        """The state file, as it lies on the disk."""
        return json.loads(self.state_file.read_text())

    @property
    def state_file(self) -> Path:
        """Where the state lies."""
        return Path(
            self.environ["PULUMI_BACKEND_URL"].removeprefix("file://"), f".pulumi/stacks/homeops/{self.stack}.json"
        )

    def ids(self) -> dict[str, str]:
        """Ids by resource, e.g. ``{"Stack frigate": "66f…"}``."""
        resources: list[Document] = self.state()["checkpoint"]["latest"].get("resources") or []
        komodo = [item for item in resources if "dynamic" in item["type"] and not item["type"].endswith(_OURS)]
        return {_name(item["urn"]): item["id"] for item in komodo}

    def run(self, command: str, *arguments: str, **environ: str) -> Run:
        """Run any command; ``environ`` is added to the environment."""
        self._runs += 1
        log = self.directory / f"events-{self._runs}.json"
        options = ["--non-interactive", "--color", "never"]
        if command in ("preview", "up", "refresh", "destroy"):
            options += ["--stack", self.stack, "--event-log", str(log)]
        done = self._pulumi([command, *arguments, *options], environ)
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return Run(done.returncode, done.stdout + done.stderr, events)

    def _pulumi(self, arguments: Iterable[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments],
            cwd=self.directory,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def _quick_python(place: Path) -> Path:
    """The directory of this Python, as one that has asked pip what is installed: pulumi asks before each command."""
    programs = place / f"python-{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    if not programs.is_dir():
        asked = ["-m", "pip", "list", "-v", "--format", "json"]
        listed = subprocess.run([sys.executable, *asked], check=True, capture_output=True).stdout
        programs.mkdir(parents=True)
        (programs / "installed.json").write_bytes(listed)
        for name in ("python", "python3"):
            text = f'case "$*" in "{" ".join(asked)}") exec cat {programs}/installed.json ;; esac\n'
            (programs / name).write_text(f'#!/bin/sh\n{text}exec {sys.executable} "$@"\n')
            (programs / name).chmod(0o755)
    return programs


def environment(tools: Path, home: Path, compiled: Path, root: Path) -> dict[str, str]:
    """The environment of ``pulumi`` in a test: nothing of the caller's but the programs it finds there.

    ``tools`` holds pulumi, ``home`` everything that it writes, ``compiled`` is for Python's own files.
    """
    (home / "state").mkdir(parents=True)
    return {
        "PATH": os.pathsep.join([str(_quick_python(compiled)), str(tools), os.defpath]),
        "HOME": str(home),
        "PYTHONPATH": str(root),
        "PYTHONPYCACHEPREFIX": str(compiled),
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL": "true",
        "PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "1",
        # Pulumi asks pip what is installed, and pip would ask the network for a newer pip.
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # It lives for seconds: looking for garbage less often makes it faster.
        "GOGC": "400",
        # Offers --event-log.
        "PULUMI_DEBUG_COMMANDS": "true",
    }
