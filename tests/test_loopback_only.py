import socket

import pytest

from tests.loopback_only import NotThisMachineError


def test_no_socket_leaves_this_machine() -> None:
    with socket.socket() as one, pytest.raises(NotThisMachineError):
        one.connect(("192.0.2.1", 80))
    with socket.socket(socket.AF_INET6) as one, pytest.raises(NotThisMachineError):
        one.connect_ex(("2001:db8::1", 80))


def test_the_real_homelab_is_not_even_looked_up() -> None:
    with pytest.raises(NotThisMachineError):
        socket.getaddrinfo("komodo.sharmamohit.com", 9120)


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
