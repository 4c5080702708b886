"""The grey behind the stimulus where a person has colours of their own, in Chromium."""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.console_pages import open_console
from tests.kit.web_pages import open_client_page

FORCED = [{"name": "forced-colors", "value": "active"}]
COLOUR = "getComputedStyle(document.querySelector({!r})).backgroundColor"
GREY = "rgb(128, 128, 128)"


async def test_forced_colours_change_the_words_and_not_the_grey(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "grey") as client,
        open_console(browser, relay, "E-of-grey") as console,
    ):
        for page, grey, words in (
            (client.page, ("html", "#stage"), ".card"),
            (console.page, ("#stage",), "body"),
        ):
            before = await page.run(COLOUR.format(words))
            await page.command("Emulation.setEmulatedMedia", features=FORCED)
            await page.wait("matchMedia('(forced-colors: active)').matches")
            for selector in grey:
                assert await page.run(COLOUR.format(selector)) == GREY
            assert await page.run(COLOUR.format(words)) != before
