"""What the provider does, without an engine: differences, the catalogue, and the requests of each operation."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from pulumi.output import Unknown

from homeops.errors import AdoptionRefused, HomeopsError, KomodoError, KomodoUnreachable, KomodoVersion, SecretsError
from homeops.komodo import engine, operations, session
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.client import Client, Patience
from homeops.komodo.comparison import listed
from homeops.komodo.credentials import Credentials
from homeops.komodo.documents import Live, known_fields, live, understood
from homeops.komodo.operations import Declared
from homeops.komodo.props import as_props, differences
from homeops.komodo.provider import KomodoProvider, StackProvider, VariableProvider
from homeops.komodo.secret_values import NOT_SHOWN
from homeops.komodo.session import Core as Session
from homeops.lab.core.core import Core
from homeops.lab.core.faults import Effect
from homeops.lab.hosts import LoopbackAgents
from homeops.lab.http import CoreTransport
from homeops.model.canonical import canonical
from homeops.model.kinds import KINDS, Kind
from homeops.model.wire import minimal
from tests.engine.everything import CHANGED, ENVIRON, EVERYTHING
from tests.komodo.openapi import Checked

Json = dict[str, Any]


class Bench:
    """A provider's session with a simulated Core, every request of which is held to the OpenAPI document."""

    def __init__(self, directory: Path) -> None:
        self.core = Core()
        self.core.agents = LoopbackAgents(self.core.clock, directory=directory)
        self.wire = Checked(CoreTransport(self.core))
        credentials = Credentials(self.core.settings.admin_key, self.core.settings.admin_secret)
        patience = Patience(pause=0.01)
        self.client = Client("http://core.example:9120", credentials, transport=self.wire, patience=patience)
        self.session = Session(self.client, Catalogue(self.client))

    def sent(self, *routes: str) -> list[str]:
        """The requests of these routes since this was last asked."""
        found = [name for route, name, _ in self.wire.sent if route in routes]
        self.wire.sent.clear()
        return found

    def anew(self) -> None:
        """As another run of Pulumi: with a catalogue of its own."""
        self.session = Session(self.client, Catalogue(self.client))

    def create(self, kind: str, name: str, **config: Any) -> str:
        return operations.create(self.session, declared(kind, name, **config))


def declared(kind: str, name: str, /, **config: Any) -> Declared:
    beside = {key: config.pop(key) for key in ("description", "template") if key in config}
    tags = tuple(config.pop("tags", ()))
    return Declared(KINDS[kind], name, canonical(KINDS[kind].config.validate_python(config)), tags=tags, **beside)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.client.close()


def test_differences_are_fields_with_both_values() -> None:
    want = as_props("a", {"branch": "dev", "auto_pull": False}, "text", ("x",), template=False)
    have = as_props("a", {"branch": "main"}, "", ("x", "y"), template=True)
    assert differences(want, have) == [
        ("description", "text", None),
        ("tags", ["x"], ["x", "y"]),
        ("template", None, True),
        ("config.branch", "dev", "main"),
        ("config.auto_pull", False, None),
    ]
    assert differences(want, want) == []
    assert differences({"name": "a", "tags": [], "config": {}, "description": ""}, {"name": "a"}) == []


def test_what_looks_like_a_secret_is_not_shown_in_a_difference() -> None:
    have: Json = {
        "environment": "DB_PASSWORD=hunter2\nTZ=UTC\n",
        "links": ["http://me:hunter2@db"],
        "webhook": {"a": None},
    }
    want: Json = {"environment": "DB_PASSWORD=[[DB_PASSWORD]]\n", "links": [], "webhook": None}
    assert listed([(name, want[name], have[name]) for name in have]).splitlines() == [
        r"    environment: Komodo has 'DB_PASSWORD=[secret]\nTZ=UTC\n', declared is 'DB_PASSWORD=[[DB_PASSWORD]]\n'",
        "    links: Komodo has ['http://me:[secret]@db'], declared is []",
        "    webhook: Komodo has {'a': None}, declared is the default",
    ]


def test_of_long_texts_the_lines_that_differ_are_shown() -> None:
    many = "".join(f"NAME_{number}=value\n" for number in range(40))
    assert listed([("config.environment", f"{many}A=1\n", f"{many}A=2\nPASSWORD=hunter2\n")]) == (
        r"    config.environment: Komodo has, where lines differ, 'A=2\nPASSWORD=[secret]', declared is 'A=1'"
    )
    assert listed([("a", f"{many}A=1\n", many)]) == "    a: Komodo has, where lines differ, '', declared is 'A=1'"
    assert listed([("a", "1\n2\n", "2\n1\n")]) == r"    a: Komodo has '2\n1\n', declared is '1\n2\n'"


