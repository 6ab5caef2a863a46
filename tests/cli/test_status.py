"""``homeops status``: what is declared against what Core has, on a simulated Core and on none."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homeops.cli.standing import Standing, compare
from homeops.lab.core.core import Core
from homeops.lab.http import CoreServer
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.graph import Graph, Resource
from tests.lab.copies import Copy

Item = dict[str, Any]

GRAPH = Graph(
    (
        Resource("Server", "one", ServerConfig(address="https://one:8120", enabled=True)),
        Resource("Server", "off", ServerConfig(address="https://off:8120")),
        Resource("Stack", "web", StackConfig(server_id="one"), deploy=True),
        Resource("Stack", "kept", StackConfig(server_id="one"), deploy=False),
    )
)


def server(name: str, **info: Any) -> Item:
    known = {"state": "Ok", "address": f"https://{name}:8120", "version": "2.3.2"}
    return {"name": name, "template": False, "info": known | info}


def stack(name: str, **info: Any) -> Item:
    known: Item = {
        "state": "running",
        "server_name": "one",
        "status": "running(2)",
        "services": [{"service": "a"}, {"service": "b"}],
        "missing_files": [],
        "deployed_hash": "1a2b3c4",
        "latest_hash": "1a2b3c4",
    }
    return {"name": name, "template": False, "info": known | info}


SERVERS = [server("one"), server("off", state="Disabled", version=None)]
STACKS = [stack("web"), stack("kept", state="down", status=None, services=[], deployed_hash=None)]


def standing(servers: list[Item] = SERVERS, stacks: list[Item] = STACKS, **options: Any) -> Standing:
    return compare(GRAPH, servers, stacks, stack="test", address="http://core", version="2.3.2", **options)


def problems(found: Standing) -> dict[str, list[str]]:
    return {one.name: one.problems for one in (*found.hosts, *found.stacks) if one.problems}


def test_a_fleet_as_declared_and_up_has_no_problem() -> None:
    found = standing()
    assert problems(found) == {}
    assert found.ok
    web, kept = found.stacks
    assert (web.services.up, web.services.total, web.commit) == (2, 2, "1a2b3c4")
    assert (kept.services.up, kept.services.total, kept.commit) == (0, 0, None)


@pytest.mark.parametrize(
    ("wrong", "name", "problem"),
    [
        (lambda: standing(SERVERS[1:]), "one", "not in Komodo"),
        (lambda: standing([*SERVERS, server("new")]), "new", "not declared"),
        (lambda: standing([server("one", state="NotOk", version=None), SERVERS[1]]), "one", "does not answer"),
        (lambda: standing([server("one", state="Disabled"), SERVERS[1]]), "one", "Disabled, not Ok"),
        (lambda: standing([SERVERS[0], server("off")]), "off", "Ok, not Disabled"),
        (lambda: standing([server("one", address=None), SERVERS[1]]), "one", "declared at https://one:8120"),
        (lambda: standing(SERVERS, STACKS[1:]), "web", "not in Komodo"),
        (lambda: standing(SERVERS, [*STACKS, stack("new")]), "new", "not declared"),
        (lambda: standing(SERVERS, [stack("web", server_name="off"), STACKS[1]]), "web", "declared on one"),
        (lambda: standing(SERVERS, [stack("web", state="unhealthy"), STACKS[1]]), "web", "unhealthy, not running"),
        (
            lambda: standing(SERVERS, [stack("web", status="exited(1), running(1)"), STACKS[1]]),
            "web",
            "1 of 2 services are not running",
        ),
        (
            lambda: standing(SERVERS, [stack("web", missing_files=["compose.yaml"]), STACKS[1]]),
            "web",
            "missing in the repository: compose.yaml",
        ),
    ],
)
def test_each_deviation_is_one_problem_of_the_thing_that_deviates(
    wrong: Callable[[], Standing], name: str, problem: str
) -> None:
    found = wrong()
    assert problems(found) == {name: [problem]}
    assert not found.ok
    assert found.document()["ok"] is False


def test_where_nothing_is_deployed_nothing_needs_to_run() -> None:
    down = [stack("web", state="down", status=None), STACKS[1]]
    assert standing(SERVERS, down, deploys=False).ok
    assert not standing(SERVERS, down).ok


def test_a_template_is_nothing_that_runs() -> None:
    assert standing([*SERVERS, server("new") | {"template": True}]).ok


def test_the_documented_form_is_the_form() -> None:
    documented = Path(__file__).parents[2].joinpath("homeops/cli/standing.py").read_text().split('"""')[1]
    document = json.loads(json.dumps(standing().document()))
    for part in (document, document["komodo"], document["hosts"][0], document["stacks"][0]):
        for key in part:
            assert f'"{key}":' in documented, key
    assert set(re.findall(r'"(\w+)":', documented)) == {
        *document,
        *document["komodo"],
        *document["hosts"][0],
        *document["stacks"][0],
        *document["stacks"][0]["services"],
    }


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Copy:
    return Copy.make(root, tmp_path_factory.mktemp("status"))


