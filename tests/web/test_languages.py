"""The participant's page in their language, from the first moment on."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs

from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import serve_site
from imgsync.relay.pages import make_pages
from imgsync.relay.server import Relay
from imgsync.relay.settings import Settings
from imgsync.tasks import open_background
from tests.kit.browsers import Browser
from tests.kit.either_browser import in_either
from tests.kit.web_modules import WEB
from tests.kit.web_pages import INSIDE, ClientPage, open_session, page_url

# What the page has said, from the first.
LISTENING = """
window.said = [];
new MutationObserver(() => {
  const root = document.documentElement;
  for (const text of ["#text", "#hint"].map((id) => document.querySelector(id)?.textContent)) {
    if (text) window.said.push([root.lang, root.dir, text]);
  }
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
SCRIPTS = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js'))"
NAMES = f"{SCRIPTS}.map((one) => one.name.split('/js/')[1])"
# Those that are wanted last are on the way when the page is ready.
ALL_HAVE_COME = """
[...document.querySelectorAll("link[rel=modulepreload], script[type=module]")]
  .every(({ href, src }) => performance.getEntriesByName(href || src).length > 0)
"""


@in_either
async def test_a_page_speaks_the_language_of_its_link_and_never_another_one(
    browser: Browser, relay: str
) -> None:
    async with browser.open_page() as page:
        await page.run_early(INSIDE + LISTENING)
        await page.goto(page_url(relay, user="ada", token="secret", lang="ar"))
        client = ClientPage(page)
        await client.wait_says("جاهز.")
        await page.wait(ALL_HAVE_COME)
        names = await page.run(NAMES)
        assert [name for name in names if name.startswith("languages/")] == ["languages/ar.js"]
        assert len(names) == len({*names})
        # The token leaves the address, and what it says of the language stays.
        assert await page.run("location.search") == "?user=ada&lang=ar"
        async with open_session(relay, "ada"):
            await client.wait_says("تم الاتصال")
        await client.wait_says("انتهت الجلسة. شكرًا لك.")
        said = await page.run("said")
        assert said
        assert {(lang, direction) for lang, direction, _ in said} == {("ar", "rtl")}
        assert all(re.search("[\u0600-\u06ff]", text) for _, _, text in said)
        await page.goto(page_url(relay, user="ada", lang="en"))
        await client.wait_says("Ready.")
        await page.wait(ALL_HAVE_COME)
        assert len(await page.run(NAMES)) == len(names)
        assert page.errors == []


# Each text in brackets, so that one that comes from elsewhere is seen.
MARKED = re.sub(
    r'("(?!ltr")[^"]+")(,?\n)',
    lambda match: json.dumps(f"⟦{json.loads(match[1])}⟧") + match[2],
    (WEB / "js/languages/en.js").read_text("utf-8").replace('import("./en.js")', "never"),
)
STRAY = """(() => {
  const isMarked = (text) => {
    const rest = text.replace(/⟦[^⟦⟧]*⟧/, "");
    return rest === text ? !/\\p{L}/u.test(rest) : isMarked(rest);
  };
  return [...document.querySelectorAll("body *")]
  .filter((one) => !one.closest("#stage") && !["SCRIPT", "NOSCRIPT"].includes(one.tagName))
  .flatMap((one) => [
    ...[...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data),
    ...["title", "aria-label", "alt", "placeholder"].map((name) => one.getAttribute(name)),
  ])
  .filter((text) => text && !isMarked(text));
})()"""


@asynccontextmanager
async def open_marked_relay() -> AsyncIterator[str]:
    """A relay of whose pages all texts stand in brackets."""
    files = {
        file.relative_to(WEB).as_posix(): file.read_bytes()
        for file in WEB.rglob("*")
        if file.is_file()
    }
    pages = make_pages({**files, "js/languages/en.js": MARKED.encode()})
    relay = Relay(Settings())

    async def answer(request: Request) -> Response:
        is_page = request.path.startswith(("/client", "/check", "/web/"))
        return pages.answer(request) if is_page else await relay.site.http(request)

    listeners = await open_port("127.0.0.1", 0)
    async with open_background() as nursery:
        nursery.start_soon(relay.run_clock)
        await nursery.start(serve_site, attrs.evolve(relay.site, http=answer), listeners)
        yield f"ws://127.0.0.1:{port_of(listeners)}/ws"


async def test_whatever_a_page_says_is_a_text_of_its_language(browser: Browser) -> None:
    async with open_marked_relay() as relay, browser.open_page() as page:
        client = ClientPage(page)

        async def wait_marked(words: str) -> None:
            await client.wait_says(words)
            assert await page.run(STRAY) == []

        await page.goto(page_url(relay))
        await wait_marked("This link is incomplete.")
        await page.goto(page_url(relay, user="eve"))
        await page.wait("!document.querySelector('#door-ready').disabled")
        assert await page.run(STRAY) == []
        await page.run_early(INSIDE)
        await page.goto(page_url(relay, user="bob", record="smell"))
        await page.wait("document.querySelector('#recordings')?.innerText.includes('smell')")
        assert await page.run(STRAY) == []
        await page.goto(page_url(relay, user="ada"))
        await wait_marked("Ready.")
        async with open_session(relay, "ada"):
            await wait_marked("Connected to")
        await wait_marked("Thank you.")
        await page.goto(page_url(relay, user="eve", record="camera,microphone"))
        await page.wait("document.querySelector('#consent') !== null")
        assert await page.run(STRAY) == []
        await page.run("document.querySelector('#consent button:not(.main)').click()")
        await page.wait("document.querySelector('#consent') === null")
        assert await page.run(STRAY) == []
        assert page.errors == []
