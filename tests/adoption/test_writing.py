"""Komodo's values in the source of the fleet: what is written, what is left alone, what a person is told."""

from pathlib import Path
from typing import Any

import pytest

from homeops.adoption import writing
from homeops.adoption.writing import Kept
from tests.adoption.checkout import OTHERS, STACKS, Checkout

ALERTS: dict[str, Any] = {
    "endpoint": {"type": "Ntfy", "params": {"url": "https://ntfy.example/secret-topic", "email": None}},
    "alert_types": ["ServerUnreachable"],
}


def told(kept: Kept) -> list[tuple[str, str, str, str]]:
    """What is left to be written by hand: field, where, why, what."""
    return [(f"{item.object} {item.field}", item.where, item.why, item.write) for item in kept.by_hand]


def changed(before: str, after: str) -> list[str]:
    """The lines that are new."""
    return [line.strip() for line in after.splitlines() if line not in before.splitlines()]


def test_what_was_brought_up_is_equal_and_nothing_is_written(checkout: Checkout) -> None:
    comparison = checkout.compare()
    assert comparison.differing == ()
    assert comparison.absent == ()
    assert checkout.keep() == Kept({}, (), (), ())


def test_values_are_written_where_they_are_declared(checkout: Checkout) -> None:
    checkout.by_hand(
        "Stack", "web", auto_pull=False, links=["https://web.example"] * 3, description='the "web" — öffentlich'
    )
    checkout.by_hand("Stack", "frigate", environment="TZ=Europe/Berlin\nLANG=de\n", extra_args=[], description="")
    checkout.client.write("UpdateTagColor", {"tag": "media", "color": "DarkBlue"})
    kept = checkout.keep()
    assert kept.by_hand == ()
    assert kept.done == ("stack/web", "tag/media", "stack/frigate")
    assert {file.name for file in kept.files} == {"stacks.py", "others.py"}
    assert changed(STACKS, checkout.text("stacks")) == [
        "web = Stack(",
        '"web",',
        "host=one,",
        """description='the "web" — öffentlich',""",
        'links=["https://web.example", "https://web.example", "https://web.example"],',
        "auto_pull=False,",
        'env={"TZ": "Europe/Berlin", "LANG": "de"}',
    ]
    assert "extra_args" not in checkout.text("stacks")
    assert "Network video recorder" not in checkout.text("stacks")
    assert changed(OTHERS, checkout.text("others")) == [
        'TAGS = (Tag("media", color="DarkBlue"), *(Tag(name) for name in ("one", "two")))'
    ]
    assert checkout.differing() == []
    assert checkout.up() == []


def test_nested_values_are_calls_of_classes_that_are_imported(checkout: Checkout) -> None:
    checkout.by_hand("Stack", "web", pre_deploy={"path": "somewhere", "command": "echo one\necho two"})
    checkout.by_hand(
        "Build", "image", builder_id="else", build_args="A=1\nB=2\n", version={"major": 1, "minor": 2, "patch": 3}
    )
    stages: list[dict[str, Any]] = [
        {
            "name": "Both",
            "enabled": True,
            "executions": [
                {"enabled": True, "execution": {"type": "RunBuild", "params": {"build": "image"}}},
                {"enabled": True, "execution": {"type": "DeployStack", "params": {"stack": "web", "services": []}}},
            ],
        }
    ]
    checkout.by_hand("Procedure", "nightly", stages=stages, schedule="Every day at 02:00")
    checkout.by_hand("Builder", "makes", type="Url", params={"address": "https://127.0.0.9:8120"})
    kept = checkout.keep()
    assert kept.by_hand == ()
    others = checkout.text("others")
    assert "from homeops.model.config.execution import DeployStack, RunBuild\n" in others
    assert "from homeops.model.config.builder import UrlBuilderConfig\n" in others
    assert 'stage("Both", RunBuild(build="image"), DeployStack(stack="web"))' in others
    assert 'Builder("makes", url=UrlBuilderConfig(address="https://127.0.0.9:8120"))' in others
    assert 'builder="else"' in others
    assert "from homeops.model.config.command import SystemCommand\n" in checkout.text("stacks")
    assert checkout.differing() == []


def test_a_stack_on_another_host_keeps_its_directory(checkout: Checkout) -> None:
    checkout.by_hand("Stack", "frigate", server_id="one")
    assert checkout.keep().by_hand == ()
    assert changed(STACKS, checkout.text("stacks")) == [
        "host=one,",
        'env={"TZ": "Etc/UTC"},',
        'directory="two/frigate",',
    ]
    assert checkout.differing() == []


