"""Every kind through the real engine: created, unchanged, updated, renamed, gone, deleted."""

from typing import Any, cast

import pytest

from homeops.komodo.documents import live
from homeops.model.canonical import canonical
from homeops.model.kinds import KINDS
from homeops.model.wire import minimal
from tests.engine.core import TestCore, lists, writes
from tests.engine.engine import Document, Project, declared
from tests.engine.everything import CHANGED, CHANGES, ENVIRON, EVERYTHING, NAMES, TAGS, renamed


@pytest.fixture
def everything(project: Project, core: TestCore) -> Project:
    """All of it, up."""
    project.environ = {**project.environ, **ENVIRON}
    project.declare(*EVERYTHING)
    project.up().check()
    core.asked()
    return project


def shown(core: TestCore, item: Document) -> Document:
    """An object as Core has it, in the terms of a declaration."""
    kind = KINDS[item["kind"]]

    def name(kind_name: str, id_: str) -> str:
        if kind_name == "User":
            return next(user["username"] for user in core.read("ListUsers") if user["_id"]["$oid"] == id_)
        return core.name_of(kind_name, id_)

    found = live(kind, core.all(item["kind"])[item["name"]], name)
    return {
        "config": minimal(found.config),
        "description": found.description,
        "tags": list(found.tags),
        "template": found.template,
    }


def wanted(item: Document) -> Document:
    """The declaration in the same terms, with the secrets that it names."""
    config = minimal(canonical(KINDS[item["kind"]].config.validate_python(item["config"])))
    return {
        "config": _with_secrets(config),
        "description": item["description"],
        "tags": item["tags"],
        "template": item["template"],
    }


def _with_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_secrets(item) for key, item in cast(Document, value).items()}
    if isinstance(value, str) and value.startswith("env:"):
        return ENVIRON[value.removeprefix("env:")]
    return value


def differing(core: TestCore, things: tuple[Document, ...]) -> list[tuple[str, Document, Document]]:
    """What Core has otherwise than it is declared."""
    pairs = [(item["name"], shown(core, item), wanted(item)) for item in things]
    return [(name, is_, shall) for name, is_, shall in pairs if is_ != shall]


def test_up_makes_what_is_declared_and_a_second_run_changes_nothing(project: Project, core: TestCore) -> None:
    project.environ = {**project.environ, **ENVIRON}
    project.declare(*EVERYTHING)
    first = project.preview().check()
    assert first.of("create") == NAMES
    assert not writes(core.asked())

    done = project.up().check()
    assert done.of("create") == NAMES
    assert differing(core, EVERYTHING) == []
    kept = "".join(file.read_text() for file in project.state_file.parent.glob("*.json"))
    credentials = [core.environ["KOMODO_API_KEY"], core.environ["KOMODO_API_SECRET"]]
    for secret in (*ENVIRON.values(), *credentials):
        assert secret not in first.text + done.text + kept + repr(done.events)
    target = core.config("Alerter", "main-alerter")["resources"][0]
    assert target == {"type": "Stack", "id": core.all("Stack")["main-stack"]["_id"]["$oid"]}
    made = writes(core.asked())
    assert made["write CreateStack"] == 2
    assert sum(times for name, times in made.items() if "Meta" not in name) <= len(NAMES) + 3, made

    for command, options in (("preview", ()), ("preview", ("--refresh",)), ("up", ("--yes", "--skip-preview"))):
        assert project.run(command, *options).check().steps == []
        asked = core.asked()
        assert not writes(asked)
        assert max(lists(asked).values()) == 1, asked


def test_a_change_of_any_field_is_an_update_of_that_field_alone(everything: Project, core: TestCore) -> None:
    everything.declare(*CHANGED)
    preview = everything.preview().check()
    kinds = {item["name"]: item["kind"] for item in EVERYTHING}
    assert preview.of("update") == {f"{kinds[name]} {name}" for name in CHANGES}
    for name, changes in CHANGES.items():
        beside = ("description", "tags", "template")
        fields = {key if key in beside else f"config.{key}" for key in changes}
        assert preview.fields(f"{kinds[name]} {name}") == fields, name

    assert everything.up().check().of("update") == preview.of("update")
    assert differing(core, CHANGED) == []
    assert not [name for name in core.asked() if "Create" in name]
    assert everything.preview("--refresh").check().steps == []

    # And back: fields that are not declared any more have Komodo's default again.
    everything.declare(*EVERYTHING)
    everything.up().check()
    assert differing(core, EVERYTHING) == []


def test_a_rename_keeps_the_object(everything: Project, core: TestCore) -> None:
    before = everything.ids()
    new = renamed(EVERYTHING)
    everything.declare(*new)
    done = everything.up().check()
    assert done.of("create") | done.of("delete") | done.of("replace") == set()
    ids = everything.ids()
    for item in new:
        if item["former"]:
            kind = item["kind"]
            assert ids[f"{kind} {item['name']}"] == before[f"{kind} {item['former']}"]
    asked = writes(core.asked())
    assert {name for name in asked if name.startswith("write Rename")} == {
        f"write Rename{item['kind']}" for item in new if item["former"]
    }
    assert differing(core, new) == []
    assert everything.preview("--refresh").check().steps == []


def test_what_vanished_is_made_again(everything: Project, core: TestCore) -> None:
    for item in reversed(EVERYTHING):
        key = "name" if item["kind"] == "Variable" else "id"
        target = core.all("Tag")[item["name"]]["_id"]["$oid"] if item["kind"] == "Tag" else item["name"]
        target = core.all("UserGroup")[item["name"]]["_id"]["$oid"] if item["kind"] == "UserGroup" else target
        core.write(f"Delete{item['kind']}", **{key: target})
    assert everything.preview("--refresh").check().of("create") == NAMES
    assert everything.up("--refresh").check().of("create") == NAMES
    assert differing(core, EVERYTHING) == []


def test_what_is_declared_no_more_is_deleted_and_nothing_else(everything: Project, core: TestCore) -> None:
    core.write("CreateStack", name="somebody-elses", config={})
    everything.declare(*TAGS)
    done = everything.up().check()
    assert done.of("delete") == NAMES - {f"Tag {item['name']}" for item in TAGS}
    everything.destroy().check()
    left = {kind: sorted(core.all(kind)) for kind in KINDS if core.all(kind)}
    assert left == {"Stack": ["somebody-elses"]}


def test_a_variable_with_another_name_is_another_variable(project: Project, core: TestCore) -> None:
    project.declare(declared("Variable", "OLD", value="1"))
    project.up().check()
    project.declare(declared("Variable", "NEW", value="1", former="OLD"))
    assert project.preview().check().of("replace") == {"Variable NEW"}
    project.up().check()
    assert sorted(core.all("Variable")) == ["NEW"]


def test_a_builder_changes_its_type_even_to_one_with_nothing_but_defaults(project: Project, core: TestCore) -> None:
    server = declared("Server", "main-server")
    types: list[tuple[str, Document]] = [
        ("Server", {"server_ids": ["main-server"]}),
        ("Url", {}),
        ("Aws", {}),
        ("Server", {}),
        ("Aws", {"volume_gb": 50}),
    ]
    for type_, params in types:
        builder = declared("Builder", "builder", type=type_, params=params)
        project.declare(server, builder)
        project.up().check()
        assert differing(core, (builder,)) == []
        assert core.config("Builder", "builder")["type"] == type_
    assert project.preview("--refresh").check().steps == []
