"""Real files of many people: the package that is made of them loads, reads well, and declares what they declare."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from homeops.imports.fleet import differing
from homeops.imports.from_toml import from_toml
from homeops.imports.report import Sort
from homeops.model.graph import Resource
from tests.imports.packages import SETS, made_of, only_with_corpus, ruff_is_content, written

pytestmark = only_with_corpus

Key = tuple[str, str]


def first_of_each(resources: list[Resource]) -> dict[Key, Resource]:
    found: dict[Key, Resource] = {}
    for resource in resources:
        found.setdefault(resource.key, resource)
    return found


@pytest.mark.parametrize("place", SETS, ids=lambda place: place.parent.name)
def test_the_package_declares_what_the_toml_declares_up_to_its_report(place: Path, tmp_path: Path) -> None:
    findings = from_toml([place])
    package = written(made_of(findings), tmp_path)
    wanted = first_of_each([one.resource for one in findings.found])
    there = {resource.key: resource for resource in package.graph.resources}
    told = {sort: {note.where for note in package.made.notes if note.sort is sort} for sort in Sort}
    for key, resource in wanted.items():
        if key not in there:
            assert resource.where in told[Sort.LEFT_OUT]
            continue
        if fields := differing(resource, there[key]):
            assert resource.where in told[Sort.CHANGED] | told[Sort.ELSEWHERE] | told[Sort.LOST], fields
    made_up = {f'{kind.lower()} "{name}"' for kind, name in there.keys() - wanted.keys() if kind != "Variable"}
    assert made_up <= told[Sort.COMPLETE]


def test_almost_all_of_the_corpus_is_carried_over_as_it_is() -> None:
    """What is not: procedures that run a sync nobody declares, and two stacks with passwords in clear."""
    notes = [(place.parent.name, note) for place in SETS for note in made_of(from_toml([place])).notes]
    left_out = sorted({(name, note.where.rpartition(": ")[2]) for name, note in notes if note.sort is Sort.LEFT_OUT})
    assert left_out == [("c04", 'procedure "on-push"'), ("c32", 'procedure "Redeploy On Push"')]
    changed = sorted({(name, note.where.rpartition(": ")[2]) for name, note in notes if note.sort is Sort.CHANGED})
    assert changed == [("c26", 'stack "tubearchivist"'), ("c28", 'stack "immich"')]


def test_the_text_is_as_ruff_wants_it(tmp_path: Path, root: Path) -> None:
    for place in SETS:
        written(made_of(from_toml([place])), tmp_path)
    ruff_is_content(tmp_path, root)


def test_the_text_is_typed(tmp_path: Path, root: Path) -> None:
    for place in SETS:
        if place.parent.name in ("c04", "c08", "c15"):
            written(made_of(from_toml([place])), tmp_path)
    config = {"typeCheckingMode": "strict", "extraPaths": [str(root)], "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    ran = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_no_comment_is_lost() -> None:
    """Every comment of the most commented set is in the package, but for those of a procedure that was left out."""
    (place,) = [place for place in SETS if place.parent.name == "c32"]
    text = "".join(made_of(from_toml([place])).files.values())
    lines = [line.strip() for file in place.rglob("*.toml") for line in file.read_text().splitlines()]
    comments = [line.lstrip("# ") for line in lines if line.startswith("#") and line.strip("#-= ")]
    assert len(comments) > 100
    missing = [comment for comment in comments if comment not in text]
    assert len(missing) == 12
    assert missing[0].startswith("Sync-then-deploy on git push")