def test_what_a_convention_makes_is_given_with_all_that_then_has_to_be_given(checkout: Checkout) -> None:
    """Without the fleet's repository nothing is found in it, so the files are named."""
    checkout.by_hand("Stack", "web", repo="someone/else", branch="dev", file_paths=["compose.yaml"])
    assert checkout.keep().by_hand == ()
    assert 'repo="someone/else"' in checkout.text("stacks")
    assert checkout.differing() == []


def test_what_is_computed_is_told_and_left_alone(checkout: Checkout) -> None:
    before = checkout.texts()
    checkout.by_hand("Stack", "agent", environment="DOMAIN=[[DOMAIN]]\nX=1\n")
    checkout.by_hand("Stack", "copy-two", auto_pull=False)
    checkout.by_hand("Server", "two", address="https://127.0.0.7:8120")
    checkout.client.write("UpdateVariableValue", {"name": "DOMAIN", "value": "elsewhere.example"})
    checkout.client.write("UpdateVariableValue", {"name": "PORT", "value": "1"})
    checkout.client.write("UpdateTagColor", {"tag": "one", "color": "Pink"})
    stacks, others = "fleet_that_adopts/stacks.py", "fleet_that_adopts/others.py"
    computed = 'env=facts("DOMAIN") is computed'
    kept = checkout.keep()
    assert sorted(told(kept)) == [
        (
            "server/two address",
            "Pulumi.test.yaml",
            "a fact of the site",
            "pulumi config set --path homeops:hosts.two.address 127.0.0.7 -s test",
        ),
        ("stack/agent environment", f"{stacks}:23", computed, 'env={"DOMAIN": "[[DOMAIN]]", "X": "1"}'),
        ("stack/copy-two auto_pull", f"{stacks}:25", "this line declares 2 objects", "auto_pull=False"),
        ("tag/one color", f"{others}:7", "this line declares 3 objects", 'color="Pink"'),
        ("variable/DOMAIN value", f"{others}:17", "value=site.network.domain is computed", 'value="elsewhere.example"'),
        ("variable/PORT value", f"{others}:18", 'value=f"{PORT}" is computed', 'value="1"'),
    ]
    assert kept.done == ()
    assert checkout.texts() == before


def test_secrets_are_never_written(checkout: Checkout) -> None:
    checkout.by_hand("Alerter", "chat", **ALERTS)
    checkout.client.write("UpdateVariableValue", {"name": "NAME", "value": "hunter2"})
    checkout.client.write("UpdateVariableIsSecret", {"name": "NAME", "is_secret": True})
    kept = checkout.keep()
    assert {field for field, _, why, _ in told(kept) if why == "Komodo's value is a secret"} == {
        "alerter/chat endpoint",
        "variable/NAME value",
        "variable/NAME is_secret",
    }
    assert 'alert_types=["ServerUnreachable"]' in checkout.text("others")
    assert (kept.done, kept.partly) == ((), ("alerter/chat",))
    for text in (*checkout.texts().values(), repr(kept)):
        assert "hunter2" not in text
        assert "secret-topic" not in text


def test_what_would_not_hold_is_taken_back_and_the_rest_is_written(checkout: Checkout) -> None:
    checkout.client.write("CreateServer", {"name": "three", "config": {}})
    checkout.by_hand("Stack", "frigate", server_id="three")
    checkout.by_hand("Stack", "web", auto_pull=False)
    checkout.client.write("UpdateVariableValue", {"name": "NAME", "value": "away"})
    kept = checkout.keep()
    [(field, where, why, write)] = told(kept)
    assert (field, where) == ("stack/frigate server_id", "fleet_that_adopts/stacks.py:13")
    assert why.startswith('written there, it does not hold: host "three" is not a declared host')
    assert write == 'host="three", directory="two/frigate"'
    assert set(kept.done) == {"stack/web", "variable/NAME"}
    assert kept.partly == ()
    assert checkout.differing() == ["stack/frigate server_id"]
    assert changed(STACKS, checkout.text("stacks")) == ['web = Stack("web", host=one, auto_pull=False)']


