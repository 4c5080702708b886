"""Exposures, answers, texts and what the display is, in the client's page, in either browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from imgsync import Delivery, EvaluatorSession, ImageRef
from imgsync.core.protocol.trials import Respond, Trial
from tests.kit.browsers import JSON, Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.web_images import ImageServer, open_images
from tests.kit.web_pages import ACK_S, ClientPage, open_client_page, open_session

pytestmark = in_either

FRAME = 1000 / 60

TRIES = 8

TELLS_PRESENTATIONS = "PerformanceObserver.supportedEntryTypes.includes('element')"

# What is done to fill the screen; the rest of the page goes on without it.
WATCH_FILLING = """
window.filled = 0;
Element.prototype.requestFullscreen = async () => void (filled += 1);
Object.defineProperty(Document.prototype, "fullscreenEnabled", { value: true });
"""


@attrs.frozen
class Trials:
    """A page in a session, and what is shown on it."""

    client: ClientPage
    session: EvaluatorSession
    images: ImageServer

    @property
    def page(self) -> Page:
        return self.client.page

    async def show(self, index: int, **asked: Any) -> Delivery:
        """Have it show an image, and wait for the ack."""
        url = self.images.url(f"{index}.png")
        return await self._show(ImageRef(index, url, url, trial=Trial(**asked)))

    async def show_text(self, index: int, text: str, respond: Respond | None = None) -> Delivery:
        trial = Trial(text=text, respond=respond)
        return await self._show(ImageRef(index, f"texts/1f8e24a0/{index}", None, trial=trial))

    async def _show(self, image: ImageRef) -> Delivery:
        with trio.fail_after(ACK_S):
            return await self.session.show(image)

    async def stage(self, index: int, stage: str, reason: str | None = None) -> JSON:
        return await self.client.wait_stage(index, stage, reason)

    async def answers(self, index: int, count: int) -> list[JSON]:
        """Once there are so many."""
        of = f"sent.filter((m) => m.type === 'response' && m.imageIndex === {index})"
        found: dict[str, JSON] = {}
        # Until it is acknowledged, it is told again on each channel.
        for one in await self.page.wait(f"{of}.length >= {count} && {of}"):
            found[json.dumps(one)] = one
        return list(found.values())


@asynccontextmanager
async def open_trials(browser: Browser, relay: str, user: str) -> AsyncIterator[Trials]:
    async with (
        open_images() as images,
        open_client_page(browser, relay, user, WATCH_FILLING) as client,
        open_session(relay, user) as session,
    ):
        await client.page.resize(800, 600)
        await client.page.wait("sent.some((m) => m.type === 'display' && m.refreshRate)")
        yield Trials(client, session, images)
        assert client.page.errors == []


async def test_an_image_is_up_for_the_time_that_is_asked_for(browser: Browser, relay: str) -> None:
    async with open_trials(browser, relay, "exposures") as trials:
        client, page = trials.client, trials.page
        index = 0
        for how, count in (({"frames": 6}, 6), ({"show_for": 100}, 6), ({"show_for": 2}, 1)):
            found = []
            # A browser that is busy misses some now and then; and then it says so.
            while count not in found:
                found.append(await show_and_check(trials, index, **how))
                index += 1
                assert len(found) < TRIES, found
        await client.page.wait("sent.some((m) => m.detail?.startsWith('a frame takes 16.'))")
        assert await page.run("sent.filter((m) => m.detail).length") == len(found)
        first = index
        # Another one may cut it short,
        await trials.show(first, frames=10_000)
        await trials.stage(first, "shown")
        index = first + 1
        await trials.show(index, show_for=600_000)
        shown, hidden = await trials.stage(index, "shown"), await trials.stage(first, "hidden")
        assert (hidden["at"], "reason" in hidden) == (shown["at"], False)
        assert 1 <= hidden["frames"] < 10_000
        # another size, which is another one to the eye, while its time goes on,
        await page.resize(700, 500)
        await client.wait_stage(index, "hidden", "resized")
        again = f"sent.filter((m) => m.imageIndex === {index} && m.stage === 'shown').length === 2"
        await page.wait(again)
        # and nobody's looking, after which it does not come again.
        await page.hide()
        hidden = await client.wait_stage(index, "hidden", "hidden_tab")
        assert hidden["frames"] > 10
        await page.unhide()
        await trials.show(index + 1)
        await trials.stage(index + 1, "shown")
        told = ["fetched", "shown", "resized", "shown", "hidden_tab"]
        assert await client.stages(index) == told
        assert await client.put_up() == [*range(index + 2)]


async def show_and_check(trials: Trials, index: int, **how: Any) -> int:
    """Show one, and wait until it is away; for how many frames it was up."""
    await trials.show(index, **how)
    hidden = await trials.stage(index, "hidden", "exposure_over")
    shown = await trials.stage(index, "shown")
    # A browser that tells when images are presented can't tell it of each: then its bound says so.
    slack = shown["within"] if await trials.page.run(TELLS_PRESENTATIONS) else 0
    assert abs((hidden["at"] - shown["at"]) / FRAME - hidden["frames"]) < 1.2 + slack / FRAME
    assert await trials.page.run("document.querySelector('#stage img')") is None
    assert await trials.client.stages(index) == ["fetched", "shown", "exposure_over"]
    frames: int = hidden["frames"]
    return frames


async def test_keys_and_taps_that_are_asked_for_are_answers(browser: Browser, relay: str) -> None:
    async with open_trials(browser, relay, "answers") as trials:
        page = trials.page
        await page.run(
            "void (window.left = 0, window.onkeydown = (e) => left += !e.defaultPrevented)"
        )
        await trials.show(0, respond=Respond(keys=("n", "Enter")))
        shown = await trials.stage(0, "shown")
        for key in ("n", "p", "Enter"):
            await page.press(key)
        first, second = await trials.answers(0, 2)
        assert [first["value"], second["value"], first["kind"]] == ["n", "Enter", "key"]
        assert first["reactionTime"] == first["at"] - shown["at"] > 0
        assert shown["within"] < first["within"] < shown["within"] + 20
        # The one that was not asked for does what it does.
        assert await page.run("left") == 1
        # The time is over, and an answer still counts, until another one is up.
        await trials.show(1, frames=2, respond=Respond(keys=("n",)))
        await trials.stage(1, "hidden", "exposure_over")
        await page.press("n")
        assert [one["number"] for one in await trials.answers(1, 1)] == [3]
        await trials.show(2)
        await trials.stage(2, "shown")
        await page.press("n")
        # The first answer ends it, and a time that it has.
        for index, asked in ((3, {}), (4, {"frames": 600})):
            await trials.show(index, respond=Respond(keys=("p",), ends=True), **asked)
            await trials.stage(index, "shown")
            await page.press("p")
            hidden = await trials.stage(index, "hidden", "answered")
            [said] = await trials.answers(index, 1)
            assert hidden["at"] > said["at"]
            await page.press("p")
        assert 0 < hidden["frames"] < 600
        # 15 to 8, as large as the window is: 800 pixels to 427, in the middle of 600.
        await trials.show(5, respond=Respond(taps=True))
        await trials.stage(5, "shown")
        assert await page.run("getComputedStyle(document.body).cursor") == "default"
        for place in ((400, 300), (400, 20), (160, 460)):
            await page.tap(*place)
        on, beside, left = await trials.answers(5, 3)
        assert [one["value"] for one in (on, beside, left)] == ["picture", "beside", "picture"]
        assert (on["x"], on["y"], "x" in beside) == (7.5, 4, False)
        assert (left["x"], left["y"]) == (pytest.approx(3), pytest.approx(7))
        # It is away, and was there.
        await trials.show(6, frames=2, respond=Respond(taps=True))
        await trials.stage(6, "hidden", "exposure_over")
        await page.tap(400, 300)
        assert [(one["x"], one["y"]) for one in await trials.answers(6, 1)] == [(8, 4)]
        # What is no answer fills the screen.
        assert await page.run("filled") == 0
        await trials.show(7)
        await trials.stage(7, "shown")
        assert await page.run("getComputedStyle(document.body).cursor") == "none"
        await page.tap(400, 300)
        await page.wait("filled === 1")
        of = "sent.filter((m) => m.type === 'response' && m.imageIndex === index)"
        counts = f"[0, 1, 2, 3, 4, 5, 6, 7].map((index) => new Set({of}.map((m) => m.number)).size)"
        assert await page.run(counts) == [2, 1, 0, 1, 1, 3, 1, 0]


LONG = "One line,\nanother one, and " + "so on " * 400
TEXT = "document.querySelector('#stage p')"


async def test_text_is_put_up_as_an_image_is_and_what_the_display_is_is_told(
    browser: Browser, relay: str
) -> None:
    async with open_trials(browser, relay, "texts") as trials:
        page, client = trials.page, trials.client
        is_told = await page.run("PerformanceObserver.supportedEntryTypes.includes('element')")
        await trials.show_text(0, "Welcome.\nPress any key.")
        shown = await trials.stage(0, "shown")
        assert shown["timing"] == ("presented" if is_told else "frame")
        assert await page.run(f"{TEXT}.innerText") == "Welcome.\nPress any key."
        await page.press("Enter")
        await page.tap(400, 300)
        key, tap = await trials.answers(0, 2)
        assert (key["value"], tap["kind"], tap["value"]) == ("Enter", "tap", "beside")
        assert await page.run("filled") == 0
        # An image in its place, and text in that of an image.
        await trials.show(1)
        hidden, shown = await trials.stage(0, "hidden"), await trials.stage(1, "shown")
        assert hidden["at"] == shown["at"]
        await trials.show_text(2, LONG, Respond(keys=("n",)))
        await trials.stage(2, "shown")
        for name in ("Enter", "n"):
            await page.press(name)
        assert [one["value"] for one in await trials.answers(2, 1)] == ["n"]
        assert await client.stages(2) == ["shown"]
        await check_text(page)
        await trials.show_text(3, "Short.")
        await trials.stage(3, "shown")
        box = f"{TEXT}.getBoundingClientRect()"
        assert await page.run(f"Math.abs({box}.top + {box}.bottom - innerHeight) < 2")
        await check_displays(page)


async def check_text(page: Page) -> None:
    """It can be read on a phone, and in half a window: what does not fit is below, not beside."""
    for size in ((390, 664), (400, 300)):
        await page.resize(*size)
        wide = "(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)"
        assert not await page.run(f"{wide}(document.querySelector('#stage > .text'))")
        assert await page.run(f"{TEXT}.getBoundingClientRect().top >= 0")
        assert await page.run(f"{TEXT}.scrollHeight > innerHeight")


async def check_displays(page: Page) -> None:
    """What was told in the end, and at first."""
    first = await page.run("sent.find((m) => m.type === 'display' && m.refreshRate)")
    assert first["screenWidth"] > 0
    assert 50 < first["refreshRate"] < 70
    assert first["isolated"] is True
    assert 0 < first["resolution"] < 0.1
    assert first["browser"].split()[0] in ("Chrome", "Firefox")
    assert first["system"] == "Linux"
    assert first["pointer"] in ("fine", "coarse", "none")
    assert "keyboard" not in first
    wide = "sent.find((m) => m.type === 'display' && m.windowWidth === 400 && m.keyboard)"
    last = await page.wait(wide)
    assert last["windowHeight"] == 300
    assert last["at"] > first["at"]
