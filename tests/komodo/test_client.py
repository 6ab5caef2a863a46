"""The client: what it sends, what it repeats, and how each failure reads."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import httpx
import pytest

from homeops.errors import (
    KomodoBusy,
    KomodoConflict,
    KomodoError,
    KomodoGarbled,
    KomodoLocked,
    KomodoRefused,
    KomodoUnauthorized,
    KomodoUnreachable,
    KomodoVersion,
)
from homeops.komodo.answers import was_not_found
from homeops.komodo.client import Client, Patience
from homeops.komodo.credentials import Credentials
from homeops.komodo.requests import SECRET_FIELDS, Request, Route
from homeops.model.fields import Sensitive
from homeops.model.kinds import KINDS, STACK
from tests.komodo.loopback import answering, free_port, received, response, self_signed, serving
from tests.komodo.openapi import Checked, check_request

KEY, SECRET = "K_0123456789_K", "S_hunter2hunter2_S"
CREDENTIALS = Credentials(KEY, SECRET)
QUICK = Patience(connect=2, read=2, write=2, busy=0.2, pause=0.005)
ADDRESS = "http://core.test:9120"

Reply = Callable[[httpx.Request], httpx.Response]


class Core(httpx.BaseTransport):
    """Answers /version, and each POST with the next of the replies (the last one again and again)."""

    def __init__(self, *replies: httpx.Response | Reply | Exception, version: str = "2.3.2") -> None:
        self.replies = list(replies)
        self.version = version
        self.posts: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/version":
            assert "x-api-key" not in request.headers
            return httpx.Response(200, text=self.version)
        self.posts.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply(request) if callable(reply) else reply


def client(transport: httpx.BaseTransport, patience: Patience = QUICK) -> Client:
    return Client(ADDRESS, CREDENTIALS, transport=transport, patience=patience)


def refused(status: int, error: str, *trace: str) -> httpx.Response:
    return httpx.Response(status, json={"error": error, "trace": list(trace)})


def ok(value: Any) -> httpx.Response:
    return httpx.Response(200, text=json.dumps(value))


def failure(core: Core, route: Route = "read", type_: str = "GetStack", **params: Any) -> KomodoError:
    """What one call raises; on top of it, that the message holds no secret and has the form of all messages."""
    with client(core) as connected, pytest.raises(KomodoError) as raised:
        connected.send(Request(route, type_, params))
    message = str(raised.value)
    assert message.startswith(f"komodo {ADDRESS}: ")
    assert KEY not in message
    assert SECRET not in message
    assert len(message.splitlines()) <= 2
    return raised.value


class TestRequests:
    @pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
    def test_listing_a_kind_is_one_request_that_core_knows(self, kind: Any) -> None:
        transport = Checked(Core(ok([])))
        with client(transport) as connected:
            assert connected.list_all(kind) == []
        assert [name for _, name, _ in transport.sent] == [kind.list_request]

    def test_everything_is_listed_not_the_first_page(self) -> None:
        core = Core(ok([]))
        with client(core) as connected:
            connected.list_all(STACK)
        assert json.loads(core.posts[0].content) == {"type": "ListFullStacks", "params": {"limit": 0}}

    def test_the_request_of_the_probe_for_old_cores_is_one_that_core_knows(self) -> None:
        check_request("read", "GetVersion", {})

    def test_text_is_sent_as_it_is(self) -> None:
        core = Core(ok({}))
        with client(core) as connected:
            connected.write("UpdateVariableDescription", {"name": "A", "description": "käse 日本"})
        assert "käse 日本".encode() in core.posts[0].content

    def test_every_sensitive_field_of_the_model_is_blotted_out_of_messages(self) -> None:
        marked = {
            name
            for model in _models()
            for name, field in model.model_fields.items()
            if any(isinstance(mark, Sensitive) for mark in field.metadata)
        }
        assert marked
        assert marked <= SECRET_FIELDS


def _models() -> set[Any]:
    for kind in KINDS.values():
        assert kind.config  # imports the models of the kind
    from homeops.model.fields import KomodoModel

    found: set[Any] = set()
    pending: list[Any] = [KomodoModel]
    while pending:
        for model in pending.pop().__subclasses__():
            if model not in found:
                found.add(model)
                pending.append(model)
    return found


class TestAnswers:
    def test_a_wrong_key_is_tried_once_and_never_again(self) -> None:
        core = Core(refused(401, "Invalid user credentials | You have 4 attempts remaining"))
        with client(core) as connected:
            for _ in range(3):
                with pytest.raises(KomodoUnauthorized, match="You have 4 attempts remaining"):
                    connected.read("GetStack", {"stack": "web"})
        assert len(core.posts) == 1

    def test_threads_that_start_together_try_a_wrong_key_once(self) -> None:
        core = Core(refused(401, "Invalid user credentials"))
        together = Barrier(6)
        errors: list[KomodoError] = []

        def call() -> None:
            together.wait()
            try:
                connected.list_all(STACK)
            except KomodoError as error:
                errors.append(error)

        with client(core) as connected:
            threads = [Thread(target=call) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(core.posts) == 1
        assert [type(error) for error in errors] == [KomodoUnauthorized] * 6

    def test_a_locked_address_is_told_and_not_tried_again(self) -> None:
        core = Core(refused(429, "Too many attempts | Try again in 12s"))
        error = failure(core, stack="web")
        assert isinstance(error, KomodoLocked)
        assert "Try again in 12s" in str(error)
        assert len(core.posts) == 1

    @pytest.mark.parametrize(
        ("answer", "kind", "says"),
        [
            (refused(403, "User does not have permissions to create Stack."), KomodoUnauthorized, "refused (403)"),
            (
                refused(500, "User does not have required permissions on this Stack. Must have at least Write"),
                KomodoUnauthorized,
                "an admin",
            ),
            (refused(409, "Resource with name 'web' already exists"), KomodoConflict, "'web' already exists"),
            (refused(500, "Failed to create Variable on db", "Kind: E11000 duplicate key"), KomodoConflict, "E11000"),
            (refused(413, "Failed to buffer the request body: length limit exceeded"), KomodoRefused, "up to 2 MB"),
            (refused(422, "Failed to deserialize: params: missing field `name`"), KomodoRefused, "missing field"),
            (
                refused(500, "Cannot attach Stack to this Server", "Did not find any Server matching nvrr"),
                KomodoRefused,
                "Cannot attach Stack to this Server (Did not find any Server matching nvrr)",
            ),
        ],
    )
    def test_each_refusal_has_its_class_and_says_what_core_said(
        self, answer: httpx.Response, kind: type[KomodoError], says: str
    ) -> None:
        core = Core(answer)
        error = failure(core, "write", "CreateStack", name="web", config={})
        assert type(error) is kind
        assert 'write CreateStack "web" refused' in str(error)
        assert says in str(error)
        assert len(core.posts) == 1

    def test_status_error_and_trace_are_kept_for_programs(self) -> None:
        error = failure(Core(refused(500, "Failed", "because", "of this")))
        assert isinstance(error, KomodoRefused)
        assert (error.status, error.error, error.trace) == (500, "Failed", ("because", "of this"))

    def test_not_found_is_recognised_for_wording(self) -> None:
        gone = failure(Core(refused(500, "Did not find any Stack matching web")))
        other = failure(Core(refused(500, "Failed at mongo query")))
        assert isinstance(gone, KomodoRefused)
        assert isinstance(other, KomodoRefused)
        assert was_not_found(gone)
        assert not was_not_found(other)

    def test_secrets_that_core_quotes_are_not_repeated(self) -> None:
        quoted = f'invalid type: string "swordfish", expected a map; {KEY} {SECRET}'
        core = Core(refused(422, quoted, "value swordfish"))
        error = failure(core, "write", "CreateVariable", name="TOKEN", value="swordfish", is_secret=True)
        assert isinstance(error, KomodoRefused)
        assert "swordfish" not in f"{error} {error.error} {error.trace}"
        assert SECRET not in error.error
        assert "expected a map" in str(error)

    def test_a_long_error_is_cut_and_markup_dropped(self) -> None:
        error = failure(Core(refused(500, '<span style="color: red">Bad</span>\n' + "x" * 5000)))
        assert "Bad xxx" in str(error)
        assert "<span" not in str(error)
        assert len(str(error)) < 700

    @pytest.mark.parametrize(
        ("answer", "says"),
        [
            (httpx.Response(200, html="<!doctype html><p>Welcome"), "answered 200 with a web page"),
            (httpx.Response(404, html="<h1>nothing here</h1>"), "answered 404 with a web page"),
            (httpx.Response(405), "answered 405 with an empty body"),
            (httpx.Response(401, html="<h1>Sign in</h1>"), "answered 401 with a web page"),
            (httpx.Response(500, text="oh no"), 'answered 500 with "oh no"'),
            (httpx.Response(400, json=["error"]), "answered 400"),
            (httpx.Response(200, text='{"name": "we'), "the answer is no valid JSON"),
            (
                httpx.Response(302, headers={"Location": "https://auth.test/login?state=abc"}),
                "https://auth.test/login;",
            ),
            (httpx.Response(308, headers={"Location": "/somewhere"}), "redirected (308) to /somewhere"),
            (httpx.Response(301), "redirected (301) to nowhere"),
        ],
    )
    def test_answers_that_are_not_cores_are_told_apart(self, answer: httpx.Response, says: str) -> None:
        core = Core(answer)
        error = failure(core)
        assert isinstance(error, KomodoGarbled)
        assert says in str(error)
        assert "state=abc" not in str(error)
        assert len(core.posts) == 1

    def test_a_redirect_to_the_same_host_over_tls_names_the_address_to_use(self) -> None:
        error = failure(Core(httpx.Response(301, headers={"Location": "https://core.test/read"})))
        assert "hint: use the address https://core.test" in str(error)

    def test_a_list_that_is_none_is_not_taken_for_an_empty_one(self) -> None:
        nonsense_of_all_kinds: list[Any] = [{}, None, ["web"], "[]"]
        for nonsense in nonsense_of_all_kinds:
            with client(Core(ok(nonsense))) as connected, pytest.raises(KomodoGarbled, match="no list of objects"):
                connected.list_all(STACK)

    def test_a_write_answered_by_something_else_than_an_object_is_an_error(self) -> None:
        with client(Core(ok([]))) as connected, pytest.raises(KomodoGarbled, match="no object"):
            connected.write("DeleteStack", {"id": "web"})


class TestVersion:
    def test_it_is_asked_once(self) -> None:
        asked: list[str] = []

        def core(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return httpx.Response(200, text="2.3.2") if request.url.path == "/version" else ok([])

        with client(httpx.MockTransport(core)) as connected:
            connected.list_all(STACK)
            connected.list_all(STACK)
            assert str(connected.version()) == "2.3.2"
        assert asked == ["/version", "/read", "/read"]

    def test_core_1_is_refused_in_one_line_before_the_key_is_sent(self) -> None:
        core = Core(ok([]), version="1.19.5")
        error = failure(core)
        assert isinstance(error, KomodoVersion)
        assert "this Core is Komodo 1.19.5; homeops drives Komodo 2.x" in str(error)
        assert "hint: upgrade Core and every Periphery" in str(error)
        assert core.posts == []

    def test_core_1_is_known_by_its_page_in_place_of_a_version(self) -> None:
        def old_core(request: httpx.Request) -> httpx.Response:
            assert "x-api-key" not in request.headers
            if request.url.path == "/read":
                return refused(401, "must attach either JWT or api key")
            return httpx.Response(404, html="<!doctype html><title>Komodo</title>")

        with client(httpx.MockTransport(old_core)) as connected, pytest.raises(KomodoVersion, match=r"Komodo 1\.x"):
            connected.version()

    def test_the_key_is_not_sent_to_a_server_that_is_no_core(self) -> None:
        def website(request: httpx.Request) -> httpx.Response:
            assert "x-api-key" not in request.headers
            return httpx.Response(200, html="<h1>My photos</h1>")

        with client(httpx.MockTransport(website)) as connected, pytest.raises(KomodoGarbled, match="a web page"):
            connected.read("GetStack", {"stack": "web"})

    def test_a_page_and_then_silence_is_told_as_the_page(self) -> None:
        def website(request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                raise httpx.ReadError("reset")
            return httpx.Response(200, html="<h1>My photos</h1>")

        with client(httpx.MockTransport(website)) as connected, pytest.raises(KomodoGarbled, match="a web page"):
            connected.version()

    def test_a_development_version_is_understood(self) -> None:
        with client(Core(ok([]), version="2.4.0-dev-3")) as connected:
            assert str(connected.version()) == "2.4.0"


class TestRepeating:
    def test_a_busy_resource_is_asked_again_until_it_is_free(self) -> None:
        core = Core(refused(500, "Stack busy"), refused(500, "Stack busy"), ok({"name": "web"}))
        with client(core) as connected:
            assert connected.write("UpdateStack", {"id": "web", "config": {}}) == {"name": "web"}
        assert len(core.posts) == 3

    def test_a_resource_that_stays_busy_is_given_up_with_the_count(self) -> None:
        core = Core(refused(500, "ResourceSync busy"))
        error = failure(core, "write", "UpdateResourceSync", id="fleet", config={})
        assert isinstance(error, KomodoBusy)
        assert f"tried {len(core.posts)} times" in str(error)
        assert len(core.posts) > 2

    def test_an_error_that_merely_speaks_of_busy_is_not_repeated(self) -> None:
        core = Core(refused(500, "failed to update config on ResourceSync | ResourceSync busy with itself"))
        assert not isinstance(failure(core, "write", "UpdateResourceSync", id="a", config={}), KomodoBusy)
        assert len(core.posts) == 1

    @pytest.mark.parametrize(
        "lost",
        [
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            httpx.ReadError("Connection reset by peer"),
            httpx.ReadTimeout("timed out"),
            httpx.ConnectError("refused"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_a_read_without_an_answer_is_repeated(self, lost: Exception) -> None:
        core = Core(lost, ok([{"name": "web"}]))
        with client(core) as connected:
            assert connected.list_all(STACK) == [{"name": "web"}]
        assert len(core.posts) == 2

    def test_a_read_behind_a_proxy_that_finds_no_core_is_repeated(self) -> None:
        core = Core(httpx.Response(502, html="<h1>Bad Gateway</h1>"), ok([]))
        with client(core) as connected:
            connected.list_all(STACK)
        assert len(core.posts) == 2

    def test_reads_give_up_after_some_tries_and_say_how_many(self) -> None:
        core = Core(httpx.ReadTimeout("timed out"))
        error = failure(core)
        assert isinstance(error, KomodoUnreachable)
        assert "no answer in time; nothing was changed; tried 3 times" in str(error)
        assert len(core.posts) == 3

    @pytest.mark.parametrize("route", ["write", "execute"])
    @pytest.mark.parametrize(
        "lost",
        [httpx.RemoteProtocolError("gone"), httpx.ReadError("reset"), httpx.ReadTimeout(""), httpx.WriteError("")],
        ids=lambda error: type(error).__name__,
    )
    def test_a_change_whose_answer_is_lost_is_sent_once(self, route: Route, lost: Exception) -> None:
        core = Core(lost)
        error = failure(core, route, "DeployStack", stack="web")
        assert isinstance(error, KomodoUnreachable)
        assert "it may have been done all the same" in str(error)
        assert len(core.posts) == 1

    @pytest.mark.parametrize("route", ["write", "execute"])
    @pytest.mark.parametrize(
        "unsent", [httpx.ConnectError("refused"), httpx.ConnectTimeout("")], ids=lambda error: type(error).__name__
    )
    def test_a_change_that_never_left_this_machine_is_repeated(self, route: Route, unsent: Exception) -> None:
        core = Core(unsent, ok({}))
        with client(core) as connected:
            connected.send(Request(route, "DeployStack", {"stack": "web"}))
        assert len(core.posts) == 2


class TestOnTheWire:
    """Against real sockets."""

    def test_refused(self) -> None:
        error = self.failure(f"http://127.0.0.1:{free_port()}")
        assert "connection refused; nothing was changed; tried 3 times" in str(error)

    def test_a_name_that_does_not_exist_is_not_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        error = self.failure("http://no-such-host.invalid:9120")
        assert "the name cannot be resolved (Name or service not known)" in str(error)
        assert "tried" not in str(error)

    def test_https_to_a_plain_port(self) -> None:
        def plain(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(response("400 Bad Request", "no"))

        with serving(plain) as port:
            error = self.failure(f"https://127.0.0.1:{port}")
        assert "no TLS connection" in str(error)
        assert "try http://" in str(error)

    def test_an_untrusted_certificate(self, tmp_path: Path) -> None:
        with serving(answering(response("200 OK", "2.3.2", "text/plain")), self_signed(tmp_path)) as port:
            error = self.failure(f"https://127.0.0.1:{port}")
        assert "the TLS certificate is not trusted (self-signed certificate)" in str(error)
        assert "SSL_CERT_FILE" in str(error)

    def test_silence(self) -> None:
        def silent(connection: socket.socket) -> None:
            received(connection)
            connection.recv(1)

        with serving(silent) as port:
            error = self.failure(f"http://127.0.0.1:{port}", Patience(read=0.1, tries=1))
        assert "connected, but no answer in time" in str(error)

    def test_a_login_page_is_not_followed(self) -> None:
        redirect = response("302 Found", "", "text/html", "Location: https://auth.test/login?rd=x")
        with serving(answering(redirect)) as port:
            error = self.failure(f"http://127.0.0.1:{port}", kind=KomodoGarbled)
        assert "redirected (302) to https://auth.test/login" in str(error)

    def test_after_a_401_on_a_dropped_connection_the_error_is_still_the_401(self) -> None:
        """Core closes the connection on which it answered 401 before it had the body, without saying so."""

        def core(connection: socket.socket) -> None:
            while request := received(connection):
                if request.startswith(b"GET /version"):
                    connection.sendall(response("200 OK", "2.3.2", "text/plain"))
                else:
                    connection.sendall(response("401 Unauthorized", '{"error":"Invalid user credentials","trace":[]}'))
                    return

        with (
            serving(core) as port,
            Client(f"http://127.0.0.1:{port}", CREDENTIALS, patience=QUICK) as connected,
        ):
            for _ in range(2):
                with pytest.raises(KomodoUnauthorized, match="Invalid user credentials"):
                    connected.read("GetStack", {"stack": "web"})

    def test_a_read_survives_a_connection_that_was_dropped_while_idle(self) -> None:
        def core(connection: socket.socket) -> None:
            request = received(connection)
            version = request.startswith(b"GET /version")
            answer = response("200 OK", "2.3.2", "text/plain") if version else response("200 OK", "[]")
            connection.sendall(answer)

        with (
            serving(core) as port,
            Client(f"http://127.0.0.1:{port}", CREDENTIALS, patience=QUICK) as connected,
        ):
            assert connected.list_all(STACK) == []
            assert connected.list_all(STACK) == []

    def test_one_connection_serves_many_requests(self) -> None:
        connections: list[int] = []

        def core(connection: socket.socket) -> None:
            connections.append(1)
            while request := received(connection):
                version = request.startswith(b"GET /version")
                answer = response("200 OK", "2.3.2", "text/plain") if version else response("200 OK", "[]")
                connection.sendall(answer)

        with (
            serving(core) as port,
            Client(f"http://127.0.0.1:{port}", CREDENTIALS, patience=QUICK) as connected,
        ):
            for _ in range(5):
                connected.list_all(STACK)
        assert len(connections) == 1

    @pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
    def test_a_proxy_is_not_used_to_reach_this_machine(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
        with (
            serving(answering(response("200 OK", "2.3.2", "text/plain"))) as port,
            Client(f"http://127.0.0.1:{port}", CREDENTIALS, patience=QUICK) as connected,
        ):
            assert str(connected.version()) == "2.3.2"

    @staticmethod
    def failure(address: str, patience: Patience = QUICK, kind: type[KomodoError] = KomodoUnreachable) -> KomodoError:
        with Client(address, CREDENTIALS, patience=patience) as connected, pytest.raises(kind) as raised:
            connected.read("GetStack", {"stack": "web"})
        assert str(raised.value).startswith(f"komodo {address}: ")
        assert len(str(raised.value).splitlines()) == 2
        return raised.value


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        ["", "komodo.test", "ftp://komodo.test", "http://", "http://[::", "http://a:b", "http://a?b", "http://a b"],
    )
    def test_what_is_no_address_is_refused(self, address: str) -> None:
        with pytest.raises(KomodoError, match="is no address of a Core"):
            Client(address, CREDENTIALS)

    def test_a_password_in_the_address_is_refused_and_not_shown(self) -> None:
        with pytest.raises(KomodoError, match="must not hold a user name") as raised:
            Client("http://me:swordfish@komodo.test", CREDENTIALS)
        assert "swordfish" not in str(raised.value)

    def test_a_last_slash_is_no_matter(self) -> None:
        with Client("http://komodo.test:9120/", CREDENTIALS) as connected:
            assert connected.address == "http://komodo.test:9120"
