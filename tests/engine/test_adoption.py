"""What exists already under a declared name."""

from tests.engine.core import TestCore, writes
from tests.engine.engine import Project, declared
from tests.engine.everything import EVERYTHING
from tests.engine.fleets import FleetProject
from tests.engine.test_kinds import differing

STACK = declared(
    "Stack", "frigate", environment="TZ=Etc/UTC", links=["https://nvr.example"], description="cameras", tags=["video"]
)
SERVER = declared("Server", "nvr", address="https://127.0.0.2:8120", cpu_warning=90.1)
VARIABLE = declared("Variable", "DOMAIN", value="homelab.example", description="of everything")
TAG = declared("Tag", "video", color="Blue")
GROUP = declared("UserGroup", "family", everyone=True)
DECLARED = (SERVER, TAG, STACK, VARIABLE, GROUP)


def _make_by_hand(core: TestCore) -> dict[str, str]:
    core.write("CreateTag", name="video", color="Blue")
    core.write("CreateServer", name="nvr", config={"address": "https://127.0.0.2:8120", "cpu_warning": 90.1})
    config = {"environment": "TZ=Etc/UTC\n", "links": "https://nvr.example"}
    stack = core.write("CreateStack", name="frigate", config=config)["_id"]["$oid"]
    core.write("UpdateResourceMeta", target={"type": "Stack", "id": stack}, description="cameras", tags=["video"])
    core.write("CreateVariable", name="DOMAIN", value="homelab.example", description="of everything")
    group = core.write("CreateUserGroup", name="family")["_id"]["$oid"]
    core.write("SetEveryoneUserGroup", user_group=group, everyone=True)
    return {"Stack frigate": stack, "UserGroup family": group}


def test_what_equals_its_declaration_is_taken_over_without_a_write(project: Project, core: TestCore) -> None:
    made = _make_by_hand(core)
    core.write("CreateStack", name="undeclared", config={})
    core.write("CreateVariable", name="LEFTOVER", value="1")
    core.write("CreateTag", name="forgotten")
    core.write("CreateTag", name="used")
    core.write("CreateUserGroup", name="strangers")
    core.write("CreateAction", name="by-hand", config={})
    carried = declared("Server", "kasm", address="https://127.0.0.3:8120", tags=["used"])
    project.declare(*DECLARED, carried)
    preview = project.preview().check()
    for what in ('server "nvr"', 'stack "frigate"', 'variable "DOMAIN"', 'tag "video"', 'usergroup "family"'):
        assert f"{what} exists in Komodo and equals the declaration: it will be adopted" in preview.text
    for kind, name in (
        ("Stack", "undeclared"),
        ("Variable", "LEFTOVER"),
        ("Tag", "forgotten"),
        ("UserGroup", "strangers"),
        ("Action", "by-hand"),
    ):
        assert f"in Komodo, declared nowhere: {kind} {name}\n" in preview.text
    assert "  hint: homeops import --core writes their declarations" in preview.text
    project.declare(*DECLARED)
    core.asked()
    project.up().check()
    assert not writes(core.asked())
    assert made.items() <= project.ids().items()
    assert project.preview("--refresh").check().steps == []


def test_a_preview_tells_of_an_agent_that_is_of_another_version_than_core(project: Project, core: TestCore) -> None:
    project.declare(declared("Server", "nvr", address="https://127.0.0.2:8120", enabled=True))
    assert "its Periphery is" not in project.up().check().text
    assert "its Periphery is" not in project.preview().check().text
    core.agent("127.0.0.2").version = "2.2.0"
    told = 'warning: server "nvr": its Periphery is 2.2.0, Core is 2.3.2; upgrade them together'
    assert told in project.preview().check().text


