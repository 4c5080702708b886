"""What the console owes to everybody in each main state: axe finds nothing at A and AA, Tab comes
to all, at 200 % all can be read, nothing moves. And what a finger needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.kit.accessible import Accessible, read_axe
from tests.kit.browsers import Browser, Page
from tests.kit.console_pages import ConsolePage, Images, console_url, open_console, open_images
from tests.kit.web_pages import WIDTH, make_png, open_client_page
from tests.web.test_console_trials import puppet, study_of, tell

ROOMY = ("laptop",)
"""Nobody drives a session on half of a phone."""

PHONES = ((390, 664), (844, 390), (320, 568), (667, 375))

TARGET = 44
"""Pixels of what a finger hits."""


@pytest.fixture(scope="module")
def accessible() -> Accessible:
    return Accessible(read_axe())


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    async with open_images() as server:
        yield server


async def check_fingers(page: Page, state: str) -> None:
    """On phones, in both positions: targets are large, nothing is cut off, and Next is in sight."""
    for width, height in PHONES:
        await page.resize(width, height)
        small = await page.run(
            "[...document.querySelectorAll('button, summary, input, textarea, a:focus')]"
            ".filter((one) => one.checkVisibility())"
            ".map((one) => [one.id || one.outerHTML, one.getBoundingClientRect()])"
            f".filter(([, {{ width, height }}]) => width < {TARGET} || height < {TARGET})"
        )
        assert small == [], (state, width)
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.run(wide), (state, width)
        cut = "[...document.querySelectorAll('#rows .number')].some((one) =>"
        cut += " one.scrollWidth > one.clientWidth"
        cut += " || getComputedStyle(one).overflowWrap !== 'normal')"
        assert not await page.run(cut), (state, width)
        for where in ("0", "document.body.scrollHeight / 2", "document.body.scrollHeight"):
            await page.run(f"scrollTo(0, {where})")
            is_in_sight = await page.run(
                "(({ top, bottom, x, y, width, height }) => top >= 0 && bottom <= innerHeight"
                " && document.elementFromPoint(x + width / 2, y + height / 2).id === 'next')"
                "(document.querySelector('#next').getBoundingClientRect())"
            )
            assert is_in_sight, (state, width, where)
        if state == "shown" and width > height:
            # Without scrolling.
            await page.run("scrollTo(0, 0)")
            bottom = "document.querySelector('#picture').getBoundingClientRect().bottom"
            bar = "document.querySelector('.steps').getBoundingClientRect().top"
            assert await page.run(f"{bottom} <= {bar}"), (width, height)
    await page.resize(1280, 800)


async def test_axe_finds_nothing_on_the_console_and_a_finger_hits_what_it_means(
    browser: Browser, relay: str, images: Images, accessible: Accessible
) -> None:
    async with (
        open_client_page(browser, relay, "axl") as client,
        open_console(browser, relay, "dr-axl") as console,
    ):
        page = console.page
        await console.paste("nothing")
        await console.wait_says("its first line does not name imageUrl", "#intake-error")
        await accessible.check(page, "empty, and what was pasted is no list", ROOMY)
        await console.paste(images.manifest(0, 1, "forbidden", 3))
        await console.start("axl")
        await console.press("n")
        await console.wait_fate(0, "shown")
        await console.press("n")
        await console.wait_fate(1, "shown")
        await check_fingers(page, "shown")
        await console.press("n")
        await console.wait_fate(2, "failed")
        await console.tap("#end")
        await accessible.check(page, "asking, and failed", ROOMY)
        await console.tap("#end-no")
        await client.page.goto("about:blank")
        await console.wait_says("is interrupted")
        await accessible.check(page, "interrupted", ROOMY)
        await console.tap("#end")
        await console.tap("#end-yes")
        await console.wait_says("has ended")
        await console.tap("#remove")
        await page.run("document.querySelector('#intake').open = true")
        await accessible.check(page, "over", ROOMY)
        await check_fingers(page, "over")
        pictures = {f"{number}.png": make_png(WIDTH + number) for number in range(3)}
        await console.drop({**pictures, "scan.tif": b"II*\0...."})
        await console.tap("#arrange")
        await console.drop({"another.png": make_png(WIDTH)})
        await console.wait_says("1 more picture", "#more")
        await console.tap("#more-no")
        await console.drop({"another.png": make_png(WIDTH), "scan.tif": b"II*\0...."})
        await console.wait_says("1 more picture", "#more")
        await page.run("document.querySelector('#left-out').open = true")
        await accessible.check(page, "pictures that are arranged, and what is left out", ROOMY)
        await check_fingers(page, "pictures that are arranged")
    async with browser.open_page(console_url(relay)) as page:
        await ConsolePage(page).wait_says("This link is incomplete.")
        await accessible.check(page, "incomplete", ROOMY)


async def test_axe_finds_nothing_on_a_console_that_shows_trials(
    browser: Browser, relay: str, images: Images, accessible: Accessible
) -> None:
    async with (
        open_client_page(browser, relay, "axt", puppet("preload", "text")) as client,
        open_console(browser, relay, "dr-axt") as console,
    ):
        await console.paste(study_of(images))
        await console.start("axt")
        await tell(client, type="display", at=1, refreshRate=30, screenWidth=1, screenHeight=1)
        await console.tap("#facts-sum")
        await console.press("n")
        await console.wait_fate(0, "shown")
        await console.press("7")
        await console.wait_says("score 7", "#marks")
        await accessible.check(console.page, "a trial, marked, with warnings", ROOMY)
        await console.press("End")
        await console.wait_current(2)
        await accessible.check(console.page, "a text", ROOMY)
        await check_fingers(console.page, "a text")
