"""A DNS server that knows the lab's names and no others. Runs by itself in a container on Python's library alone.

Takes its names as ``name=address`` arguments. A name below a known one is not known. Names that it does not know do not
exist (NXDOMAIN), so nothing in the lab looks for anybody outside.
"""

import socketserver
import sys
from ipaddress import IPv4Address

PORT = 53
TTL_SECONDS = 5
_ADDRESS, _INTERNET = 1, 1
_ANSWERS, _RECURSES, _NO_SUCH_NAME, _GARBLED = 0x8400, 0x0080, 3, 1


def answer(question: bytes, names: dict[str, str]) -> bytes:
    """The reply to one message (RFC 1035, section 4); a message that is none is called garbled."""
    try:
        name, end = _name(question)
        kind, family = (int.from_bytes(question[at : at + 2], "big") for at in (end, end + 2))
        if int.from_bytes(question[4:6], "big") != 1 or len(question) < end + 4:
            raise ValueError
    except (IndexError, ValueError):
        return question[:2].ljust(2, b"\0") + _words(_ANSWERS | _GARBLED, 0, 0, 0, 0)
    address = names.get(name)
    asked_back = int.from_bytes(question[2:4], "big") & 0x0100
    flags = _ANSWERS | _RECURSES | asked_back | (0 if address else _NO_SUCH_NAME)
    # A known name has an IPv4 address; that it has no other is an empty answer.
    found = address is not None and (kind, family) == (_ADDRESS, _INTERNET)
    reply = question[:2] + _words(flags, 1, int(found), 0, 0) + question[12 : end + 4]
    if address is not None and found:
        # The name is where the question has it: at 12.
        record = _words(0xC00C, _ADDRESS, _INTERNET, 0, TTL_SECONDS, 4)
        reply += record + IPv4Address(address).packed
    return reply


def _name(question: bytes) -> tuple[str, int]:
    """The name that is asked for, in lower case, and where it ends."""
    labels: list[str] = []
    at = 12
    while size := question[at]:
        if size > 63 or at + size >= len(question):
            raise ValueError
        labels.append(question[at + 1 : at + 1 + size].decode("latin-1").lower())
        at += 1 + size
    return ".".join(labels), at + 1


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


class Handler(socketserver.DatagramRequestHandler):
    """One question."""

    names: dict[str, str]

    def handle(self) -> None:
        """Answer it."""
        self.wfile.write(answer(self.rfile.read(), self.names))


def main(*pairs: str) -> None:
    """Serve until ended."""
    Handler.names = {name.lower(): address for name, _, address in (pair.partition("=") for pair in pairs)}
    with socketserver.ThreadingUDPServer(("", PORT), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
