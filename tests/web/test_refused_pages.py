"""What a page says where something answers and no WebSocket comes of it, in both browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.relay.pages import load_pages
from imgsync.tasks import open_background
from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage, console_url
from tests.kit.either_browser import in_either
from tests.kit.forks import open_relay
from tests.kit.web_pages import IN_A_HURRY, ClientPage, page_url

pytestmark = in_either

SERVER = "#relay"


class Proxy:
    """One that serves the pages, and lets no WebSocket through.

    :param health: what it answers beside the pages; None for what a relay says there.
    """

    def __init__(self, health: Response | None) -> None:
        self._health = health or Response(200, b"ok\n")

    async def answer(self, request: Request) -> Response:
        return self._health if request.path == "/health" else load_pages().answer(request)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        async def serve(socket: object, request: Request) -> None:
            raise AssertionError("no WebSocket is let in")

        site = Site(self.answer, {"/ws": serve}, lambda request: refuse(426))
        listeners = await open_port("127.0.0.1", 0)
        async with open_background() as nursery:
            await nursery.start(serve_site, site, listeners)
            yield f"ws://127.0.0.1:{port_of(listeners)}/ws"


AGAIN = "tries again by itself"
TELL = "lease tell whoever gave you this link"

SIGN_IN = Response(200, b"<html>Sign in", "text/html")
MOVED = refuse(302, "", ("location", "https://portal.example/"))

#: What is answered at /health, and what the client's page and the console say of it; all words are
#: in `tests/both_languages/test_obstacles.py`.
ANSWERS = {
    "a redirection": (MOVED, "Something else answers", "sign in", "leads elsewhere"),
    "another page": (SIGN_IN, "Something else answers", "sign in", "something else answers"),
    "an error": (refuse(502), "does not run at this moment", AGAIN, "HTTP 502"),
    # All is well but for the WebSocket, on the second look as on the first.
    "no Upgrade": (None, "lets no lasting connection through", TELL, "Upgrade and Connection"),
}


async def test_what_is_in_the_way_is_told_with_what_to_do(browser: Browser) -> None:
    for health, text, hint, server in ANSWERS.values():
        # Each on a port of its own: Firefox waits longer each time before it tries one again.
        proxy = Proxy(health)
        async with proxy.open() as url, browser.open_page() as page:
            await page.run_early(IN_A_HURRY)
            await page.goto(page_url(url, user="c"))
            await ClientPage(page).wait_says(text)
            await ClientPage(page).wait_says(hint)
            await page.goto(console_url(url, user="e"))
            await ConsolePage(page).wait_says(server, of=SERVER)


async def test_a_relay_refuses_a_page_and_both_say_what_is_to_be_done(browser: Browser) -> None:
    """Without tokens, a relay takes no name but localhost for its own."""
    async with open_relay() as url:
        port = urlsplit(url).port
        named = f"ws://pages.localhost:{port}/ws"
        async with browser.open_page(page_url(named, user="c")) as page:
            await ClientPage(page).wait_says("does not let this page in")
            await ClientPage(page).wait_says(f"refuses the origin http://pages.localhost:{port}")


async def test_too_many_connections_are_told_as_that(browser: Browser) -> None:
    async with open_relay("--connect-rate", "0.05") as url, browser.open_page() as page:
        await page.goto(page_url(url, user="first"))
        await ClientPage(page).wait_says("Ready.")
        await page.goto(page_url(url, user="second"))
        await ClientPage(page).wait_says("no more connections from here")
        await ClientPage(page).wait_says(AGAIN)
