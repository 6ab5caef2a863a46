"""No test sends anything beyond this machine: whoever tries gets an error in place of a connection."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

REAL = ("sharmamohit.com", "192.168.11.")
"""Names and addresses of the real homelab; not even looked up."""


class NotThisMachineError(RuntimeError):
    """Raised in a test that would have sent something to another machine."""


def refuse(patch: pytest.MonkeyPatch) -> None:
    """Let sockets of this process reach this machine only, and names of the real homelab stay unasked."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def checked_connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address)
        connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address)
        return connect_ex(self, address)

    def checked_getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if any(real in name for real in REAL):
            raise NotThisMachineError(f"{name} is the real homelab's")
        return getaddrinfo(host, *rest, **more)

    patch.setattr(socket.socket, "connect", checked_connect)
    patch.setattr(socket.socket, "connect_ex", checked_connect_ex)
    patch.setattr(socket, "getaddrinfo", checked_getaddrinfo)


def _check(family: int, address: Any) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6) or address[0] == "localhost":
        return
    if not ip_address(address[0]).is_loopback:
        raise NotThisMachineError(f"{address[0]} is not this machine")