@pytest.fixture
def core() -> Iterator[CoreServer]:
    with CoreServer(Core()) as server:
        yield server


def access(address: str, core: Core) -> dict[str, str]:
    return {
        "KOMODO_ADDRESS": address,
        "KOMODO_API_KEY": core.settings.admin_key,
        "KOMODO_API_SECRET": core.settings.admin_secret,
        "STACK": "prod",
    }


def test_an_empty_core_has_everything_missing(copy: Copy, core: CoreServer) -> None:
    environ = access(core.address, core.core)
    done = copy.homeops("status", "--json", **environ)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert done.stderr == ""
    assert found["komodo"] == {"address": core.address, "version": "2.3.2"}
    assert {tuple(one["problems"]) for one in (*found["hosts"], *found["stacks"])} == {("not in Komodo",)}
    assert core.core.requests == {"read ListServers": 1, "read ListStacks": 1}
    table = copy.homeops("status", **environ)
    assert table.returncode == 1
    assert re.search(r"^frigate +nvr +missing +- +- +not in Komodo$", table.stdout, re.MULTILINE), table.stdout
    assert "19 not as declared or not up" in table.stdout


def test_a_core_that_does_not_answer_is_one_clear_message(copy: Copy, core: CoreServer) -> None:
    environ = access("http://127.0.0.1:1", core.core)
    done = copy.homeops("status", **environ)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(
        r"komodo http://127\.0\.0\.1:1: GET /version: connection refused; nothing was changed; tried 3 times in \d+ s\n"
        r"  hint: .*\n",
        done.stderr,
    ), done.stderr


def test_errors_are_messages_and_tracebacks_come_on_demand(copy: Copy) -> None:
    done = copy.homeops("status", "--stack", "pord")
    assert done.returncode == 1
    assert done.stderr.startswith("Pulumi.pord.yaml: there is no such file")
    assert 'did you mean "prod"?' in done.stderr
    assert "Traceback" not in done.stderr
    debug = copy.homeops("--debug", "status", "--stack", "pord")
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr


def test_wrong_usage_is_two(copy: Copy) -> None:
    for arguments in (["stauts"], ["status", "--jsn"], ["lab", "sideways"]):
        done = copy.homeops(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr


def test_outside_of_a_checkout_it_says_so(copy: Copy, tmp_path: Path) -> None:
    elsewhere = Copy(tmp_path, {**copy.environ, "PYTHONPATH": str(copy.directory)})
    done = elsewhere.homeops("status")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}: not in a checkout of homeops\n  hint: ")


def test_a_directory_below_the_checkout_will_do(copy: Copy) -> None:
    below = Copy(copy.directory / "docker", {**copy.environ, "PYTHONPATH": str(copy.directory)})
    assert below.homeops("status").stderr == "lab: no rehearsal is running here\n  hint: make up\n"
