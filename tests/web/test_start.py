"""How the pages start, wherever they are opened, in Chromium and in Firefox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.kit.browsers import Browser, Started, open_browser
from tests.kit.console_pages import ConsolePage, console_url
from tests.kit.processes import shared_relay
from tests.kit.raw_peers import open_raw
from tests.kit.web_pages import ClientPage, page_url


@pytest.fixture(scope="module")
def relay(either: Started) -> Iterator[str]:
    with shared_relay() as url:
        yield url


@pytest.fixture
async def browser(either: Started) -> AsyncIterator[Browser]:
    async with open_browser(either) as browser:
        yield browser


BARRED = {
    "none": "undefined",
    "null": "null",
    "no constructor": "() => {}",
    "refused": "class { constructor() { throw new DOMException('no', 'NotAllowedError'); } }",
    "without channels": "class { close() {} }",
}


async def test_a_page_without_webrtc_says_so_and_is_not_at_the_relay(
    browser: Browser, relay: str
) -> None:
    async with open_raw(relay, "evaluator", "waiting") as evaluator:
        for why, value in BARRED.items():
            early = f"Object.defineProperty(window, 'RTCPeerConnection', {{ value: {value} }});"
            sockets = "window.sockets = 0; const Real = WebSocket;"
            sockets += "window.WebSocket = class extends Real { constructor(...given)"
            sockets += "{ super(...given); window.sockets += 1; } };"
            async with browser.open_page() as page:
                await page.run_early(early + sockets)
                await page.goto(page_url(relay, user=f"barred: {why}"))
                client = ClientPage(page)
                await client.wait_says("This browser can\u2019t show the images.")
                await client.wait_says("Chrome, Edge, Firefox or Safari")
                await page.goto(console_url(relay, user="barred"))
                await ConsolePage(page).wait_says("This browser can\u2019t have sessions.")
                assert await page.run("sockets") == 0
        async with browser.open_page(page_url(relay, user="able")):
            presence = await evaluator.wait_event("presence")
            assert presence["userId"] == "able"


COUNT = """
window.opened = [];
const Real = WebSocket;
window.WebSocket = class extends Real {
  constructor(...given) { super(...given); window.opened.push(performance.now()); }
};
"""
SCRIPTS = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js'))"


async def test_the_socket_is_opened_by_the_first_module_and_a_reload_asks_for_no_file(
    browser: Browser, relay: str
) -> None:
    async with browser.open_page() as page:
        await page.run_early(COUNT)
        await page.goto(page_url(relay, user="quick"))
        client = ClientPage(page)
        await client.wait_says("Ready.")
        assert await page.run("opened.length") == 1
        names = await page.run(f"{SCRIPTS}.map((one) => one.name)")
        assert len(names) == len({*names}) > 20
        # They come compressed.
        assert await page.run(
            f"{SCRIPTS}.every((one) => one.encodedBodySize < one.decodedBodySize)"
        )
        await page.reload()
        await client.wait_says("Ready.")
        await page.wait(f"{SCRIPTS}.length === {len(names)}")
        assert await page.run("opened.length") == 1


async def test_a_page_that_was_loaded_before_the_relay_was_updated_is_loaded_anew(
    browser: Browser, relay: str
) -> None:
    """As its first answer was of another version, and so is what it names."""
    async with browser.open_page() as page:
        await page.goto(page_url(relay, user="stale"))
        client = ClientPage(page)
        await client.wait_says("Ready.")
        for script in ("page/first.js", "client/start.js"):
            await page.run(
                f"""(() => {{
                  window.isOld = true;
                  const script = document.createElement("script");
                  script.type = "module";
                  script.src = "/web/0123456789abcdef/js/{script}";
                  document.head.append(script);
                }})()"""
            )
            await page.wait("!window.isOld")
            await client.wait_says("Ready.")
            await page.run("void history.replaceState(null, '')")
        # Another script of such a page is not there.
        await page.run(
            """(() => {
              window.isOld = true;
              const script = document.createElement("script");
              script.type = "module";
              script.src = "/web/0123456789abcdef/js/client/client.js";
              document.head.append(script);
            })()"""
        )
        await page.wait("!window.isOld")
        await client.wait_says("Ready.")
