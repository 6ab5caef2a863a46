"""Two appliers, one truth: what the API made, Komodo's sync of the rendered files leaves alone, and the other way."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from homeops.cli.render import rendered_fleet
from homeops.fleet_graph import declared_fleet, fleet_graph
from homeops.komodo.documents import live
from homeops.komodo.toml.layout import DIRECTORY
from homeops.komodo.toml.writer import write_toml
from homeops.model.canonical import canonical
from homeops.model.config.alerter import AlerterConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.fields import KomodoModel
from homeops.model.graph import Graph, Resource
from homeops.model.kinds import KINDS
from homeops.model.references import rename_references
from homeops.model.wire import minimal, whole
from homeops.settings import load_settings
from tests.lab.rehearsed import Rehearsed, stages
from tests.toml.test_round_trips import resources

LAB = "lab"
"""The settings of the rehearsal: every address in them is one of this machine."""


class Fresh(Rehearsed):
    """A Core with nothing in it but agents and git repositories."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        for name in self.hosts:
            self.write("DeleteServer", id=name)

    def push(self, repo: str, files: dict[str, str]) -> None:
        """Commit files to a repository."""
        self.git.push(repo, files, "rendered")

    def names(self) -> Callable[[str, str], str]:
        """Ids to names, as a client finds them."""
        known = {
            (kind.name, document["_id"]["$oid"]): document["name"]
            for kind in KINDS.values()
            if kind.resource or kind.name == "Tag"
            for document in self.all(kind.name)
        }
        return lambda kind, id_: known.get((kind, id_), id_)

    def all(self, kind: str) -> list[dict[str, Any]]:
        """All documents of a kind."""
        return self.read(KINDS[kind].list_request, **({"query": {}, "limit": 0} if KINDS[kind].resource else {}))

    def make(self, resource: Resource) -> int:
        """Create an object by the API, as Pulumi does; the status of the first answer."""
        kind, name, config = resource.kind, resource.name, whole(canonical(resource.config))
        if kind == "Alerter":
            # Core stores these as they are sent, and a name would be nobody's id.
            for target in (*config["resources"], *config["except_resources"]):
                target["id"] = self.id_of(target["type"], target["id"])
        if kind == "Variable":
            params = {"name": name, "description": resource.description, "value": "", "is_secret": False, **config}
            return self.ask("write", "CreateVariable", params)[0]
        if kind == "Tag":
            return self.ask("write", "CreateTag", {"name": name, **config})[0]
        status, document = self.ask("write", f"Create{kind}", {"name": name, "config": config})
        if status == 200:
            target = {"type": kind, "id": document["_id"]["$oid"]}
            meta = {"description": resource.description, "tags": list(resource.tags), "template": resource.template}
            self.write("UpdateResourceMeta", target=target, **meta)
        return status

    def id_of(self, kind: str, name: str) -> str:
        """The id behind a name; the name itself where there is none."""
        found = (document for document in self.all(kind) if document["name"] == name) if kind in KINDS else ()
        return next((document["_id"]["$oid"] for document in found), name)

    def pending(self, sync: str) -> dict[str, Any]:
        """What a sync would do, without what is empty."""
        info = self.write("RefreshResourceSyncPending", sync=sync)["info"]
        keys = ("resource_updates", "variable_updates", "user_group_updates", "pending_deploys", "remote_errors")
        return {key: info[key] for key in (*keys, "pending_error", "pending_deploy_error") if info[key]}

    def graph(self) -> dict[tuple[str, str], Resource]:
        """Everything in Core as resources of a graph."""
        names = self.names()
        resources: dict[tuple[str, str], Resource] = {}
        for kind in KINDS.values():
            for document in self.all(kind.name):
                one = live(kind, document, names)
                resources[kind.name, one.name] = Resource(
                    kind.name, one.name, one.config, one.description, one.tags, one.template
                )
        return resources


@pytest.fixture
def core(tmp_path: Path) -> Fresh:
    return Fresh(tmp_path)


@pytest.fixture(scope="module")
def graph(root: Path) -> Graph:
    site = load_settings(LAB, root)
    return fleet_graph(declared_fleet("homeops.fleet", site), site, root)


@pytest.fixture
def sync(core: Fresh, graph: Graph, root: Path) -> str:
    """The name of the fleet's own sync; what is rendered is in its repository."""
    (own,) = graph.of("ResourceSync")
    assert isinstance(own.config, ResourceSyncConfig)
    core.push(own.config.repo, {f"{DIRECTORY}/{name}": text for name, text in rendered_fleet(root, LAB).items()})
    return own.name


