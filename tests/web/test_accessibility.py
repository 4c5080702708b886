"""What axe finds on the pages, in each main state: nothing at A and AA. And what a finger needs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.browsers import Browser, Page
from tests.kit.check_pages import open_check
from tests.kit.console_pages import ConsolePage, Images, console_url, open_console, open_images
from tests.kit.foreign import PEERS, require
from tests.kit.web_pages import WIDTH, make_png, open_client_page, page_url
from tests.web.test_console_trials import puppet, study_of, tell

AXE = PEERS / "node_modules" / "axe-core" / "axe.min.js"

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

PHONES = ((390, 664), (844, 390), (320, 568), (667, 375))

TARGET = 44
"""Pixels of what a finger hits."""


@pytest.fixture(scope="module")
def axe() -> str:
    require(AXE.is_file(), f"axe-core is not installed: npm install in {PEERS.name}/")
    return Path(AXE).read_text(encoding="utf-8")


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    async with open_images() as server:
        yield server


async def check(page: Page, axe: str, state: str) -> None:
    """In light; in dark, only the colours are others."""
    if not await page.run("'axe' in window"):
        await page.run(f"void (() => {{ {axe} }})()")
    for scheme, rules in (("light", LEVELS), ("dark", ["color-contrast"])):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await page.command("Emulation.setEmulatedMedia", features=[feature])
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        found = await page.run(
            f"axe.run({json.dumps(options)}).then(({{ violations }}) => violations.flatMap("
            "({ id, nodes }) => nodes.map((node) => [id, node.html, node.failureSummary])))"
        )
        assert found == [], (state, scheme)


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
    browser: Browser, relay: str, images: Images, axe: str
) -> None:
    async with (
        open_client_page(browser, relay, "axl") as client,
        open_console(browser, relay, "dr-axl") as console,
    ):
        page = console.page
        await console.paste("nothing")
        await console.wait_says("its first line does not name imageUrl", "#intake-error")
        await check(page, axe, "empty, and what was pasted is no list")
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
        await check(page, axe, "asking, and failed")
        await console.tap("#end-no")
        await client.page.goto("about:blank")
        await console.wait_says("is interrupted")
        await check(page, axe, "interrupted")
        await console.tap("#end")
        await console.tap("#end-yes")
        await console.wait_says("has ended")
        await console.tap("#remove")
        await page.run("document.querySelector('#intake').open = true")
        await check(page, axe, "over")
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
        await check(page, axe, "pictures that are arranged, more of them, and what is left out")
        await check_fingers(page, "pictures that are arranged")
    async with browser.open_page(console_url(relay)) as page:
        await ConsolePage(page).wait_says("This link is incomplete.")
        await check(page, axe, "incomplete")


async def test_axe_finds_nothing_on_a_console_that_shows_trials(
    browser: Browser, relay: str, images: Images, axe: str
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
        await check(console.page, axe, "a trial, marked, with warnings")
        await console.press("End")
        await console.wait_current(2)
        await check(console.page, axe, "a text")
        await check_fingers(console.page, "a text")


async def test_axe_finds_nothing_on_the_clients_page(
    browser: Browser, relay: str, images: Images, axe: str
) -> None:
    async with (
        open_client_page(browser, relay, "alex") as client,
        open_console(browser, relay, "dr-alex") as console,
    ):
        await console.paste(images.manifest(0))
        await console.start("alex")
        await client.wait_says("Connected")
        await check(client.page, axe, "connected")
        await console.press("n")
        await client.wait_shows(0)
        await check(client.page, axe, "showing")
    for query in ({}, {"user": "rec", "record": "camera,microphone"}):
        async with browser.open_page(page_url(relay, **query)) as page:
            await page.wait("document.body?.innerText.length > 20")
            await check(page, axe, str(query))


OFF = "const realNow = Date.now; Date.now = () => realNow() + 60_000;"


@pytest.mark.parametrize("lang", ["en", "ar"])
async def test_axe_finds_nothing_on_the_page_that_checks_a_device_and_a_phone_shows_all_of_it(
    browser: Browser, relay: str, axe: str, lang: str
) -> None:
    query = {"user": "axel", "record": "camera", "lang": lang}
    async with open_check(browser, relay, OFF, **query) as looked:
        page = looked.page
        assert "C1" in await looked.troubles()
        await check(page, axe, f"checked, {lang}")
        for width, height in PHONES:
            await page.resize(width, height)
            wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not await page.run(wide), width
            small = await page.run(
                "[...document.querySelectorAll('button, a')]"
                ".map((one) => one.getBoundingClientRect())"
                f".filter(({{ width, height }}) => width < {TARGET} || height < {TARGET}).length"
            )
            assert small == 0, width
        # By keyboard alone, in the order in which it is read.
        names = []
        for _ in range(3):
            await page.press("Tab")
            names.append(await page.run("document.activeElement.id"))
        assert names == ["try", "go-on", "again"]
