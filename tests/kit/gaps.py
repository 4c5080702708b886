"""A proxy before a relay, from which a file of a page does not come."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit

import attrs
import trio

from imgsync.net.ports import open_port, port_of
from imgsync.tasks import open_background

HERE = "127.0.0.1"

CHUNK = 64 * 1024

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Gap(Enum):
    """What comes instead of a file."""

    NOTHING = "the connection ends"
    HALF = "it ends in the middle"
    REFUSAL = "the proxy has lost the relay"


@attrs.define
class GappyRelay:
    """A relay as it is behind the proxy: what is missed comes when the page is loaded again.

    :ivar url: at which it is to be had.
    :ivar away: how often a page that asks whether the relay is there hears that it is not.
    :ivar loads: how often a page has been loaded since something was lost.
    :ivar held: files that come when another path has been asked for.
    """

    url: str
    away: int = 0
    loads: int = 0
    held: dict[str, str] = attrs.field(factory=dict)
    _lost: str = ""
    _gap: Gap = Gap.NOTHING
    _last: int = 0
    _asked: defaultdict[str, trio.Event] = attrs.field(factory=lambda: defaultdict(trio.Event))

    def lose(self, path: str, gap: Gap, loads: int = 1) -> None:
        """The file whose path ends so does not come, the next so many times that a page is loaded.

        However often browsers ask for it each time.
        """
        self._lost, self._gap, self._last = path, gap, loads
        self.loads = 0

    async def gap_in(self, path: str, *, is_looked_at: bool) -> Gap | None:
        """What becomes of a request."""
        self._asked[path].set()
        self.loads += is_looked_at
        if not path.startswith("/web/") and not is_looked_at:
            is_away = self.away > 0
            self.away -= is_away
            return Gap.REFUSAL if is_away else None
        for file, other in self.held.items():
            if path.endswith(file):
                await self._asked[other].wait()
        is_lost = self._lost and path.endswith(self._lost) and self.loads <= self._last
        return self._gap if is_lost else None


@asynccontextmanager
async def open_gappy(relay_url: str) -> AsyncIterator[GappyRelay]:
    """Stand before a relay."""
    port = urlsplit(relay_url).port
    assert port is not None

    async def carry(source: trio.SocketStream, target: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while some := await source.receive_some(CHUNK):
                await target.send_all(some)
            await target.send_eof()

    async def answer(head: bytes, near: trio.SocketStream, far: trio.SocketStream) -> None:
        path = urlsplit(head.split()[1].decode()).path
        is_looked_at = b"\r\naccept: text/html" in head.lower()
        gap = await relay.gap_in(path, is_looked_at=is_looked_at)
        if gap is Gap.REFUSAL:
            await near.send_all(UNAVAILABLE)
        elif gap is not Gap.NOTHING:
            await far.send_all(_last_of_connection(head))
            whole = _not_kept(b"".join([some async for some in far]))
            await near.send_all(whole if gap is None else _half(whole))

    async def serve(near: trio.SocketStream) -> None:
        async with near, await trio.open_tcp_stream(HERE, port) as far:
            head = await _read_head(near)
            if b"\r\nupgrade: websocket" in head.lower():
                await far.send_all(head)
                async with trio.open_nursery() as both:
                    both.start_soon(carry, near, far)
                    both.start_soon(carry, far, near)
            elif head:
                with suppress(trio.BrokenResourceError):
                    await answer(head, near, far)

    listeners = await open_port(HERE, 0)
    relay = GappyRelay(f"ws://{HERE}:{port_of(listeners)}/ws")
    async with open_background() as nursery:
        await nursery.start(trio.serve_listeners, serve, listeners)
        yield relay


async def _read_head(stream: trio.SocketStream) -> bytes:
    """Empty where there is none."""
    head = b""
    with suppress(trio.BrokenResourceError):
        while some := await stream.receive_some(CHUNK):
            head += some
            if head.endswith(b"\r\n\r\n"):
                return head
    return b""


def _last_of_connection(head: bytes) -> bytes:
    """The same request, after whose answer the relay closes."""
    lines = head.rstrip(b"\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"connection: close", b"", b""])


def _not_kept(answer: bytes) -> bytes:
    """So that each load asks for all files, as the first one does."""
    return re.sub(rb"\r\ncache-control: [^\r]+", b"\r\ncache-control: no-store", answer, count=1)


def _half(answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body[: len(body) // 2]
