"""docs/errors.md quotes what people see: each message is brought about here and must stand there word for word."""

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homeops.adoption.overwriting import with_names
from homeops.errors import HomeopsError, KomodoUnreachable, Problem
from homeops.fleet_graph import fleet_graph
from homeops.hosts import agent_key
from homeops.hosts.periphery_shell import PUBLIC_KEY
from homeops.hosts.reach import Reach, reach_of
from homeops.hosts.ssh import Done, run
from homeops.komodo import agents, comparison, moves, pushed, removals, session
from homeops.komodo.client import Client, Patience
from homeops.komodo.credentials import Credentials, Given, find_access
from homeops.komodo.gate import declared_names
from homeops.komodo.inputs import inputs_of
from homeops.komodo.toml.layout import DIRECTORY, rendered
from homeops.komodo.toml.origin import made_from
from homeops.komodo.toml.rendering import rendering
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.http import CoreServer
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph, Resource
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.kinds import KINDS
from homeops.model.site import DeleteBudget, SshFacts
from homeops.model.stack import Stack
from homeops.settings import load_settings
from homeops.sync.changes import Change
from homeops.sync.declared import Contents, contents_of
from homeops.sync.guards import Leave, Other, Situation, refusals, unreadable
from tests.example_site import example_site
from tests.komodo.loopback import free_port

EXAMPLE = "http://komodo.example:9120"
PATIENCE = Patience(connect=2, read=5, tries=1)
DEFAULTS = Settings()

NVR = Host("nvr", periphery=ContainerPeriphery(path="/root/komodo-periphery/compose.yaml"))
OMNI = Host("omni", periphery=ContainerPeriphery(path="/root/komodo-periphery/compose.yaml"))
FLEETS: dict[str, Fleet] = {
    "host without address": Fleet(hosts=[NVR, OMNI]),
    "undeclared host": Fleet(hosts=[NVR], stacks=[Stack("frigate", host="nvrr", directory="nvr/frigate")]),
    "compose file missing": Fleet(hosts=[NVR], stacks=[Stack("empty", host=NVR)]),
    "directory missing": Fleet(hosts=[NVR], stacks=[Stack("scrutiny", host=NVR)]),
    "two of one name": Fleet(
        hosts=[NVR],
        stacks=[Stack("frigate", host=NVR), Stack("frigate", host=NVR, project_name="other")],
    ),
    "rewritten name": Fleet(hosts=[NVR], stacks=[Stack("My.App", host=NVR, directory="nvr/frigate")]),
    "unknown field": Fleet(hosts=[NVR], stacks=[Stack("frigate", host=NVR, auto_updat=True)]),  # pyright: ignore[reportCallIssue]
    "circle": Fleet(
        hosts=[NVR],
        stacks=[
            Stack("web", host=NVR, directory="nvr/frigate", after=["db"]),
            Stack("db", host=NVR, directory="nvr/frigate", after=["web"]),
        ],
    ),
}


CORES: dict[str, dict[str, Any]] = {
    "403": {"effect": "status", "status": 403, "error": "This call is admin only"},
    "429": {"effect": "locked"},
    "html": {"effect": "html"},
    "redirect": {"effect": "redirect"},
    "500": {"effect": "status", "status": 500, "error": "Failed to query db"},
}


@pytest.fixture(scope="module")
def document(request: pytest.FixtureRequest) -> str:
    text = (request.config.rootpath / "docs" / "errors.md").read_text(encoding="utf-8")
    return "\n".join(textwrap.dedent(block) for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL))


def message(call: Callable[[], object], *addresses: str) -> str:
    with pytest.raises(HomeopsError) as raised:
        call()
    text = str(raised.value)
    for address in addresses:
        text = text.replace(address, EXAMPLE)
    # Where something was declared is this file's business.
    return re.sub(r"tests/test_errors_document\.py:\d+", "homeops/fleet/stacks.py:12", text)


def asked(address: str, secret: str = DEFAULTS.admin_secret) -> object:
    with Client(address, Credentials(DEFAULTS.admin_key, secret), patience=PATIENCE) as client:
        return client.read("ListServers", {})


