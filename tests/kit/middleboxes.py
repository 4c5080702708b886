"""A router or firewall between two programs, which forgets connections without a word."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import attrs
import trio

from imgsync.net.ports import open_port, port_of
from imgsync.tasks import open_background

HERE = "127.0.0.1"

CHUNK = 64 * 1024


@attrs.define
class Middlebox:
    """One that acknowledges all that comes, as the worst of them do.

    :param url: at which the relay is to be had through it.
    :param target: the port of the relay, for connections to come.
    :param seen: connections that have come so far.
    """

    url: str
    target: int
    seen: int = 0
    _open: set[trio.SocketStream] = attrs.field(factory=set)
    _forgotten: int = 0
    _is_dark: bool = False

    def forget(self) -> None:
        """Pass nothing more on of the connections that there are; later ones work."""
        self._forgotten = self.seen

    def darken(self) -> None:
        """Pass nothing on any more, of any connection."""
        self._is_dark = True

    def reset(self) -> None:
        """Break off the connections that there are, as who has no memory of them does."""
        for stream in self._open:
            at_once = struct.pack("ii", 1, 0)  # tells of it, and sends nothing of what is left
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            stream.socket.close()

    @property
    def port(self) -> int:
        """Its own."""
        return urlsplit(self.url).port or 0

    def passes(self, number: int) -> bool:
        """Whether a connection still works."""
        return number > self._forgotten and not self._is_dark


@asynccontextmanager
async def open_middlebox(relay_url: str) -> AsyncIterator[Middlebox]:
    """Stand before a relay."""
    port = urlsplit(relay_url).port
    assert port is not None

    async def carry(number: int, source: trio.SocketStream, target: trio.SocketStream) -> None:
        try:
            while some := await source.receive_some(CHUNK):
                if box.passes(number):
                    await target.send_all(some)
            if box.passes(number):
                await target.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def serve(near: trio.SocketStream) -> None:
        box.seen += 1
        number = box.seen
        async with near:
            try:
                far = await trio.open_tcp_stream(HERE, box.target)
            except OSError:
                return
            box._open.add(near)
            async with far, trio.open_nursery() as both:
                both.start_soon(carry, number, near, far)
                both.start_soon(carry, number, far, near)
            box._open.remove(near)

    listeners = await open_port(HERE, 0)
    box = Middlebox(f"ws://{HERE}:{port_of(listeners)}/ws", port)
    async with open_background() as nursery:
        await nursery.start(trio.serve_listeners, serve, listeners)
        yield box
