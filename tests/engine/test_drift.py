"""Changes made behind Pulumi's back: shown field by field, and mended."""

from tests.engine.core import TestCore, writes
from tests.engine.engine import Project
from tests.engine.everything import ENVIRON, EVERYTHING, OTHER_SECRET
from tests.engine.test_kinds import differing


def test_drift_is_shown_field_by_field_and_mended(project: Project, core: TestCore) -> None:
    project.environ = {**project.environ, **ENVIRON}
    project.declare(*EVERYTHING)
    project.up().check()
    core.asked()
    tags = {name: tag["_id"]["$oid"] for name, tag in core.all("Tag").items()}

    core.write("RenameRepo", id="main-repo", name="renamed-by-hand")
    core.change("Stack", "main-stack", auto_pull=False, server_id="spare-server", environment="TZ=Europe/Berlin\n")
    core.write("UpdateResourceMeta", target={"type": "Stack", "id": _id(core, "Stack", "main-stack")}, tags=["red-tag"])
    core.change("Server", "main-server", cpu_warning=70, links=[], enabled=False)
    core.change("Procedure", "main-procedure", schedule="")
    core.change("Swarm", "main-swarm", server_ids=["spare-server"])
    core.change("Alerter", "main-alerter", endpoint={"type": "Slack", "params": {"url": f"https://x/{OTHER_SECRET}"}})
    core.change("Builder", "aws-builder", type="Aws", params={"volume_gb": 31})
    core.write("UpdateVariableValue", name="PLAIN", value="changed by hand")
    core.write("UpdateVariableValue", name="HIDDEN", value=OTHER_SECRET)
    core.write("UpdateVariableIsSecret", name="HIDDEN", is_secret=False)
    core.write("UpdateTagColor", tag=tags["red-tag"], color="Green")
    core.write("SetEveryoneUserGroup", user_group=_id(core, "UserGroup", "main-group"), everyone=True)

    preview = project.preview("--refresh", "--diff").check()
    for line in (
        "- auto_pull: false",
        'server_id: "spare-server" => "main-server"',
        "- TZ=Europe/Berlin",
        "+ TZ=Etc/UTC",
        "cpu_warning: 70 => 90.1",
        'value: "changed by hand" => "some text"',
        'value: "(another value, not shown)" => "env:TEST_SECRET"',
        'color: "Green" => "DarkRed"',
        'name: "renamed-by-hand" => "main-repo"',
        "volume_gb: 31 => 30",
    ):
        assert line in preview.shown, f"{line}\n{preview.shown}"
    assert OTHER_SECRET not in preview.text
    drifted = {
        "Stack main-stack": {"config.auto_pull", "config.server_id", "config.environment", "tags"},
        "Server main-server": {"config.cpu_warning", "config.links", "config.enabled"},
        "Procedure main-procedure": {"config.schedule"},
        "Swarm main-swarm": {"config.server_ids"},
        "Alerter main-alerter": {"config.endpoint"},
        "Builder aws-builder": {"config.params"},
        "Variable PLAIN": {"config.value"},
        "Variable HIDDEN": {"config.value", "config.is_secret"},
        "Tag red-tag": {"config.color"},
        "UserGroup main-group": {"config.everyone"},
        "Repo main-repo": {"name"},
    }
    assert preview.of("update") == set(drifted)
    for resource, fields in drifted.items():
        assert preview.fields(resource) == fields
    assert not writes(core.asked())

    assert project.up("--refresh").check().of("update") == set(drifted)
    assert differing(core, EVERYTHING) == []
    assert OTHER_SECRET not in project.state_file.read_text()
    assert project.preview("--refresh").check().steps == []


def test_drift_that_went_into_the_state_is_mended_by_the_next_up(project: Project, core: TestCore) -> None:
    project.environ = {**project.environ, **ENVIRON}
    project.declare(*EVERYTHING)
    project.up().check()
    core.write("UpdateVariableValue", name="HIDDEN", value=OTHER_SECRET)
    core.change("Server", "spare-server", passkey=OTHER_SECRET, region="moon")
    project.refresh().check()
    assert OTHER_SECRET not in project.state_file.read_text()
    assert project.preview().check().of("update") == {"Variable HIDDEN", "Server spare-server"}
    project.up().check()
    assert differing(core, EVERYTHING) == []


def _id(core: TestCore, kind: str, name: str) -> str:
    return core.all(kind)[name]["_id"]["$oid"]
