"""From the check of a device on to the session, where the evaluator is told of it."""

from __future__ import annotations

import pytest

from tests.kit.browsers import Browser, Started
from tests.kit.check_pages import open_check
from tests.kit.either_browser import Browsers, in_either
from tests.kit.raw_peers import open_raw
from tests.kit.recording_pages import tap
from tests.kit.web_pages import open_session

pytestmark = in_either

# As of http, where that is no address of this machine.
COARSE = 'Object.defineProperty(window, "isSecureContext", { value: false });'


@pytest.fixture(scope="module")
def started(browser_name: str, browsers: Browsers) -> Started:
    # The sound of the device is among what is checked.
    return browsers(browser_name, whole=True)


async def test_what_was_found_reaches_the_evaluator_once_the_session_begins(
    browser: Browser, relay: str
) -> None:
    async with open_check(browser, relay, COARSE, user="cleo") as check:
        assert await check.troubles() == {"C2": "careful"}
        assert "C2" in await check.says("#sum-hint")
        page = check.page
        await page.run("document.querySelector('#go-on').click()")
        await page.wait("location.pathname === '/client'")
        await tap(page, "I am ready")
        await page.wait("document.querySelector('#text').innerText === 'Ready.'")
        async with open_session(relay, "cleo") as session:
            async for display in session.displays():
                assert display.check_found == ("clock_coarse",)
                assert display.checked_at is not None
                assert 0 < display.at - display.checked_at < 60_000
                break
        assert page.errors == []


async def test_who_looks_is_never_taken_for_the_participant(browser: Browser, relay: str) -> None:
    async with open_raw(relay, "evaluator", "eve") as evaluator:
        async with open_check(browser, relay, user="clio") as check:
            await check.found()
        states: list[str] = []
        while "offline" not in states:
            told = await evaluator.wait_event("presence")
            states += [told["state"]] if told["userId"] == "clio" else []
        # Who knows of no door sees those who stand before it as busy.
        assert states == ["busy", "offline"]
