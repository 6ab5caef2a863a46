"""docs/reliability.md: each fault is a test, each test is a fault, and the words quoted there are those looked for."""

import ast
import re
from pathlib import Path

import pytest

SECTIONS = {
    "Core and the run": "test_reliability_core.py",
    "Hosts and containers": "test_reliability_hosts.py",
}


def rows(root: Path, section: str) -> list[tuple[str, str, str, str]]:
    """The rows of a section's table: fault, what is seen, what is left, test."""
    text = (root / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = text.split(f"## {section}\n")[1].split("\n## ")[0]
    found: list[tuple[str, str, str, str]] = []
    for line in table.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and cells[0] != "Fault" and set(cells[0]) != {"-"}:
            fault, seen, left, test = cells
            found.append((fault, seen, left, test.strip("`")))
    return found


def functions(root: Path, file: str) -> dict[str, str]:
    """The source of each test of a file."""
    text = (root / "tests" / "engine" / file).read_text(encoding="utf-8")
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in nodes if node.name.startswith("test_")}


@pytest.mark.parametrize("section", SECTIONS)
def test_each_fault_is_a_test_and_each_test_a_fault(section: str, root: Path) -> None:
    named = [test for *_, test in rows(root, section)]
    assert named
    assert sorted(set(named)) == sorted(functions(root, SECTIONS[section]))


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_quoted_is_looked_for_by_its_test(section: str, root: Path) -> None:
    sources = functions(root, SECTIONS[section])
    for fault, seen, _, test in rows(root, section):
        quoted = re.findall(r'"([^"]+)"', seen)
        missing = [words for words in quoted if words not in sources[test]]
        assert not missing, f"{fault}: {missing} in {test}"