@pytest.mark.parametrize("name", FLEETS)
def test_messages_about_the_fleet(name: str, document: str, tmp_path: Path) -> None:
    (tmp_path / "docker/stacks/nvr/empty").mkdir(parents=True)
    frigate = tmp_path / "docker/stacks/nvr/frigate"
    frigate.mkdir()
    (frigate / "compose.yaml").write_text("services: {}\n", encoding="utf-8")
    said = message(lambda: fleet_graph(FLEETS[name], example_site("nvr"), tmp_path))
    assert said in document, said


def test_a_message_about_a_missing_settings_file(document: str, tmp_path: Path, root: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text((root / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    said = message(lambda: load_settings("prd", tmp_path))
    assert said in document, said


def test_messages_about_keys_of_settings(document: str, tmp_path: Path, root: Path) -> None:
    text = (root / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    wrong = text.replace("    domain:", "    domein:").replace("      address: 192.168.11.89\n", "")
    (tmp_path / "Pulumi.prod.yaml").write_text(wrong, encoding="utf-8")
    said = message(lambda: load_settings("prod", tmp_path))
    assert said in document, said


@pytest.mark.parametrize("name", CORES)
def test_messages_about_answers_of_core(name: str, document: str) -> None:
    core = Core()
    core.faults.add(**CORES[name])
    with CoreServer(core) as server:
        said = message(lambda: asked(server.address), server.address)
    assert said in document, said


def test_messages_about_connections(document: str) -> None:
    with CoreServer(Core()) as server:
        https = server.address.replace("http://", "https://")
        cases = [
            message(lambda: asked(https), https),
            message(lambda: asked(server.address, "S_" + "1" * 40 + "_S"), server.address),
        ]
        gone = server.address
    cases.append(message(lambda: asked(gone), gone))
    cases.append(message(lambda: asked("komodo.example:9120")))
    for said in cases:
        assert said in document, said


def test_messages_about_versions_and_keys(document: str) -> None:
    with CoreServer(Core(Settings(version="1.19.5"))) as server:
        said = message(lambda: asked(server.address), server.address)
    assert said in document, said
    for environ in ({"KOMODO_API_KEY": "K_1_K"}, {}):
        said = message(lambda environ=environ: find_access(environ, Path("/nonexistent"), Given(address=EXAMPLE)))
        assert said in document, said


def test_messages_about_deletes(document: str) -> None:
    kept = [f"V{number}" for number in range(7)]
    news = {"declared": {"Variable": kept}, "budget": {"objects": 5, "percent": 30}}
    going = {"Server": ["nvr"], "Stack": ["arr", "frigate"], "Variable": ["A", "B", "C"]}
    olds = {"declared": {**going, "Variable": [*going["Variable"], *kept]}}
    one = {"Stack": ["frigate"]}
    protected = {**olds, "protected": {"frigate": "a year of recordings"}}
    said = [*removals.refusals(olds, news, going), *removals.refusals(protected, news, one)]
    assert len(said) == 2
    for problem in said:
        assert str(problem) in document, problem


def test_messages_about_syncs(document: str) -> None:
    config = ResourceSyncConfig(files_on_host=True, resource_path=["komodo"], delete=True)
    gone = [Change("delete", "Stack", name) for name in ("frigate", "vault")]
    left = "".join(f'[[server]]\nname = "{name}"\n' for name in ("nvr", "kasm", "omni"))
    some = contents_of({"remote_contents": [{"path": "servers.toml", "contents": left}]}, config)
    roomy = Leave(DeleteBudget(objects=9, percent=100))
    other = Other("other", config, {("Stack", "vault")})
    said = [
        *refusals(Situation("fleet", config, Contents(), gone), roomy),
        *refusals(Situation("fleet", config, some, gone), Leave()),
        *refusals(Situation("fleet", config, some, gone, others=[other]), roomy),
        *unreadable("fleet", ResourceSyncConfig(files_on_host=True, resource_path=["/"])),
    ]
    assert len(said) == 4
    for problem in said:
        assert str(problem) in document, problem


def test_messages_about_moves(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> object:
        raise KomodoUnreachable(Problem("komodo", "connection refused"))

    monkeypatch.setattr(session, "reachable_core", silent)
    monkeypatch.setattr(session, "give_up_asking", str)
    there = {"server_id": "nvr", "project_name": "frigate"}
    olds = {"name": "frigate", "config": there}
    for news in (
        {"name": "frigate", "config": {**there, "server_id": "nas"}},
        {"name": "nvr", "config": {**there, "project_name": "nvr"}},
    ):
        problem = moves.refusal(olds, news)
        assert problem is not None
        assert str(problem) in document, problem


def test_messages_about_agents(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> Done:
        return Done(1, "", f"cat: {PUBLIC_KEY}: No such file or directory\n")

    monkeypatch.setattr(agent_key, "run", run)
    reach = Reach("kasm", "192.0.2.7", 22, "root", tmp_path / "known_hosts", timeout=2)
    key = "MCowBQYDK2VuAyEATZgrjGHeF0KJUe0+n77+qAWOg3YzEzXOmQWaRgO3OGQ="
    for said in (agents.other_key("kasm", key, "another"), message(lambda: agent_key.public_key(reach))):
        assert said in document, said


def test_messages_about_hosts(document: str, tmp_path: Path) -> None:
    twins = example_site("nvr", "kasm")
    same = {name: facts.model_copy(update={"address": "192.0.2.7"}) for name, facts in twins.hosts.items()}
    (tmp_path / "known_hosts").touch()
    gone = Reach("kasm", "127.0.0.1", free_port(), "root", tmp_path / "known_hosts", timeout=2)
    cases = [
        message(lambda: reach_of("nvr", example_site("nvr"), tmp_path)),
        message(lambda: reach_of("nvr", twins.model_copy(update={"ssh": SshFacts(), "hosts": same}), tmp_path)),
        message(lambda: run(gone, "true")).replace(str(gone.port), "2222"),
    ]
    for said in cases:
        assert said in document, said


def test_messages_about_adoption(document: str) -> None:
    stack = KINDS["Stack"]
    changed = [("config.environment", "TZ=Etc/UTC\n", "TZ=Europe/Berlin\n"), ("config.auto_pull", None, False)]
    settings = '{"config": {"homeops:overwrite": []}}'
    cases = [
        str(comparison.refused(stack, "frigate", changed, "prod")),
        message(lambda: with_names(settings, ["stack/frigate"], ["stack/frigate"], "Pulumi.prod.yaml")),
    ]
    for said in cases:
        assert said in document, said


def test_messages_about_syncs_that_undo_a_run(document: str, tmp_path: Path) -> None:
    config = ResourceSyncConfig(repo="someone/fleet", resource_path=[DIRECTORY])
    fields = {"server_id": "nvr", "environment": "TZ=Etc/UTC\n", "auto_pull": False}
    frigate = Resource("Stack", "frigate", KINDS["Stack"].config.validate_python(fields))
    server = Resource("Server", "nvr", KINDS["Server"].config.validate_python({}))
    graph = Graph((server, frigate, Resource("ResourceSync", "fleet", config)))
    files = dict(rendered(graph, made_from("prod")))
    files["stacks-nvr.toml"] = files["stacks-nvr.toml"].replace("auto_pull", "# ").replace("Etc/UTC", "Europe/Berlin")
    (tmp_path / DIRECTORY).mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / DIRECTORY / name).write_text(text, encoding="utf-8")
    found = rendering(graph, example_site("nvr"), tmp_path, "prod")
    contents = [{"path": name, "contents": text} for name, text in files.items()]
    sync = {
        "name": "fleet",
        "config": config.model_dump(),
        "info": {"remote_contents": contents, "pending_hash": "1a2b3c4"},
    }
    news = {"rendered": found.digest, "stack": "prod", **declared_names(graph)}
    props = {item.key: inputs_of(item) for item in graph.resources}
    for said in (*found.warnings, *pushed.warnings(sync, news, props)):
        assert said in document, said
    assert len(found.warnings) == 1
