"""Since when an image is on the screen, and from which frame on, in Chromium and in Firefox."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from imgsync import EvaluatorSession, ImageRef
from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from tests.kit.browsers import JSON, Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.web_images import open_images
from tests.kit.web_pages import (
    ACK_S,
    WIDTH,
    ClientPage,
    make_png,
    open_client_page,
    open_session,
    show_url,
)

pytestmark = in_either


# When each image was in the document, and when the browser has presented it.
WATCH = """
window.placed = [];
window.presented = [];
const origin = Math.round(performance.timeOrigin);
const replace = Element.prototype.replaceChildren;
Element.prototype.replaceChildren = function (...nodes) {
  for (const node of this.id === "stage" ? nodes : [])
    placed.push({ at: origin + performance.now(), node });
  return replace.apply(this, nodes);
};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) presented.push(origin + entry.presentationTime);
}).observe({ type: "element" });
"""


async def test_each_showing_has_an_onset_of_its_own(browser: Browser, relay: str) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "onsets", WATCH) as client,
        open_session(relay, "onsets") as session,
    ):
        page = client.page
        assert await page.run("crossOriginIsolated")
        # Twice the same, twice the same in a row, a drawing, and one that pages may not read.
        series = ["0.png", "1.png", "0.png", "0.png", "drawn/2.svg", "guarded/3.png", "1.png"]
        shown: list[JSON] = []
        for number, path in enumerate(series):
            delivery = await show_url(session, number, images.url(path))
            with trio.fail_after(ACK_S):
                assert await delivery.shown() > delivery.received_at
            shown.append(await client.wait_stage(number, "shown"))
            latency = delivery.onset_latency
            assert latency is not None
            assert latency.bound > shown[-1]["within"]
        placed = await page.run("placed.map(({ at }) => at)")
        assert all(one["at"] >= at for one, at in zip(shown, placed, strict=True))
        assert await page.run("new Set(placed.map(({ node }) => node)).size") == len(series)
        hidden = [one["at"] for one in await client.sent("stage") if one["stage"] == "hidden"]
        assert hidden == [one["at"] for one in shown[1:]]
        if await page.run("PerformanceObserver.supportedEntryTypes.includes('element')"):
            of_ours = [one for one, path in zip(shown, series, strict=True) if "3" not in path]
            assert {(one["timing"], one["within"]) for one in of_ours} == {("presented", 0)}
            assert {one["at"] for one in of_ours} <= set(await page.run("presented"))
        else:
            assert {one["timing"] for one in shown} == {"frame"}
            # Two frames at least.
            assert all(one["within"] > 15 for one in shown)


# Animation frames come when they are let.
HELD_FRAMES = """
const [realFrame, realCancel] = [requestAnimationFrame, cancelAnimationFrame];
window.held = new Map();
window.isHeld = false;
window.requestAnimationFrame = (act) => {
  const id = realFrame((time) => (isHeld ? held.set(id, act) : act(time)));
  return id;
};
window.cancelAnimationFrame = (id) => {
  held.delete(id);
  realCancel(id);
};
window.letGo = () => {
  isHeld = false;
  for (const act of held.values()) act(performance.now());
};
window.afterFrames = (count) =>
  new Promise((done) => {
    const go = () => ((count -= 1) > 0 ? realFrame(go) : done(true));
    go();
  });
"""

MEASURED = "afterFrames(60)"
"""Frames after which the page has none for measuring how often they come."""


async def test_what_is_superseded_before_its_frame_is_not_put_up_and_nothing_else_told_as_shown(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "held", HELD_FRAMES) as client,
        open_session(relay, "held") as session,
    ):
        await show_url(session, 0, images.url("0.png"))
        await client.wait_stage(0, "shown")
        await client.page.run("void (isHeld = true)")
        await show_url(session, 1, images.url("1.png"))
        await client.wait_stage(1, "fetched")
        await show_url(session, 2, images.url("slow/2.png"))
        await client.wait_stage(1, "failed", "superseded")
        await client.page.run("letGo()")
        assert await client.stages(2) == []
        await client.wait_shows(0)
        images.slow.set()
        await client.wait_stage(2, "shown")
        assert await client.put_up() == [0, 2]
        assert await client.stages(1) == ["fetched", "superseded"]
        assert await client.stages(0) == ["fetched", "shown", "hidden"]


async def test_what_stays_in_view_is_told_though_another_was_to_take_its_place_in_that_frame(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "stays", HELD_FRAMES) as client,
        open_session(relay, "stays") as session,
    ):
        await client.page.resize(800, 600)
        await show_url(session, 0, images.url("0.png"))
        await client.wait_stage(0, "shown")
        await client.page.run(MEASURED)
        await client.page.resize(700, 500)
        await client.page.run("void (isHeld = true)")
        await client.wait_stage(0, "hidden", "resized")
        await client.page.wait("held.size > 0")
        await show_url(session, 1, images.url("1.png"))
        await client.wait_stage(1, "fetched")
        await show_url(session, 2, images.url("slow/2.png"))
        await client.wait_stage(1, "failed", "superseded")
        await client.page.run("letGo()")
        again = "sent.filter((m) => m.imageIndex === 0 && m.stage === 'shown').length === 2"
        await client.page.wait(again)
        images.slow.set()
        await client.wait_stage(2, "shown")
        assert await client.stages(0) == ["fetched", "shown", "resized", "shown", "hidden"]


# What the browser tells of elements comes when it is let.
LATE_NEWS = """
window.news = [];
window.PerformanceObserver = class extends PerformanceObserver {
  constructor(act) {
    super((list) => news.push(() => act(list)));
  }
};
"""


async def test_what_was_told_of_an_earlier_sight_is_none_of_a_later_one(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "late", HELD_FRAMES + LATE_NEWS) as client,
        open_session(relay, "late") as session,
    ):
        page = client.page
        await page.resize(800, 600)
        await show_url(session, 0, images.url("0.png"))
        is_told = await page.run("PerformanceObserver.supportedEntryTypes.includes('element')")
        await page.wait("news.length > 0" if is_told else "sent.some((m) => m.stage === 'shown')")
        await page.run(MEASURED)
        await page.run("void (isHeld = true)")
        await page.resize(700, 500)
        await client.wait_stage(0, "hidden", "resized")
        await page.wait("held.size > 0")
        await page.run("letGo(), news.forEach((tell) => tell())")
        await page.wait("sent.filter((m) => m.stage === 'shown').length === 2")
        shown = [one for one in await client.sent("stage") if one["stage"] == "shown"]
        assert [one["timing"] for one in shown] == ["frame", "frame"]
        assert page.errors == []


# ── animations ───────────────────────────────────────────────────────────────────────────────────

FIRST_S = 0.8
"""For how long the first of two frames is there. The second one stays."""


def make_gif() -> bytes:
    """Red, then blue; without a loop."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\xff\0\0\0\0\xff"
    frames = b""
    for colour in (0, 1):
        delay = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 0, round(FIRST_S * 100), 0, 0)
        place = struct.pack("<BHHHHB", 0x2C, 0, 0, 1, 1, 0)
        # Clear, the colour, the end; of three bits each.
        code = 4 | colour << 3 | 5 << 6
        frames += delay + place + b"\x02\x02" + struct.pack("<H", code) + b"\0"
    return head + frames + b"\x3b"


