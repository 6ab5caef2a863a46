"""Real files of many people: all that Komodo reads is read, written and read again as the same."""

import os
from pathlib import Path

import pytest

from homeops.komodo.toml.findings import Effect
from homeops.komodo.toml.reader import read_toml
from homeops.komodo.toml.writer import write_toml
from tests.toml.komodo import as_komodo_reads
from tests.toml.meaning import meaning

CORPUS = os.environ.get("HOMEOPS_CORPUS", "")
FILES = sorted(Path(CORPUS).glob("*/files/**/*.toml")) if CORPUS else []

pytestmark = pytest.mark.skipif(not CORPUS, reason="HOMEOPS_CORPUS names no directory of Komodo TOML")


def text_of(file: Path) -> str:
    return file.read_bytes().decode()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORPUS)))
def test_a_file_is_rejected_exactly_when_komodo_rejects_it_and_else_means_the_same(file: Path) -> None:
    reading = read_toml(text_of(file), file.name)
    by_komodo = as_komodo_reads(text_of(file))
    assert reading.rejected == (by_komodo is None)
    if by_komodo is not None:
        groups = [resource for resource in reading.resources if resource.kind == "UserGroup"]
        assert meaning(reading.resources) == meaning([*by_komodo, *groups])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORPUS)))
def test_what_is_read_is_written_and_read_again_as_the_same(file: Path) -> None:
    first = read_toml(text_of(file), file.name)
    text = write_toml(first.resources)
    second = read_toml(text, file.name)
    assert meaning(second.resources) == meaning(first.resources)
    assert write_toml(second.resources) == text
    assert not second.rejected


def test_the_corpus_reads_whole() -> None:
    readings = [read_toml(text_of(file), str(file.relative_to(CORPUS))) for file in FILES]
    stacks = [one for reading in readings for one in reading.resources if one.kind == "Stack"]
    assert len(stacks) == 436
    findings = [finding for reading in readings for finding in reading.findings]
    rejected = {finding.file for finding in findings if finding.effect is Effect.REJECTED}
    assert rejected == {"c06/files/komodo/resources.toml"}


def test_what_komodo_says_nothing_about_is_found_where_it_stands() -> None:
    found = {
        (finding.file.replace("/files", ""), finding.line, finding.what)
        for file in FILES
        for finding in read_toml(text_of(file), str(file.relative_to(CORPUS))).findings
        if finding.effect is Effect.IGNORED
    }
    misplaced = [what for file, _, what in found if file == "c12/komodo/stacks.toml"]
    assert misplaced == ['unknown key "auto_update"'] * 25
    assert {what for file, _, what in found if file.startswith(("c13/", "c14/"))} == {
        "Komodo knows no table [[provision]]"
    }
    assert {(line, what) for file, line, what in found if file == "c06/komodo/resources.toml"} == {
        (14, "Komodo knows no table [[git_provider]]"),
        (20, "Komodo knows no table [[git_account]]"),
        *((line, 'unknown key "compose_file"') for line in (47, 62, 77, 92)),
    }
    rest = {file for file, _, _ in found if not file.startswith(("c06/", "c12/", "c13/", "c14/"))}
    assert rest == {"c21/komodo/stacks/edge/stack.toml"}
