"""What holds for every resource of the simulated Core, whatever a recording happens to show."""

import json
import string
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeops.lab.core.agents_rehearsal import RehearsalAgent
from homeops.lab.core.core import Core
from homeops.lab.core.resource_kinds import RESOURCES, default_config
from homeops.lab.core.resource_states import STATES
from homeops.model.kinds import KINDS

Document = dict[str, Any]
RECORDINGS = Path(__file__).parents[1] / "data" / "transcripts"
KIND_NAMES = sorted(RESOURCES)


class Client:
    """A client of a Core in this process; ``write`` and ``read`` return what a 200 says and raise on anything else."""

    def __init__(self) -> None:
        self.core = Core()

    def ask(self, route: str, request: str, params: Document) -> tuple[int, Any]:
        headers = {
            "Content-Type": "application/json",
            "X-API-KEY": self.core.settings.admin_key,
            "X-API-SECRET": self.core.settings.admin_secret,
        }
        body = json.dumps({"type": request, "params": params}).encode()
        answer = self.core.answer("POST", f"/{route}", headers, body)
        return answer.status, json.loads(answer.body)

    def write(self, request: str, **params: Any) -> Any:
        status, answer = self.ask("write", request, params)
        assert status == 200, answer
        return answer

    def read(self, request: str, **params: Any) -> Any:
        status, answer = self.ask("read", request, params)
        assert status == 200, answer
        return answer

    def get(self, kind: str, name: str) -> Any:
        return self.read(f"Get{kind}", **{KINDS[kind].key: name})

    def updates(self) -> list[str]:
        return [update["operation"] for update in self.read("ListUpdates", query={})["updates"]]


@pytest.fixture
def client() -> Client:
    return Client()


def recorded_creations() -> Iterator[tuple[str, list[Document]]]:
    """Of each recording of a life the creations it begins with, up to that of a resource with every field set."""
    for path in sorted(RECORDINGS.glob("*-life.json")):
        creations: list[Document] = []
        for step in json.loads(path.read_text(encoding="utf-8"))["steps"]:
            body: Document = step.get("body") or {"type": ""}
            if body["type"].startswith("Create") and step["status"] == 200:
                creations.append(body)
                if body["params"]["name"] == "Full Thing":
                    yield path.stem, creations
                    break


LIVES = dict(recorded_creations())


@pytest.mark.parametrize("life", sorted(LIVES))
def test_what_is_stored_and_sent_again_changes_nothing(client: Client, life: str) -> None:
    for creation in LIVES[life]:
        client.write(creation["type"], **creation["params"])
        kind = creation["type"].removeprefix("Create")
        stored = client.get(kind, client.read(f"List{KINDS[kind].plural}", limit=0)[0]["id"])
        updates = client.updates()
        answer = client.write(f"Update{kind}", id=stored["name"], config=stored["config"])
        assert answer["config"] == stored["config"]
        assert client.updates() == updates
        assert client.get(kind, stored["name"]) == stored


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_copy_has_the_configuration_and_nothing_else(client: Client, kind: str) -> None:
    original = client.write(f"Create{kind}", name="original")
    meta = {"description": "told", "template": True, "tags": ["worn"]}
    client.write("UpdateResourceMeta", target={"type": kind, "id": "original"}, **meta)
    copy = client.write(f"Copy{kind}", name="copy", id="original")
    assert copy["config"] == original["config"]
    assert (copy["description"], copy["template"], copy["tags"]) == ("", False, [])


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_every_write_has_its_update_and_a_refused_one_has_none(client: Client, kind: str) -> None:
    client.write(f"Create{kind}", name="one")
    client.write(f"Create{kind}", name="two")
    assert client.ask("write", f"Create{kind}", {"name": "one"})[0] == 409
    assert client.ask("write", f"Rename{kind}", {"id": "two", "name": "one"})[0] == 500
    client.write(f"Rename{kind}", id="two", name="three")
    client.write(f"Delete{kind}", id="three")
    assert client.ask("write", f"Delete{kind}", {"id": "three"})[0] == 500
    assert client.updates() == [f"Delete{kind}", f"Rename{kind}", f"Create{kind}", f"Create{kind}"]


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_default_configuration_is_that_of_the_model(client: Client, kind: str) -> None:
    stored = client.write(f"Create{kind}", name="plain")["config"]
    if kind == "Builder":
        assert stored == {"type": "Url", "params": default_config(kind)}
    elif kind == "Action":
        assert stored | {"file_contents": ""} == default_config(kind)
        assert "komodo.read" in stored["file_contents"]
    else:
        assert stored == default_config(kind)


