"""A preview of a fleet whose repository holds something else than is declared: a sync would undo the run."""

from homeops.fleet_graph import fleet_graph
from homeops.komodo.toml.layout import DIRECTORY, rendered
from homeops.komodo.toml.origin import made_from
from homeops.model.fleet import Fleet
from homeops.model.resources import ResourceSync, Variable
from homeops.model.site import Site
from tests.engine.core import TestCore
from tests.engine.engine import Project
from tests.engine.fleets import FleetProject

BODY = """
from homeops.model.resources import ResourceSync
sync = ResourceSync("fleet", resource_path=["docker/komodo-resources"], include_variables=True, delete=True)
return Fleet(syncs=[sync], variables=[Variable("WHO", value="{value}"), Variable("SAME", value="1")])
"""


def render(fleet: FleetProject, value: str) -> None:
    """What ``homeops render`` would write."""
    sync = ResourceSync("fleet", resource_path=[DIRECTORY], include_variables=True, delete=True)
    declared = Fleet(syncs=[sync], variables=[Variable("WHO", value=value), Variable("SAME", value="1")])
    site = Site.model_validate(fleet.project.settings)
    directory = fleet.tree / "komodo-resources"
    directory.mkdir(exist_ok=True)
    for name, text in rendered(fleet_graph(declared, site, fleet.tree.parent), made_from(fleet.project.stack)).items():
        (directory / name).write_text(text)


def test_a_sync_that_would_undo_the_run_is_told_and_none_other(project: Project, core: TestCore) -> None:
    fleet = FleetProject(project, core)
    fleet.declare(BODY.format(value="me"))
    render(fleet, "me")
    fleet.push()
    assert "warning" not in project.up().check().text
    core.write("RefreshResourceSyncPending", sync="fleet")
    assert "warning" not in project.preview().check().text

    fleet.declare(BODY.format(value="somebody"))
    preview = project.preview().check()
    assert 'a run of resource sync "fleet" would undo this: what Komodo last read' in preview.text
    assert "    variable WHO: value\n" in preview.text
    assert "variable SAME" not in preview.text
    assert (
        "not what the fleet declares (variables.toml), so a run of resource sync fleet would undo this" in preview.text
    )
    assert preview.of("update") == {"Variable WHO"}

    render(fleet, "somebody")
    preview = project.preview().check()
    assert "(variables.toml)" not in preview.text
    assert "    variable WHO: value\n" in preview.text
    fleet.push()
    core.write("RefreshResourceSyncPending", sync="fleet")
    assert "warning" not in project.preview().check().text

    silent = project.preview(KOMODO_ADDRESS="http://127.0.0.1:1").check()
    assert "resource sync" not in silent.text
    assert "Komodo was not asked" in silent.text