def make_apng() -> bytes:
    """The same."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    def frame(number: int) -> bytes:
        timing = (round(FIRST_S * 1000), 1000, 0, 0)
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 1, 1, 0, 0, *timing))

    red, blue = (zlib.compress(b"\0" + colour) for colour in (b"\xff\0\0", b"\0\0\xff"))
    parts = (
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        chunk(b"acTL", struct.pack(">II", 2, 1)),
        frame(0) + chunk(b"IDAT", red),
        frame(1) + chunk(b"fdAT", struct.pack(">I", 2) + blue),
        chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def make_svg(head: str, rest: str = "") -> bytes:
    about = 'xmlns="http://www.w3.org/2000/svg" width="10" height="10"'
    return f'<svg {about}>{head}<rect width="10" height="10">{rest}</rect></svg>'.encode()


STYLE = f"""<style>
rect {{ animation: a {2 * FIRST_S}s step-end forwards; }}
@keyframes a {{ 0% {{ fill: red }} 50%, 100% {{ fill: blue }} }}
</style>"""
SMIL = (
    f'<animate attributeName="fill" values="red;blue" dur="{2 * FIRST_S}s" calcMode="discrete"'
    ' fill="freeze" />'
)

ANIMATED = {
    "a.gif": (make_gif(), "image/gif"),
    "a.png": (make_apng(), "image/png"),
    "style.svg": (make_svg(STYLE), "image/svg+xml"),
    "smil.svg": (make_svg("", SMIL), "image/svg+xml"),
    "still.png": (make_png(WIDTH), "image/png"),
}


@asynccontextmanager
async def open_animated() -> AsyncIterator[str]:
    """Where they are."""

    async def answer(request: Request) -> Response:
        body, kind = ANIMATED[request.path.removeprefix("/")]
        return Response(200, body, kind, (("access-control-allow-origin", "*"),))

    listeners = await open_port("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_site, Site(http=answer), listeners))
        yield f"http://127.0.0.1:{port_of(listeners)}"
        nursery.cancel_scope.cancel()


# Firefox times the frames of all rasters together, so that the first may be there for no time.
MOVING = {
    "chromium": ["a.gif", "a.png", "style.svg", "smil.svg"],
    "firefox": ["style.svg", "smil.svg"],
}


async def test_an_animation_begins_with_its_first_frame_each_time(
    browser: Browser, relay: str, request: pytest.FixtureRequest
) -> None:
    names = MOVING["firefox" if "firefox" in request.node.name else "chromium"]
    async with (
        open_animated() as origin,
        open_client_page(browser, relay, "moving") as client,
        open_session(relay, "moving") as session,
    ):
        images = {
            name: ImageRef(n, f"{origin}/{name}", f"{origin}/{name}")
            for n, name in enumerate(ANIMATED)
        }
        session.preload([images[name] for name in names])
        for name in names:
            first = await show_in_time(session, client, images[name])
            await wait_changed(client.page, first)
            # Also once it was at its end.
            await show_in_time(session, client, images["still.png"])
            assert await show_in_time(session, client, images[name]) == first


async def show_in_time(session: EvaluatorSession, client: ClientPage, image: ImageRef) -> bytes:
    """Show it; what is seen while its first frame is there."""
    for _ in range(5):
        with trio.fail_after(ACK_S):
            shown_at = await (await session.show(image)).shown()
            seen = await client.page.screenshot()
        if time.time() * 1000 < shown_at + FIRST_S * 900:
            return seen
    raise AssertionError("this machine is too busy to look at a page within a second")


async def wait_changed(page: Page, seen: bytes) -> None:
    with trio.fail_after(ACK_S):
        while True:
            if await page.screenshot() != seen:
                return
            await trio.sleep(0.05)
