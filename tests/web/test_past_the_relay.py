"""Own pictures of the console pass the relay by: neither its metrics, its log nor its port know."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from imgsync.net.ports import open_port, port_of
from tests.kit.browsers import ANSWER_S, LOOK_AGAIN_S, Browser, Page
from tests.kit.console_pages import ConsolePage, console_url
from tests.kit.relays import open_running_relay
from tests.kit.web_pages import WIDTH, make_png, open_client_page
from tests.relay.test_limits import get

PHONE = 390, 844

SIZE = 200_000
"""Bytes of a picture."""

# What a page makes URLs of, how many signals it has posted, and its connections.
WATCH = """
window.taken = [];
const { createObjectURL } = URL, post = WebSocket.prototype.send;
URL.createObjectURL = (blob) => (taken.push(blob), createObjectURL.call(URL, blob));
window.signals = 0;
WebSocket.prototype.send = function (text) {
  if (JSON.parse(text).event === "webrtc_signal") signals += 1;
  post.call(this, text);
};
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); connections.push(this); }
};
"""

HASHES = """
Promise.all(taken.map(async (blob) => {
  const sum = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(sum)].map((one) => one.toString(16).padStart(2, "0")).join("");
}))
"""

# What it has asked for by HTTP; not its own parts, some of which it loads later.
ASKED = """
performance.getEntriesByType("resource").map(({ name }) => name)
  .filter((name) => name.startsWith("http"))
  .filter((name) => !/\\/web\\/[0-9a-f]+\\/.*\\.(js|css|svg)$/.test(name))
"""


@attrs.define
class Line:
    """Between everybody and the relay.

    :ivar carried: bytes, in both directions.
    """

    relay: int
    carried: int = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        async with (
            stream,
            await trio.open_tcp_stream("127.0.0.1", self.relay) as relay,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._carry, stream, relay, nursery.cancel_scope)
            nursery.start_soon(self._carry, relay, stream, nursery.cancel_scope)

    async def _carry(
        self, source: trio.SocketStream, sink: trio.SocketStream, over: trio.CancelScope
    ) -> None:
        with suppress(trio.BrokenResourceError):
            while data := await source.receive_some():
                self.carried += len(data)
                await sink.send_all(data)
        over.cancel()


@asynccontextmanager
async def open_line(relay: int) -> AsyncIterator[tuple[Line, str]]:
    """A line to the relay of this port, and the URL at which that is reached through it."""
    line = Line(relay)
    listeners = await open_port("127.0.0.1", 0)
    serve: Any = trio.serve_listeners  # its types do not allow for either kind of listener
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, line.serve, listeners)
        yield line, f"ws://127.0.0.1:{port_of(listeners)}/ws"
        nursery.cancel_scope.cancel()


def make_large_png(width: int, size: int) -> bytes:
    """As `make_png`, of about so many bytes, which nothing makes fewer of."""
    whole = make_png(width)
    noise = b"noIz" + os.urandom(size)
    chunk = struct.pack(">I", size) + noise + struct.pack(">I", zlib.crc32(noise))
    return whole[:-12] + chunk + whole[-12:]


async def counts(port: int) -> dict[str, str]:
    """What the relay counts; not what its process costs."""
    _, body = await get(port, "/metrics")
    told = (one.rsplit(" ", 1) for one in body.decode().splitlines())
    return {name: count for name, count in told if name.startswith("imgsync_")}


async def wait_handshake(port: int, *pages: Page) -> None:
    """Wait until the handshake's last word has been said, and passed on."""
    for page in pages:
        await page.wait("connections.at(-1).iceGatheringState === 'complete'")
    said = sum([int(await page.run("signals")) for page in pages])
    assert said > 2
    with trio.fail_after(ANSWER_S):
        while float((await counts(port))["imgsync_signals_forwarded_total"]) < said:  # noqa: ASYNC110
            await trio.sleep(LOOK_AGAIN_S)


async def traces(port: int, caplog: pytest.LogCaptureFixture, *pages: Page) -> list[object]:
    """All by which anything that goes through the relay could be noticed."""
    asked = [await page.run(ASKED) for page in pages]
    signals = [await page.run("signals") for page in pages]
    return [await counts(port), caplog.text, asked, signals]


async def test_a_dropped_folder_is_shown_on_a_phone_and_not_a_byte_of_it_passes_the_relay(
    browser: Browser, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "block 1"
    folder.mkdir()
    files = {f"{n}.png": make_large_png(WIDTH + n, SIZE) for n in range(4)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    caplog.set_level("DEBUG", "imgsync")
    async with (
        open_running_relay(within=60) as port,
        open_line(port) as (line, relay),
        open_client_page(browser, relay, "phone", WATCH) as client,
        browser.open_page() as page,
    ):
        await client.page.resize(*PHONE)
        await page.run_early(WATCH)
        await page.resize(1280, 800)
        await page.goto(console_url(relay, user="dr-past"))
        console = ConsolePage(page)
        await console.wait_says("connected", "#relay")
        await console.drop_from_disk(folder)
        await console.wait_names(*files)
        await console.start("phone")
        await wait_handshake(port, page, client.page)
        before, carried = await traces(port, caplog, page, client.page), line.carried
        for place in range(len(files)):
            await console.press("n")
            await client.wait_shows(place)
            await console.wait_fate(place, "shown")
        # Pings, and nothing that is as large as a picture.
        assert line.carried - carried < SIZE / 100
        assert await traces(port, caplog, page, client.page) == before
        assert await client.page.run(HASHES) == [
            hashlib.sha256(data).hexdigest() for data in files.values()
        ]
        assert await client.page.run("[innerWidth, innerHeight]") == [*PHONE]
        await console.end()
        acked = [(event["imageIndex"]) for event in await console.events("acked")]
        assert acked == [*range(len(files))]
        assert page.errors == client.page.errors == []
