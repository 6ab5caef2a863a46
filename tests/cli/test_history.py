"""``homeops history``: the receipts of this machine, and of Komodo's Updates those without one."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from homeops.cli import deploys as form
from homeops.cli.deploys import of_komodo
from homeops.deploy.receipts import Journal, Receipt
from homeops.komodo.client import Client
from homeops.komodo.credentials import Credentials
from tests.engine.core import TestCore
from tests.lab.copies import Copy

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COMPOSE = "services:\n  app:\n    image: nginx:1\n"


@pytest.fixture
def core(tmp_path: Path) -> Iterator[TestCore]:
    """A Core with two stacks on one host; the second cannot be deployed."""
    directory = tmp_path / "core"
    directory.mkdir()
    made = TestCore(directory)
    with made.server:
        made.write("CreateServer", name="one", config={"address": "https://127.0.0.1:8120", "enabled": True})
        for name, text in (("web", COMPOSE), ("broken", "no compose file")):
            made.write("CreateStack", name=name, config={"server_id": "one", "file_contents": text})
        yield made


@pytest.fixture
def client(core: TestCore) -> Iterator[Client]:
    settings = core.core.settings
    with Client(core.server.address, Credentials(settings.admin_key, settings.admin_secret)) as made:
        yield made


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Copy:
    return Copy.make(root, tmp_path_factory.mktemp("history"))


def deploy(core: TestCore, stack: str) -> str:
    """A deploy in Komodo, to its end; the id of its Update."""
    update = core.ask("execute", "DeployStack", {"stack": stack})["_id"]["$oid"]
    until = monotonic() + 20
    while core.read("GetUpdate", id=update)["status"] != "Complete":
        assert monotonic() < until
        sleep(0.05)
    return update


def receipt(**told: Any) -> Receipt:
    return replace(Receipt("web", "one", "healthy", BEGAN.isoformat(), 10.0), **told)


def recorded(core: TestCore, *starts: float, operator: str = "") -> list[str]:
    """Updates in Core of deploys of ``web`` that began so many seconds after BEGAN; their ids."""
    like = core.read("GetUpdate", id=deploy(core, "web"))
    core.core.state.updates.pop(like["_id"]["$oid"])
    for start in starts:
        key, at = core.core.state.new_id(), round((BEGAN.timestamp() + start) * 1000)
        core.core.state.updates[key] = like | {
            "_id": {"$oid": key},
            "start_ts": at,
            "end_ts": at + 1500,
            "operator": operator or like["operator"],
        }
    return list(core.core.state.updates)[-len(starts) :]


def foreign(core: TestCore, client: Client, *receipts: Receipt, most: int = 1000) -> list[str]:
    stacks = {item["_id"]["$oid"]: name for name, item in core.all("Stack").items()}
    return [found.update for found in of_komodo(client, stacks, receipts, most)]


def test_an_update_whose_receipt_is_here_is_no_second_deploy(core: TestCore, client: Client) -> None:
    before, ours, again, after = recorded(core, -60, 1, 5, 60)
    assert foreign(core, client) == [after, again, ours, before]
    assert foreign(core, client, receipt(update=ours)) == [after, before]
    assert foreign(core, client, receipt(result="failed")) == [after, before], "one that failed has no id"
    assert foreign(core, client, receipt(stack="broken")) == [after, again, ours, before]


def test_what_somebody_else_deployed_meanwhile_is_a_deploy_of_its_own(core: TestCore, client: Client) -> None:
    (ours,) = recorded(core, 2)
    (theirs,) = recorded(core, 1, operator="Git Webhook")
    assert foreign(core, client, receipt(update=ours)) == [theirs]


def test_no_page_is_missed_and_none_asked_for_in_vain(core: TestCore, client: Client) -> None:
    ids = recorded(core, *range(0, 2050, 10))
    core.asked()
    assert sorted(foreign(core, client)) == sorted(ids)
    assert core.asked()["read ListUpdates"] == 3
    assert foreign(core, client, most=2) == ids[:-3:-1]
    assert core.asked() == {"read ListUpdates": 1, "read GetUpdate": 2}


def run(copy: Copy, core: TestCore, place: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    access = core.environ | {"STACK": "prod", "HOMEOPS_RECEIPTS": str(place), "TZ": "UTC"}
    done = copy.homeops("history", *arguments, **(access | environ))
    return done.returncode, done.stdout, done.stderr


def rows(text: str) -> Sequence[Sequence[str]]:
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def test_history_shows_receipts_and_what_komodo_did_without_us(copy: Copy, core: TestCore, tmp_path: Path) -> None:
    failed, fine = deploy(core, "broken"), deploy(core, "web")
    journal = Journal(tmp_path, "prod")
    told = receipt(
        commit="b" * 40,
        commit_before="a" * 40,
        images_before={"app": "nginx@sha256:" + "1" * 64},
        images_after={"app": "nginx@sha256:" + "2" * 64},
        why=["compose a", "config b", "env C", "env D"],
    )
    journal.append(told)
    journal.append(receipt(stack="gone", result="failed", reason="port is taken"))

    code, text, warned = run(copy, core, tmp_path, "--json")
    assert (code, warned) == (0, "")
    found = json.loads(text)
    assert found["komodo"] is None
    assert sorted((item["name"], item["result"], item["receipt"]) for item in found["deploys"]) == [
        ("broken", "failed", False),
        ("gone", "failed", True),
        ("web", "deployed", False),
        ("web", "healthy", True),
    ]
    assert {item["update"] for item in found["deploys"][:2]} == {failed, fine}, "the newest come first"
    by_update = {item["update"]: item for item in found["deploys"]}
    assert by_update[fine]["by"] == "admin"
    assert by_update[fine]["seconds"] >= 0
    assert by_update[failed]["reason"].startswith("Compose Config: ")
    documented = Path(form.__file__).read_text().split('"""')[1]
    keys = set(re.findall(r'"(\w+)":', documented)) - {"frigate"}
    assert keys == {*found, *found["deploys"][0]}

    lines = rows(run(copy, core, tmp_path)[1])
    assert lines[0] == ["WHEN", "STACK", "HOST", "RESULT", "SECONDS", "COMMIT", "BY", "WHY"]
    assert lines[-1] == [
        *("2026-01-02 03:04", "web", "one", "healthy", "10", "aaaaaaa -> bbbbbbb", "pulumi up"),
        "compose a, config b, env C and 1 more",
    ]
    assert len(run(copy, core, tmp_path, "-n", "1")[1].splitlines()) == 2
    one = run(copy, core, tmp_path, "web")[1]
    assert "compose a, config b, env C, env D" in one
    assert f"app: nginx@sha256:{'1' * 12} -> nginx@sha256:{'2' * 12}" in one
    assert "broken" not in one
    assert "port is taken" in run(copy, core, tmp_path, "gone")[1], "a stack that is no more has its receipts"


def test_without_a_core_there_are_receipts_and_a_line_that_says_so(copy: Copy, core: TestCore, tmp_path: Path) -> None:
    Journal(tmp_path, "prod").append(receipt())
    code, text, warned = run(copy, core, tmp_path, KOMODO_ADDRESS="http://127.0.0.1:1")
    assert code == 0
    assert [line[1] for line in rows(text)] == ["STACK", "web"]
    assert warned.startswith("Komodo was not asked, so these are the receipts of this machine alone: ")
    found = json.loads(run(copy, core, tmp_path, "--json", KOMODO_ADDRESS="http://127.0.0.1:1")[1])
    assert "connection refused" in found["komodo"]
    assert len(found["deploys"]) == 1


def test_a_stack_that_nobody_knows_is_an_error_with_the_nearest_name(
    copy: Copy, core: TestCore, tmp_path: Path
) -> None:
    code, text, said = run(copy, core, tmp_path, "wbe")
    assert (code, text) == (1, "")
    assert said == ('stack "wbe": is not known here nor in Komodo; did you mean "web"?\n  hint: one of broken, web\n')
    assert run(copy, core, tmp_path, "web") == (0, "no deploys\n", "")
