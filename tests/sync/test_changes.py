"""What a sync has pending is told field by field, deletes first, and without a secret."""

import json
from typing import Any

import pytest

from homeops.komodo.toml.reader import read_toml
from homeops.sync.changes import changes_of, deploys_of
from homeops.sync.fields import changed_fields
from tests.sync.world import SERVERS, World, stack

VARIABLES = '[[variable]]\nname = "A"\nvalue = "{a}"\n[[variable]]\nname = "T"\nvalue = "{t}"\nis_secret = {secret}\n'


def fields(old: str, new: str) -> list[str]:
    (before,), (after,) = (read_toml(text, "").resources for text in (old, new))
    return [str(field) for field in changed_fields(before, after)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (stack("a"), stack("a", 'tags = ["x"]'), ['tags: [] -> ["x"]']),
        (stack("a", 'description = "one"'), stack("a"), ['description: "one" -> ""']),
        (stack("a"), stack("a", config="auto_pull = false"), ["config.auto_pull: true -> false"]),
        (stack("a"), stack("a", server="beta"), ['config.server_id: "alpha" -> "beta"']),
        (
            stack("a", config='environment = "A=1\\nB=2"'),
            stack("a", config='environment = "A=1\\nB=3\\nC=4"'),
            [
                "config.environment.B: (not shown) -> (another, not shown)",
                "config.environment.C: - -> (not shown)",
            ],
        ),
        (
            stack("a", config='environment = "A=1"'),
            stack("a", config='environment = "# why\\nA=1"'),
            ["config.environment: 1 line -> 2 lines (+1 -0)"],
        ),
        (
            stack("a", config='webhook_secret = "one"'),
            stack("a", config='webhook_secret = "two"'),
            ["config.webhook_secret: (not shown) -> (another, not shown)"],
        ),
        (
            stack("a", config='pre_deploy.command = "login --password=hunter2"'),
            stack("a", config='pre_deploy.command = "login --password=hunter3 now"'),
            [
                'config.pre_deploy.command: "login --password=[secret]" -> "login --password=[secret] now"',
            ],
        ),
        (
            stack("a"),
            stack("a").replace("busybox\n", "busybox:1\n    init: true\n"),
            ["config.file_contents: 4 lines -> 5 lines (+2 -1)"],
        ),
        (
            stack("a", config='config_files = ["a", "b"]'),
            stack("a", config='config_files = [{ path = "a", requires = "Restart" }]'),
            ['config.config_files[0].requires: "None" -> "Restart"', "config.config_files[1]: b -> -"],
        ),
        (
            '[[alerter]]\nname = "a"\n[alerter.config]\nendpoint = { type = "Slack", params.url = "https://h/1" }\n',
            '[[alerter]]\nname = "a"\n[alerter.config]\nendpoint = { type = "Slack", params.url = "https://h/2" }\n',
            ["config.endpoint.params.url: (not shown) -> (another, not shown)"],
        ),
        (
            '[[builder]]\nname = "a"\n[builder.config]\ntype = "Url"\nparams = {}\n',
            '[[builder]]\nname = "a"\n[builder.config]\ntype = "Aws"\nparams = {}\n',
            ["config: Url -> Aws"],
        ),
        (
            '[[user_group]]\nname = "a"\nusers = ["x"]\n',
            '[[user_group]]\nname = "a"\nusers = ["x", "y"]\nall.Stack = "Read"\n',
            ['config.users: ["x"] -> ["x", "y"]', 'config.all.Stack: - -> {"level": "Read", "specific": []}'],
        ),
    ],
)
def test_each_field_that_differs_is_told_with_both_values(old: str, new: str, told: list[str]) -> None:
    assert fields(old, new) == told
    assert fields(old, old) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("false", "false", 'config.value: "one" -> "two"'),
        ("true", "true", "config.value: (not shown) -> (another, not shown)"),
        ("false", "true", "config.value: (not shown) -> (another, not shown)"),
        ("true", "false", "config.value: (not shown) -> (another, not shown)"),
    ],
)
def test_a_variable_shows_its_value_unless_it_is_or_was_secret(old: str, new: str, told: str) -> None:
    text = '[[variable]]\nname = "A"\nvalue = "{}"\nis_secret = {}\n'
    assert fields(text.format("one", old), text.format("two", new))[0] == told