def test_places_are_those_of_the_files_as_they_are_now(checkout: Checkout) -> None:
    long = "the web, " * 12
    checkout.by_hand("Stack", "web", auto_pull=False, description=long)
    checkout.by_hand("Stack", "agent", environment="X=1\n")
    [(field, where, _, _)] = told(checkout.keep())
    at = (
        checkout.text("stacks")
        .splitlines()
        .index('agent = Stack("agent", host=one, directory="shared/agent", env=facts("DOMAIN"))')
    )
    assert (field, where) == ("stack/agent environment", f"fleet_that_adopts/stacks.py:{at + 1}")
    assert at + 1 > 23


def test_nothing_is_written_that_changes_another_object(checkout: Checkout) -> None:
    text = OTHERS.replace(
        '        Variable("NAME", value="home"),\n', "        name, Variable('ALSO', value=name.value),\n"
    )
    text = text.replace("    return (\n", '    name = Variable("NAME", value="home")\n    return (\n')
    (checkout.package / "others.py").write_text(text, encoding="utf-8")
    checkout.client.write("CreateVariable", {"name": "ALSO", "value": "home"})
    assert checkout.differing() == []
    checkout.client.write("UpdateVariableValue", {"name": "NAME", "value": "away"})
    [(field, _, why, _)] = told(checkout.keep())
    assert (field, why) == ("variable/NAME value", 'written there, it does not hold: variable "ALSO" would change too')
    assert checkout.text("others") == text


def test_other_pulumi_stacks_keep_what_they_have(checkout: Checkout) -> None:
    """A value that is Komodo's for one Pulumi stack may not even be right for another."""
    checkout.settings("lab", timezone="Europe/Berlin")
    text = STACKS.replace(
        "STACKS = (", 'HERE = {"wide": (one, two), "small": (one,)}[web.description or "wide"]\n\nSTACKS = ('
    )
    (checkout.package / "stacks.py").write_text(text, encoding="utf-8")
    init = checkout.text("__init__").replace(
        "    return Fleet",
        '    assert site.timezone == "Etc/UTC" or not STACKS[0].description, "not here"\n    return Fleet',
    )
    (checkout.package / "__init__.py").write_text(init, encoding="utf-8")
    checkout.by_hand("Stack", "web", description="small")
    [(field, _, why, _)] = told(checkout.keep())
    assert (field, why) == ("stack/web description", "written there, it does not hold: AssertionError: not here")
    assert checkout.text("stacks") == text


def test_a_field_that_does_not_hold_does_not_keep_the_others_from_being_written(checkout: Checkout) -> None:
    checkout.client.write("CreateServer", {"name": "three", "config": {}})
    checkout.by_hand("Stack", "frigate", server_id="three", auto_pull=False, description="cameras")
    checkout.by_hand("Stack", "agent", environment="X=1\n", auto_pull=False)
    kept = checkout.keep()
    assert sorted(field for field, _, _, _ in told(kept)) == ["stack/agent environment", "stack/frigate server_id"]
    assert sorted(checkout.differing()) == ["stack/agent environment", "stack/frigate server_id"]
    assert sorted(kept.partly) == ["stack/agent", "stack/frigate"]


def test_a_field_that_was_not_chosen_stays_as_it_is_declared(checkout: Checkout) -> None:
    """The host gives the directory, which gives the files."""
    checkout.by_hand("Stack", "web", repo="someone/else", branch="dev", file_paths=["compose.yaml"])
    before = checkout.text("stacks")
    [(field, _, why, _)] = told(checkout.keep("repo"))
    assert (field, why) == ("stack/web repo", "written there, it does not hold: its file_paths would change too")
    assert checkout.text("stacks") == before


def test_only_the_fields_that_were_named_are_written(checkout: Checkout) -> None:
    checkout.by_hand("Stack", "web", auto_pull=False, description="the web")
    assert checkout.keep("auto_pull").by_hand == ()
    assert checkout.differing() == ["stack/web description"]


def test_a_file_that_cannot_be_written_leaves_the_others_as_they_were(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = writing.write_whole

    def write(path: Path, text: str) -> None:
        if path.name == "others.py" and "Pink" in text:
            raise OSError(28, "No space left on device", str(path))
        whole(path, text)

    monkeypatch.setattr(writing, "write_whole", write)
    before = checkout.texts()
    checkout.by_hand("Stack", "web", auto_pull=False)
    checkout.client.write("UpdateTagColor", {"tag": "media", "color": "Pink"})
    with pytest.raises(OSError, match="No space left on device"):
        checkout.keep()
    assert checkout.texts() == before
