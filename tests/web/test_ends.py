"""How the pages learn and tell of an end: why, and of a close that a browser can't tell apart."""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.console_pages import open_console
from tests.kit.web_pages import open_client_page
from tests.web.test_modules import WEB, open_evaluator_page, wait_state

# It has gone since the page began.
NO_WEBRTC = "void Object.defineProperty(window, 'RTCPeerConnection', { value: undefined });"

# As Firefox: it tells no errors of transports, and fires none on a channel whose connection goes.
NO_ERRORS = """
delete RTCDtlsTransport.prototype.onerror;
Object.defineProperty(RTCDataChannel.prototype, "onerror", { get: () => null, set() {} });
"""

# Keeps that the page has said that the session has ended, however short that was.
LISTENER = """
new MutationObserver(() => {
  window.saidEnded ||= document.querySelector("#text")?.textContent.includes("ended");
}).observe(document, { childList: true, characterData: true, subtree: true });
"""


async def test_a_client_whose_webrtc_has_gone_is_told_as_that_to_both(
    browser: Browser, relay: str
) -> None:
    async with open_client_page(browser, relay, "old") as client:
        await client.page.run(NO_WEBRTC)
        async with open_evaluator_page(browser, relay, "old") as page:
            ended = await wait_state(page, "ended")
            assert ended["reason"] == "unsupported"
            assert ended["detail"].startswith("the browser of the client has no WebRTC")
            await client.wait_says("can\u2019t be made with these browsers")
            await client.wait_says("the browser of this side has no WebRTC")


async def test_the_console_says_why_a_session_never_began(browser: Browser, relay: str) -> None:
    async with (
        open_client_page(browser, relay, "older") as client,
        open_console(browser, relay, "E-of-older") as console,
    ):
        await client.page.run(NO_WEBRTC)
        await console.tap("#clients button[aria-label='Start a session with older']")
        await console.wait_says("One of the two sides can\u2019t make such a connection.")
        await console.wait_says("the browser of the client has no WebRTC")


async def test_a_close_that_can_not_be_told_apart_is_an_end_when_the_relay_says_so(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "doubt", NO_ERRORS) as client,
        open_evaluator_page(browser, relay, "doubt") as page,
    ):
        await wait_state(page, "connected")
        await page.run("session.close()")
        assert (await wait_state(page, "ended"))["reason"] == "ended"
        await client.wait_says("The session has ended. Thank you.")


async def test_a_close_that_can_not_be_told_apart_is_an_absence_where_the_other_page_is_reloaded(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "again", NO_ERRORS + LISTENER) as client,
        open_evaluator_page(browser, relay, "again") as page,
    ):
        for index in range(3):
            await wait_state(page, "connected")
            session_id = await page.run("session.route.sessionId")
            await page.run(f"show({index}, '/web/icon.svg')")
            await client.wait_stage(index, "shown")
            await page.reload()
            await page.wait("document.readyState === 'complete'")
            await page.run((WEB / "evaluator.js").read_text())
            await wait_state(page, "connected")
            assert await page.run("session.route.sessionId") == session_id
            assert not await client.page.run("window.saidEnded ?? false")
