"""The door of a participant's page, in each browser: which of many windows takes part, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from urllib.request import urlopen

import pytest
import trio

import imgsync
from imgsync.core.protocol.signalling import ErrorCode, PresenceState
from tests.kit.browsers import ANSWER_S, Browser, Page, Started, open_browser
from tests.kit.either_browser import BROWSERS, in_either
from tests.kit.web_images import open_images
from tests.kit.web_pages import RECORDER, ClientPage, page_url, show_url

SOCKETS = """
window.opened = 0;
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.opened += 1; }
};
"""

CENTRE = """(() => {
  const { x, y, width, height } = document.querySelector("#door-ready").getBoundingClientRect();
  return [x + width / 2, y + height / 2];
})()"""

pytestmark = in_either


@pytest.fixture(scope="module")
def started(browser_name: str) -> Iterator[Started]:
    # Keys go to the window that is in front, of all that the browser has.
    with BROWSERS[browser_name]() as started:
        yield started


async def touch(page: Page) -> None:
    """As a finger or a mouse does."""
    await page.wait("document.querySelector('#door-ready')?.disabled === false")
    await page.tap(*await page.run(CENTRE))


async def wait_door(page: Page, words: str) -> None:
    """Wait until its door is there and says so."""
    await page.wait(f"document.querySelector('#door')?.innerText.includes({words!r})")


async def wait_open(page: Page) -> None:
    """Wait until it is past its door."""
    await page.wait("document.body?.dataset.door === undefined && document.body.dataset.state")


async def wait_state(evaluator: imgsync.Evaluator, state: PresenceState) -> None:
    with trio.fail_after(ANSWER_S):
        await evaluator.wait_state("ann", state)


async def test_of_many_windows_the_one_that_is_touched_takes_part(
    started: Started, browser_name: str, relay: str
) -> None:
    url = page_url(relay, user="ann")
    async with AsyncExitStack() as stack:
        browser: Browser = await stack.enter_async_context(open_browser(started))
        images = await stack.enter_async_context(open_images())
        evaluator = await stack.enter_async_context(imgsync.open_evaluator(relay, user_id="eve"))
        first = await stack.enter_async_context(browser.open_page())
        # What looks at links, and tabs that nobody looks at.
        await trio.to_thread.run_sync(lambda: urlopen(url).read())
        hidden = [await stack.enter_async_context(browser.open_beside(first)) for _ in range(2)]
        await hidden[1].hide()
        for page in hidden:
            await page.run_early(SOCKETS)
            await page.goto(url)
            await page.wait("document.querySelector('#door')?.hidden === false")
            assert await page.run("document.visibilityState") == "hidden"
        closing = await stack.enter_async_context(AsyncExitStack())
        stacks = [stack, stack, stack, closing]
        a, b, c, second = [
            await one.enter_async_context(browser.open_beside(first, in_sight=True))
            for one in stacks
        ]
        assert evaluator.clients == {}
        for page in (a, b, c, second):
            await page.run_early(RECORDER)
            await page.goto(url)
            await wait_door(page, "I am ready")
        await wait_state(evaluator, PresenceState.WAITING)
        with pytest.raises(imgsync.RelayError, match="has not touched") as refused:
            async with evaluator.open_session("ann"):
                pass
        assert refused.value.code is ErrorCode.CLIENT_BUSY

        await touch(second)
        await wait_state(evaluator, PresenceState.AVAILABLE)
        await ClientPage(second).wait_says("Ready.")
        for page in (a, b, c):
            await wait_door(page, "another tab or window of this browser")
        async with evaluator.open_session("ann") as session:
            await show_url(session, 0, images.url("0.png"))
            await ClientPage(second).wait_shows(0)
            # Who has touched it is not asked again.
            await second.reload()
            await ClientPage(second).wait_shows(0)

            # It goes: the others say so, and a key will do.
            await closing.aclose()
            for page in (a, b, c):
                await wait_door(page, "is closed. You can go on here")
            await wait_state(evaluator, PresenceState.WAITING)
            await a.wait("document.activeElement?.id === 'door-ready'")
            if browser_name == "firefox":  # keys go to the window that is in front
                await a.command("browsingContext.activate")
            await a.press("Enter")
            await ClientPage(a).wait_shows(0)

            # Another one takes its place, and the session goes on there.
            await wait_door(b, "Take part here")
            await touch(b)
            await ClientPage(b).wait_shows(0)
            await show_url(session, 1, images.url("1.png"))
            await ClientPage(b).wait_shows(1)
            await wait_door(a, "Take part here")
            assert await a.run("document.querySelector('#stage').childElementCount") == 0

            # A copy of a tab waits, and its page that was killed does not, once that one is gone.
            kept = "Object.entries(sessionStorage).find(([key]) => key.includes('door'))"
            assert await b.run(f"{kept}[1]") == "lives"
            await c.run(f"void sessionStorage.setItem({await b.run(f'{kept}[0]')!r}, 'lives')")
            await c.reload()
            await wait_door(c, "another tab or window of this browser")
            await c.run(f"void sessionStorage.setItem({await b.run(f'{kept}[0]')!r}, 'lives')")
            await b.goto("about:blank")
            await wait_door(c, "is closed")
            await c.reload()
            await wait_open(c)
            await ClientPage(c).wait_shows(1)

        # Those that nobody has looked at have said nothing to anybody; looked at, they are doors.
        assert [await page.run("window.opened") for page in hidden] == [0, 0]
        await hidden[1].unhide()
        await wait_door(hidden[1], "Take part here")
        assert [page.errors for page in (a, b, c, *hidden)] == [[]] * 5
