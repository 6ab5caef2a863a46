"""A door to a program that is elsewhere: every connection is passed on to it, byte by byte.

Runs by itself in a container on Python's library alone. Takes the port to listen on and the address to pass on to.
"""

import asyncio
import socket
import struct
import sys
from contextlib import suppress

CONNECT_SECONDS = 5
SILENT_SECONDS = 60
"""After so long without a word, an end is asked whether it is still there; one that went without a word is let go."""
CHUNK = 1 << 16


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: tuple[str, int]) -> None:
    """Pass one connection on until both ends have said all; where nothing answers, it is closed."""
    try:
        there = await asyncio.wait_for(asyncio.open_connection(*address), CONNECT_SECONDS)
    except (OSError, TimeoutError):
        _break(writer)
        return
    try:
        for end in (writer, there[1]):
            _watch(end.get_extra_info("socket"))
        await asyncio.gather(_carry(reader, there[1]), _carry(there[0], writer))
    except OSError:
        # One end is gone: so is the connection, for the other one too.
        _break(writer)
        _break(there[1])
    finally:
        writer.close()
        there[1].close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    # The other direction goes on: whoever has asked all may still wait for the answer.
    writer.write_eof()


def _break(writer: asyncio.StreamWriter) -> None:
    """Close without a proper end: what was said may not be all."""
    # Closed like this, it is reset.
    at_once = struct.pack("ii", 1, 0)
    with suppress(OSError):
        # The end that broke off may be closed already.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


def _watch(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, SILENT_SECONDS), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3)):
        end.setsockopt(socket.IPPROTO_TCP, option, value)


async def serve(port: int, address: tuple[str, int]) -> None:
    """Listen until ended."""

    async def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await relay(reader, writer, address)

    server = await asyncio.start_server(opened, None, port)
    print(f"a door to {address[0]}:{address[1]} is open at port {port}", flush=True)
    await server.serve_forever()


def main(port: str, to: str) -> None:
    """Be the door."""
    host, _, number = to.rpartition(":")
    asyncio.run(serve(int(port), (host, int(number))))


if __name__ == "__main__":
    main(*sys.argv[1:])