def test_what_pulumi_makes_of_numbers_is_no_difference() -> None:
    want, have = {"port": 8120, "load": 90.0}, {"port": 8120.0, "load": 90}
    assert differences({"name": "a", "config": want}, {"name": "a", "config": have}) == []


def test_of_all_kinds_only_a_variable_is_replaced_by_another_name() -> None:
    olds, news = {"name": "OLD"}, {"name": "NEW"}
    assert VariableProvider().diff("OLD", olds, news).replaces == ["name"]
    renamed = StackProvider().diff("id", olds, news)
    assert (renamed.changes, renamed.replaces) == (True, [])


def test_inputs_that_were_checked_before_are_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        pytest.fail("checked")

    monkeypatch.setattr(engine, "check", fail)
    inputs = {"name": "a", "config": {"branch": "dev"}}
    assert StackProvider().check(dict(inputs), dict(inputs)).inputs == inputs


def test_a_check_tells_everything_that_is_wrong_at_once_by_path() -> None:
    wrong = {"name": "a", "config": {"branch": 1, "auto_pul": True, "config_files": [{"path": "x", "requires": "Now"}]}}
    failures = {failure.property for failure in engine.check("Stack", {"name": "web"}, wrong).failures}
    assert failures == {"config.branch", "config.auto_pul", "config.config_files.0.requires"}


def test_a_check_lets_pass_what_is_not_known_yet() -> None:
    unknown = Unknown()
    news = {"name": "a", "config": {"links": ["https://a", unknown]}}
    checked = engine.check("Stack", {"name": "web"}, news)
    assert checked.failures == []
    assert checked.inputs is news


def test_eight_threads_that_want_a_list_cause_one() -> None:
    class Slow:
        def __init__(self) -> None:
            self.asked: Counter[str] = Counter()

        def list_all(self, kind: Kind, /) -> list[Json]:
            self.asked[kind.list_request] += 1
            time.sleep(0.05)
            return [{"_id": {"$oid": "1"}, "name": "one"}]

        def read(self, name: str, params: Json, /) -> Any:
            raise AssertionError(f"{name} {params} is no list")

    client = Slow()
    catalogue = Catalogue(client)
    gate = threading.Barrier(8)
    found: list[int] = []

    def want(kind: str) -> None:
        gate.wait()
        found.append(len(catalogue.documents(KINDS[kind])))

    threads = [threading.Thread(target=want, args=(kind,)) for kind in ("Stack", "Server") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8
    assert client.asked == {"ListFullStacks": 1, "ListFullServers": 1}


def test_a_list_that_failed_is_not_taken_for_an_empty_one() -> None:
    class Failing:
        tries = 0

        def list_all(self, kind: Kind, /) -> list[Json]:  # noqa: ARG002
            self.tries += 1
            if self.tries == 1:
                raise KomodoError
            return []

        def read(self, name: str, params: Json, /) -> Any:
            raise AssertionError(f"{name} {params} is no list")

    catalogue = Catalogue(Failing())
    with pytest.raises(KomodoError):
        catalogue.by_id(KINDS["Stack"], "1")
    assert catalogue.by_id(KINDS["Stack"], "1") is None


def test_a_core_that_is_silent_at_first_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: Counter[str] = Counter()

    def refuse(request: httpx.Request) -> httpx.Response:
        tried[request.url.path] += 1
        raise httpx.ConnectError("refused", request=request)

    patience = Patience(tries=3, pause=0.001)
    silent = Client(
        "http://127.0.0.1:9", Credentials("K_1_K", "S_1_S"), transport=httpx.MockTransport(refuse), patience=patience
    )
    monkeypatch.setattr(session, "_client", lambda: silent)
    monkeypatch.setattr(session, "_core", None)
    monkeypatch.setattr(session, "_closed", None)
    gate = threading.Barrier(8)
    told: list[str] = []

    def want() -> None:
        gate.wait()
        with pytest.raises(KomodoUnreachable) as raised:
            session.core()
        told.append(str(raised.value))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 8
    assert len(set(told)) == 1
    assert tried == {"/version": 3}


def test_fields_of_a_newer_core_are_left_out_of_its_documents() -> None:
    document = {"branch": "dev", "later": 1, "pre_deploy": {"path": "", "command": "x\n", "later": 1}, "links": None}
    known = known_fields(KINDS["Stack"], document)
    assert known == {"branch": "dev", "pre_deploy": {"path": "", "command": "x\n"}}
    assert known_fields(KINDS["Builder"], {"type": "Aws", "params": {"later": 1, "port": 1}}) == {
        "type": "Aws",
        "params": {"port": 1},
    }


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        ("Stack", {"branch": "dev", "gone": 1}, {"branch": "dev"}),
        ("Stack", {"branch": "dev", "links": 7}, {"branch": "dev"}),
        ("Builder", {"type": "Gone", "params": {}}, {"type": "Url"}),
        ("Builder", {"type": "Server"}, {"type": "Server"}),
        ("Builder", {"type": "Aws", "params": {"port": "x"}}, {"type": "Aws"}),
    ],
)
def test_a_state_of_another_homeops_is_read_as_far_as_it_can_be(kind: str, written: Json, read: Json) -> None:
    assert understood(KINDS[kind], written) == KINDS[kind].config.validate_python(read)


