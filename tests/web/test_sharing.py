"""Pictures that come over the connection: from a page, to a page, in Chromium and in Firefox."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.kit.browsers import Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.web_pages import WIDTH, ClientPage, make_png, open_client_page
from tests.web.test_modules import open_module_page, wait_state

pytestmark = in_either

MB = 1_000_000


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


async def has_come(client: ClientPage, share: int) -> None:
    """Wait until so many bytes of a picture have come to a client's page."""
    await client.page.wait(f"sent.some((m) => m.type === 'got' && m.offset > {share})")


async def test_many_pictures_come_from_a_page_to_a_page(
    browser: Browser, relay: str, browser_name: str
) -> None:
    count = 40 if browser_name == "chromium" else 6
    async with (
        open_client_page(browser, relay, "forty") as client,
        open_sharer(browser, relay, "forty") as page,
    ):
        await add(page, count, MB)
        await page.run("show(0)")
        await page.run("announce(1)")
        await page.wait(f"told.some(({{ said }}) => said?.there === {count - 1})")
        for place in (1, count - 1):
            await page.run(f"show({place})")
            await client.wait_shows(place)
        await page.wait("shown().length === 3")
        # Each has come once, in order, and in one piece.
        names = await page.run("images.map(({ imageUrl }) => imageUrl)")
        wants = [(one["imageUrl"], one["offset"]) for one in await client.sent("want")]
        assert wants == [(name, 0) for name in names]
        assert await page.run("failed().length + warned.length") == 0
        assert client.page.errors == page.errors == []


async def test_a_picture_goes_on_where_it_was_after_a_repair_and_begins_anew_after_a_reload(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "repaired") as client,
        open_sharer(browser, relay, "repaired") as page,
    ):
        await add(page, 1, 20 * MB)
        await page.run("show(0)")
        await has_come(client, 2 * MB)
        await page.run("breakConnection()")
        await wait_state(page, "resumed")
        await client.page.wait("sent.filter((m) => m.type === 'want').length === 2")
        await has_come(client, 10 * MB)
        first, second = await client.sent("want")
        assert first["offset"] == 0
        assert second["offset"] > 2 * MB
        assert second["sha256"] == await page.run("images[0].own.facts.sha256")
        await client.page.reload()
        await client.wait_stage(0, "shown")
        await client.wait_shows(0)
        assert [one["offset"] for one in await client.sent("want")] == [0]
        await page.wait("shown().length === 1")
        assert await page.run("failed().length + warned.length") == 0
        assert client.page.errors == page.errors == []


# ── what a client may not have ───────────────────────────────────────────────────────────────────


async def test_a_client_gets_what_it_was_told_of_and_nothing_else(
    browser: Browser, relay: str
) -> None:
    async with (
        open_module_page(browser, relay, "rogue.js", **{"as": "rogue"}) as client,
        open_sharer(browser, relay, "rogue") as page,
    ):
        await add(page, 3, MB)
        await page.run("show(0)")
        await client.wait("isShared")
        own = await page.run("images.map(({ imageUrl }) => imageUrl)")
        for message in ("new Uint8Array(20).buffer", "'{'", "'[]'", '\'{"type":"more"}\''):
            await client.run(f"session.sendData({message})")
        asked = ["../../etc/passwd", "images/0a1b2c3d/../0.png", own[1], own[0], own[0], own[0]]
        offsets = [0, 0, 0, -1, MB + 1, "0"]
        for id, (name, offset) in enumerate(zip(asked, offsets, strict=True), 1):
            await client.run(f"want({id}, {name!r}, {json.dumps(offset)})")
        await client.wait("heard.length === 6")
        refused = await client.run("heard.map(({ type, id, reason }) => [type, id, reason])")
        reasons = [*["not_offered"] * 3, "bad_offset", "bad_offset", "bad_message"]
        assert refused == [["refused", id, reason] for id, reason in enumerate(reasons, 1)]
        # All at once, and none of it is ever acknowledged.
        await client.run(f"void Array.from({{ length: 100 }}, (_, n) => want(n + 7, {own[0]!r}))")
        await client.wait("heard.filter(({ reason }) => reason === 'too_many').length === 84")
        await client.wait("bytes > 0")
        assert await client.run("heard.filter(({ type }) => type === 'picture').length") == 1
        assert await client.run("bytes") <= 16 * 1024 + 4 * 12
        # The session goes on, and what is told of may be had.
        await page.run("announce(2)")
        await client.wait("images.length === 2")
        await client.run("Array.from({ length: 16 }, (_, n) => say({ type: 'stop', id: n + 7 }))")
        await client.run(f"want(200, {own[2]!r})")
        await client.wait("heard.some(({ type, id }) => type === 'picture' && id === 200)")
        assert await client.run("state") == "connected"
        assert client.errors == page.errors == []
