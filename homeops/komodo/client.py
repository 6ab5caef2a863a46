"""The client of Komodo Core: sends requests, waits where waiting is safe, raises one readable error where it is not.

* A request costs Core a bcrypt check (60 ms and more of its CPU): one connection pool, no request that says nothing
  new.
* Five wrong keys within 15 s lock a whole address out. So the first call goes alone: the version is asked for first
  (which needs no key, so that the key is sent to nothing but a Core), and after a 401 nothing more is sent with that
  key. (Core also drops the connection on which it answered 401, so the next call on it would fail anyway.)
* What may be sent twice: reads, always. Any call that never left this machine (refused, no route, no free connection).
  A write that found its target busy. Nothing else: a write whose answer was lost may have been done, and whoever asked
  looks it up.

The few lines of retrying are our own because what may be repeated depends on the request and on how far it got, and
because libraries for it log the arguments of what they repeat, which here may be secrets.
"""

import errno
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from threading import RLock
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import httpx

from homeops.errors import (
    KomodoBusy,
    KomodoError,
    KomodoGarbled,
    KomodoUnauthorized,
    KomodoUnreachable,
)
from homeops.komodo.answers import Answer, Asked, CoreVersion, core_version, decoded, is_core_asking_for_a_key, too_old
from homeops.komodo.credentials import Credentials, Token, checked_address
from homeops.komodo.requests import GET_VERSION, Request, list_all
from homeops.model.kinds import Kind

