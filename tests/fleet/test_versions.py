"""One place for each version: Pulumi.prod.yaml. A number that stands elsewhere too will be forgotten there."""

import re
import subprocess
from pathlib import Path

import pytest

from homeops.model.site import Site

HOME = "Pulumi.prod.yaml"

# Komodo's version is also the version whose behaviour is described and replayed: a fact about Komodo, and not what
# runs. It stays when another version runs, and only these may name it.
REFERENCE = (
    r"homeops/(model|komodo|lab|cli|hosts)/.*",
    r"docs/.*\.md",
    r"tests/.*",
)
# The same digits, of other things.
OTHERS = {
    r"tools/[a-z]+/go\.(mod|sum)": "Go modules that happen to have the same number",
    r"requirements\.txt": "Python packages that happen to have the same number",
    r"tests/tools/.*": "answers of programs on a machine, samples",
    r"tests/(hosts|lab/machines)/.*": "machines that are declared for a test",
    r"tools/plugins/.*": "Pulumi plugins that happen to have the same number",
    r"docs/adr/0008.*|homeops/hosts/components\.py": "a Pulumi plugin that happens to have the same number",
}
# Made from the settings; each is held to them by a test of its own.
RENDERED = (r"docker/komodo-resources/.*\.toml", r"docs/docker-hosts\.md")


def files_with(text: str, root: Path) -> set[str]:
    """The tracked files that hold a version, not as a part of a longer number."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    number = re.compile(rf"(?<![\d.]){re.escape(text)}(?![\d]|\.\d)")
    found: set[str] = set()
    for name in filter(None, listed.split("\0")):
        path = root / name
        if (
            path.is_file()
            and not path.is_symlink()
            and number.search(path.read_text(encoding="utf-8", errors="ignore"))
        ):
            found.add(name)
    return found


def outside(found: set[str], *allowed: str) -> list[str]:
    patterns = [re.compile(pattern) for pattern in (*allowed, *RENDERED, re.escape(HOME))]
    return sorted(name for name in found if not any(pattern.fullmatch(name) for pattern in patterns))


def test_the_version_of_komodo_stands_in_the_settings_alone(site: Site, root: Path) -> None:
    found = files_with(site.versions.komodo, root)
    assert HOME in found
    assert outside(found, *REFERENCE) == []


@pytest.mark.parametrize("program", ["sops", "age"])
def test_the_version_of_a_program_stands_in_the_settings_alone(site: Site, root: Path, program: str) -> None:
    found = files_with(str(getattr(site.versions, program)), root)
    assert HOME in found
    assert outside(found, *OTHERS) == []


@pytest.mark.parametrize("program", ["sops", "age"])
def test_a_checksum_stands_beside_its_version_alone(site: Site, root: Path, program: str) -> None:
    assert outside(files_with(str(getattr(site.versions, f"{program}_sha256")), root)) == []


def test_the_rehearsal_takes_its_versions_from_the_settings_of_the_real_fleet(root: Path) -> None:
    text = (root / "Pulumi.lab.yaml").read_text(encoding="utf-8")
    assert "homeops:like: prod" in text
    assert "versions" not in text


def test_a_number_is_found_where_it_stands_and_not_in_longer_ones(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for name, text in {
        "a": "v1.2.3",
        "b": "1.2.34",
        "c": "11.2.3",
        "d": "1.2.3.4",
        "e": "x=1.2.3.",
        "f": "none",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert files_with("1.2.3", tmp_path) == {"a", "e"}
