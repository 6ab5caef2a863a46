"""Small real servers on 127.0.0.1, for what a mock transport cannot show: refusal, TLS, silence, lost connections."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(conversation: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> Generator[int]:
    """A port on which every connection is handed to ``conversation`` and then closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads: list[threading.Thread] = []

        def converse(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(10)
                try:
                    if tls:
                        with tls.wrap_socket(connection, server_side=True) as wrapped:
                            conversation(wrapped)
                    else:
                        conversation(connection)
                except OSError:
                    return  # the client went away, as some tests want it to

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=converse, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()
        for thread in threads:
            thread.join()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def received(connection: socket.socket) -> bytes:
    """One request with its body, empty when the client closed the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def response(status: str, body: str, content_type: str = "application/json", *headers: str) -> bytes:
    """A whole HTTP response that keeps the connection."""
    data = body.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(data)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def answering(*responses: bytes) -> Callable[[socket.socket], None]:
    """A conversation that gives these answers, one after another, to the requests of a connection."""

    def conversation(connection: socket.socket) -> None:
        for answer in responses:
            if received(connection):
                connection.sendall(answer)

    return conversation


def self_signed(directory: Path) -> ssl.SSLContext:
    """A server's TLS context with a certificate for 127.0.0.1 that nobody trusts."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
