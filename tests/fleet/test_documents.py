"""Documents that point into the repository point at what is there."""

import re
from pathlib import Path

import pytest

from homeops.fleet.hosts import HOSTS
from homeops.hosts.requirements import requirements
from homeops.model.site import Site, SshFacts

ROOT = Path(__file__).resolve().parents[2]
# `path` or `path:word`; a path is one that begins at the root of the repository.
_POINTER = re.compile(
    r"`((?:homeops|docker|docs|tests|tools|bench)/[^\s`:{}*<>]*|__main__\.py|README\.md|pyproject\.toml|\.sops\.yaml"
    r"|Pulumi\.(?:prod|lab)\.yaml)(?::([^`]+))?`"
)
# Made by `homeops render`, and so not there before it is.
RENDERED = "docker/komodo-resources/"


def pointers(name: str) -> list[tuple[str, str]]:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return [(match[1], match[2] or "") for match in _POINTER.finditer(text) if match[1] != RENDERED]


@pytest.mark.parametrize(("name", "at_least"), [("coverage.md", 80), ("architecture.md", 15)])
def test_every_path_is_there_and_holds_the_word(name: str, at_least: int) -> None:
    found = pointers(name)
    assert len(found) >= at_least
    missing = [path for path, _ in found if not (ROOT / path).exists()]
    assert missing == []
    without = [
        f"{path}:{word}" for path, word in found if word and word not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert without == []


@pytest.mark.parametrize("name", ["coverage.md", "architecture.md", "outputs.md"])
def test_every_link_leads_to_a_file(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in links if not (ROOT / "docs" / target).exists()] == []


def test_the_architecture_names_every_part_of_the_package() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    parts = {path.name for path in (ROOT / "homeops").iterdir() if (path / "__init__.py").is_file()}
    parts |= {path.name for path in (ROOT / "homeops").glob("*.py") if path.name != "__init__.py"}
    named = set(re.findall(r"^\| `homeops/([\w.]+)`", text, re.MULTILINE))
    assert parts - {"__main__.py"} == named
    assert "`homeops/__main__.py`" in text


def test_the_layers_are_those_that_are_checked() -> None:
    """The line of layers in the architecture lists the existing layers of pyproject.toml, lowest first."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("layers = [")[2].partition("]")[0]
    checked: list[set[str]] = []
    for line in re.findall(r'"([^"]+)"', contract):
        there = {name for name in re.findall(r"homeops\.(\w+)", line) if _exists(name)}
        if there:
            checked.insert(0, there)
    (drawn,) = re.findall(r"^errors <- .*$", text, re.MULTILINE)
    assert [set(re.findall(r"\w+", layer)) for layer in drawn.split("<-")] == checked


def _exists(name: str) -> bool:
    return (ROOT / "homeops" / name).is_dir() or (ROOT / "homeops" / f"{name}.py").is_file()


def test_the_coverage_lists_every_host_and_every_stack() -> None:
    text = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
    for host in ("komodo", "nvr", "kasm", "omni", "server04", "seaweedfs"):
        assert f"{host}-alloy" in text
    for stack in ("komodo-core", "frigate", "newt", "traefik", "vaultwarden"):
        assert stack in text


def test_the_page_on_hosts_has_a_row_for_every_requirement_and_a_line_for_every_setting(site: Site) -> None:
    text = (ROOT / "docs/hosts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    recipient = "age1y6dnshya496nf3072zudw3vd33723v02g3tfvpt563zng0xd9ghqwzj5xk"
    names = {item.name for host in HOSTS for item in requirements(host, site, recipient, ROOT)}
    assert set(rows) == names
    block = text.partition("```yaml\nhomeops:ssh:\n")[2].partition("```")[0]
    shown = re.findall(r"^  (\w+):", block, re.MULTILINE)
    assert set(shown) == {field.alias for field in SshFacts.model_fields.values()}
