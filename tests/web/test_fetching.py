"""How a page fetches, in both browsers: first what is shown, and on from its last byte."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from imgsync import ImageRef
from tests.kit.browsers import Started, open_browser
from tests.kit.web_pages import WIDTH, make_png, open_client_page, open_session, show_url
from tests.net.test_frames import RawPeer

CORS = b"access-control-allow-origin: *\r\n"
HALF = 60
LAST = 2

# Counts the bytes that the page has read of what it fetches.
COUNT = """
window.read = 0;
const { read } = ReadableStreamDefaultReader.prototype;
ReadableStreamDefaultReader.prototype.read = async function () {
  const part = await read.call(this);
  window.read += part.value?.length ?? 0;
  return part;
};
"""


@attrs.define
class HalvingServer:
    """Sends half of each picture but the last, and the rest when it is asked for that."""

    origin: str = ""
    asked: list[tuple[int, int]] = attrs.field(factory=list)
    """By width less WIDTH, and from which byte on."""
    exposes: bool = True

    async def serve(self, stream: trio.SocketStream) -> None:
        peer = RawPeer(stream)
        while head := await peer.read_head():
            name = re.match(rb"GET /([0-9]+)", head)
            assert name is not None, head  # no preflight
            number = int(name[1])
            part = re.search(rb"(?i)\r\nrange: bytes=([0-9]+)-\r\n", head)
            offset = 0 if part is None else int(part[1])
            self.asked.append((number, offset))
            await self._answer(peer, make_png(WIDTH + number, 8 + number), offset)

    async def _answer(self, peer: RawPeer, png: bytes, offset: int) -> None:
        mark = b"last-modified: Sat, 01 Aug 2026 10:00:00 GMT\r\n"
        if self.exposes:
            mark += b'etag: "1"\r\naccess-control-expose-headers: ETag, Content-Range\r\n'
        length = b"content-length: %d\r\n\r\n" % (len(png) - offset)
        if offset:
            part = b"content-range: bytes %d-%d/%d\r\n" % (offset, len(png) - 1, len(png))
            await peer.send(b"HTTP/1.1 206 Partial\r\n" + CORS + mark + part + length)
            await peer.send(png[offset:])
            return
        sent = png if self.asked[-1][0] == LAST else png[:HALF]
        await peer.send(b"HTTP/1.1 200 OK\r\n" + CORS + mark + length + sent)


@asynccontextmanager
async def open_halving_server() -> AsyncIterator[HalvingServer]:
    server = HalvingServer()

    async def handle(stream: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.serve, stream)

    async def serve_all(*, task_status: trio.TaskStatus[list[trio.SocketListener]]) -> None:
        async def quietly(stream: trio.SocketStream) -> None:
            try:
                await handle(stream)
            except* (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionError):
                pass

        await trio.serve_tcp(quietly, 0, host="127.0.0.1", task_status=task_status)

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(serve_all)
        server.origin = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        yield server
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("exposes", [True, False], ids=["told of parts", "told nothing"])
async def test_what_is_shown_stops_what_is_announced_and_that_goes_on_where_it_was(
    either: Started, relay: str, exposes: bool
) -> None:
    async with (
        open_halving_server() as server,
        open_browser(either) as browser,
        open_client_page(browser, relay, f"halves-{exposes}", COUNT) as client,
        open_session(relay, f"halves-{exposes}") as session,
    ):
        server.exposes = exposes
        urls = [f"{server.origin}/{number}" for number in range(LAST + 1)]
        session.preload([ImageRef(number, url, url) for number, url in enumerate(urls)])
        await client.page.wait(f"window.read === {2 * HALF}")
        assert sorted(server.asked) == [(0, 0), (1, 0)]
        await show_url(session, LAST, urls[LAST])
        await client.wait_stage(LAST, "shown")
        await client.page.wait("sent.some((m) => m.type === 'preloaded' && m.there === 2)")
        assert server.asked[2] == (LAST, 0)
        assert sorted(server.asked[3:]) == [(0, HALF), (1, HALF)]
        for number in range(LAST):
            await show_url(session, number, urls[number])
            await client.wait_stage(number, "shown")
        assert len(server.asked) == 5
        assert client.page.errors == []
