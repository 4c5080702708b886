"""`imgsync demo --browser`, with Chromium in the place of a person's browser."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

from tests.commands.test_demo import STOP_S, Mark, demo
from tests.kit.browsers import Page, Started, open_browser
from tests.kit.forks import open_fork
from tests.kit.processes import SAMPLES, START_S, Child
from tests.kit.side_by_side import side_by_side
from tests.kit.web_pages import RECORDER

LINK = re.compile(r"open this in a browser: (http://127\.0\.0\.1:\d+/client\?user=demo-client)")
IMAGE = re.compile(r"image +(\d+)  (\S+) +on the screen  round trip \d+\.\d ms")
SUMMARY = re.compile(
    r"10 images sent, 10 acked, 10 shown; round trip \d+\.\d ms \(longest \d+\.\d\)"
)
AWAY = re.compile(r"the page is away \(.+\); open it again to go on")
SILENT = "the page does not answer"
THERE = 'the page is there: touch "I am ready" on it'
BACK = "the page is there again"

GIVE_UP_S = 30
"""Seconds in which a demo whose page has gone is over: it waits for ten, after it has noticed."""


async def read_link(child: Child) -> str:
    """What it asks to open."""
    match = LINK.fullmatch(await child.wait_line(START_S))
    assert match
    return match[1]


async def open_link(page: Page, link: str, child: Child) -> None:
    await page.run_early(RECORDER)
    await page.goto(link)
    assert await child.wait_line(START_S) == THERE
    await page.wait("document.activeElement?.id === 'door-ready'")
    await page.press("Enter")


async def wait_image(child: Child, index: int) -> None:
    """Wait until it tells that this one is on the screen."""
    match = IMAGE.fullmatch(await child.wait_line(START_S))
    assert match
    assert int(match[1]) == index


async def wait_away(child: Child) -> None:
    """Wait until it tells that there is no page; a browser may end without a word to anybody."""
    line = await child.wait_line(START_S)
    if line == SILENT:
        line = await child.wait_line(START_S)
    assert AWAY.fullmatch(line), line


@side_by_side(18)
async def test_every_sample_is_shown_on_the_page_that_the_demo_asks_to_open(
    folder: Path, started: Started
) -> None:
    mark = Mark()
    async with (
        open_browser(started) as browser,
        browser.open_page() as page,
        open_fork("demo", *demo("--browser"), env=mark.env) as child,
    ):
        await open_link(page, await read_link(child), child)
        for index in range(10):
            await wait_image(child, index)
        outcome = await child.wait_outcome()
        assert outcome.errors == []
        assert outcome.code == 0
        [summary] = outcome.lines
        assert SUMMARY.fullmatch(summary)
        assert mark.bearers() == {}
        stages = "sent.filter((m) => m.stage === 'shown').map((m) => m.imageIndex)"
        assert await page.run(stages) == list(range(10))
        assert len(await page.run("window.put")) == 10
        # They came over the connection.
        asked = "performance.getEntriesByType('resource').map((one) => one.name)"
        assert not [name for name in await page.run(asked) if "/images/" in name]


async def test_ctrl_c_while_no_page_is_open_ends_the_demo_and_all_that_it_has_started() -> None:
    mark = Mark()
    async with open_fork("demo", *demo("--browser"), env=mark.env) as child:
        await read_link(child)
        child.process.send_signal(signal.SIGINT)
        outcome = await child.wait_outcome(STOP_S)
    assert mark.bearers() == {}
    assert (outcome.code, outcome.lines, outcome.errors) == (130, [], [])


@side_by_side(20)
async def test_a_page_that_is_closed_in_the_middle_is_told_of_and_not_waited_for_without_end(
    folder: Path, started: Started
) -> None:
    for name in ("1-fixation-cross.png", "2-optotype-chart.svg", "6-ring-wedge.png", "10-end.png"):
        shutil.copy(SAMPLES / name, folder)
    mark = Mark()
    async with (
        open_browser(started) as browser,
        open_fork("demo", *demo("--browser", str(folder)), env=mark.env) as child,
    ):
        link = await read_link(child)
        async with browser.open_page() as page:
            await open_link(page, link, child)
            await wait_image(child, 0)
        await wait_away(child)
        outcome = await child.wait_outcome(GIVE_UP_S)
    assert mark.bearers() == {}
    assert outcome.code == 1
    assert outcome.lines == []
    assert outcome.errors == ["imgsync demo: the page did not come back within 10 s"]


@side_by_side(10)
async def test_a_page_that_comes_back_is_shown_what_follows(folder: Path, started: Started) -> None:
    async with (
        open_browser(started) as browser,
        browser.open_page() as page,
        open_fork("demo", *demo("--browser")) as child,
    ):
        link = await read_link(child)
        await open_link(page, link, child)
        await wait_image(child, 0)
        await page.goto("about:blank")
        await wait_away(child)
        await page.goto(link)
        assert await child.wait_line(START_S) == BACK
        match = IMAGE.fullmatch(await child.wait_line(START_S))
        assert match
        assert await page.wait(
            f"sent.find((m) => m.stage === 'shown' && m.imageIndex >= {match[1]})"
        )
