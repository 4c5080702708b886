"""Screenshots of pages, to be looked at by a person."""

from __future__ import annotations

import base64
from pathlib import Path

import attrs

from tests.kit.browsers import Page

SIZES = {"phone": (390, 844), "laptop": (1280, 800)}
SCHEMES = ("light", "dark")


async def resize(page: Page, size: str) -> None:
    """As a phone or a laptop is."""
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "mobile": size == "phone", "deviceScaleFactor": 1}
    await page.command("Emulation.setDeviceMetricsOverride", **metrics)


async def frames(page: Page) -> None:
    """What is out of sight comes into it in one frame, and is painted in the next."""
    for _ in range(2):
        await page.run("new Promise(requestAnimationFrame)")


@attrs.frozen
class Album:
    """Where the pictures go: FOLDER/STATE-SIZE-SCHEME.png. In Chromium alone.

    :param is_whole: whether a picture is as long as the page, and not as its window.
    """

    folder: Path
    is_whole: bool = False

    async def take(self, page: Page, state: str) -> None:
        """One of each size and scheme; nothing is wider than the window."""
        # A tab behind another one is not painted.
        await page.command("Page.bringToFront")
        # Else the page is laid out anew, without them, while its picture is taken.
        await page.command("Emulation.setScrollbarsHidden", hidden=True)
        await frames(page)
        for size in reversed(SIZES):
            await resize(page, size)
            await frames(page)
            wide = await page.run(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, f"{state} is wider than a {size} by {wide} pixels"
            for scheme in SCHEMES:
                feature = {"name": "prefers-color-scheme", "value": scheme}
                await page.command("Emulation.setEmulatedMedia", features=[feature])
                answer = await page.command(
                    "Page.captureScreenshot", format="png", captureBeyondViewport=self.is_whole
                )
                png = base64.b64decode(answer["data"])
                (self.folder / f"{state}-{size}-{scheme}.png").write_bytes(png)
        await resize(page, "laptop")
