"""What a participant is told whose browser is in the way, in Chromium that plays it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from imgsync.relay.languages import read_texts
from tests.both_languages.replay import SCRIPTS
from tests.kit.browsers import Browser, Page
from tests.kit.participant_states import LOCKED_DOWN, NO_WEBRTC, OLD
from tests.kit.user_agents import BROWSERS, PROGRAMS
from tests.kit.web_pages import ClientPage, page_url

LANGUAGES = sorted(file.stem for file in (SCRIPTS / "languages").glob("*.js"))
IPHONE = BROWSERS[8]

CARD = "document.querySelector('#browser')"
COUNT_SOCKETS = """
window.sockets = 0;
const Real = WebSocket;
window.WebSocket = class extends Real {
  constructor(...given) { super(...given); window.sockets += 1; }
};
"""


def texts_in(language: str) -> dict[str, str]:
    """Of the room of browsers."""
    module = (SCRIPTS / "languages" / f"{language}.js").read_text(encoding="utf-8")
    texts: dict[str, str] = read_texts(module)["browser"]
    return texts


@asynccontextmanager
async def open_played(
    browser: Browser, url: str, user_agent: str, early: str = ""
) -> AsyncIterator[Page]:
    """A page of a browser that says that it is another one, and lacks something."""
    async with browser.open_page() as page:
        await page.command("Emulation.setUserAgentOverride", userAgent=user_agent)
        await page.run_early(COUNT_SOCKETS + early)
        await page.goto(url)
        yield page


async def tap(page: Page, place: int) -> None:
    """A button of the card."""
    where = f"{CARD}.querySelectorAll('button')[{place}].getBoundingClientRect()"
    x, y = await page.run(f"(({{ x, y }}) => [x + 9, y + 9])({where})")
    await page.tap(x, y)


async def test_in_a_window_of_another_program_one_is_told_how_to_leave_and_may_stay(
    browser: Browser, relay: str
) -> None:
    url = f"{page_url(relay, user='inside')}#token=hush"
    # What it has been given, where it gives the page a clipboard.
    clipboard = "window.pasted = ''; Object.defineProperty(navigator, 'clipboard', { value:"
    clipboard += " { writeText: async (text) => { window.pasted = text; } }, writable: true });"
    async with open_played(browser, url, PROGRAMS["Messenger"][0], clipboard) as page:
        await page.wait(f"{CARD}?.innerText.includes('inside Messenger')")
        assert "“Open in Safari”" in await page.run(f"{CARD}.innerText")
        assert await page.run("document.querySelector('#status').checkVisibility()") is False
        await tap(page, 0)
        await page.wait(f"{CARD}.innerText.includes('The link is copied.')")
        assert "#" not in await page.run("location.href")
        assert await page.run("pasted") == url
        # And where it gives none.
        await page.run("void (navigator.clipboard = undefined)")
        await tap(page, 0)
        await page.wait(f"{CARD}.innerText.includes('from the field yourself')")
        assert await page.run("document.activeElement.value") == url
        assert await page.run("getSelection().toString()") == url
        # A tap on it fills nothing.
        assert await page.run("document.fullscreenElement") is None
        await tap(page, 1)
        assert await page.run(CARD) is None
        await ClientPage(page).wait_says("Ready.")
        await page.reload()
        await ClientPage(page).wait_says("Ready.")
        assert await page.run(CARD) is None
        assert page.errors == []


async def test_where_a_window_can_have_no_session_nobody_can_stay(
    browser: Browser, relay: str
) -> None:
    url = page_url(relay, user="shut-in")
    async with open_played(browser, url, PROGRAMS[""][0], NO_WEBRTC) as page:
        await page.wait(f"{CARD}?.innerText.includes('inside another app')")
        assert "“Open in Chrome”" in await page.run(f"{CARD}.innerText")
        assert await page.run(f"{CARD}.querySelectorAll('button').length") == 1
        assert await page.run("sockets") == 0


async def test_lockdown_mode_is_told_how_to_be_turned_off_for_the_page(
    browser: Browser, relay: str
) -> None:
    async with open_played(browser, page_url(relay, user="shy"), IPHONE, LOCKED_DOWN) as page:
        await ClientPage(page).wait_says("Lockdown Mode keeps this page from working.")
        assert await page.run("sockets") == 0


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_browser_that_is_too_old_is_told_so_whether_modules_run_in_it_or_not(
    browser: Browser, relay: str, language: str
) -> None:
    texts = texts_in(language)
    said = "[...document.querySelector('#too-old').children].map((one) => one.innerText)"
    url = page_url(relay, user="grandma", lang=f"{language}-XX")
    # Blocked scripts are no scripts that don't run there: such a browser does not load them again.
    early = f"{OLD} delete History.prototype.replaceState;"
    async with open_played(browser, url, BROWSERS[0], early) as page:
        await page.command("Network.enable")
        for blocked in ([], ["*/first.js", "*/client/*.js"]):
            await page.command("Network.setBlockedURLs", urls=blocked)
            await page.goto(url)
            await page.wait("document.querySelector('#too-old')?.checkVisibility()")
            assert await page.run(said) == [texts["tooOld"], texts["tooOldHint"]]
            assert await page.run("document.querySelector('#status').checkVisibility()") is False
            assert await page.run("document.documentElement.lang") == language
