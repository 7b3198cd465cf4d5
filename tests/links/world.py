"""The servers of the hostile world, one process in a network namespace: web sites, a name server, and canaries.

Every connection to an address that is not one of the world's public ones is recorded as a hit.
``python -m tests.links.world HITS ADDRESS…`` serves sites on every address, and names on the first public one.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from pathlib import Path
from typing import cast

from tests.links.certificates import SECURE_HOSTS, contexts
from tests.links.sites import PUBLIC, PUBLIC_6, ROUTES, Visit, bomb, good

PORTS = (80, 25)
SECURE_PORT = 443
NAMES = {
    "song.example": [PUBLIC],
    "inside.example": ["10.1.2.3"],
    "local.example": ["127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "mixed.example": [PUBLIC, "192.168.7.7"],
    "own.example": ["45.0.0.1"],
    "six.example": [PUBLIC_6],
    "inside-six.example": ["fd00::9"],
    "loopback-six.example": ["::1"],
    **{host: [PUBLIC] for host in SECURE_HOSTS},
}


class World:
    """The web server of the world."""

    def __init__(self, hits: Path) -> None:
        self._hits = hits

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        if host not in {PUBLIC, PUBLIC_6} or port not in {PORTS[0], SECURE_PORT}:
            with self._hits.open("a") as file:
                file.write(f"{host} {port}\n")
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target = request.split(" ", 2)[:2]
            visit = Visit(method, target, writer)
            await ROUTES.get(visit.path, good)(visit)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


class Names(asyncio.DatagramProtocol):
    """The name server of the world; names starting with ``turn`` are public at first and private from then on."""

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str | object, int]) -> None:
        labels, place = [], 12
        while data[place]:
            labels.append(data[place + 1 : place + 1 + data[place]].decode())
            place += 1 + data[place]
        kind = struct.unpack("!H", data[place + 1 : place + 3])[0]
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        found = [
            socket.inet_pton(family, one)
            for one in self._addresses(".".join(labels).lower(), kind)
            if family is not None and (":" in one) == (family == socket.AF_INET6)
        ]
        known = 0 if found or self._addresses(".".join(labels).lower(), 0) else 3
        head = data[:2] + struct.pack("!HHHHH", 0x8580 | known, 1, len(found), 0, 0)
        answers = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(one)) + one for one in found)
        assert self._transport is not None
        self._transport.sendto(head + data[12 : place + 5] + answers, address)

    def _addresses(self, name: str, kind: int) -> list[str]:
        if not name.startswith("turn"):
            return NAMES.get(name, [])
        self._asked[name] = self._asked.get(name, 0) + (kind == 1)
        return [PUBLIC] if self._asked[name] <= 1 else ["10.1.2.3"]


async def serve(hits: Path, addresses: list[str]) -> None:
    """Serve until the process is stopped."""
    world = World(hits)
    for host in addresses:
        for port in PORTS:
            await asyncio.start_server(world.answer, host, port)
    if PUBLIC in addresses:
        bomb()
        await asyncio.start_server(world.answer, PUBLIC, SECURE_PORT, ssl=contexts(hits.parent))
        await asyncio.get_running_loop().create_datagram_endpoint(Names, (PUBLIC, 53))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2:]))