JsonObject = dict[str, Any]
_T = TypeVar("_T")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    ``read`` and ``write`` are for one answer: Core clones repositories and asks hosts within a write. ``tries``: how
    often a call is sent that may be sent again. ``busy``: how long a write goes on asking a busy resource. ``pause``:
    before the first repetition; it doubles each time.
    """

    connect: float = 5.0
    read: float = 30.0
    write: float = 120.0
    tries: int = 3
    busy: float = 60.0
    pause: float = 0.5

    def pauses(self) -> Iterator[float]:
        """The pauses between tries, without end."""
        pause = self.pause
        while True:
            yield pause
            pause = min(pause * 2, _LONGEST_PAUSE)


class Client:
    """One Core, one key, one connection pool; safe to share between threads.

    ``address``: scheme, host and port. ``transport`` stands in for the network in tests. All that its methods raise is
    a homeops.errors.KomodoError.
    """

    def __init__(
        self,
        address: str,
        credentials: Credentials | Token,
        *,
        transport: httpx.BaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.address = checked_address(address)
        self._credentials = credentials
        self._patience = patience or Patience()
        parts = urlsplit(self.address)
        self._http = httpx.Client(
            base_url=self.address,
            headers={"User-Agent": "homeops"},
            transport=transport,
            # Reading the system's certificates takes 90 ms; plain HTTP gets a context that trusts none.
            verify=True if parts.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # Proxies and SSL_CERT_FILE of the environment count, but nobody means a proxy to reach this very machine.
            trust_env=parts.hostname not in _LOOPBACK,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=8, keepalive_expiry=15),
        )
        self._door = RLock()
        self._version: CoreVersion | None = None
        self._key_is_good = False
        self._refusal: KomodoUnauthorized | None = None

    def read(self, name: str, params: JsonObject) -> Any:
        """What Core answers to a read; ``name`` as in ``GetStack``."""
        return self.send(Request("read", name, params))

    def write(self, name: str, params: JsonObject) -> JsonObject:
        """What Core answers to a write: the changed document, or an empty object."""
        request = Request("write", name, params)
        answer = self.send(request)
        if not isinstance(answer, dict):
            raise KomodoGarbled(self._asked(request).problem(f"{request.label}: the answer is no object"))
        return cast(JsonObject, answer)

    def execute(self, name: str, params: JsonObject) -> Any:
        """Start an execution: its Update (a batch: a list of them), which has only begun; see updates.follow."""
        return self.send(Request("execute", name, params))

    def list_all(self, kind: Kind) -> list[JsonObject]:
        """Everything of a kind, with configurations, in one request."""
        request = list_all(kind)
        answer = self.send(request)
        if not isinstance(answer, list) or not all(isinstance(item, dict) for item in cast(list[Any], answer)):
            raise KomodoGarbled(self._asked(request).problem(f"{request.label}: the answer is no list of objects"))
        return cast(list[JsonObject], answer)

    def version(self, patience: Patience | None = None) -> CoreVersion:
        """Core's version, asked once, with another ``patience`` than this client's when that is given.

        Raises KomodoVersion for a Core before 2.0.
        """
        with self._door:
            if self._version is None:
                self._version = self._ask_version(patience or self._patience)
            return self._version

    def send(self, request: Request) -> Any:
        """Send a request and return the value in its answer."""
        if not self._key_is_good:
            with self._door:
                if not self._key_is_good:
                    self.version()
                    return self._patiently(request)
        return self._patiently(request)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _asked(self, request: Request) -> Asked:
        secrets = self._credentials.secrets | request.secrets()
        return Asked(self.address, request.label, secrets)

    def _ask_version(self, patience: Patience) -> CoreVersion:
        asked = Asked(self.address, "GET /version")
        timeout = httpx.Timeout(patience.read, connect=patience.connect)

        def answered() -> Answer:
            return self._exchange(asked, httpx.Request("GET", f"{self.address}/version"), timeout, harmless=True)

        answer = self._repeated(answered, lambda error, tries, _: _may_pass(error, tries, patience))
        if answer.is_html and answer.status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND) and self._is_before_2():
            raise too_old(asked, "Komodo 1.x")
        return core_version(asked, answer)

    def _is_before_2(self) -> bool:
        """Whether a page in answer to /version is that of a Core before 2.0.

        Its UI answers for every path it does not know; its API asks for a key as every Core's does.
        """
        try:
            return is_core_asking_for_a_key(self._post(GET_VERSION, {}))
        except KomodoUnreachable:
            return False

    def _patiently(self, request: Request) -> Any:
        """Send until there is an answer, as often as that is safe."""

        def may_repeat(error: KomodoError, tries: int, waited: float) -> bool:
            if isinstance(error, KomodoBusy):
                return request.route == "write" and waited < self._patience.busy
            repeatable = request.changes_nothing or isinstance(error.__cause__, _NOT_SENT)
            return repeatable and _may_pass(error, tries, self._patience)

        return self._repeated(lambda: self._once(request), may_repeat)

    def _repeated(self, call: Callable[[], _T], may_repeat: Callable[[KomodoError, int, float], bool]) -> _T:
        """What the call returns.

        ``may_repeat`` gets the error, how often it was tried, and the seconds since the start at the next try.
        """
        began = monotonic()
        for tries, pause in enumerate(self._patience.pauses(), start=1):
            try:
                return call()
            except KomodoError as error:
                waited = monotonic() - began
                if not may_repeat(error, tries, waited + pause):
                    if tries > 1:
                        _add(error, f"tried {tries} times in {waited:.0f} s")
                    raise
            sleep(pause)
        raise AssertionError("the pauses have no end")

    def _once(self, request: Request) -> Any:
        if self._refusal:
            raise KomodoUnauthorized(*self._refusal.problems, status=self._refusal.status, error=self._refusal.error)
        answer = self._post(request, self._credentials.headers)
        try:
            value = decoded(self._asked(request), answer)
        except KomodoUnauthorized as error:
            if answer.status == HTTPStatus.UNAUTHORIZED:
                self._refusal = error
            raise
        self._key_is_good = True
        return value

    def _post(self, request: Request, key: Mapping[str, str]) -> Answer:
        body = json.dumps(request.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        message = httpx.Request(
            "POST",
            f"{self.address}/{request.route}",
            content=body.encode(),
            headers={"Content-Type": "application/json", **key},
        )
        wait = self._patience.read if request.changes_nothing else self._patience.write
        timeout = httpx.Timeout(wait, connect=self._patience.connect)
        return self._exchange(self._asked(request), message, timeout, harmless=request.changes_nothing)

    def _exchange(self, asked: Asked, message: httpx.Request, timeout: httpx.Timeout, *, harmless: bool) -> Answer:
        message.extensions["timeout"] = timeout.as_dict()
        try:
            response = self._http.send(message)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _no_answer(asked, error, harmless=harmless) from error
        return Answer(
            response.status_code,
            response.headers.get("content-type", ""),
            response.headers.get("location", ""),
            response.text,
        )


def _may_pass(error: KomodoError, tries: int, patience: Patience) -> bool:
    return isinstance(error, KomodoUnreachable) and tries < patience.tries and not _is_lasting(error)


def _add(error: KomodoError, more: str) -> None:
    """Let the message end with ``more``."""
    first = replace(error.problems[0], what=f"{error.problems[0].what}; {more}")
    error.problems = (first, *error.problems[1:])
    error.args = ("\n".join(map(str, error.problems)),)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_lasting(error: KomodoError) -> bool:
    """Whether the same call will fare no better in a moment: a wrong certificate, an unknown name."""
    unknown = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
    return any(
        isinstance(cause, ssl.SSLError) or (isinstance(cause, socket.gaierror) and cause.errno in unknown)
        for cause in _causes(error)
    )


def _no_answer(asked: Asked, error: Exception, *, harmless: bool) -> KomodoUnreachable:
    """The error for a call without an answer: why, and whether anything may have been done."""
    reason, hint = _reason(error)
    if harmless or isinstance(error, _NOT_SENT):
        return KomodoUnreachable(asked.problem(f"{asked.label}: {reason}; nothing was changed", hint))
    what = f"{asked.label}: {reason}; it may have been done all the same"
    return KomodoUnreachable(asked.problem(what, "run it again: what was done is found again by its name"))


def _reason(error: Exception) -> tuple[str, str]:
    """Why there was no answer, and what to look at."""
    causes = list(_causes(error))
    certificate = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    handshake = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    unknown = next((cause for cause in causes if isinstance(cause, socket.gaierror)), None)
    if certificate is not None:
        hint = "SSL_CERT_FILE=/path/to/ca.pem names the authority that signed it"
        return f"the TLS certificate is not trusted ({certificate.verify_message})", hint
    if handshake is not None:
        return f"no TLS connection ({handshake.reason or handshake})", "does this port speak https? try http://"
    if unknown is not None:
        return f"the name cannot be resolved ({unknown.strerror})", "check the address, and the DNS of this machine"
    if isinstance(error, httpx.PoolTimeout):
        return "no connection became free", "fewer calls at a time: pulumi up --parallel 4"
    if isinstance(error, httpx.ConnectTimeout):
        return "cannot connect (timed out)", "is the host up, and the port open to this machine?"
    if isinstance(error, httpx.TimeoutException):
        return "connected, but no answer in time", "is Core busy or stuck? docker logs, on its host"
    if any(isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED for cause in causes):
        return "connection refused", "is Core running there? docker ps --filter name=core, on its host"
    if isinstance(error, httpx.ConnectError):
        return f"cannot connect ({error})", "check the address and the network"
    return f"the connection was lost ({error or type(error).__name__})", "is Core restarting? try again"
