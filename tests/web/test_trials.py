"""Exposures, answers, texts and what the display is, in the client's page, in Chromium and Firefox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from imgsync import Delivery, EvaluatorSession, ImageRef
from imgsync.core.protocol.trials import Respond, Trial
from tests.kit.browsers import JSON, Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.web_images import ImageServer, open_images
from tests.kit.web_pages import ACK_S, WIDTH, ClientPage, open_client_page, open_session

pytestmark = in_either

FRAME = 1000 / 60

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

    async def show(self, index: int, path: str = "", **asked: Any) -> Delivery:
        """Have it show an image, and wait for the ack."""
        url = self.images.url(path or f"{index}.png")
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
        # What is not acknowledged is told again on each channel.
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


async def test_an_image_with_a_time_of_its_own_is_taken_away_in_time(
    browser: Browser, relay: str
) -> None:
    async with open_trials(browser, relay, "exposures") as trials:
        for index, (asked, count) in enumerate(
            [({"frames": 6}, 6), ({"show_for": 100}, 6), ({"frames": 1}, 1), ({"frames": 12}, 12)]
        ):
            await trials.show(index, **asked)
            hidden = await trials.stage(index, "hidden", "exposure_over")
            shown = await trials.stage(index, "shown")
            # A machine that is busy may miss some; then it says so.
            assert hidden["frames"] >= count or hidden["dropped"] == 0
            up = (hidden["at"] - shown["at"]) / FRAME
            assert abs(up - hidden["frames"]) < 1.2
            assert await trials.page.run("document.querySelector('#stage img')") is None
            assert await trials.client.stages(index) == ["fetched", "shown", "exposure_over"]


async def test_a_time_that_no_screen_can_show_is_one_frame_and_told(
    browser: Browser, relay: str
) -> None:
    async with open_trials(browser, relay, "short") as trials:
        await trials.show(0, show_for=2)
        hidden = await trials.stage(0, "hidden", "exposure_over")
        assert hidden["detail"].startswith("a frame takes 16.")
        await trials.show(1, show_for=50)
        assert "detail" not in await trials.stage(1, "hidden", "exposure_over")


async def test_a_time_may_be_cut_short(browser: Browser, relay: str) -> None:
    async with open_trials(browser, relay, "cut") as trials:
        client, page = trials.client, trials.page
        # By the next one.
        await trials.show(0, frames=10_000)
        await trials.stage(0, "shown")
        await trials.show(1, show_for=600_000)
        shown, hidden = await trials.stage(1, "shown"), await trials.stage(0, "hidden")
        assert hidden["at"] == shown["at"]
        assert hidden["frames"] >= 1
        assert "reason" not in hidden
        # By another size: it is another one to the eye, and its time goes on.
        await page.resize(700, 500)
        await client.wait_stage(1, "hidden", "resized")
        again = "sent.filter((m) => m.imageIndex === 1 && m.stage === 'shown').length === 2"
        await page.wait(again)
        # By nobody's looking: it does not come again.
        await page.hide()
        await client.wait_stage(1, "hidden", "hidden_tab")
        await page.unhide()
        await trials.show(2)
        await trials.stage(2, "shown")
        told = ["fetched", "shown", "resized", "shown", "hidden_tab"]
        assert await client.stages(1) == told
        assert await client.put_up() == [0, 1, 2]
        # By the end of the session.
        await trials.show(3, frames=10_000)
        await trials.stage(3, "shown")


async def test_keys_that_are_asked_for_are_told_with_their_times(
    browser: Browser, relay: str
) -> None:
    async with open_trials(browser, relay, "keys") as trials:
        page = trials.page
        await page.run(
            "void (window.left = 0, window.onkeydown = (e) => left += !e.defaultPrevented)"
        )
        await trials.show(0, respond=Respond(keys=("n", "Enter")))
        shown = await trials.stage(0, "shown")
        for key in ("n", "p", "Enter"):
            await page.press(key)
        first, second = await trials.answers(0, 2)
        assert [first["value"], second["value"]] == ["n", "Enter"]
        assert first["kind"] == "key"
        assert first["reactionTime"] == first["at"] - shown["at"] > 0
        assert shown["within"] < first["within"] < shown["within"] + 20
        # The one that was not asked for does what it does.
        assert await page.run("left") == 1
        # The time is over, and an answer still counts, until another one is up.
        await trials.show(1, frames=2, respond=Respond(keys=("n",)))
        await trials.stage(1, "hidden", "exposure_over")
        await page.press("n")
        [late] = await trials.answers(1, 1)
        assert late["number"] == 3
        await trials.show(2)
        await trials.stage(2, "shown")
        await page.press("n")
        # The first answer ends it.
        await trials.show(3, respond=Respond(keys=("p",), ends=True))
        await trials.stage(3, "shown")
        await page.press("p")
        hidden = await trials.stage(3, "hidden", "answered")
        [said] = await trials.answers(3, 1)
        assert hidden["at"] > said["at"]
        await page.press("p")
        await trials.show(4, frames=600, respond=Respond(keys=("p",), ends=True))
        await trials.stage(4, "shown")
        await page.press("p")
        hidden = await trials.stage(4, "hidden", "answered")
        assert 0 < hidden["frames"] < 600
        counts = "[0, 1, 2, 3, 4].map((n) => new Set(sent.filter((m) => m.type === 'response'"
        counts += " && m.imageIndex === n).map((m) => m.number)).size)"
        assert await page.run(counts) == [2, 1, 0, 1, 1]


async def test_taps_are_told_with_their_place_and_fill_no_screen(
    browser: Browser, relay: str
) -> None:
    async with open_trials(browser, relay, "taps") as trials:
        page = trials.page
        # 10 to 8, as large as the window is: 750 pixels to 600, in the middle of 800.
        await trials.show(0, respond=Respond(taps=True))
        await trials.stage(0, "shown")
        assert await page.run("getComputedStyle(document.body).cursor") == "default"
        await page.tap(400, 300)
        await page.tap(10, 300)
        await page.tap(100, 450)
        told = await trials.answers(0, 3)
        assert [one["value"] for one in told] == ["picture", "beside", "picture"]
        places = [(one.get("x"), one.get("y")) for one in told]
        assert places[0] == (WIDTH / 2, 4)
        assert places[1] == (None, None)
        assert places[2] == (1, 6)
        assert await page.run("filled") == 0
        # It is away, and was there.
        await trials.show(1, frames=2, respond=Respond(taps=True))
        await trials.stage(1, "hidden", "exposure_over")
        await page.tap(400, 300)
        [late] = await trials.answers(1, 1)
        assert (late["x"], late["y"]) == ((WIDTH + 1) / 2, 4)
        # What is no answer fills the screen.
        await trials.show(2)
        await trials.stage(2, "shown")
        assert await page.run("getComputedStyle(document.body).cursor") == "none"
        await page.tap(400, 300)
        await page.wait("filled === 1")
        assert await page.run("sent.filter((m) => m.type === 'response').length") >= 4


LONG = "One line,\nanother one, and " + "so on " * 400


async def test_text_is_put_up_as_an_image_is_and_fits(browser: Browser, relay: str) -> None:
    async with open_trials(browser, relay, "texts") as trials:
        page, client = trials.page, trials.client
        is_told = await page.run("PerformanceObserver.supportedEntryTypes.includes('element')")
        await trials.show_text(0, "Welcome.\nPress any key.")
        shown = await trials.stage(0, "shown")
        assert shown["timing"] == ("presented" if is_told else "frame")
        assert await page.run("document.querySelector('#stage p').innerText") == (
            "Welcome.\nPress any key."
        )
        await page.press("Enter")
        assert (await trials.answers(0, 1))[0]["value"] == "Enter"
        await page.tap(400, 300)
        tap = (await trials.answers(0, 2))[1]
        assert (tap["kind"], tap["value"]) == ("tap", "beside")
        assert await page.run("filled") == 0
        # An image in its place, and text in that of an image.
        await trials.show(1)
        hidden, shown = await trials.stage(0, "hidden"), await trials.stage(1, "shown")
        assert hidden["at"] == shown["at"]
        await trials.show_text(2, LONG, Respond(keys=("n",)))
        await trials.stage(2, "shown")
        await page.press("Enter")
        await page.press("n")
        assert [one["value"] for one in await trials.answers(2, 1)] == ["n"]
        assert await client.stages(2) == ["shown"]
        # Of a phone, and of half a window.
        for size in ((390, 664), (320, 568), (400, 300)):
            await page.resize(*size)
            wide = "(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)"
            assert not await page.run(f"{wide}(document.querySelector('#stage > .text'))")
            first = "document.querySelector('#stage p').getBoundingClientRect()"
            assert await page.run(f"{first}.top >= 0 && {first}.height > innerHeight")
        await trials.show_text(3, "Short.")
        await trials.stage(3, "shown")
        middle = f"(({{ top, bottom }}) => Math.abs(top + bottom - innerHeight) < 2)({first})"
        assert await page.run(middle)


async def test_what_the_display_is_is_told_in_each_session_and_when_it_changes(
    browser: Browser, relay: str
) -> None:
    async with open_trials(browser, relay, "display") as trials:
        page = trials.page
        wide = "sent.findLast((m) => m.type === 'display' && m.windowWidth === {})"
        display = await page.wait(wide.format(800))
        assert display["windowHeight"] == 600
        assert display["screenWidth"] > 0
        assert 50 < display["refreshRate"] < 70
        assert display["isolated"] is True
        assert 0 < display["resolution"] < 0.1
        assert display["browser"].split()[0] in ("Chrome", "Firefox")
        assert display["system"] == "Linux"
        assert display["pointer"] in ("fine", "coarse", "none")
        assert "keyboard" not in display
        await page.press("Enter")
        await page.wait("sent.some((m) => m.type === 'display' && m.keyboard)")
        await page.resize(640, 480)
        changed = await page.wait(wide.format(640))
        assert changed["at"] > display["at"]
        assert changed["keyboard"] is True
