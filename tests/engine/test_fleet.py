"""The program and the fleet of this repository."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pulumi.automation as auto

from homeops.lab.hosts import LoopbackAgents
from homeops.settings import load_settings
from tests.engine.core import TestCore, lists, writes
from tests.engine.engine import Document, Project
from tests.engine.fleets import link_repository

GUARD = '''\
"""Any packet that leaves this machine is an error, noted in a file."""

import os
import socket

_connect = socket.socket.connect
_resolve = socket.getaddrinfo


def connect(self, address):
    if isinstance(address, tuple) and not str(address[0]).startswith("127."):
        _note(f"connect {address}")
        raise OSError("not in a test")
    return _connect(self, address)


def getaddrinfo(host, *rest, **more):
    if host not in (None, "localhost", "127.0.0.1", "0.0.0.0", "::1"):
        _note(f"resolve {host}")
        raise OSError("not in a test")
    return _resolve(host, *rest, **more)


def _note(text):
    with open(os.environ["GUARD_LOG"], "a") as file:
        file.write(f"{text}\\n")


socket.socket.connect = connect
socket.getaddrinfo = getaddrinfo
with open(os.environ["GUARD_LOG"], "a") as file:
    file.write("guarded\\n")
'''


def repository(project: Project, root: Path, stack: str) -> Project:
    """The project of this repository, with a Pulumi stack of its own."""
    directory = project.directory.parent / "repository"
    link_repository(root, directory)
    made = Project(directory, project.environ, root, stack=stack)
    made.run("stack", "init", stack, "--no-select").check()
    return made


def test_the_fleet_comes_up_and_a_second_run_changes_nothing(project: Project, core: TestCore, root: Path) -> None:
    agents = core.core.agents
    assert isinstance(agents, LoopbackAgents)
    agents.repositories.serve(load_settings("lab", root).repository.name, root)
    made = repository(project, root, "lab")
    made.up().check()
    asked = core.asked()
    assert writes(asked)["write CreateStack"] == 13
    assert writes(asked)["execute DeployStack"] == 13
    # Each deploy looks at its stack's Updates twice: whether one is under way, and which there are before its own.
    assert lists(asked).pop("read ListUpdates") == 2 * 13
    assert max(times for name, times in lists(asked).items() if name != "read ListUpdates") <= 13
    outputs = made.outputs()
    schema: Any = json.loads((root / "homeops" / "outputs.schema.json").read_text())
    jsonschema.validate(outputs, schema, cls=jsonschema.Draft202012Validator)
    assert len(outputs["hosts"]) == 6
    assert {stack["state"] for stack in outputs["stacks"].values()} == {"running"}

    for options in ((), ("--refresh",)):
        again = made.preview(*options).check()
        assert again.steps == []
        asked = core.asked()
        assert not writes(asked)
        assert max(lists(asked).values()) == 1, asked
    assert made.up().check().steps == []
    assert not writes(core.asked())


def test_a_preview_of_production_needs_no_credentials_and_sends_nothing(
    environ: dict[str, str], tmp_path: Path, root: Path
) -> None:
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD)
    log = tmp_path / "guard.log"
    guarded = environ | {"PYTHONPATH": f"{guard}:{root}", "GUARD_LOG": str(log)}
    made = repository(Project(tmp_path / "project", guarded, root), root, "prod")
    preview = made.preview().check()
    assert len(preview.of("create")) > 40
    warnings = [message for message in preview.told if "warning" in message]
    assert len(warnings) == 1, preview.told
    assert "no API key" in preview.text
    noted = log.read_text().splitlines()
    assert set(noted) == {"guarded"}, noted
    assert len(noted) >= 2, "program and provider are both guarded"


def test_the_automation_api_drives_the_same_program(project: Project, core: TestCore) -> None:
    project.declare({**VARIABLE, "name": "ONE"}, {**VARIABLE, "name": "TWO"})
    workspace = auto.LocalWorkspaceOptions(
        env_vars=dict(project.environ),
        pulumi_command=auto.PulumiCommand(root=_root_of(project), skip_version_check=True),
    )
    stack = auto.select_stack(project.stack, work_dir=str(project.directory), opts=workspace)
    assert stack.preview().change_summary[auto.OpType.CREATE] >= 2
    assert set(stack.up().summary.resource_changes or {}) == {"create"}
    assert sorted(core.all("Variable")) == ["ONE", "TWO"]
    assert set(stack.up().summary.resource_changes or {}) == {"same"}
    stack.destroy()
    assert not core.all("Variable")


VARIABLE: Document = {
    "kind": "Variable",
    "config": {"value": "1"},
    "description": "",
    "tags": [],
    "template": False,
    "former": "",
}


def _root_of(project: Project) -> str:
    """The directory above ``bin/pulumi``, made for the Automation API, which finds pulumi by it."""
    root = project.directory.parent / "tools"
    (root / "bin").mkdir(parents=True)
    for place in project.environ["PATH"].split(":"):
        program = Path(place, "pulumi")
        if program.exists():
            (root / "bin" / "pulumi").symlink_to(program)
            break
    return str(root)
