"""What a page keeps of what was announced: all of it, and the pixels of what comes next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import pytest
import trio

from imgsync import ImageRef
from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from tests.kit.browsers import Browser
from tests.kit.web_pages import make_png, open_client_page, open_session, show_url

WIDTH, HEIGHT = 4000, 3000
"""Of the first picture; each one is wider by one. A page decodes five of them ahead."""

# When the page began to make each element, and of which URL.
MADE = """
window.made = {};
const { decode } = HTMLImageElement.prototype;
HTMLImageElement.prototype.decode = function () {
  window.lastMade = window.made[this.src] ??= performance.now();
  return decode.call(this);
};
"""

ON_SCREEN = "document.querySelector('#stage img')"


@attrs.define
class LargeImages:
    """Serves pictures that nobody may keep but the page itself."""

    headers: tuple[tuple[str, str], ...]
    origin: str = ""
    asked: int = 0

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        body = make_png(WIDTH + int(request.path.removeprefix("/")), HEIGHT)
        return Response(200, body, "image/png", self.headers)


@asynccontextmanager
async def open_large_images(*headers: tuple[str, str]) -> AsyncIterator[LargeImages]:
    images = LargeImages((*headers, ("cache-control", "no-store")))
    listeners = await open_port("127.0.0.1", 0)
    images.origin = f"http://127.0.0.1:{port_of(listeners)}"
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_site, Site(http=images.answer), listeners))
        yield images
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("headers", "tries", "count"),
    [([("access-control-allow-origin", "*")], 1, 40), ([], 2, 20)],
    ids=["read by the page", "seen alone"],
)
async def test_all_that_was_announced_comes_in_however_large_and_the_next_one_is_decoded(
    browser: Browser, relay: str, headers: list[tuple[str, str]], tries: int, count: int
) -> None:
    user = f"large-{tries}"
    async with (
        open_large_images(*headers) as images,
        open_client_page(browser, relay, user, MADE) as client,
        open_session(relay, user) as session,
    ):
        urls = [f"{images.origin}/{number}" for number in range(count)]
        session.preload([ImageRef(number, url, url) for number, url in enumerate(urls)])
        told = "m.type === 'preloaded' && m.there"
        await client.page.wait(f"sent.some((m) => {told} === {count})", 60)
        assert images.asked == count * tries
        # A person goes on, jumps and goes on.
        for number in (0, 1, 18, 19):
            before = await client.page.run("performance.now()")
            await show_url(session, number, urls[number])
            await client.wait_stage(number, "shown")
            assert await client.page.run(f"{ON_SCREEN}.naturalWidth") == WIDTH + number
            made = await client.page.run(f"window.made[{ON_SCREEN}.src]")
            assert (made < before) == (number != 18) or tries == 2
            # The ones behind it are decoded now.
            await client.page.wait("performance.now() - window.lastMade > 300")
        assert images.asked == count * tries
