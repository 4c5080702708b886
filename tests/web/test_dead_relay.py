"""A page finds out that its connection to the relay is dead, in Chromium and in Firefox.

What is decided is tested in `tests/both_languages/test_keepalive.py`.
"""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.either_browser import in_either
from tests.kit.middleboxes import open_middlebox
from tests.kit.processes import wait_until
from tests.kit.web_pages import (
    ALL_IS_THERE,
    INSIDE,
    ClientPage,
    open_client_page,
    open_session,
    page_url,
)

pytestmark = in_either


# All clocks of a page, and its timers, ten times as quick.
QUICK = """
for (const clock of [performance, Date]) {
  const now = clock.now.bind(clock), from = now();
  clock.now = () => from + (now() - from) * 10;
}
for (const name of ["setTimeout", "setInterval"]) {
  const real = window[name];
  window[name] = (act, ms, ...given) => real(act, ms / 10, ...given);
}
"""

ASKED = """
window.pings = window.pongs = 0;
const Real = WebSocket;
window.WebSocket = class extends Real {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      if (JSON.parse(data).event === "pong") window.pongs += 1;
    });
  }
  send(text) {
    if (JSON.parse(text).event === "ping") window.pings += 1;
    super.send(text);
  }
};
"""

EVENTS = [
    "window.dispatchEvent(new Event('online'))",
    "window.dispatchEvent(new Event('offline'))",
    "window.dispatchEvent(new Event('focus'))",
    "document.dispatchEvent(new Event('visibilitychange'))",
    # It has slept.
    "void (() => { const now = Date.now; Date.now = () => now() + 3600_000; })()",
]


async def test_a_page_that_only_waits_is_back_when_its_connection_was_forgotten(
    browser: Browser, relay: str
) -> None:
    async with open_middlebox(relay) as box, browser.open_page() as page:
        await page.run_early(INSIDE + QUICK)
        await page.goto(page_url(box.url, user="idle"))
        client = ClientPage(page)
        await client.wait_says("Ready.")
        await page.run(ALL_IS_THERE)  # what is still on the way would be forgotten, too
        before = box.seen
        box.forget()
        await wait_until(lambda: box.seen > before, "another connection")
        await client.wait_says("Ready.")
        async with open_session(relay, "idle"):
            await client.wait_says("Connected to")
        box.darken()
        await page.run("void window.dispatchEvent(new Event('offline'))")
        await client.wait_says("No server in reach.")


async def test_a_page_asks_at_once_when_something_may_have_happened(
    browser: Browser, relay: str
) -> None:
    async with open_client_page(browser, relay, "awake", ASKED) as client:
        page = client.page
        for number, event in enumerate(EVENTS):
            assert await page.run("pings") == number, event
            await page.run(event)
            await page.wait(f"pings === {number + 1} && pongs === {number + 1}")
        await client.wait_says("Ready.")
