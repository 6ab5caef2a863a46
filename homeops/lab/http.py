"""The two doors of a simulated Core: an HTTP server on this machine, and a transport for httpx in the same process."""

import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import httpx

from homeops.lab.core.answer import Answer, Dropped
from homeops.lab.core.core import Core
from homeops.lab.websocket import Socket, accept_key, follow_updates

if TYPE_CHECKING:
    from io import BufferedReader

LOOPBACK = "127.0.0.1"


class CoreTransport(httpx.BaseTransport):
    """Requests of an ``httpx.Client`` go straight to a Core, without a socket."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; as on a socket, a dropped connection is a RemoteProtocolError, an ended Core refuses."""
        if self.core.down:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        path = request.url.raw_path.decode("ascii")
        try:
            answer = self.core.answer(request.method, path, request.headers, request.read())
        except Dropped:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            ) from None
        return httpx.Response(answer.status, headers=_headers(answer), content=answer.body, request=request)


def _headers(answer: Answer) -> Mapping[str, str]:
    headers = dict(answer.headers)
    if answer.content_type is not None:
        headers["Content-Type"] = answer.content_type
    return headers


class CoreServer:
    """A Core on an address of this machine; ``port`` 0 takes a free one.

    Use it as a context, or ``start`` and ``stop`` it.

    While Core has ended it refuses connections, and keeps its port.
    """

    def __init__(self, core: Core, port: int = 0, host: str = LOOPBACK) -> None:
        self.core = core
        self._host = host
        self._socket = _bound(host, port)
        self._port: int = self._socket.getsockname()[1]
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()

    @property
    def address(self) -> str:
        """``http://HOST:PORT``."""
        return f"http://{self._host}:{self._port}"

    def start(self) -> None:
        """Answer requests from now on, in threads of their own, as long as Core has not ended."""
        self.core.doors.append(self)
        if not self.core.down:
            self.open()

    def stop(self) -> None:
        """End every connection and free the port."""
        self.core.doors.remove(self)
        self.close()
        self._socket.close()

    def open(self) -> None:
        """Take connections."""
        with self._turn:
            self._server = _Server(self._socket, _handler(self.core))
            serve, interval = self._server.serve_forever, {"poll_interval": 0.05}
            self._thread = threading.Thread(target=serve, kwargs=interval, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End every connection and refuse new ones; the port stays taken."""
        with self._turn:
            if self._server is None or self._thread is None:
                return
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            # Bound but not listening: who connects is refused.
            self._socket = _bound(self._host, self._port)
            self._server.cut()
            self._server = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def _bound(host: str, port: int) -> socket.socket:
    """A socket of this machine that does not listen yet."""
    found = socket.socket()
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A stopped server does not wait for the idle connections that clients keep open.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, bound: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(bound.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self._open = set[socket.socket]()
        self._guard = threading.Lock()
        self.server_activate()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """A connection is over."""
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that end in the middle: either side may end at any time."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def cut(self) -> None:
        """End every connection."""
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _handler(core: Core) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave in one packet: no wait for the client's delayed acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *_args: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

        def _answer(self) -> None:
            if self.path == "/ws/update" and self.headers.get("Upgrade", "").lower() == "websocket":
                self._follow()
                return
            announced = self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers
            late = announced and not self._body_began()
            body = self._body()
            try:
                answer = core.answer(self.command, self.path, dict(self.headers), body, self.client_address[0])
            except Dropped:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in _headers(answer).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            # Core answers 401 before it reads the body; if that comes in a later packet the connection ends, unsaid.
            self.close_connection = self.close_connection or (late and answer.status == 401)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def _follow(self) -> None:
            """Become a websocket."""
            self.close_connection = True
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", accept_key(self.headers.get("Sec-WebSocket-Key", "")))
            self.end_headers()
            self.wfile.flush()
            follow_updates(core, Socket(self.rfile, self.connection), self.client_address[0])

        def _body(self) -> bytes:
            """The body, whole or in chunks."""
            if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = list[bytes]()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(chunks)

        def _body_began(self) -> bool:
            """Whether some of the body came with the headers."""
            self.connection.setblocking(False)
            try:
                return bool(cast("BufferedReader", self.rfile).peek(1))
            finally:
                self.connection.setblocking(True)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _answer  # noqa: N815

    return Handler
