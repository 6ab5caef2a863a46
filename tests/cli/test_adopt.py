"""``homeops adopt``: what it shows, what it writes, and how it ends."""

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from homeops.cli import adopt as command
from homeops.cli.adopt import Side, adopt
from homeops.errors import FleetError, HomeopsError
from homeops.lab.http import CoreServer
from homeops.settings import load_settings
from tests.adoption.checkout import MODULE, Checkout, checkout_with_core
from tests.lab.clients import environ_of


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Checkout]:
    """The checkout as the working directory, and its Core at a port."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "FLEET", MODULE)
    with checkout_with_core(tmp_path, monkeypatch) as checkout, CoreServer(checkout.core) as server:
        (tmp_path / "Pulumi.yaml").write_text("name: homeops\nruntime: python\n")
        settings = tmp_path / "Pulumi.test.yaml"
        settings.write_text(f"{yaml.safe_dump(json.loads(settings.read_text()))}# the end\n")
        for name, value in environ_of(server).items():
            monkeypatch.setenv(name, value)
        yield checkout


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command; exit code, standard output, standard error."""

    def run(*names: str, **options: Any) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            adopt(list(names), "test", **options)
        told = capfd.readouterr()
        return int(end.value.code or 0), told.out, told.err

    return run


Run = Callable[..., tuple[int, str, str]]


def test_it_only_looks_until_it_is_told_which_side_is_right(served: Checkout, run: Run) -> None:
    served.by_hand("Stack", "web", auto_pull=False, environment="A=1\nB=2\nC=3\n")
    served.client.write("DeleteVariable", {"name": "PORT"})
    before, core = served.texts(), served.core.dump()
    code, shown, _ = run()
    assert code == 0
    assert "stack/web differs, declared at fleet_that_adopts/stacks.py:11\n" in shown
    assert "    auto_pull: Komodo has False, declared is the default\n" in shown
    assert "      -B=2\n" in shown
    assert "1 differ, 16 are equal, 1 are not in Komodo at http://127.0.0.1:" in shown
    assert "homeops adopt stack/web -s test --keep komodo" in shown
    assert "homeops adopt stack/web -s test --keep fleet" in shown
    assert (served.texts(), served.core.dump()) == (before, core)


def test_what_looks_like_a_secret_in_an_environment_is_not_shown(served: Checkout, run: Run) -> None:
    served.by_hand(
        "Stack", "web", environment="A=1\nDB_PASSWORD=hunter2\nTOKEN=[[TOKEN]]\n", links=["http://u:hunter2@x"]
    )
    for options in ({}, {"as_json": True}):
        code, *told = run("web", **options)
        assert code == 0
        assert "DB_PASSWORD=[secret]" in told[0]
        assert "TOKEN=[[TOKEN]]" in told[0]
        assert "hunter2" not in "".join(told)


def test_komodos_values_are_shown_as_the_difference_in_the_files(served: Checkout, run: Run) -> None:
    served.by_hand("Stack", "web", auto_pull=False)
    served.client.write("UpdateVariableValue", {"name": "DOMAIN", "value": "elsewhere.example"})
    code, shown, left = run(keep=Side.KOMODO)
    assert code == 1
    assert "--- a/fleet_that_adopts/stacks.py\n+++ b/fleet_that_adopts/stacks.py\n" in shown
    assert '\n+web = Stack("web", host=one, auto_pull=False)\n' in shown
    assert "written: stack/web\n" in shown
    assert left == (
        "fleet_that_adopts/others.py:17: variable/DOMAIN: value: value=site.network.domain is computed\n"
        '  hint: write value="elsewhere.example"\n'
    )
    assert run("web")[0] == 0
    assert served.differing() == ["variable/DOMAIN value"]


