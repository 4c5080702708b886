"""While an image is up, nothing else is: by the pixels of the screen, and for those who listen."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

from PIL import Image

from tests.kit.browsers import Browser, Page
from tests.kit.web_images import open_images
from tests.kit.web_pages import open_client_page, open_session, show_url

STAGE = (800, 600)
PICTURE = (750, 600)
"""10 by 8 pixels, as large as the window is."""

GREY, BACKGROUND = (200,) * 3, (128,) * 3


async def seen(page: Page) -> dict[Any, int]:
    """How often each colour is on the screen; the cursor is not in it."""
    shot = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    assert shot.size == STAGE
    return Counter[Any](shot.get_flattened_data())


async def heard(page: Page) -> list[str]:
    """What a screen reader finds on the page, but for its title."""
    tree = await page.command("Accessibility.getFullAXTree")
    nodes = [node for node in tree["nodes"] if not node["ignored"]]
    return [
        node["name"]["value"]
        for node in nodes
        if node["role"]["value"] != "RootWebArea" and node.get("name", {}).get("value")
    ]


async def test_nothing_but_the_image_is_seen_or_heard_whatever_happens(
    browser: Browser, relay: str
) -> None:
    alone = {GREY: PICTURE[0] * PICTURE[1], BACKGROUND: (STAGE[0] - PICTURE[0]) * STAGE[1]}
    async with (
        open_images() as images,
        open_client_page(browser, relay, "alone") as client,
        open_session(relay, "alone") as session,
    ):
        page = client.page
        await page.resize(*STAGE)
        await show_url(session, 0, images.url("0.png"))
        await client.wait_stage(0, "shown")

        async def check(what: str) -> None:
            assert await seen(page) == alone, what
            assert await heard(page) == [], what

        await check("shown")
        assert await page.run("getComputedStyle(document.body).cursor") == "none"
        for scheme in ("dark", "light"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            await page.command("Emulation.setEmulatedMedia", features=features)
            await check(scheme)
        for key in ("Tab", "Enter"):
            await page.press(key)
        await page.run("document.execCommand('selectAll')")
        await check("keys, and all selected")
        moved = {"type": "mouseMoved", "x": 400, "y": 300}
        await page.command("Input.dispatchMouseEvent", **moved)
        await check("a mouse over it")
        # What is told of the line meanwhile is told when the image is away.
        async with browser.open_beside(page) as beside:
            await beside.goto(await page.run("location.href"))
            await beside.wait("document.querySelector('#text')?.textContent.length > 5")
        await check("another tab that has come and gone")
        await page.command("Network.enable")
        await page.command(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )
        await page.run("void dispatchEvent(new Event('offline'))")
        await check("no network")
        assert page.errors == []