NAMES = st.text(st.sampled_from(string.ascii_letters + string.digits + "-_. /ä\n"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(kind=st.sampled_from(KIND_NAMES), name=NAMES)
def test_the_stored_name_is_a_fixed_point_and_finds_the_resource(kind: str, name: str) -> None:
    client = Client()
    stored = client.write(f"Create{kind}", name=name)
    assert client.ask("write", f"Create{kind}", {"name": name})[0] == 409
    if stored["name"]:
        assert client.ask("write", f"Create{kind}", {"name": stored["name"]})[0] == 409
        assert client.get(kind, stored["name"])["_id"] == stored["_id"]
    client.write(f"Rename{kind}", id=stored["_id"]["$oid"], name=stored["name"])
    assert client.get(kind, stored["_id"]["$oid"])["name"] == stored["name"]


SERVER_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "region": st.sampled_from(["", "attic", "cellar"]),
        "links": st.lists(st.sampled_from(["https://a", "https://b"]), max_size=2),
        "auto_prune": st.booleans(),
        "cpu_warning": st.sampled_from([50.0, 90.0]),
        "passkey": st.sampled_from(["", "x"]),
    },
)


@settings(max_examples=40, deadline=None)
@given(first=SERVER_FIELDS, second=SERVER_FIELDS)
def test_fields_sent_one_after_the_other_end_where_the_merged_ones_do(first: Document, second: Document) -> None:
    client = Client()
    client.write("CreateServer", name="steps")
    client.write("CreateServer", name="once")
    client.write("UpdateServer", id="steps", config=first)
    client.write("UpdateServer", id="steps", config=second)
    client.write("UpdateServer", id="once", config=first | second)
    assert client.get("Server", "steps")["config"] == client.get("Server", "once")["config"]


@settings(max_examples=40, deadline=None)
@given(fields=SERVER_FIELDS)
def test_an_update_is_recorded_exactly_when_something_differs(fields: Document) -> None:
    client = Client()
    before = client.write("CreateServer", name="it")["config"]
    client.write("UpdateServer", id="it", config=fields)
    differs = any(before[name] != value for name, value in fields.items())
    assert ("UpdateServer" in client.updates()) == differs


def test_another_type_of_builder_starts_from_its_defaults_unless_it_says_nothing(client: Client) -> None:
    client.write("CreateBuilder", name="b", config={"type": "Url", "params": {"address": "http://127.0.0.1:1"}})
    unchanged = client.write("UpdateBuilder", id="b", config={"type": "Aws", "params": {}})
    assert unchanged["config"]["type"] == "Url"
    aws = client.write("UpdateBuilder", id="b", config={"type": "Aws", "params": {"volume_gb": 30}})
    assert aws["config"] == {"type": "Aws", "params": default_config("Builder", "Aws") | {"volume_gb": 30}}
    back = client.write("UpdateBuilder", id="b", config={"type": "Url", "params": {"passkey": "x"}})
    assert back["config"]["params"]["address"] == "https://periphery:8120"


def test_answers_share_nothing_with_what_is_stored(client: Client) -> None:
    core = client.core
    admin = next(iter(core.state.users.values()))
    client.write("CreateStack", name="web", config={"links": ["https://a"]})
    client.write("UpdateResourceMeta", target={"type": "Stack", "id": "web"}, tags=["t"])
    everything: dict[str, Any] = {"query": {}, "page": 0, "limit": 0, "sort_by": "Name", "sort_desc": False}
    everything["query"] = {"terms": [], "names": [], "tags": [], "tag_behavior": "All"}
    everything["query"] |= {"templates": "Include", "specific": {}}
    stored = json.dumps(core.state.document(), sort_keys=True)
    for request, params in (
        ("GetStack", {"stack": "web"}),
        ("ListFullStacks", everything),
        ("ListStacks", everything),
        ("ListUpdates", {"query": None, "page": 0}),
        ("ListTags", {"query": None}),
    ):
        spoil(core.call("read", request, admin, params))
    assert json.dumps(core.state.document(), sort_keys=True) == stored


