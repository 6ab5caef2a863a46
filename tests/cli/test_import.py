"""``homeops import`` as people run it: what it writes, what it says, and what it refuses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from homeops.cli.main import commands
from homeops.errors import HomeopsError
from homeops.imports.from_toml import from_toml
from homeops.imports.report import Report, Sort
from homeops.imports.written import check_free
from homeops.lab.core.core import Core
from homeops.lab.http import CoreServer
from tests.imports.packages import loaded, made_of
from tests.imports.seeded import SeededCore, everything
from tests.lab.clients import environ_of

TOML = """\
[[server]]
name = "nvr"
config.address = "https://127.0.0.1:8120"

[[stack]]
name = "frigate"
config.server = "nvr"
config.webhook_secret = "hunter2"

[[stak]]
name = "typo"
"""


@pytest.fixture
def place(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of TOML; the command runs in the checkout."""
    monkeypatch.chdir(root)
    (tmp_path / "toml").mkdir()
    (tmp_path / "toml" / "all.toml").write_text(TOML)
    return tmp_path


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Core]:
    core = Core()
    core.agents.directory = tmp_path / "agents"
    with CoreServer(core) as server:
        for name, value in environ_of(server).items():
            monkeypatch.setenv(name, value)
        yield core


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(commands, ["import", *map(str, arguments)])
    if isinstance(done.exception, HomeopsError):
        raise done.exception
    return done.output


def report(*arguments: str | Path) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json"))


def test_a_directory_of_toml_becomes_a_package_that_loads(place: Path) -> None:
    out = place / "new" / "imported_by_command"
    text = run("--toml", place / "toml", "--out", out)
    assert f"{out}: 1 server, 1 stack, in 5 files" in text
    assert "secrets, which are never written: put them where whoever runs pulumi has them (1)" in text
    assert 'all.toml:5: stack "frigate": its webhook_secret\n    hint: export STACK_FRIGATE_WEBHOOK_SECRET=...' in text
    assert "Komodo knows no table [[stak]]; did you mean" in text
    graph = loaded(out)
    assert {resource.key for resource in graph.resources} == {("Server", "nvr"), ("Stack", "frigate")}
    assert "hunter2" not in text + "".join(file.read_text() for file in out.rglob("*.*") if file.is_file())
    with pytest.raises(HomeopsError, match="holds files already, and nothing was written"):
        run("--toml", place / "toml", "--out", out)


def test_without_a_place_to_write_to_it_only_reports(place: Path) -> None:
    before = sorted(place.rglob("*"))
    assert "1 server, 1 stack; nothing was written, for want of --out DIR" in run("--toml", place / "toml")
    assert sorted(place.rglob("*")) == before


def test_files_from_several_places_are_one_fleet(place: Path) -> None:
    (place / "more.toml").write_text('[[stack]]\nname = "db"\nconfig.server = "nvr"\n')
    assert report("--toml", place / "toml", "--toml", place / "more.toml")["counts"] == {"Server": 1, "Stack": 2}


def test_the_json_is_as_documented(place: Path) -> None:
    document = report("--toml", place / "toml", "--out", place / "out")
    documented = Report.document.__doc__ or ""
    assert set(re.findall(r'"(\w+)"', documented)) == {*document, *document["notes"][0]}
    assert document["files"][0] == "Pulumi.prod.yaml"
    assert document["exports"] == ["STACK_FRIGATE_WEBHOOK_SECRET"]
    assert {note["sort"] for note in document["notes"]} <= {sort.name.lower() for sort in Sort}


def test_a_running_core_becomes_a_package_that_loads(core: Core, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEST_SECRET", "TEST_WEBHOOK", "TEST_PASSKEY"):
        monkeypatch.setenv(name, "https://hooks.example/hunter2")
    SeededCore(core).apply(everything())
    before = core.dump()
    out = place / "out"
    document = report("--core", "--out", out)
    assert sum(document["counts"].values()) == len(everything())
    assert not [note for note in document["notes"] if note["sort"] in ("left_out", "lost", "changed")]
    assert len(loaded(out).resources) == len(everything())
    assert core.dump() == before


@pytest.mark.parametrize("options", [[], ["--core", "--toml", "x"], ["--core", "--host", "nvr"]])
def test_it_takes_exactly_one_source(options: list[str], place: Path) -> None:
    del place
    assert "give exactly one of --toml, --core and --host" in run(*options)


def test_a_core_that_is_not_there_is_one_message(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del place
    for name, value in {"ADDRESS": "http://127.0.0.1:9", "API_KEY": "K_1_K", "API_SECRET": "S_1_S"}.items():
        monkeypatch.setenv(f"KOMODO_{name}", value)
    with pytest.raises(HomeopsError, match=r"127\.0\.0\.1:9"):
        run("--core")


def test_the_page_of_messages_quotes_them(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (root / "docs" / "errors.md").read_text()
    imported_to = tmp_path / "imported"
    imported_to.mkdir()
    (imported_to / "mine").touch()
    (tmp_path / "komodo").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HomeopsError) as taken:
        check_free(Path("imported"))
    with pytest.raises(HomeopsError) as empty:
        from_toml([Path("komodo")])
    (tmp_path / "komodo" / "all.toml").write_text(SECRETS)
    notes = made_of(from_toml([Path("komodo")])).notes
    said = [str(note) for note in notes if note.sort in (Sort.LEFT_OUT, Sort.CHANGED)]
    assert len(said) == 3
    assert str(empty.value).replace(str(tmp_path / "komodo"), "komodo") in page
    for text in (str(taken.value), *said):
        assert text in page, text


SECRETS = """\
[[server]]
name = "nvr"
config.enabled = true

[[stack]]
name = "web"
[stack.config]
server = "nvr"
repo = "someone/fleet"
environment = "DB_PASSWORD=hunter2"

[[stack]]
name = "db"
[stack.config]
server = "nvr"
skip_secret_interp = true
environment = "DB_PASSWORD=hunter2"

[[procedure]]
name = "nightly"
[[procedure.config.stage]]
name = "all"
executions = [
  { execution.type = "RunSync", execution.params.sync = "elsewhere" },
]
"""