def test_what_differs_is_refused_with_every_field_and_nothing_changed(project: Project, core: TestCore) -> None:
    made = _make_by_hand(core)
    core.change("Stack", "frigate", environment="TZ=Europe/Berlin\n", auto_pull=False)
    core.write("UpdateResourceMeta", target={"type": "Stack", "id": made["Stack frigate"]}, description="by hand")
    core.write("UpdateVariableValue", name="DOMAIN", value="elsewhere.example")
    before = core.core.dump()
    project.declare(*DECLARED)
    preview = project.preview().check()
    assert 'stack "frigate" exists in Komodo and differs, so pulumi up will refuse to adopt it' in preview.text
    core.asked()

    refused = project.up("--continue-on-error")
    assert refused.exit != 0
    for line in (
        'stack "frigate": exists in Komodo and differs in 3 fields; nothing was changed',
        "config.environment: Komodo has 'TZ=Europe/Berlin\\n', declared is 'TZ=Etc/UTC\\n'",
        "config.auto_pull: Komodo has False, declared is the default",
        "description: Komodo has 'by hand', declared is 'cameras'",
        'variable "DOMAIN": exists in Komodo and differs in 1 field; nothing was changed',
        "config.value: Komodo has 'elsewhere.example', declared is 'homelab.example'",
        "hint: homeops adopt stack/frigate -s test --keep komodo   writes Komodo's values into the fleet",
        "or: homeops adopt stack/frigate -s test --keep fleet    lets pulumi up overwrite them",
    ):
        assert line in refused.text, f"{line}\n{refused.text}"
    assert "Traceback" not in refused.text
    assert not writes(core.asked())
    assert core.core.dump() == before

    project.declare(*DECLARED, overwrite=True)
    preview = project.preview().check()
    assert 'stack "frigate" exists in Komodo: it will be adopted, and 3 fields overwritten' in preview.text
    project.up().check()
    assert made.items() <= project.ids().items()
    assert differing(core, DECLARED) == []
    # The setting need not stay.
    project.declare(*DECLARED)
    assert project.up("--refresh").check().steps == []


def test_a_creation_that_was_cut_short_is_finished(project: Project, core: TestCore) -> None:
    core.write("CreateStack", name="frigate", config={"environment": "TZ=Etc/UTC\n", "links": ["https://nvr.example"]})
    core.write("CreateUserGroup", name="family")
    project.declare(TAG, STACK, GROUP)
    project.up().check()
    assert differing(core, (TAG, STACK, GROUP)) == []


def test_a_tag_that_came_into_being_by_being_used_is_taken_over(project: Project, core: TestCore) -> None:
    """The tag of a stack may be declared later, or be made by Komodo between preview and up."""
    project.declare(STACK)
    project.up().check()
    assert "video" in core.all("Tag")
    project.declare(STACK, declared("Tag", "video", color=core.all("Tag")["video"]["color"]))
    project.up().check()
    project.declare(STACK, TAG)
    project.up().check()
    assert core.all("Tag")["video"]["color"] == "Blue"


def test_everything_is_adopted_by_a_project_that_begins_anew(project: Project, core: TestCore) -> None:
    from tests.engine.everything import ENVIRON

    project.environ = {**project.environ, **ENVIRON}
    project.declare(*EVERYTHING)
    project.up().check()
    ids = project.ids()
    core.asked()
    project.run("stack", "rm", "test", "--yes", "--force", "--preserve-config").check()
    project.run("stack", "init", "test").check()
    project.up().check()
    assert not writes(core.asked())
    assert project.ids() == ids


def test_what_the_settings_name_is_overwritten_and_nothing_else(project: Project, core: TestCore) -> None:
    core.write("CreateVariable", name="MINE", value="theirs")
    core.write("CreateVariable", name="OTHER", value="theirs")
    fleet = FleetProject(project, core)
    fleet.declare('return Fleet(variables=[Variable("MINE", value="ours"), Variable("OTHER", value="ours")])')
    project.configure(**project.settings, overwrite=["variable/MINE"])
    refused = project.up("--continue-on-error")
    assert refused.exit != 0
    assert 'variable "MINE" exists in Komodo: it will be adopted, and 1 field overwritten' in refused.text
    assert 'variable "OTHER": exists in Komodo and differs in 1 field; nothing was changed' in refused.text
    assert "homeops adopt variable/OTHER -s test --keep fleet" in refused.text
    assert {name: item["value"] for name, item in core.all("Variable").items()} == {"MINE": "ours", "OTHER": "theirs"}
