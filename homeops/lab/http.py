"""The two doors of a simulated Core: an HTTP server on this machine, and a transport for httpx in the same process."""

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import httpx

from homeops.lab.core.answer import Answer, Dropped
from homeops.lab.core.core import Core
from homeops.lab.websocket import Socket, accept_key, follow_updates

if TYPE_CHECKING:
    from io import BufferedReader


class CoreTransport(httpx.BaseTransport):
    """Requests of an ``httpx.Client`` go straight to a Core, without a socket."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; a dropped connection is a RemoteProtocolError, as on a socket."""
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
    """A Core on 127.0.0.1; ``port`` 0 takes a free one. Use it as a context, or ``start`` and ``stop`` it."""

    def __init__(self, core: Core, port: int = 0) -> None:
        self.core = core
        self._server = _Server(("127.0.0.1", port), _handler(core))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def address(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Answer requests from now on, in threads of their own."""
        self._thread.start()

    def stop(self) -> None:
        """End every connection and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A stopped server does not wait for the idle connections that clients keep open.
    block_on_close = False
    request_queue_size = 128


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
