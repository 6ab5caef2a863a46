"""``homeops rollback``: back to a commit that was healthy, through Core, and a receipt of it."""

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from homeops.cli.rollback import BY, go_back, last_healthy, order_of, outcome, way_back
from homeops.deploy.fingerprint import fingerprint
from homeops.deploy.order import Order
from homeops.deploy.receipts import Journal, Receipt, Result
from homeops.errors import DeployFailed, FleetError
from homeops.fleet_graph import fleet_graph
from homeops.komodo.client import Client
from homeops.komodo.credentials import Credentials
from homeops.lab.core.containers_engine import Behaviour
from homeops.model.graph import Graph
from homeops.settings import load_settings
from tests.engine.core import TestCore
from tests.engine.engine import Project
from tests.engine.fleets import COMPOSE, FleetProject
from tests.lab.copies import Copy

FLEET = """
one = Host("one", periphery=RUNS)
core = Stack("komodo-core", host=one, control_plane=True)
web = Stack("web", host=one)
kept = Stack("kept", host=one, template=True)
return Fleet(hosts=[one], stacks=[core, web, kept])
"""


@pytest.fixture
def client(core: TestCore) -> Iterator[Client]:
    settings = core.core.settings
    with Client(core.server.address, Credentials(settings.admin_key, settings.admin_secret)) as made:
        yield made


@pytest.fixture
def fleet(project: Project, core: TestCore) -> FleetProject:
    made = FleetProject(project, core, "one")
    made.write({f"one/{name}/compose.yaml": COMPOSE.format(1) for name in ("komodo-core", "web", "kept")})
    made.declare(FLEET)
    return made


def order(fleet: FleetProject, name: str) -> Order:
    root = fleet.project.directory
    site = load_settings(fleet.project.stack, root)
    graph = graph_of(root, fleet.project.stack)
    declared = graph.get("Stack", name)
    assert declared is not None
    return order_of(declared, fingerprint(declared, graph, root, site.repository))


def graph_of(root: Path, stack: str) -> Graph:
    spec = spec_from_file_location("fleet_of_this_test", root / "fleet_of_test.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    site = load_settings(stack, root)
    return fleet_graph(module.declare(site), site, root)


def test_back_to_what_was_healthy_and_what_stays_to_be_done(
    fleet: FleetProject, core: TestCore, client: Client
) -> None:
    journal = Journal(fleet.project.directory / ".homeops", fleet.project.stack)
    fleet.project.up().check()
    fleet.write({"one/web/compose.yaml": COMPOSE.format(2)})
    fleet.project.up().check()
    first, second = journal.receipts("web")
    assert first.commit != second.commit
    assert first.images_after != second.images_after
    web, told = order(fleet, "web"), list[str]()

    way = way_back(client, web, journal.receipts("web"))
    assert (way.runs, way.to, way.then) == (second.commit, first.commit, first.began)
    runs = go_back(client, way, journal, told.append)
    assert runs.images == first.images_after
    assert fleet.containers("one")["web-app-1"][1] == "running"
    assert core.config("Stack", "web")["commit"] == "", "what is declared is in Komodo again"
    receipt = journal.receipts("web")[-1]
    assert (receipt.result, receipt.by, receipt.update) == ("healthy", BY, runs.update)
    assert (receipt.commit_before, receipt.commit) == (second.commit, first.commit)
    assert receipt.images_before == second.images_after
    assert receipt.images_after == runs.images
    assert any("deployed in" in line for line in told)
    assert outcome(way, runs)[0] == f"web on one runs commit {first.commit}: app running"
    assert fleet.project.preview("--refresh").check().of("update") == {"Deploy web"}

    with pytest.raises(FleetError, match="has no receipt of a healthy commit before"):
        way_back(client, web, journal.receipts("web"))

    # Forward again, to a commit by name; on the way something goes wrong.
    forward = way_back(client, web, journal.receipts("web"), second.commit)
    fleet.host("one").engine.behaviours["web"] = Behaviour(up="port is already allocated\n")
    with pytest.raises(DeployFailed, match="port is already allocated"):
        go_back(client, forward, journal, told.append)
    assert core.config("Stack", "web")["commit"] == ""
    failed = journal.receipts("web")[-1]
    assert (failed.result, failed.commit, failed.why) == ("failed", "", [f"back to commit {second.commit}"])
    fleet.host("one").engine.behaviours.clear()
    assert way_back(client, web, journal.receipts("web")).to == first.commit, "after a failure: what was healthy last"
    assert go_back(client, forward, journal, told.append).images == second.images_after


@pytest.mark.parametrize(("name", "why"), [("komodo-core", "does not roll itself back"), ("kept", "is not deployed")])
def test_what_is_not_rolled_back_is_refused(fleet: FleetProject, name: str, why: str) -> None:
    with pytest.raises(FleetError, match=why):
        order(fleet, name)


def ran(commit: str, result: Result = "healthy") -> Receipt:
    return Receipt("web", "one", result, f"2026-01-02T03:04:{ord(commit or '0') % 60:02}+00:00", commit=commit)


@pytest.mark.parametrize(
    ("receipts", "runs", "to"),
    [
        ([], "a", None),
        ([ran("a")], "a", None),
        ([ran("a"), ran("b")], "b", "a"),
        ([ran("a"), ran("b"), ran("b")], "b", "a"),
        ([ran("a"), ran("b"), ran("c"), ran("b")], "b", "a"),
        ([ran("a"), ran("b")], "elsewhere", "b"),
        ([ran("a"), ran("b")], "", "b"),
        ([ran("a"), ran("b"), ran("", "failed")], "b", "b"),
        ([ran("a"), ran("b"), ran("", "failed")], "c", "b"),
        ([ran("", "failed")], "a", None),
        ([ran("a"), ran("b"), ran("a", "rolled back")], "a", None),
    ],
)
def test_the_commit_to_go_back_to(receipts: list[Receipt], runs: str, to: str | None) -> None:
    found = last_healthy(receipts, runs)
    assert (found and found.commit) == to


def test_the_command_asks_before_it_does_anything(core: TestCore, tmp_path: Path, root: Path) -> None:
    copy = Copy.make(root, tmp_path)
    environ = {**core.environ, "STACK": "prod"}
    core.write("CreateStack", name="frigate", config={})
    core.asked()
    done = copy.homeops("rollback", "frigate", "--to", "0123abc", **environ)
    assert done.returncode == 1
    assert "it goes back to commit 0123abc" in done.stdout
    assert done.stderr == ("homeops rollback: nobody is here to say yes\n  hint: homeops rollback frigate --yes\n")
    for arguments, told in (
        (["frigat"], 'stack "frigat": is not declared; did you mean "frigate"?'),
        (["frigate", "--to", "main"], '--to: "main" is no commit'),
        (["frigate"], 'stack "frigate": has no receipt of a healthy commit'),
        (["komodo-core"], 'stack "komodo-core": Core does not roll itself back'),
    ):
        done = copy.homeops("rollback", *arguments, "--yes", **environ)
        assert done.returncode == 1
        assert done.stderr.startswith(told), done.stderr
    assert set(core.asked()) == {"read GetStack"}