def test_stages_of_a_procedure_are_told_by_place() -> None:
    text = (
        '[[procedure]]\nname = "p"\n[[procedure.config.stage]]\nname = "one"\n'
        'executions = [{{ execution.type = "{}", execution.params.{} }}]\n'
    )
    old, new = text.format("DeployStack", 'stack = "a"'), text.format("DeployStack", 'stack = "b"')
    (told,) = fields(old, new)
    assert told.endswith('executions[0].execution.stack: "a" -> "b"')
    (told,) = fields(old, text.format("RunBuild", 'build = "a"'))
    assert told.endswith("execution: DeployStack -> RunBuild")


def test_deletes_come_first_then_updates_then_creations(world: World) -> None:
    world.applied(SERVERS + stack("web") + stack("db"), delete=True)
    world.declare(SERVERS + stack("db", 'tags = ["x"]') + stack("new"), delete=True)
    plan = world.look()
    assert [(change.how, change.kind, change.name) for change in plan.at.changes] == [
        ("delete", "Stack", "web"),
        ("update", "Stack", "db"),
        ("create", "Stack", "new"),
    ]
    assert [str(field) for field in plan.at.changes[1].fields] == ['tags: [] -> ["x"]']


def test_variables_and_user_groups_are_told_too_without_secrets(world: World) -> None:
    both: dict[str, Any] = {"include_variables": True, "include_user_groups": True, "delete": True}
    group = '[[user_group]]\nname = "devs"\nusers = []\n'
    world.lab.write("CreateUserGroup", name="old")
    world.declare(SERVERS + VARIABLES.format(a=1, t="hunter2", secret="true") + group, **both)
    plan = world.look()
    assert [(change.how, *change.key) for change in plan.at.changes] == [
        ("delete", "UserGroup", "old"),
        ("create", "Variable", "A"),
        ("create", "Variable", "T"),
        ("create", "UserGroup", "devs"),
    ]
    assert "hunter2" not in json.dumps(plan.document("test"))
    assert world.run(plan).ok
    world.declare(SERVERS + VARIABLES.format(a=2, t="hunter3", secret="true") + group, **both)
    plan = world.look()
    assert [str(field) for change in plan.at.changes for field in change.fields] == [
        'config.value: "1" -> "2"',
        "config.value: (not shown) -> (another, not shown)",
    ]
    assert "hunter" not in json.dumps(plan.document("test"))


def test_a_variable_that_only_becomes_secret_is_told_although_komodo_does_not(world: World) -> None:
    world.applied(SERVERS + VARIABLES.format(a=1, t=1, secret="false"), include_variables=True)
    world.declare(SERVERS + VARIABLES.format(a=1, t=1, secret="true"), include_variables=True)
    plan = world.look()
    assert world.lab.write("RefreshResourceSyncPending", sync="fleet")["info"]["variable_updates"] == []
    assert [(change.name, str(change.fields[0])) for change in plan.at.changes] == [
        ("T", "config.is_secret: false -> true")
    ]
    assert world.run(plan).ok
    assert {one["name"] for one in world.lab.read("ListVariables") if one["is_secret"]} == {"T"}


def test_what_komodo_writes_unreadably_is_said_to_be_more() -> None:
    broken = '[[stack]]\nname = "a"\n[stack.config]\nserver = "alpha"\nbranch = "a\\d"\n'
    update = {
        "target": {"type": "Stack", "id": "1"},
        "data": {"type": "Update", "data": {"proposed": stack("a"), "current": broken}},
    }
    delete = {
        "target": {"type": "Stack", "id": "1"},
        "data": {"type": "Delete", "data": {"current": '[[stack]]\nname = "a"\n"""\n'}},
    }
    found = changes_of({"resource_updates": [update, delete]}, lambda _, id_: f"name of {id_}")
    assert [(change.how, change.name, change.whole) for change in found] == [
        ("delete", "name of 1", False),
        ("update", "name of 1", False),
    ]


def test_deploys_are_told_after_those_that_they_come_after() -> None:
    def due(name: str, *after: str) -> object:
        return {
            "target": {"type": "Stack", "id": name},
            "reason": '<span style="color: red">down</span> state',
            "after": [{"type": "Stack", "id": one} for one in after],
        }

    deploys = deploys_of({"pending_deploys": [due("c", "b"), due("b", "a"), due("a"), due("x", "y"), due("y", "x")]})
    assert [one.name for one in deploys][:3] == ["a", "b", "c"]
    assert {one.name for one in deploys} == {"a", "b", "c", "x", "y"}
    assert deploys[0].reason == "down state"