def test_ids_become_names_and_dangling_ids_stay() -> None:
    names = {("Server", "1"): "nvr", ("Tag", "2"): "video"}
    document = {
        "_id": {"$oid": "9"},
        "name": "frigate",
        "tags": ["2", "3"],
        "config": {"server_id": "1", "linked_repo": "4", "environment": "A=1"},
    }
    found = live(KINDS["Stack"], document, lambda kind, id_: names.get((kind, id_), id_))
    assert found.tags == ("video", "3")
    assert minimal(found.config) == {"server_id": "nvr", "linked_repo": "4", "environment": "A=1\n"}


def test_every_kind_lives_on_requests_that_core_knows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    before, after = ([(item["kind"], inputs(item)) for item in things] for things in (EVERYTHING, CHANGED))
    ids = [engine.create(bench.session, kind, props) for kind, props in before]
    bench.anew()
    for (kind, props), id_ in zip(before, ids, strict=True):
        assert engine.read(bench.session, kind, id_, props) == props
    bench.sent("write")
    for (kind, props), id_ in zip(before, ids, strict=True):
        engine.update(bench.session, kind, id_, props, props)
    assert bench.sent("write") == [], "what is as it shall be takes no write"

    for (kind, old), (_, new), id_ in zip(before, after, ids, strict=True):
        engine.update(bench.session, kind, id_, old, new)
    assert not [name for name in bench.sent("write") if name.startswith(("Create", "Rename"))]
    for same_catalogue in (True, False):
        if not same_catalogue:
            bench.anew()
        for (kind, props), id_ in zip(after, ids, strict=True):
            assert engine.read(bench.session, kind, id_, props) == props

    for (kind, props), id_ in zip(reversed(after), reversed(ids), strict=True):
        engine.delete(bench.session, kind, id_, props)
        engine.delete(bench.session, kind, id_, props)
    bench.anew()
    assert [kind for kind in KINDS if bench.session.catalogue.documents(KINDS[kind])] == ["Tag"], "of its own making"


def inputs(item: Json) -> Json:
    """A declaration as Pulumi's inputs."""
    config = canonical(KINDS[item["kind"]].config.validate_python(item["config"]))
    return as_props(item["name"], minimal(config), item["description"], tuple(item["tags"]), item["template"])


def test_only_changed_fields_are_sent(bench: Bench) -> None:
    item = declared("Stack", "web", branch="dev", links=["https://a"], environment="A=1\n")
    id_ = operations.create(bench.session, item)
    bench.wire.sent.clear()
    new = declared("Stack", "web", branch="dev", environment="A=2\n", auto_pull=False)
    operations.update(bench.session, new, Live(id_, "web", item.config), print)
    assert bench.wire.sent == [
        ("write", "UpdateStack", {"id": id_, "config": {"auto_pull": False, "links": [], "environment": "A=2\n"}})
    ]


