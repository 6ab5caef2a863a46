"""A running Core as a fleet package: everything of it, asked for once, adopted without a difference."""

from dataclasses import replace
from pathlib import Path

import pytest

from homeops.errors import KomodoUnauthorized
from homeops.imports.fleet import differing
from homeops.imports.from_core import from_core
from homeops.imports.from_toml import from_toml
from homeops.imports.report import Sort
from homeops.komodo.client import Client
from homeops.komodo.credentials import Credentials
from homeops.komodo.toml.writer import write_toml
from homeops.lab.http import CoreTransport
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS
from tests.engine.everything import ENVIRON
from tests.imports.packages import SETS, made_of, only_with_corpus, written
from tests.imports.seeded import SeededCore, everything
from tests.lab.clients import ADDRESS


@pytest.fixture
def core(tmp_path: Path) -> SeededCore:
    return SeededCore.new(tmp_path / "core")


@pytest.fixture
def full(core: SeededCore, monkeypatch: pytest.MonkeyPatch) -> SeededCore:
    with monkeypatch.context() as patch:
        for name, value in ENVIRON.items():
            patch.setenv(name, value)
        core.apply(everything())
    return core


def test_something_of_every_kind_is_adopted_without_a_difference(
    full: SeededCore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings, _ = full.found()
    assert {one.resource.kind for one in findings.found} == set(KINDS)
    package = written(made_of(findings), tmp_path)
    assert {note.sort for note in package.made.notes} == {Sort.ELSEWHERE, Sort.COMPLETE}
    text = "".join(file.read_text() for file in package.directory.rglob("*.*") if file.is_file())
    assert not [value for value in ENVIRON.values() if value in text]
    by_end = {"PASSKEY": "TEST_PASSKEY", "URL": "TEST_WEBHOOK", "HIDDEN": "TEST_SECRET"}
    assert list(package.made.exports) == ["SERVER_MAIN_SERVER_PASSKEY", "ALERTER_MAIN_ALERTER_URL", "HIDDEN"]
    for name in package.made.exports:
        monkeypatch.setenv(name, ENVIRON[by_end[name.rpartition("_")[2]]])
    assert not full.apply(package.graph.resources)


def test_each_kind_is_asked_for_once(full: SeededCore) -> None:
    findings, asked = full.found()
    assert findings.found
    lists = {name: times for name, times in asked.items() if name.startswith("read List")}
    assert set(lists) == {f"read {kind.list_request}" for kind in KINDS.values()} | {"read ListUsers"}
    assert set(lists.values()) == {1}
    assert {name for name in asked if name not in lists} <= {"GET /version", "version"}


@only_with_corpus
@pytest.mark.parametrize("place", SETS, ids=lambda place: place.parent.name)
def test_a_core_that_was_seeded_by_a_sync_is_adopted_without_a_difference(
    place: Path, core: SeededCore, tmp_path: Path
) -> None:
    first: dict[tuple[str, str], Resource] = {}
    for one in from_toml([place]).found:
        first.setdefault(one.resource.key, replace(one.resource, deploy=False))
    named = {(mention.kind, mention.name) for one in first.values() for mention in one.mentions()}
    for kind, name in sorted(named - first.keys()):
        if kind in ("Server", "Repo", "ResourceSync"):
            # What is declared elsewhere: by hand.
            config = {"repo": "someone/else"} if kind == "ResourceSync" else {}
            core.client.write(f"Create{kind}", {"name": name, "config": config})
    assert core.sync({"all.toml": write_toml(first.values())})["success"]
    findings, _ = core.found()
    package = written(made_of(findings), tmp_path)
    told = {note.where for note in package.made.notes if note.sort in (Sort.CHANGED, Sort.ELSEWHERE)}
    assert not [note for note in package.made.notes if note.sort is Sort.LEFT_OUT]
    there = {resource.key: resource for resource in package.graph.resources}
    for one in findings.found:
        if differing(one.resource, there[one.resource.key]):
            assert one.where in told
    made = set(package.made.exports)
    same = [resource for resource in package.graph.resources if resource.where.rpartition(": ")[2] not in told]
    assert not core.apply(one for one in same if one.name not in made)


def test_a_kind_that_core_does_not_know_is_told_and_passed_over(full: SeededCore, tmp_path: Path) -> None:
    full.core.faults.add("status", type="ListFullSwarms", status=422)
    findings, _ = full.found()
    assert {one.resource.kind for one in findings.found} == set(KINDS) - {"Swarm"}
    (note,) = [note for note in findings.notes if note.where == "every Swarm"]
    assert note.what.startswith("Core refuses ListFullSwarms: ")
    assert written(made_of(findings), tmp_path).graph.of("Stack")


def test_what_core_says_to_a_wrong_key_is_an_error(full: SeededCore) -> None:
    with (
        Client(ADDRESS, Credentials("K_no_K", "S_no_S"), transport=CoreTransport(full.core)) as client,
        pytest.raises(KomodoUnauthorized),
    ):
        from_core(client, ADDRESS, "2.3.2")
