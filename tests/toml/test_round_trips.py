"""Any resource, written and read: by us and, as far as the simulated one shows, by Komodo."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeops.komodo.toml.groups import GroupConfig
from homeops.komodo.toml.reader import read_toml
from homeops.komodo.toml.writer import write_toml
from homeops.model.canonical import canonical
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.fields import KomodoModel
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from tests.model.strategies import configs, of_model
from tests.toml.komodo import as_komodo_reads
from tests.toml.meaning import meaning

LETTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(LETTERS, max_size=12) | st.text(st.sampled_from("a\"'\\\n\r\t#[]$ \x7f"), max_size=12)
NAMES = TEXTS.filter(bool)
KIND_NAMES = [kind for kind in KINDS if kind != "Tag"]


def resources(kind: str) -> st.SearchStrategy[Resource]:
    config = configs(kind).map(sayable)
    if kind == "UserGroup":
        config = of_model(GroupConfig).filter(lambda group: group.permissions and each_once(group))
    if not KINDS[kind].resource:
        description = TEXTS if kind == "Variable" else st.just("")
        return st.builds(Resource, kind=st.just(kind), name=NAMES, config=config, description=description)
    return st.builds(
        Resource,
        kind=st.just(kind),
        name=NAMES,
        config=config,
        description=TEXTS,
        tags=st.lists(TEXTS, max_size=2).map(tuple),
        template=st.booleans(),
        deploy=st.booleans(),
        after=st.lists(TEXTS, max_size=2).map(tuple),
    )


def each_once(group: GroupConfig) -> bool:
    """Whether no specific permission stands twice, which Komodo keeps once."""
    return all(len(set(permission.specific)) == len(permission.specific) for permission in group.all.values())


def sayable(config: KomodoModel) -> KomodoModel:
    """Without the null that TOML cannot say, inside of an action's arguments."""
    for stage in getattr(config, "stages", ()):
        for row in stage.executions:
            if getattr(row.execution, "args", None) is not None:
                object.__setattr__(row.execution, "args", without_null(row.execution.args))
    return config


def without_null(value: Any) -> Any:
    match value:
        case dict():
            return {key: without_null(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [without_null(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case None:
            return 0
        case _:
            return value


@pytest.mark.parametrize("kind", KIND_NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_resource_is_read_as_it_was_written(kind: str, data: st.DataObject) -> None:
    resource = data.draw(resources(kind))
    text = write_toml([resource])
    reading = read_toml(text, "f.toml")
    assert not reading.rejected, [str(finding) for finding in reading.findings]
    assert meaning(reading.resources) == meaning([resource])
    assert write_toml(reading.resources) == text


@pytest.mark.parametrize("kind", [kind for kind in KIND_NAMES if kind != "UserGroup"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_komodo_reads_every_resource_as_it_was_written(kind: str, data: st.DataObject) -> None:
    resource = data.draw(resources(kind))
    assert as_komodo_reads(write_toml([resource])) == [replace(resource, config=canonical(resource.config))]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(KIND_NAMES).flatmap(resources), max_size=4))
def test_several_resources_in_one_text_do_not_disturb_each_other(several: list[Resource]) -> None:
    reading = read_toml(write_toml(several), "f.toml")
    assert [replace(one, where="") for one in reading.resources] == [
        replace(one, config=canonical(one.config)) for one in several
    ]
    for one in reading.declared:
        assert one.resource.where.startswith(f"f.toml:{one.place.line}: ")


def test_a_sync_that_komodo_leaves_out_is_found_and_read_all_the_same() -> None:
    resource = Resource("ResourceSync", "ui", ResourceSyncConfig(file_contents="x\n"))
    reading = read_toml(write_toml([resource]), "f.toml")
    assert meaning(reading.resources) == [resource]
    assert [finding.effect.name for finding in reading.findings] == ["IGNORED"]
