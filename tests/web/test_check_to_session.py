"""From the check of a device on to the session, where the evaluator is told of it."""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.check_pages import open_check
from tests.kit.either_browser import in_either
from tests.kit.recording_pages import tap
from tests.kit.web_pages import open_session

pytestmark = in_either

COARSE = 'Object.defineProperty(window, "crossOriginIsolated", { value: false });'


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
