"""``/ws/update`` on a socket: the part of RFC 6455 that its clients need."""

import base64
import hashlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from io import BufferedIOBase

from homeops.lab.core.core import Core
from homeops.lab.core.feed import LOGGED_IN, Connection, refusal_text
from homeops.lab.core.refusal import Refusal

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_LIMIT = 1 << 20


def accept_key(key: str) -> str:
    """What answers the client's ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1((key + _MAGIC).encode(), usedforsecurity=False).digest()).decode()


@dataclass
class Socket:
    """One connection after the handshake; ``send`` is safe from several threads."""

    reader: BufferedIOBase
    connection: socket.socket
    _sending: threading.Lock = field(default_factory=threading.Lock)

    def send(self, text: str) -> None:
        """Send a text frame."""
        self._frame(_TEXT, text.encode("utf-8", "surrogatepass"))

    def receive(self) -> str | None:
        """The next text; None when the client closes the connection. Pings are answered."""
        while True:
            frame = self._read()
            if frame is None or frame[0] == _CLOSE:
                return None
            if frame[0] == _PING:
                self._frame(_PONG, frame[1])
            elif frame[0] in (_TEXT, _BINARY):
                return frame[1].decode("utf-8", "replace")

    def _frame(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | kind, length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 127, length)
        with self._sending:
            self.connection.sendall(head + payload)

    def _read(self) -> tuple[int, bytes] | None:
        head = self.reader.read(2)
        if len(head) < 2:
            return None
        length = head[1] & 0x7F
        if length >= 126:
            size, form = (2, "!H") if length == 126 else (8, "!Q")
            [length] = struct.unpack(form, self.reader.read(size))
        if length > _LIMIT or not head[1] & 0x80:
            return None
        mask = self.reader.read(4)
        payload = self.reader.read(length)
        return head[0] & 0x0F, bytes(letter ^ mask[at % 4] for at, letter in enumerate(payload))


def follow_updates(core: Core, stream: Socket, peer: str) -> None:
    """Let a client in and tell it of Updates until it leaves. A refused one is told why, and the connection ends."""
    first = stream.receive()
    if first is None:
        return
    try:
        connection = core.feed.login(first, peer)
    except Refusal as refusal:
        stream.send(refusal_text(refusal))
        return
    stream.send(LOGGED_IN)
    teller = threading.Thread(target=_tell, args=(connection, stream), daemon=True)
    teller.start()
    try:
        while stream.receive() is not None:
            pass
    except OSError:
        pass
    finally:
        core.feed.leave(connection)
        connection.frames.put(None)
        teller.join()


def _tell(connection: Connection, stream: Socket) -> None:
    try:
        while (frame := connection.frames.get()) is not None:
            stream.send(frame)
        stream.connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
