"""Images in millimetres, degrees and pixels, on screens that were measured, in either browser.

What is measured is pixels of screenshots, and not what the page says of itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from math import radians, tan
from typing import Any

import attrs
import trio
from PIL import Image

from imgsync import EvaluatorSession, ImageRef
from imgsync.core.protocol.trials import Respond, Scale, Trial
from tests.kit.browsers import JSON, Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.web_images import ImageServer, open_images
from tests.kit.web_pages import ACK_S, WIDTH, ClientPage, open_client_page, open_session

pytestmark = in_either

GREY, BETWEEN = 200, 164
"""Of the images, and half way to what is behind them."""

BAR = 200
"""The number of an image of 210 to 8 pixels."""

CARD_MM = 85.6

CARD = 280
"""CSS pixels of a bank card at no zoom: a bar of 10 cm has room at each that is tried."""


# A tap would, which no script of a test is.
NEVER_FILLED = "Element.prototype.requestFullscreen = async () => {};"


@attrs.frozen
class Measured:
    """A page in a session."""

    client: ClientPage
    session: EvaluatorSession
    images: ImageServer

    @property
    def page(self) -> Page:
        return self.client.page

    async def show(self, index: int, **asked: Any) -> JSON:
        """Show the bar, and return how large it is, as the page says."""
        url = self.images.url(f"{BAR}.png")
        with trio.fail_after(ACK_S):
            await self.session.show(ImageRef(index, url, url, trial=Trial(**asked)))
        drawn: JSON = (await self.client.wait_stage(index, "shown"))["drawn"]
        return drawn

    async def seen(self, least: int = BETWEEN) -> tuple[int, int]:
        """Pixels of the screen across the bar and down, which are as light as that."""
        picture = Image.open(BytesIO(await self.page.screenshot())).convert("L")
        width, height = picture.size
        across = picture.crop((0, height // 2, width, height // 2 + 1)).tobytes()
        down = picture.crop((width // 2, 0, width // 2 + 1, height)).tobytes()
        return sum(one >= least for one in across), sum(one >= least for one in down)


@asynccontextmanager
async def open_measured(
    browser: Browser, relay: str, user: str, **query: str
) -> AsyncIterator[Measured]:
    async with (
        open_images() as images,
        open_client_page(browser, relay, user, NEVER_FILLED, **query) as client,
        open_session(relay, user) as session,
    ):
        yield Measured(client, session, images)


async def press(page: Page, words: str) -> None:
    """A button, by what is on it."""
    of = f"[...document.querySelectorAll('#front button')].find((b) => b.innerText === {words!r})"
    await page.wait(f"{of} !== undefined")
    await page.run(f"{of}.click()")


async def slide(page: Page, pixels: float) -> None:
    """Have the box so many CSS pixels wide."""
    await page.wait("document.querySelector('#measuring input[type=range]') !== null")
    await page.run(
        f"""{{
          const slider = document.querySelector("#measuring input[type=range]");
          slider.value = {pixels};
          slider.dispatchEvent(new Event("input"));
        }}"""
    )


async def calibrate(page: Page, card: float) -> None:
    """By a bank card of so many CSS pixels."""
    button = "document.querySelector('#size button')"
    await page.wait(f"{button} !== null")
    await page.run(f"{button}.click()")
    await slide(page, card)
    await press(page, "It fits")
    await press(page, "Not now")
    await page.wait("document.querySelector('#measuring') === null")


async def test_ten_centimetres_are_ten_centimetres_on_every_screen_at_every_zoom(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "tall", NEVER_FILLED) as client,
    ):
        page, index = client.page, 0
        for scale in (1, 1.5, 2, 3):
            await page.magnify(scale)
            await page.wait(f"devicePixelRatio === {scale}")
            await calibrate(page, CARD)
            async with open_session(relay, "tall") as session:
                measured = Measured(client, session, images)
                for zoom in (0.8, 1.1, 1.5):
                    await page.magnify(scale, zoom)
                    await page.wait(f"Math.abs(devicePixelRatio / {scale * zoom} - 1) < 0.02")
                    drawn = await measured.show(index, size_mm=100)
                    expected = CARD * scale * 100 / CARD_MM
                    width, height = await measured.seen()
                    assert abs(width / expected - 1) < 0.01, (scale, zoom, width, expected, drawn)
                    assert abs(height - width * 8 / (WIDTH + BAR)) < 2, (scale, zoom, height)
                    assert abs(drawn["widthMm"] - 100) < 0.5
                    index += 1
        assert page.errors == []


async def test_a_size_that_cannot_be_had_is_told_and_one_pixel_is_one_pixel(
    browser: Browser, relay: str
) -> None:
    async with open_measured(browser, relay, "plain") as measured:
        page, client = measured.page, measured.client
        # Nobody has measured the screen,
        drawn = await measured.show(0, size_mm=100)
        room = await page.run("innerWidth")
        assert (drawn["widthPx"], drawn["fitted"]) == (room, "not_calibrated")
        assert "widthMm" not in drawn
        # nor the distance to it; but one pixel needs neither.
        for index, scale in enumerate((1, 1.25, 1.5, 2, 3), 1):
            await page.magnify(scale)
            await page.wait(f"devicePixelRatio === {scale}")
            drawn = await measured.show(index, scale=Scale.PIXELS)
            assert await measured.seen(GREY) == (WIDTH + BAR, 8), (scale, drawn)
            assert abs(drawn["widthPx"] * scale - WIDTH - BAR) < 0.01
        # What is zoomed meanwhile is told, and is one pixel on one again.
        await page.magnify(3, 1.5)
        await client.wait_stage(index, "hidden", "zoomed")
        again = f"sent.filter((m) => m.imageIndex === {index} && m.stage === 'shown').length === 2"
        await page.wait(again)
        assert await measured.seen(GREY) == (WIDTH + BAR, 8)
        # A tap on it is told in its own pixels.
        await measured.show(index + 1, scale=Scale.PIXELS, respond=Respond(taps=True))
        middle = await page.run("[innerWidth / 2, innerHeight / 2]")
        await page.tap(*middle)
        [answer] = await page.wait("(found => found.length && found)(sent.filter((m) => m.x))")
        assert abs(answer["x"] - (WIDTH + BAR) / 2) < 4.5
        assert abs(answer["y"] - 4) < 4.5
        assert page.errors == []


async def test_the_screen_and_the_distance_are_measured_where_the_link_asks_for_it(
    browser: Browser, relay: str
) -> None:
    async with open_client_page(browser, relay, "link", NEVER_FILLED, size="distance") as client:
        page = client.page
        title = "document.activeElement.innerText === {!r}"
        await page.wait(title.format("How large is this screen?"))
        # By a ruler, and what is next to it by a key.
        await press(page, "Use a ruler instead")
        await slide(page, 400)
        await page.run("document.querySelector('#measuring input').focus()")
        await page.press("ArrowRight")
        width = await page.run("document.querySelector('.shape').getBoundingClientRect().width")
        assert 400.5 < width < 402
        await press(page, "It fits")
        await page.wait(title.format("How far away do you sit?"))
        for typed, is_wrong in (("5", True), ("", True), ("62.5", False)):
            await page.run("document.querySelector('#measuring input').focus()")
            await page.run("document.querySelector('#measuring input').value = ''")
            await page.insert(typed)
            await press(page, "Use this distance")
            wrong = "document.querySelector('#measuring [role=alert]')?.innerText"
            assert ("from 10 to 500" in (await page.run(wrong) or "")) == is_wrong
        await page.wait("document.querySelector('#measuring') === null")
        says = "document.querySelector('#size').innerText"
        await page.wait(f"{says}.startsWith('This screen has been measured.')")
        # It is remembered, told in each session, and found anew by the blind spot.
        await page.reload()
        await client.wait_says("Ready.")
        assert await page.run("document.querySelector('#measuring')") is None
        async with open_session(relay, "link") as session, open_images() as images:
            found = await page.wait("sent.find((m) => m.type === 'display')")
            assert found["pxPerMm"] == 4.01
            assert (found["calibratedBy"], found["distanceMm"]) == ("ruler", 625)
            assert found["distanceBy"] == "typed"
            drawn = await Measured(client, session, images).show(0, size_deg=10)
            assert abs(drawn["widthMm"] - 2 * 625 * tan(radians(5))) < 0.01
        await find_by_blind_spot(page)
        found = await page.run("JSON.parse(localStorage.getItem('imgsync size'))")
        assert found["distanceBy"] == "blind_spot"
        assert 28 / tan(radians(13.5)) <= found["distanceMm"] < 180
        assert found["distanceWithinMm"] < 60
        # Another screen is another one.
        await page.run("void Object.defineProperty(screen, 'width', { value: 500 })")
        await page.run("void dispatchEvent(new Event('resize'))")
        await page.wait(f"{says}.startsWith('This is not the screen that was measured')")
        assert page.errors == []


async def find_by_blind_spot(page: Page) -> None:
    """The dot is lost 28 mm from the cross, wherever it begins."""
    await press(page, "Measure this screen again")
    await press(page, "It fits")
    await press(page, "Find it out without a ruler")
    await press(page, "Begin")
    gone = """(({ x }, { x: at }) => (x - at) / 4.01)(
      document.querySelector('.cross').getBoundingClientRect(),
      document.querySelector('.dot').getBoundingClientRect()) >= 28"""
    for number in range(1, 6):
        await page.wait(f"document.querySelector('#measuring').innerText.includes('{number} of 5')")
        await page.wait(gone)
        await (page.press(" ") if number % 2 else press(page, "The dot is gone"))
    await press(page, "Use this distance")
    await page.wait("document.querySelector('#measuring') === null")
