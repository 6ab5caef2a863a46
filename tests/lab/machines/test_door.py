"""The door to Core passes connections on as they are, and has none where there is no Core."""

import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from homeops.lab.machines import door
from tests.komodo.loopback import free_port

SECONDS = 20


@contextmanager
def opened(to: int) -> Generator[int]:
    """A door on a port of its own, to a port of this machine."""
    port = free_port()
    command = [sys.executable, "-I", door.__file__, str(port), f"127.0.0.1:{to}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert re.match(rf"a door to 127\.0\.0\.1:{to} is open", process.stdout.readline())
            yield port
        finally:
            process.terminate()


def caller(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), SECONDS)


def all_of(end: socket.socket) -> bytes:
    """All that it still says."""
    return b"".join(iter(lambda: end.recv(1 << 16), b""))


@pytest.fixture
def core() -> Generator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        yield server


def test_who_has_asked_all_still_gets_the_whole_answer(core: socket.socket) -> None:
    question, answer = b"q" * 3_000_000, b"a" * 3_000_000
    heard: list[bytes] = []

    def serve() -> None:
        with core.accept()[0] as end:
            heard.append(all_of(end))
            end.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with opened(core.getsockname()[1]) as port, caller(port) as end:
        end.sendall(question)
        end.shutdown(socket.SHUT_WR)
        assert all_of(end) == answer
    thread.join()
    assert heard == [question]


def test_both_ends_speak_whenever_they_like_and_one_that_says_nothing_holds_up_no_other(core: socket.socket) -> None:
    with opened(core.getsockname()[1]) as port, caller(port) as silent, core.accept()[0] as unasked:
        with caller(port) as first, core.accept()[0] as second:
            for word in (b"one", b"two"):
                second.sendall(word)
                assert first.recv(9) == word
                first.sendall(word)
                assert second.recv(9) == word
        unasked.sendall(b"at last")
        assert silent.recv(9) == b"at last"


@pytest.mark.parametrize("breaks", ["caller", "core"])
def test_an_end_that_breaks_off_breaks_the_connection_for_the_other(core: socket.socket, breaks: str) -> None:
    with opened(core.getsockname()[1]) as port, caller(port) as here, core.accept()[0] as there:
        there.settimeout(SECONDS)
        gone, left = (here, there) if breaks == "caller" else (there, here)
        # Closed like this, it is reset.
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
        with pytest.raises(ConnectionResetError):
            left.recv(9)


def test_without_a_core_a_connection_is_closed_at_once_and_the_next_one_with_a_core_is_not() -> None:
    to = free_port()
    with opened(to) as port:
        with pytest.raises(ConnectionResetError), caller(port) as end:
            end.recv(9)
        with socket.create_server(("127.0.0.1", to)) as core, caller(port) as end, core.accept()[0] as there:
            there.sendall(b"here")
            assert end.recv(9) == b"here"
