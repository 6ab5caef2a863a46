"""The same on a Komodo Core that is given, which has to be empty: by API and UI Core alone, without git or hosts.

``HOMEOPS_LIVE_ADDRESS``, ``HOMEOPS_LIVE_KEY`` and ``HOMEOPS_LIVE_SECRET`` name it. What the test makes it deletes.
"""

import os
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from homeops.komodo.client import Client
from homeops.komodo.credentials import Credentials
from homeops.komodo.toml.writer import write_toml
from homeops.komodo.updates import Update, follow
from homeops.model.config.action import ActionConfig
from homeops.model.config.alerter import AlerterConfig, SlackAlerter, SlackEndpoint
from homeops.model.config.build import BuildConfig
from homeops.model.config.builder import ServerBuilder, ServerBuilderConfig
from homeops.model.config.deployment import DeploymentConfig
from homeops.model.config.execution import DeployStack
from homeops.model.config.procedure import ProcedureConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.config.variable import TagConfig, VariableConfig
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS, RESOURCE_KINDS
from homeops.model.resources import stage
from homeops.model.wire import minimal
from tests.appliers.pushed import ERRORS, PENDING
from tests.engine.engine import Project, declared

GIVEN = {name: os.environ.get(f"HOMEOPS_LIVE_{name}", "") for name in ("ADDRESS", "KEY", "SECRET")}

pytestmark = pytest.mark.skipif(not all(GIVEN.values()), reason="HOMEOPS_LIVE_ADDRESS, _KEY, _SECRET name no Core")

COMPOSE = "services:\n  web:\n    image: nginx:1.27\n"
MADE = ("Procedure", "Deployment", "Stack", "Build", "Builder", "Action", "Alerter", "Server", "Variable", "Tag")
"""The kinds of the fleet, what refers to others first."""

FLEET = (
    Resource("Tag", "homeops-live", TagConfig()),
    Resource("Variable", "HOMEOPS_LIVE", VariableConfig(value='it\'s \\ "quoted"'), "of a test"),
    Resource("Server", "live-host", ServerConfig(address="https://127.0.0.1:8120", cpu_warning=90.1), "a host"),
    Resource(
        "Alerter",
        "live-alerter",
        AlerterConfig(endpoint=SlackAlerter(params=SlackEndpoint(url="[[HOMEOPS_LIVE]]"))),
    ),
    Resource("Action", "live-action", ActionConfig(file_contents="console.log(`a\\d`);\n")),
    Resource("Builder", "live-builder", ServerBuilder(params=ServerBuilderConfig(server_ids=["live-host"]))),
    Resource("Build", "live-build", BuildConfig(builder_id="live-builder", build_args="A=1\n")),
    Resource(
        "Stack",
        "live-stack",
        StackConfig(server_id="live-host", file_contents=COMPOSE, environment="A=[[HOMEOPS_LIVE]]\nB=\\d\n"),
        "a stack",
        ("homeops-live",),
    ),
    Resource("Deployment", "live-container", DeploymentConfig(server_id="live-host", ports="8080:80\n")),
    Resource("Procedure", "live-procedure", ProcedureConfig(stages=[stage("Deploy", DeployStack(stack="live-stack"))])),
)
SYNC = "homeops-live-sync"


@pytest.fixture(scope="module")
def core() -> Generator[Client]:
    """The Core, empty before and after."""
    with Client(GIVEN["ADDRESS"], Credentials(GIVEN["KEY"], GIVEN["SECRET"])) as client:
        there = [item["name"] for kind in (*RESOURCE_KINDS, "Variable") for item in client.list_all(KINDS[kind])]
        if there:
            pytest.fail(f"{GIVEN['ADDRESS']} is not empty, and this test has a sync that deletes")
        config = ResourceSyncConfig(file_contents=write_toml(FLEET), delete=True, include_variables=True)
        client.write("CreateResourceSync", {"name": SYNC, "config": minimal(config)})
        try:
            yield client
        finally:
            empty(client)
            client.write("DeleteResourceSync", {"id": SYNC})


@pytest.fixture(scope="module")
def new_live_project(
    engine: Callable[[], dict[str, str]], place: Callable[[], Path], root: Path
) -> Callable[[], Project]:
    """Make a project that declares the fleet for that Core."""

    def make() -> Project:
        environ = {
            "KOMODO_ADDRESS": GIVEN["ADDRESS"],
            "KOMODO_API_KEY": GIVEN["KEY"],
            "KOMODO_API_SECRET": GIVEN["SECRET"],
        }
        made = Project(place() / "project", engine() | environ, root).write()
        made.declare(*map(_declared, FLEET))
        return made

    return make


def _declared(one: Resource) -> dict[str, Any]:
    config: Mapping[str, Any] = minimal(one.config)
    return declared(one.kind, one.name, description=one.description, tags=one.tags, **config)


def empty(core: Client) -> None:
    """Delete the fleet."""
    for kind in MADE:
        for one in FLEET:
            if one.kind == kind and one.name in ids(core, kind):
                key = "name" if kind == "Variable" else "id"
                core.write(f"Delete{kind}", {key: ids(core, kind)[one.name]})


def ids(core: Client, kind: str) -> dict[str, str]:
    """Ids by name; a variable has none, its name is its id."""
    return {item["name"]: item["_id"]["$oid"] if "_id" in item else item["name"] for item in core.list_all(KINDS[kind])}


def pending(core: Client) -> dict[str, Any]:
    """What the sync would do, and what keeps it from saying so."""
    info = core.write("RefreshResourceSyncPending", {"sync": SYNC})["info"]
    return {key: info[key] for key in (*PENDING, *ERRORS) if info[key]}


def run_sync(core: Client) -> Update:
    """Run it to its end."""
    begun = core.execute("RunSync", {"sync": SYNC})
    return follow(core, begun["_id"]["$oid"], deadline=60)


def test_after_pulumi_up_the_sync_has_nothing_to_do(core: Client, new_live_project: Callable[[], Project]) -> None:
    project = new_live_project()
    project.up().check()
    assert pending(core) == {}
    assert run_sync(core).success
    assert pending(core) == {}
    assert project.preview("--refresh").check().steps == []
    project.run("stack", "rm", project.stack, "--force", "--preserve-config", "--yes").check()
    assert all(one.name in ids(core, one.kind) for one in FLEET)


def test_what_the_sync_made_is_taken_over_without_a_change(
    core: Client, new_live_project: Callable[[], Project]
) -> None:
    empty(core)
    assert run_sync(core).success
    assert pending(core) == {}
    made = {f"{one.kind} {one.name}": ids(core, one.kind)[one.name] for one in FLEET}
    project = new_live_project()
    told = project.up().check().text
    for one in FLEET:
        assert f'{one.kind.lower()} "{one.name}" exists in Komodo and equals the declaration' in told
    assert project.ids() == made
    for options in ((), ("--refresh",)):
        assert project.preview(*options).check().steps == []
    assert pending(core) == {}
