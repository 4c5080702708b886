"""A page of which a part does not come is loaded anew, in Chromium and in Firefox."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from importlib import resources

import pytest

from tests.kit.browsers import Browser, Page
from tests.kit.check_pages import check_url
from tests.kit.console_pages import ConsolePage, console_url
from tests.kit.either_browser import in_either
from tests.kit.gaps import Gap, GappyRelay, open_gappy
from tests.kit.processes import wait_until
from tests.kit.web_pages import INSIDE, ClientPage, page_url

pytestmark = in_either

WEB = resources.files("imgsync") / "web"

#: What is imported by what the files of the pages name, and what that imports while it runs.
MODULES = {
    "client": (
        *("peer/opening.js", "words/start.js"),
        *("client/client.js", "client/other_browser.js", "core/channel/follower.js"),
    ),
    "evaluator": ("console/console.js",),
    "check": ("check/check.js",),
}


def parts_of(page: str) -> list[str]:
    """Its scripts and style sheets, and some of what these import."""
    text = (WEB / f"{page}.html").read_text(encoding="utf-8")
    named = re.findall(r'<(?:script|link)[^>]* (?:src|href)="web/([^"]+\.(?:js|css))"', text)
    assert named.pop(0) == "js/page/complete.js"
    return [*named, *MODULES[page]]


@pytest.fixture
async def gappy(relay: str) -> AsyncIterator[GappyRelay]:
    async with open_gappy(relay) as gappy:
        yield gappy


IS_STYLED = """[...document.querySelectorAll("link[rel=stylesheet]")]
  .every(({ sheet }) => sheet?.cssRules.length > 0)"""


async def wait_whole(page: Page, kind: str) -> None:
    """Wait until it is there with all that it needs."""
    match kind:
        case "client":
            await ClientPage(page).wait_says("Ready.")
        case "evaluator":
            await ConsolePage(page).wait_says("connected", of="#relay")
        case "check":
            await page.wait("document.querySelector('#findings')?.children.length > 0")
    await page.wait(IS_STYLED)


@pytest.mark.parametrize("kind", MODULES)
async def test_a_page_is_whole_in_the_end_whatever_did_not_come_at_first(
    browser: Browser, browser_name: str, gappy: GappyRelay, kind: str
) -> None:
    url_of = {"client": page_url, "evaluator": console_url, "check": check_url}[kind]
    async with browser.open_page() as page:
        await page.run_early(INSIDE)
        for part, gap in zip(parts_of(kind), itertools.cycle(Gap)):
            gappy.lose(part, gap)
            await page.goto(url_of(gappy.url, user=f"without {part}"))
            await wait_until(lambda: gappy.loads == 2, f"{part} again, {gap}")
            await wait_whole(page, kind)
        if browser_name == "firefox":
            # A page that has broken off names nothing of the rest. In Chromium it hears no more.
            gappy.lose(f"/{kind}", Gap.HALF)
            await page.goto(url_of(gappy.url, user="half"))
            await wait_whole(page, kind)
            assert gappy.loads == 2


async def test_it_does_not_matter_what_comes_first(browser: Browser, gappy: GappyRelay) -> None:
    async with browser.open_page() as page:
        heard = "addEventListener('error', () => void fetch('/heard'), true);"
        await page.run_early(INSIDE + heard)
        gappy.held["page/first.js"] = "/heard"
        gappy.lose("client/start.js", Gap.REFUSAL)
        await page.goto(page_url(gappy.url, user="late"))
        await wait_whole(page, "client")
        assert gappy.loads == 2


# In a fraction of their time, and counted beyond the page.
PAUSES = """
window.realSetTimeout = setTimeout;
window.setTimeout = (act, ms, ...given) => {
  if (ms === 5000) sessionStorage.setItem("pauses", 1 + Number(sessionStorage.getItem("pauses")));
  return realSetTimeout(act, ms / 20, ...given);
};
"""

MEASURE = "document.querySelector('#size button')"

LOAD_FOREIGN = """new Promise((resolve) => {
  let isAsked = false;
  XMLHttpRequest.prototype.open = () => { isAsked = true; };
  const script = document.createElement("script");
  script.src = "https://extension.example/script.js";
  // Behind what has been put off by whoever has heard it before.
  script.onerror = () => realSetTimeout(() => resolve(isAsked), 0);
  document.head.append(script);
})"""


async def test_it_is_loaded_anew_at_once_and_then_with_pauses_until_the_relay_is_there(
    browser: Browser, gappy: GappyRelay
) -> None:
    pauses = "Number(sessionStorage.getItem('pauses'))"
    async with browser.open_page() as page:
        await page.run_early(INSIDE + PAUSES)
        gappy.lose("page/first.js", Gap.REFUSAL, loads=3)
        gappy.away = 2
        await page.goto(page_url(gappy.url, user="patient"))
        await wait_whole(page, "client")
        assert (gappy.loads, gappy.away) == (4, 0)
        assert await page.run(pauses) == 2 + 2
        # Of another time it is no second attempt, and what is asked for later is a part, too.
        await page.run("void history.replaceState(Date.now() - 3_600_000, '')")
        gappy.lose("client/measuring.js", Gap.REFUSAL)
        await page.wait(f"{MEASURE} !== null")
        await page.run(f"{MEASURE}.click()")
        await wait_until(lambda: gappy.loads == 1, "the page again")
        await wait_whole(page, "client")
        assert await page.run(pauses) == 2 + 2


async def test_what_others_put_into_a_page_is_no_part_of_it(
    browser: Browser, gappy: GappyRelay
) -> None:
    async with browser.open_page() as page:
        await page.run_early(INSIDE + PAUSES)
        await page.goto(page_url(gappy.url, user="extended"))
        await wait_whole(page, "client")
        assert await page.run(LOAD_FOREIGN) is False
