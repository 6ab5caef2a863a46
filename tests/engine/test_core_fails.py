"""A Core that loses answers, is busy, is down, is not a Core at all: one readable error, and nothing lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from homeops.lab.core.settings import Settings
from tests.engine.core import LackingCore, TestCore, writes
from tests.engine.engine import Project, Run, changed, declared
from tests.engine.everything import COMPOSE, ENVIRON, EVERYTHING, NAMES
from tests.engine.test_kinds import differing

STACK = declared("Stack", "frigate", file_contents=COMPOSE, description="cameras", tags=["video"])
VARIABLE = declared("Variable", "DOMAIN", value="homelab.example")


def readable(run: Run, *lines: str) -> None:
    """Assert that a run failed with these lines and without a traceback or a credential."""
    assert run.exit != 0, run.text
    for line in lines:
        assert line in run.text, f"{line}\n{run.text}"
    assert "Traceback" not in run.text
    assert 'File "' not in run.text
    for secret in ("K_00000", "S_00000", *ENVIRON.values()):
        assert secret not in run.text


def test_a_creation_whose_answer_is_lost_is_found_by_its_name(project: Project, core: TestCore) -> None:
    project.environ = {**project.environ, **ENVIRON}
    project.declare(*EVERYTHING)
    kinds = {item["kind"] for item in EVERYTHING}
    for kind in kinds:
        core.core.faults.add("drop_after", type=f"Create{kind}", count=1)
    project.up().check()
    core.core.faults.clear()
    asked = writes(core.asked())
    for kind in kinds:
        assert asked[f"write Create{kind}"] == sum(item["kind"] == kind for item in EVERYTHING)
    assert differing(core, EVERYTHING) == []
    assert project.preview("--refresh").check().steps == []


def test_a_change_whose_answer_is_lost_is_finished_by_the_next_run(project: Project, core: TestCore) -> None:
    project.declare(STACK, VARIABLE)
    project.up().check()
    ids = project.ids()
    new = (
        changed(STACK, name="nvr", former="frigate", environment="A=1\n", description="more cameras"),
        changed(VARIABLE, value="other.example"),
    )
    project.declare(*new)
    for request in ("RenameStack", "UpdateStack", "UpdateResourceMeta", "UpdateVariableValue"):
        core.core.faults.add("drop_after", type=request, count=1)
    for _ in range(3):
        readable(project.up("--continue-on-error"), "it may have been done all the same")
    project.up().check()
    assert differing(core, new) == []
    assert project.ids()["Stack nvr"] == ids["Stack frigate"]
    assert project.preview("--refresh").check().steps == []


def test_a_deletion_whose_answer_is_lost_is_one(project: Project, core: TestCore) -> None:
    project.declare(STACK, VARIABLE)
    project.up().check()
    for kind in ("Stack", "Variable"):
        core.core.faults.add("drop_after", type=f"Delete{kind}", count=1)
    project.declare()
    project.up().check()
    assert not core.all("Stack")
    assert not core.all("Variable")


def test_an_error_of_core_is_one_message_and_the_next_run_goes_on(project: Project, core: TestCore) -> None:
    project.declare(STACK, VARIABLE)
    core.core.faults.add("status", type="CreateStack", status=502, error="Bad Gateway", count=1)
    core.core.faults.add("status", type="CreateVariable", status=500, error="Failed to create variable", count=1)
    failed = project.up("--continue-on-error")
    readable(failed, "502", "Failed to create variable")
    project.up().check()
    assert differing(core, (STACK, VARIABLE)) == []


def test_what_is_busy_is_waited_for(project: Project, core: TestCore) -> None:
    project.declare(STACK)
    project.up().check()
    core.core.faults.add("busy", type="UpdateStack", count=2)
    new = changed(STACK, environment="A=1\n")
    project.declare(new)
    project.up().check()
    assert differing(core, (new,)) == []
    assert core.asked()["write UpdateStack"] >= 1


def test_a_core_that_is_down_is_a_warning_in_preview_and_an_error_in_up(project: Project) -> None:
    project.declare(STACK)
    project.up().check()
    ids = project.ids()
    project.declare(changed(STACK, environment="A=1\n"), VARIABLE)
    nowhere = {"KOMODO_ADDRESS": "http://127.0.0.1:9"}
    preview = project.preview(**nowhere).check()
    assert preview.of("create") == {"Variable DOMAIN"}
    assert preview.of("update") == {"Stack frigate"}
    assert "".join(preview.told).count("connection refused") == 1, preview.told
    assert "warning: Komodo was not asked" in preview.text

    readable(project.up(**nowhere), "connection refused; nothing was changed", "hint: is Core running there?")
    assert project.ids() == ids
    readable(project.refresh(**nowhere), "connection refused")
    assert "Stack frigate" in project.ids()
    project.up().check()
    assert project.preview("--refresh").check().steps == []


def test_what_is_not_a_core_is_said_in_one_line(project: Project, core: TestCore) -> None:
    project.declare(VARIABLE)
    project.up().check()
    ids = project.ids()
    faults = core.core.faults
    https = core.server.address.replace("http://", "https://")
    cases: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
        "Invalid": ({}, {"KOMODO_API_SECRET": "S_wrong_S"}),
        "403": ({"effect": "status", "status": 403, "error": "User does not have required permissions"}, {}),
        "429": ({"effect": "locked"}, {}),
        "answered 200 with a web page": ({"effect": "html"}, {}),
        "redirect": ({"effect": "redirect"}, {}),
        "TLS": ({}, {"KOMODO_ADDRESS": https}),
        "cannot be resolved": ({}, {"KOMODO_ADDRESS": "http://core.invalid:9120"}),
        "is no address of a Core": ({}, {"KOMODO_ADDRESS": "core:9120"}),
        "no API key": ({}, {"KOMODO_API_KEY": "", "KOMODO_API_SECRET": ""}),
        "has KOMODO_API_KEY but not KOMODO_API_SECRET": ({}, {"KOMODO_API_SECRET": ""}),
    }
    for words, (fault, environ) in cases.items():
        faults.clear()
        if fault:
            faults.add(**fault)
        failed = project.refresh(**environ)
        readable(failed)
        assert words.lower() in failed.text.lower(), failed.text
        assert project.ids() == ids, "nothing is taken for gone"


def test_a_core_before_2_is_refused(tmp_path: Path, environ: dict[str, str], root: Path) -> None:
    (tmp_path / "core").mkdir()
    core = TestCore(tmp_path / "core", Settings(version="1.19.5"))
    with core.server:
        project = Project(tmp_path / "project", environ | core.environ, root).write()
        project.declare(VARIABLE)
        assert "1.19.5" in project.preview().check().text
        readable(project.up(), "1.19.5")
        assert not core.all("Variable")


def test_a_field_that_core_lacks_is_refused_by_name_and_nothing_is_left(
    tmp_path: Path, environ: dict[str, str], root: Path
) -> None:
    (tmp_path / "core").mkdir()
    core = LackingCore(tmp_path / "core", Settings(version="2.0.1"), lacks=("ignore_services", "auto_update"))
    with core.server:
        project = Project(tmp_path / "project", environ | core.environ, root).write()
        plain = declared("Stack", "plain", auto_pull=False)
        project.declare(plain, changed(STACK, ignore_services=["init"]))
        failed = project.up("--continue-on-error")
        readable(failed, 'stack "frigate": this Core (2.0.1) has no field ignore_services')
        assert list(core.all("Stack")) == ["plain"]
        project.declare(changed(plain, auto_update=True))
        readable(project.up(), 'stack "plain": this Core (2.0.1) has no field auto_update')
        project.declare(plain)
        project.up().check()
        assert project.preview("--refresh").check().steps == []


def test_the_state_of_an_older_fleet_goes_on(project: Project, core: TestCore) -> None:
    """Fields that homeops does not know any more, fields that it did not know yet, and what is declared no more."""
    project.environ = {**project.environ, **ENVIRON}
    project.declare(*EVERYTHING)
    project.up().check()
    state = project.state()
    for item in state["checkpoint"]["latest"]["resources"]:
        if "dynamic" in item["type"] and not item["type"].endswith((":Census", ":Gate")):
            for side in ("inputs", "outputs"):
                config = item[side].setdefault("config", {})
                for field in list(config)[:1]:
                    if field not in ("type", "value"):
                        del config[field]
                config["a_field_of_long_ago"] = "x"
                item[side].pop("description", None)
                item[side]["a_property_of_long_ago"] = {"a": 1}
    project.state_file.write_text(json.dumps(state))
    assert project.preview().check().of("update") <= NAMES
    assert project.up().check().of("create") == set()
    assert differing(core, EVERYTHING) == []
    assert project.preview("--refresh").check().steps == []
    for item in (state := project.state())["checkpoint"]["latest"]["resources"]:
        if "dynamic" in item["type"] and not item["type"].endswith((":Census", ":Gate")):
            item["outputs"].setdefault("config", {})["a_field_of_long_ago"] = "x"
    project.state_file.write_text(json.dumps(state))
    assert project.preview("--refresh").check().steps == []
    project.destroy().check()
    assert not core.all("Stack")


@pytest.mark.parametrize("what", ["plain secret", "no such variable"])
def test_a_secret_that_is_not_one_is_refused(project: Project, core: TestCore, what: str) -> None:
    value = "hunter2 in clear" if what == "plain secret" else "env:NOT_EXPORTED"
    project.declare(declared("Variable", "HIDDEN", value=value, is_secret=True))
    if what == "plain secret":
        refused = project.preview()
        assert "a secret would stand in Pulumi's state" in refused.text
        assert "give it as env:NAME" in refused.text
    else:
        project.preview().check()
        refused = project.up()
        assert "the environment variable NOT_EXPORTED is not set" in refused.text
    assert refused.exit != 0
    assert "Traceback" not in refused.text
    assert "hunter2" not in refused.text
    assert not core.all("Variable")
