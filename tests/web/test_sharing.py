"""Pictures that come over the connection: from a page, to a page, in Chromium and in Firefox."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.kit.browsers import Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.web_pages import WIDTH, make_png, open_client_page
from tests.web.test_modules import open_module_page, wait_state

pytestmark = in_either

KB, MB = 1000, 1_000_000


@asynccontextmanager
async def open_sharer(browser: Browser, relay: str, client: str) -> AsyncIterator[Page]:
    """An evaluator's page in a session with a client, to which it has sent nothing yet."""
    async with open_module_page(browser, relay, "sharer.js", of=client) as page:
        await wait_state(page, "connected")
        yield page


async def add(page: Page, count: int, size: int, first: int = 0) -> None:
    """Have it so many pictures more, of so many bytes each."""
    pngs = [b64encode(make_png(WIDTH + first + n)).decode() for n in range(count)]
    await page.run(f"addPngs({json.dumps(pngs)}, {size})")


async def test_forty_pictures_come_from_a_page_to_a_page(browser: Browser, relay: str) -> None:
    async with (
        open_client_page(browser, relay, "forty") as client,
        open_sharer(browser, relay, "forty") as page,
    ):
        await add(page, 40, MB)
        begun = time.perf_counter()
        await page.run("show(0)")
        await page.run("announce(1)")
        await page.wait("told.some((one) => one.kind === 'counted' && one.said.there === 39)", 60)
        print("40 MB:", time.perf_counter() - begun)
        for place in range(1, 40):
            await page.run(f"show({place})")
            await client.page.wait(f"document.querySelector('#stage img')?.naturalWidth === {WIDTH + place}")
        await page.wait("shown().length === 40")
        print(await page.run("warned"), client.page.errors, page.errors)