def spoil(value: Any) -> None:
    """Change everything that can be changed in an answer."""
    if isinstance(value, dict):
        fields = cast(Document, value)
        for item in list(fields.values()):
            spoil(item)
        fields["spoilt"] = True
    elif isinstance(value, list):
        items = cast(list[Any], value)
        for item in list(items):
            spoil(item)
        items.append("spoilt")


def test_no_reference_that_core_clears_outlives_its_server(client: Client) -> None:
    for name in ("gone", "kept"):
        client.write("CreateServer", name=name)
        for kind in ("Stack", "Deployment", "Repo"):
            client.write(f"Create{kind}", name=f"on-{name}", config={"server_id": name})
    kept = client.get("Server", "kept")["_id"]["$oid"]
    client.core.state.resources["Repo"].clear()
    client.write("DeleteServer", id="gone")
    for kind in ("Stack", "Deployment"):
        assert client.get(kind, "on-gone")["config"]["server_id"] == ""
        assert client.get(kind, "on-kept")["config"]["server_id"] == kept


@pytest.mark.parametrize("kind", [kind for kind in KIND_NAMES if kind not in ("Alerter", "Builder", "Swarm")])
def test_a_busy_resource_is_neither_updated_nor_deleted(client: Client, kind: str) -> None:
    resource_id = client.write(f"Create{kind}", name="it")["_id"]["$oid"]
    for flag in sorted(RESOURCES[kind].busy):
        client.core.state.action_states[kind, resource_id] = {flag}
        assert client.read(f"Get{kind}ActionState", **{KINDS[kind].key: "it"})[flag]
        refused: tuple[int, Document] = (500, {"error": f"{kind} busy", "trace": []})
        assert client.ask("write", f"Update{kind}", {"id": "it", "config": {}}) == refused
        assert client.ask("write", f"Delete{kind}", {"id": "it"}) == refused
    client.core.state.action_states.clear()
    client.write(f"Delete{kind}", id="it")


@settings(max_examples=25, deadline=None)
@given(
    limit=st.integers(min_value=1, max_value=8),
    sort_by=st.sampled_from(["Name", "Repo", "Branch", "State"]),
    sort_desc=st.booleans(),
)
def test_pages_together_are_the_whole_list_in_its_order(limit: int, sort_by: str, sort_desc: bool) -> None:
    client = Client()
    for number in range(11):
        config = {"repo": f"org/{number % 3}", "branch": f"b{number % 2}"}
        client.write("CreateRepo", name=f"r{number:02}", config=config)
    order = {"sort_by": sort_by, "sort_desc": sort_desc}
    whole = client.read("ListRepos", limit=0, **order)
    paged: list[Document] = []
    for page in count():
        items = client.read("ListRepos", limit=limit, page=page, **order)
        if not items:
            break
        assert len(items) <= limit
        paged += items
    assert paged == whole
    assert sorted(item["name"] for item in whole) == [f"r{number:02}" for number in range(11)]


@pytest.mark.parametrize("kind", [kind for kind in KIND_NAMES if kind in STATES])
def test_the_states_in_a_query_are_those_of_the_list(client: Client, kind: str) -> None:
    client.write(f"Create{kind}", name="one")
    item = client.read(f"List{KINDS[kind].plural}", limit=0)[0]
    assert item["info"]["state"] in STATES[kind]
    if kind in ("Swarm", "ResourceSync"):
        return
    for state in STATES[kind]:
        found = client.read(f"List{KINDS[kind].plural}", query={"specific": {"states": [state]}})
        full = client.read(f"ListFull{KINDS[kind].plural}", query={"specific": {"states": [state]}})
        assert len(found) == len(full) == (state == item["info"]["state"])


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_summary_counts_every_resource_once(client: Client, kind: str) -> None:
    for number in range(3):
        client.write(f"Create{kind}", name=f"r{number}")
    summary = client.read(f"Get{KINDS[kind].plural}Summary")
    assert summary["total"] == 3
    counts = [value for name, value in summary.items() if name != "total"]
    assert not counts or sum(counts) == 3