def as_core_has_it(graph: Graph) -> dict[tuple[str, str], Resource]:
    """The graph's resources with nothing but what Komodo keeps of them."""
    return {
        one.key: Resource(one.kind, one.name, canonical(one.config), one.description, one.tags, one.template)
        for one in graph.resources
    }


def test_after_the_api_made_the_fleet_the_sync_has_nothing_to_do(core: Fresh, graph: Graph, sync: str) -> None:
    for resource in graph.resources:
        assert core.make(resource) == 200, resource.where
    assert core.pending(sync) == {}
    before = core.graph()
    assert before == as_core_has_it(graph)
    update = core.run("RunSync", sync=sync)
    assert update["success"]
    assert stages(update)[-1] == "No Changes"
    # Its delete = true removes nothing of the fleet, the sync itself and tags included.
    assert core.graph() == before


def test_what_the_sync_made_on_a_fresh_core_is_the_fleet(core: Fresh, graph: Graph, sync: str) -> None:
    own = graph.get("ResourceSync", sync)
    assert own
    assert core.make(own) == 200
    assert core.pending(sync)
    update = core.run("RunSync", sync=sync)
    assert update["success"], update["logs"]
    assert core.pending(sync) == {}
    made, expected = core.graph(), as_core_has_it(graph)
    assert {key: one for key, one in made.items() if key[0] != "Tag"} == {
        key: one for key, one in expected.items() if key[0] != "Tag"
    }
    # The colours of tags are all that is left for the other applier.
    assert {key for key in made if key[0] == "Tag"} == {key for key in expected if key[0] == "Tag"}
    assert stages(core.run("RunSync", sync=sync))[-1] == "No Changes"


def test_the_sync_declares_itself_exactly_as_it_is(core: Fresh, graph: Graph, sync: str) -> None:
    own = graph.get("ResourceSync", sync)
    assert own
    core.make(own)
    core.run("RunSync", sync=sync)
    core.write("UpdateResourceSync", id=sync, config={"delete": False})
    assert [one["target"]["type"] for one in core.pending(sync)["resource_updates"]] == ["ResourceSync"]
    core.write("UpdateResourceSync", id=sync, config={"delete": True})
    assert core.pending(sync) == {}


def test_a_change_by_hand_is_pending_until_either_applier_undoes_it(core: Fresh, graph: Graph, sync: str) -> None:
    for resource in graph.resources:
        core.make(resource)
    core.write("UpdateStack", id="traefik", config={"environment": "A=1"})
    assert len(core.pending(sync)["resource_updates"]) == 1
    traefik = graph.get("Stack", "traefik")
    assert traefik
    core.write("UpdateStack", id="traefik", config=minimal(canonical(traefik.config)))
    assert core.pending(sync) == {}


BASE = tuple(
    Resource(kind, "x", type(KINDS[kind].config.validate_python({"type": "Url"} if kind == "Builder" else {}))())
    for kind in ("Server", "Swarm", "Builder", "Repo", "Build", "Stack", "Deployment", "Procedure", "Action", "Alerter")
)
EXISTING = {one.kind for one in BASE}
SYNC = Resource("ResourceSync", "sync", ResourceSyncConfig(repo="me/fleet", resource_path=["k"], delete=True))


def with_existing_references(config: KomodoModel) -> KomodoModel:
    """A configuration that refers to nothing but what ``BASE`` makes."""
    renamed = rename_references(config, lambda _kind, name: "x" if name else name)
    if not isinstance(renamed, AlerterConfig):
        return renamed
    targets = {
        field: [one.model_copy(update={"id": "x"}) for one in getattr(renamed, field) if one.type in EXISTING]
        for field in ("resources", "except_resources")
    }
    return renamed.model_copy(update=targets)


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.resource])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_resource_that_the_api_made_is_as_its_toml_says(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    drawn = data.draw(resources(kind))
    config = with_existing_references(drawn.config)
    made = replace(drawn, name="made", config=config, tags=(), deploy=False, after=())
    core = Fresh(Path(tmp_path) / str(data.draw(st.uuids())))
    for one in BASE:
        assert core.make(one) == 200
    # What Core refuses, such as ports without a colon, it refuses of either applier.
    assume(core.make(made) == 200)
    core.make(SYNC)
    core.push("me/fleet", {"k/all.toml": write_toml([*BASE, made, SYNC])})
    assert core.pending("sync") == {}