def test_a_secret_leaves_only_in_the_request(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", "hush")
    props = {"name": "nvr", "config": {"passkey": "env:SECRET_OF_TEST"}}
    id_ = engine.create(bench.session, "Server", props)
    assert bench.wire.sent[-1][2]["config"] == {"passkey": "hush"}
    shown = engine.read(bench.session, "Server", id_, props)
    assert shown == props
    bench.client.write("UpdateServer", {"id": id_, "config": {"passkey": "another"}})
    bench.anew()
    assert engine.read(bench.session, "Server", id_, props) == {"name": "nvr", "config": {"passkey": NOT_SHOWN}}
    monkeypatch.delenv("SECRET_OF_TEST")
    with pytest.raises(SecretsError, match="SECRET_OF_TEST is not set"):
        engine.create(bench.session, "Server", {"name": "two", "config": {"passkey": "env:SECRET_OF_TEST"}})


def test_a_variable_that_somebody_opened_shows_nothing_that_was_secret(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", "hush")
    props = {"name": "TOKEN", "config": {"value": "env:SECRET_OF_TEST", "is_secret": True}}
    engine.create(bench.session, "Variable", props)
    bench.client.write("UpdateVariableIsSecret", {"name": "TOKEN", "is_secret": False})
    bench.client.write("UpdateVariableValue", {"name": "TOKEN", "value": "rotated by hand"})
    bench.anew()
    assert engine.read(bench.session, "Variable", "TOKEN", props) == {"name": "TOKEN", "config": {"value": NOT_SHOWN}}


def test_adoption_refuses_what_differs_and_changes_nothing(bench: Bench) -> None:
    bench.create("Stack", "web", branch="by-hand", auto_pull=False)
    bench.anew()
    bench.sent("write")
    with pytest.raises(AdoptionRefused) as refused:
        engine.create(bench.session, "Stack", {"name": "web", "config": {"branch": "dev"}, "description": "the web"})
    assert "config.branch: Komodo has 'by-hand', declared is 'dev'" in str(refused.value)
    assert "config.auto_pull: Komodo has False, declared is the default" in str(refused.value)
    assert "homeops adopt stack/web --keep komodo" in str(refused.value)
    assert "homeops adopt stack/web --keep fleet" in str(refused.value)
    assert bench.sent("write") == []


def test_a_name_that_was_taken_in_the_meantime_is_adopted(bench: Bench) -> None:
    assert bench.session.catalogue.documents(KINDS["Stack"]) == {}
    id_ = bench.client.write("CreateStack", {"name": "web", "config": {"branch": "dev"}})["_id"]["$oid"]
    assert engine.create(bench.session, "Stack", {"name": "web", "config": {"branch": "dev"}}) == id_
    assert list(bench.session.catalogue.documents(KINDS["Stack"])) == [id_]


def test_a_creation_that_core_does_not_understand_is_taken_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(_core: Session, _item: Declared, _document: Json) -> None:
        raise KomodoVersion

    monkeypatch.setattr(operations, "_all_fields_known", lacking)
    with pytest.raises(KomodoVersion):
        bench.create("Stack", "web", branch="dev")
    bench.anew()
    assert bench.session.catalogue.documents(KINDS["Stack"]) == {}


@pytest.mark.parametrize("kind", ["Stack", "Deployment"])
def test_what_is_on_a_host_that_is_silent_is_not_deleted(bench: Bench, kind: str) -> None:
    bench.create("Server", "nvr", address="https://silent.example:8120", enabled=True)
    id_ = bench.create(kind, "web", server_id="nvr")
    with pytest.raises(KomodoError, match="not deleted: its server nvr is NotOk"):
        operations.delete(bench.session, KINDS[kind], id_, "web", print)
    assert bench.session.catalogue.by_id(KINDS[kind], id_) is not None


@pytest.mark.parametrize("effect", get_args(Effect))
@pytest.mark.parametrize("operation", ["create", "read", "update", "delete"])
def test_what_goes_wrong_is_told_as_an_error_for_people(bench: Bench, effect: Effect, operation: str) -> None:
    id_ = bench.create("Stack", "web")
    bench.core.faults.add(effect)
    credentials = Credentials(bench.core.settings.admin_key, bench.core.settings.admin_secret)
    hasty = Patience(tries=1, busy=0.0, pause=0.01)
    with Client("http://core.example:9120", credentials, transport=bench.wire, patience=hasty) as client:
        session = Session(client, Catalogue(client))
        # Some are of executions alone, and nothing that is read is busy.
        harmless = effect in ("delay", "hangs", "hangs_done") or (effect, operation) == ("busy", "read")
        with nullcontext() if harmless else pytest.raises(HomeopsError):
            match operation:
                case "create":
                    engine.create(session, "Stack", {"name": "other"})
                case "read":
                    engine.read(session, "Stack", id_, {"name": "web"})
                case "update":
                    engine.update(session, "Stack", id_, {"name": "web"}, {"name": "web", "config": {"branch": "dev"}})
                case _:
                    engine.delete(session, "Stack", id_, {"name": "web"})


def test_every_kind_has_a_provider_without_state() -> None:
    providers = {provider.kind: provider for provider in KomodoProvider.__subclasses__()}
    assert set(providers) == set(KINDS)
    assert all(vars(provider()) == {} for provider in providers.values())
