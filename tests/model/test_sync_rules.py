"""Traps of a ResourceSync that its declaration alone shows: fatal ones end a preview, the others are told by it."""

from typing import Any

import pytest

from homeops.errors import FleetError
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.fleet import Fleet, resolve
from homeops.model.resources import ResourceSync
from homeops.model.sync_rules import disputes, takes_in, traps
from homeops.preflight import sync_warnings
from tests.example_site import example_site

GOOD: dict[str, Any] = {"repo": "me/fleet", "resource_path": ["komodo"]}


def config(**given: Any) -> ResourceSyncConfig:
    return ResourceSyncConfig(**{**GOOD, **given})


@pytest.mark.parametrize(
    "given", [{}, {"delete": True}, {"resource_path": ["a.toml"], "managed": True, "delete": True}]
)
def test_what_is_as_it_should_be_is_no_trap(given: dict[str, Any]) -> None:
    assert list(traps(config(**given))) == []


def test_a_text_of_its_own_needs_no_path() -> None:
    assert list(traps(ResourceSyncConfig(file_contents="[[server]]\n", delete=True))) == []


@pytest.mark.parametrize(
    ("given", "fatal"),
    [
        ({"resource_path": ["/"]}, True),
        ({"resource_path": ["//"]}, True),
        ({"resource_path": ["/syncs"]}, True),
        ({"resource_path": ["/srv/komodo"]}, False),
        ({"resource_path": ["a/../../b"]}, True),
        ({"resource_path": []}, False),
        ({"resource_path": [], "delete": True}, True),
        ({"resource_path": [], "managed": True}, True),
        ({"resource_path": ["."]}, False),
        ({"resource_path": ["./"]}, False),
        ({"repo": ""}, True),
    ],
)
def test_paths_that_read_too_much_or_nothing(given: dict[str, Any], fatal: bool) -> None:
    assert any(trap.fatal for trap in traps(config(**given))) is fatal
    assert list(traps(config(**given)))


@pytest.mark.parametrize(
    ("path", "file", "read"),
    [
        ("komodo", "komodo/a.toml", True),
        ("komodo/", "komodo/b/a.toml", True),
        (".", "a.toml", True),
        ("a.toml", "a.toml", True),
        ("komodo", "komodo2/a.toml", False),
    ],
)
def test_what_a_path_reads(path: str, file: str, read: bool) -> None:
    assert takes_in(path, file) is read


def told(**syncs: ResourceSyncConfig) -> list[str]:
    return [f"{name} {trap.what}" for name, trap in disputes(syncs)]


def test_syncs_that_undo_each_other_are_told() -> None:
    assert told(a=config(), b=config(resource_path=["komodo/x.toml"])) == ['a reads files that sync "b" reads too']
    assert told(a=config(delete=True), b=config(resource_path=["other"])) == [
        'a deletes what it does not declare, and so what sync "b" makes'
    ]
    assert told(a=config(delete=True), b=config(repo="me/other")) == [
        'a deletes what it does not declare, and so what sync "b" makes'
    ]


def test_syncs_with_objects_of_their_own_are_not() -> None:
    assert told(a=config(delete=True), b=config(match_tags=["b"])) == []
    assert told(a=config(), b=config(resource_path=["other"])) == []
    assert told(a=config(delete=True), b=config(include_resources=False, include_variables=True)) == []
    assert told(a=config(files_on_host=True), b=config(files_on_host=True)) == []


def test_the_graph_refuses_what_hangs_core_and_the_preview_warns_of_the_rest() -> None:
    with pytest.raises(FleetError, match='resource_path "/" is a directory of Core'):
        resolve(Fleet(syncs=[ResourceSync("s", resource_path=["/"])]), example_site(), {})
    graph = resolve(Fleet(syncs=[ResourceSync("s", resource_path=["."], managed=True)]), example_site(), {})
    warnings = list(sync_warnings(graph))
    assert len(warnings) == 3
    assert all("resourcesync" in text and "test_sync_rules.py" in text for text in warnings)