def test_a_field_alone_is_written_and_the_others_still_differ(served: Checkout, run: Run) -> None:
    served.by_hand("Stack", "web", auto_pull=False, links=["http://x"])
    code, shown, _ = run("web", keep=Side.KOMODO, fields=["auto_pull"])
    assert code == 0
    assert "hint: pulumi preview -s test shows in which other fields they differ" in shown
    assert "    links: Komodo has ['http://x'], declared is the default" in run("web")[1]
    assert "hint: pulumi preview -s test now adopts them as they are" in run("web", keep=Side.KOMODO)[1]


def test_the_fleets_values_are_allowed_object_by_object_in_the_settings(served: Checkout, run: Run) -> None:
    served.by_hand("Stack", "web", auto_pull=False)
    served.by_hand("Stack", "frigate", auto_pull=False)
    before = (served.root / "Pulumi.test.yaml").read_text()
    code, shown, _ = run("web", keep=Side.FLEET)
    assert code == 0
    assert "may be overwritten: stack/web\n" in shown
    assert "hint: pulumi up -s test overwrites them" in shown
    assert run("frigate", keep=Side.FLEET)[0] == 0
    after = (served.root / "Pulumi.test.yaml").read_text()
    assert after == before.replace(
        "# the end\n", "  homeops:overwrite:\n    - stack/web\n    - stack/frigate\n# the end\n"
    )
    site = load_settings("test", served.root)
    assert site.overwrites("Stack", "web")
    assert not site.overwrites("Stack", "agent")
    assert run("web", keep=Side.FLEET)[0] == 0
    assert (served.root / "Pulumi.test.yaml").read_text() == after

    served.by_hand("Stack", "web", auto_pull=True)
    assert "not needed any more in Pulumi.test.yaml, homeops:overwrite: stack/web\n" in run()[1]


def test_the_json_has_the_form_that_is_documented(served: Checkout, run: Run) -> None:
    served.by_hand("Stack", "web", auto_pull=False)
    served.client.write("UpdateVariableValue", {"name": "DOMAIN", "value": "elsewhere.example"})
    code, shown, _ = run(keep=Side.KOMODO, as_json=True)
    found = json.loads(shown)
    assert code == 1
    assert found["done"] == ["stack/web"]
    assert found["keep"] == "komodo"
    web = next(item for item in found["differing"] if item["name"] == "stack/web")
    assert web["fields"] == [{"field": "auto_pull", "komodo": False, "declared": None}]
    documented = str(command.__doc__)
    for part in (found, web, found["files"][0], found["by_hand"][0]):
        assert all(f'"{key}":' in documented for key in part), part


def test_names_and_fields_that_nothing_has_are_told_with_the_nearest(served: Checkout, run: Run) -> None:
    served.by_hand("Stack", "web", auto_pull=False)
    with pytest.raises(FleetError, match='"wbe": is not declared; did you mean "web"'):
        run("wbe")
    served.by_hand("Server", "one", cpu_warning=80)
    assert "server/one differs" in run("one")[1]
    served.client.write("UpdateTagColor", {"tag": "one", "color": "Pink"})
    with pytest.raises(
        FleetError, match='"one": is the name of several that differ\n  hint: one of server/one, tag/one'
    ):
        adopt(["one"], "test")
    assert "tag/one differs" in run("tag/one")[1]
    with pytest.raises(FleetError, match='field autopull: does not differ; did you mean "auto_pull"'):
        run(keep=Side.KOMODO, fields=["autopull"])
    with pytest.raises(HomeopsError, match="--field: is for --keep komodo"):
        run(keep=Side.FLEET, fields=["auto_pull"])


def test_settings_that_are_no_lines_are_left_to_a_person(served: Checkout, run: Run) -> None:
    served.by_hand("Stack", "web", auto_pull=False)
    served.settings("test")
    before = (served.root / "Pulumi.test.yaml").read_text()
    with pytest.raises(HomeopsError, match=r"write it by hand: homeops:overwrite: \[stack/web\]"):
        run(keep=Side.FLEET)
    assert (served.root / "Pulumi.test.yaml").read_text() == before
