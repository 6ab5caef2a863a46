"""Two appliers, one truth: this repository's fleet by Pulumi and by Komodo's own sync, each after the other.

One fleet comes up by Pulumi. The other one is what somebody has who moved out, or never was in: a Core on which only
the rendered TOML was synced. Then Pulumi takes that one over, and is left by the first.
"""

import json
import re
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from homeops.komodo.toml.layout import DIRECTORY
from homeops.komodo.toml.reader import read_toml
from homeops.model.graph import Graph, Resource
from homeops.model.wire import whole
from tests.appliers.conftest import NewProject
from tests.appliers.pushed import Document, PushedCore, lab_graph
from tests.engine.core import writes
from tests.engine.engine import Project, Run
from tests.lab.rehearsed import stages
from tests.toml.meaning import meaning


@dataclass(frozen=True)
class Applied:
    """A Core that one applier brought up, as it was right after that; ``run`` is Pulumi's, which came first or last."""

    core: PushedCore
    project: Project
    run: Run
    documents: Document
    hosts: Document
    containers: dict[str, str]


@pytest.fixture(scope="module")
def graph(root: Path) -> Graph:
    """The fleet."""
    return lab_graph(root)


@pytest.fixture(scope="module")
def sync(graph: Graph) -> str:
    """Its sync."""
    (own,) = graph.of("ResourceSync")
    return own.name


@pytest.fixture(scope="module")
def by_pulumi(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory, root: Path) -> Generator[Applied]:
    """By ``pulumi up`` on a fresh Core."""
    core = PushedCore(tmp_path_factory.mktemp("by_pulumi"), root)
    core.push(deploys=True)
    with core.server:
        project = new_project(core.environ)
        run = project.up().check()
        yield Applied(core, project, run, core.documents(), core.hosts(), core.container_ids())


@pytest.fixture(scope="module")
def by_sync(
    new_project: NewProject, tmp_path_factory: pytest.TempPathFactory, root: Path, graph: Graph, sync: str
) -> Generator[Applied]:
    """By the sync on a fresh Core, as docs/operations.md has it (Moving out); then taken over by ``pulumi up``."""
    core = PushedCore(tmp_path_factory.mktemp("by_sync"), root)
    core.push(deploys=True)
    with core.server:
        _moved_in(core, graph, sync, root)
        documents, hosts, containers = core.documents(), core.hosts(), core.container_ids()
        project = new_project(core.environ)
        core.asked()
        run = project.up().check()
        yield Applied(core, project, run, documents, hosts, containers)


def _moved_in(core: PushedCore, graph: Graph, sync: str, root: Path) -> None:
    """What docs/operations.md says of a Core with nothing in it."""
    said = re.search(r"-d '({.*?})'\n", (root / "docs" / "operations.md").read_text(), re.DOTALL)
    assert said
    request = json.loads(said[1])
    core.write(request["type"], **request["params"])
    update = core.execute("RunSync", sync=sync)
    assert update["success"], update["logs"]
    # The one stack that a sync leaves out: deploying Core ends Core, and with it the sync.
    left = [stack.name for stack in graph.of("Stack") if stack.name not in core.deployed()]
    assert left == ["komodo-core"]
    assert core.execute("DeployStack", stack="komodo-core")["success"]


def test_after_pulumi_up_the_sync_has_nothing_to_do(by_pulumi: Applied, sync: str) -> None:
    core = by_pulumi.core
    for deploys in (True, False):
        core.push(deploys=deploys)
        assert core.pending(sync) == {}
        assert stages(core.execute("RunSync", sync=sync))[-1] == "No Changes"
    assert core.container_ids() == by_pulumi.containers


def test_komodo_exports_what_is_rendered(by_pulumi: Applied) -> None:
    """The sync among it, which so declares itself exactly as it is."""
    core = by_pulumi.core
    exported = core.read("ExportAllResourcesToToml", tags=[], include_resources=True, include_variables=True)["toml"]
    files = sorted((core.tree / DIRECTORY).glob("*.toml"))
    declared = [one for file in files for one in read_toml(file.read_text(), file.name).resources]
    # An export knows nothing of deploys and of the order between them.
    plain = {one.key: one for one in meaning(_without_order(declared))}
    assert {one.key: one for one in meaning(read_toml(exported, "export").resources)} == plain


def test_the_sync_makes_everything_as_pulumi_does(by_pulumi: Applied, by_sync: Applied) -> None:
    assert _but_for_tags(by_sync.documents) == _but_for_tags(by_pulumi.documents)
    assert by_sync.documents["tags"].keys() == by_pulumi.documents["tags"].keys()


def test_the_sync_deploys_every_stack_as_pulumi_does(by_pulumi: Applied, by_sync: Applied, graph: Graph) -> None:
    assert by_sync.hosts == by_pulumi.hosts
    assert len(by_sync.hosts) == len(graph.of("Server"))
    assert {stack.name: [True] for stack in graph.of("Stack")} == by_pulumi.core.deployed()