def test_a_server_that_answers_is_well_and_its_alert_is_closed(client: Client) -> None:
    client.write("CreateServer", name="it", config={"address": "http://127.0.0.1:9", "enabled": True})
    assert client.read("GetServerState", server="it") == {"status": "NotOk"}
    assert [alert["resolved"] for alert in client.read("ListAlerts")["alerts"]] == [False]
    client.write("UpdateServer", id="it", config={"send_unreachable_alerts": False})
    assert [alert["resolved"] for alert in client.read("ListAlerts")["alerts"]] == [True]
    client.write("UpdateServer", id="it", config={"send_unreachable_alerts": True})
    assert [alert["resolved"] for alert in client.read("ListAlerts")["alerts"]] == [False, True]
    client.write("DeleteServer", id="it")
    assert all(alert["resolved"] for alert in client.read("ListAlerts")["alerts"])


@pytest.fixture
def host(client: Client, tmp_path: Path) -> RehearsalAgent:
    """A host that answers for the Server ``srv``."""
    client.core.agents.directory = tmp_path / "core"
    agent = RehearsalAgent(tmp_path / "host", client.core.agents.repositories)
    client.core.agents.add("http://127.0.0.1:8120", agent)
    client.write("CreateServer", name="srv", config={"address": "http://127.0.0.1:8120", "enabled": True})
    return agent


def test_the_directory_of_a_repo_follows_its_name_and_ends_with_it(client: Client, host: RehearsalAgent) -> None:
    client.write("CreateRepo", name="old", config={"server_id": "srv"})
    directory = host.directory / "repos" / "old"
    directory.mkdir(parents=True)
    client.write("RenameRepo", id="old", name="new")
    assert [path.name for path in directory.parent.iterdir()] == ["new"]
    client.write("DeleteRepo", id="new")
    assert list(directory.parent.iterdir()) == []


def test_a_disabled_host_keeps_a_repo_alive_but_not_its_name(client: Client, host: RehearsalAgent) -> None:
    client.write("CreateRepo", name="old", config={"server_id": "srv"})
    client.write("UpdateServer", id="srv", config={"enabled": False})
    assert host.reachable
    assert client.ask("write", "DeleteRepo", {"id": "old"})[0] == 500
    assert client.ask("write", "RenameRepo", {"id": "old", "name": "new"})[0] == 500
    assert client.get("Repo", "new")["config"]["server_id"]


def test_a_deployment_is_renamed_only_when_it_is_known_what_runs(client: Client, host: RehearsalAgent) -> None:
    client.write("CreateDeployment", name="box", config={"server_id": "srv"})
    host.reachable = False
    assert client.ask("write", "RenameDeployment", {"id": "box", "name": "crate"})[0] == 500
    assert client.ask("write", "UpdateDeployment", {"id": "box", "config": {"custom_name": "x"}})[0] == 500
    host.reachable = True
    client.write("RenameDeployment", id="box", name="crate")
    client.write("UpdateDeployment", id="crate", config={"custom_name": "x"})
    assert client.get("Deployment", "crate")["config"]["custom_name"] == "x"


def test_one_of_many_that_create_the_same_name_wins(client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client.ask, ["write"] * 16, ["CreateStack"] * 16, [{"name": "web"}] * 16))
    statuses = [status for status, _answer in answers]
    assert sorted(statuses) == [200] + [409] * 15


def test_parallel_updates_of_different_fields_all_survive(client: Client) -> None:
    client.write("CreateStack", name="web")
    fields = ["branch", "commit", "clone_path", "run_directory", "env_file_path", "project_name", "git_account"]

    def send(name: str) -> None:
        client.write("UpdateStack", id="web", config={name: f"x-{name}"})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, fields))
    config = client.get("Stack", "web")["config"]
    assert [config[name] for name in fields] == [f"x-{name}" for name in fields]


def fastest(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of work of the fastest of several runs; what else the machine does does not count."""
    runs: list[float] = []
    for _ in range(times):
        started = time.thread_time()
        work()
        runs.append(time.thread_time() - started)
    return min(runs)


def test_a_fleet_of_378_stacks_is_no_burden(client: Client) -> None:
    client.write("CreateServer", name="srv")
    text = "services:\n" + "".join(f"  s{number}:\n    image: nginx:{number}\n" for number in range(5))
    for number in range(377):
        client.write("CreateStack", name=f"s{number}", config={"server_id": "srv", "file_contents": text})
    names = count()
    creating = fastest(lambda: client.write("CreateStack", name=f"n{next(names)}", config={"server_id": "srv"}))
    reading = fastest(lambda: client.read("ListFullStacks", limit=0))
    listing = fastest(lambda: client.read("ListStacks", limit=0))
    assert creating < 0.005
    assert reading < 0.05
    assert listing < 0.05
