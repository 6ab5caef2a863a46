"""What Komodo's TOML declares, with the comments of the people who wrote it."""

import os
from collections.abc import Sequence
from pathlib import Path

from homeops.errors import HomeopsError, Problem
from homeops.imports.comments import comments_of
from homeops.imports.found import Findings, Found
from homeops.imports.report import Note, Sort
from homeops.komodo.toml.files import TWICE, read_files
from homeops.komodo.toml.findings import Finding
from homeops.komodo.toml.reader import Declared


def from_toml(places: Sequence[Path]) -> Findings:
    """Everything that files and directories declare, whatever is wrong with some of them.

    Messages call a file by its path below what all places have in common. Raises HomeopsError for a place that is not
    there or no TOML, and when nothing is declared.
    """
    if wrong := [place for place in places if not place.is_dir() and not (place.is_file() and place.suffix == ".toml")]:
        raise HomeopsError(*map(_no_place, wrong))
    paths = [Path(os.path.abspath(place)) for place in places]  # noqa: PTH100 - a link stays the link it is
    root = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in paths]))
    reading = read_files(root, [str(path.relative_to(root)) for path in paths])
    source = f"TOML ({', '.join(map(str, places))})"
    if not reading.declared:
        raise HomeopsError(*_nothing(reading.findings, source))
    found: list[Found] = []
    # Which of two declarations is taken is told where that is decided.
    notes = [_told(finding) for finding in reading.findings if not finding.what.startswith(TWICE)]
    by_file: dict[str, list[Declared]] = {}
    for one in reading.declared:
        by_file.setdefault(one.place.file, []).append(one)
    for declared in by_file.values():
        comments, said = comments_of(declared[0].source, declared)
        notes += said
        found += [Found(one.resource, beside) for one, beside in zip(declared, comments, strict=True)]
    return Findings(source, found, notes)


def _told(finding: Finding) -> Note:
    problem = finding.problem
    return Note(Sort.FINDING, problem.where, problem.what, problem.hint)


def _no_place(place: Path) -> Problem:
    what = "is not a TOML file" if place.exists() else "there is no such file or directory"
    return Problem(str(place), f"{what}; nothing was read", "name a directory, or a file that ends in .toml")


def _nothing(findings: Sequence[Finding], source: str) -> list[Problem]:
    told = [finding.problem for finding in findings]
    return told or [Problem(source, "declares nothing", "name the directory of your Komodo TOML")]