def test_pulumi_takes_over_what_the_sync_made_without_a_change(by_sync: Applied, graph: Graph, sync: str) -> None:
    core, run = by_sync.core, by_sync.run
    coloured = [tag for tag in graph.of("Tag") if whole(tag.config) != {"color": "Slate"}]
    # Colours are all that the TOML cannot say; and what Pulumi did not deploy itself it has not seen healthy.
    stacks = len(graph.of("Stack"))
    assert writes(core.asked()) == Counter(
        {
            "write UpdateTagColor": len(coloured),
            "write RefreshStackCache": stacks,
            "execute DeployStack": stacks,
        }
    )
    for resource in graph.resources:
        what = f'{resource.kind.lower()} "{resource.name}" exists in Komodo'
        words = (
            ": it will be adopted, and given what it lacks" if resource in coloured else " and equals the declaration"
        )
        assert f"{what}{words}" in run.text
    # Omni asks for new containers with every deploy; nobody else's are touched.
    changed = {name for name, id_ in core.container_ids().items() if by_sync.containers[name] != id_}
    assert changed <= {"omni-omni-1"}
    for options in ((), ("--refresh",)):
        assert by_sync.project.preview(*options).check().steps == []
    assert not writes(core.asked())
    assert core.pending(sync) == {}


def test_delete_removes_nothing_of_what_a_sync_knows_nothing_of(by_pulumi: Applied, sync: str) -> None:
    core = by_pulumi.core
    core.write("UpdateServerPublicKey", server="nvr", public_key="the key of nvr's agent")
    core.write("CreateTag", name="not-used", color="Red")
    core.write("CreateOnboardingKey", name="for a new host", expires=0, tags=[], privileged=False)
    user = core.write("CreateServiceUser", username="robot", description="")["_id"]["$oid"]
    core.write("CreateApiKeyForServiceUser", user_id=user, name="key", expires=0)
    core.write("CreateUserGroup", name="family")
    core.write("CreateGitProviderAccount", account={"domain": "github.com", "username": "me", "token": "t"})
    core.write("CreateDockerRegistryAccount", account={"domain": "docker.io", "username": "me", "token": "t"})
    before = core.documents()
    for kept in ("tags", "users", "user_groups", "onboarding_keys", "git_accounts", "registry_accounts"):
        assert before[kept]
    assert core.config("ResourceSync", sync)["delete"]
    assert core.execute("RunSync", sync=sync)["success"]
    assert core.documents() == before


def test_a_change_by_hand_is_undone_by_the_sync_as_by_pulumi(by_pulumi: Applied, sync: str) -> None:
    core = by_pulumi.core
    core.push()
    declared = core.config("Stack", "traefik")
    core.change("Stack", "traefik", environment="A=1")
    (update,) = core.pending(sync)["resource_updates"]
    assert update["data"]["type"] == "Update"
    assert core.execute("RunSync", sync=sync)["success"]
    assert core.config("Stack", "traefik") == declared
    assert core.pending(sync) == {}


def test_the_sync_sees_a_change_of_itself(by_pulumi: Applied, sync: str) -> None:
    core = by_pulumi.core
    core.change("ResourceSync", sync, delete=False)
    assert [one["target"]["type"] for one in core.pending(sync)["resource_updates"]] == ["ResourceSync"]
    core.change("ResourceSync", sync, delete=True)
    assert core.pending(sync) == {}


def test_pulumi_is_left_and_begun_anew_without_a_request_to_komodo(by_pulumi: Applied, sync: str, root: Path) -> None:
    core, project = by_pulumi.core, by_pulumi.project
    core.asked()
    project.run("stack", "rm", project.stack, "--force", "--preserve-config", "--yes").check()
    assert not core.asked()
    assert (project.directory / f"Pulumi.{project.stack}.yaml").exists()
    core.push(deploys=True)
    assert stages(core.execute("RunSync", sync=sync))[-1] == "No Changes"
    assert core.container_ids() == by_pulumi.containers
    core.asked()
    for command in _way_back(root, project.stack):
        project.run(*command).check()
    assert not core.asked()


def _way_back(root: Path, stack: str) -> list[list[str]]:
    """What docs/operations.md says (Back again), up to the first ``pulumi up``."""
    said = (root / "docs" / "operations.md").read_text().partition("### Back again\n\n```sh\n")[2].partition("```")[0]
    commands = [re.split("&&|#", line)[0].replace("prod", stack).split() for line in said.splitlines()]
    assert [command[:2] for command in commands] == [["pulumi", "stack"], ["pulumi", "config"], ["pulumi", "up"]]
    return [command[1:] for command in commands[:-1]]


def _without_order(resources: list[Resource]) -> list[Resource]:
    return [replace(one, deploy=False, after=()) for one in resources]


def _but_for_tags(documents: Document) -> Document:
    """Without tags, whose colours are Pulumi's alone, and without what a sync remembers of its runs."""
    syncs = documents["resources"]["ResourceSync"]
    assert all(one["info"]["remote_contents"] for one in syncs.values())
    bare = {name: one | {"info": {}} for name, one in syncs.items()}
    return documents | {"tags": {}, "resources": documents["resources"] | {"ResourceSync": bare}}
