"""Pictures that come over the connection: from a page, and to a page."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from imgsync import open_images
from tests.kit.browsers import Browser, Page
from tests.kit.either_browser import in_either
from tests.kit.forks import open_fork
from tests.kit.processes import our_client
from tests.kit.web_pages import (
    WIDTH,
    ClientPage,
    make_folder,
    make_png,
    open_client_page,
    open_session,
)
from tests.web.test_modules import open_module_page, wait_state

MB = 1_000_000


@asynccontextmanager
async def open_sharer(browser: Browser, relay: str, client: str) -> AsyncIterator[Page]:
    """An evaluator's page in a session with a client, to which it has sent nothing yet."""
    async with open_module_page(browser, relay, "sharer.js", of=client) as page:
        await wait_state(page, "connected")
        yield page


async def add(page: Page, count: int, size: int) -> None:
    """Have it so many pictures more, of so many bytes each."""
    pngs = [b64encode(make_png(WIDTH + n)).decode() for n in range(count)]
    await page.run(f"addPngs({json.dumps(pngs)}, {size})")


async def has_come(client: ClientPage, share: int) -> None:
    """Wait until so many bytes of a picture have come to a client's page."""
    await client.page.wait(f"sent.some((m) => m.type === 'got' && m.offset > {share})")


@in_either
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


async def test_a_session_goes_on_without_the_second_channel_and_with_those_of_strangers(
    browser: Browser, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "closed") as client,
        open_sharer(browser, relay, "closed") as page,
    ):
        await add(page, 2, 10 * MB)
        await page.run("show(0)")
        await has_come(client, MB)
        await page.run("void connections[0].createDataChannel('of nobody')")
        await page.run("void channels['image-data'].close()")
        await page.run("show(1)")
        await page.wait("told.filter(({ kind }) => kind === 'acked').length === 2")
        assert await page.run("states.at(-1).state") == "connected"
        # What is wanted comes over the next connection.
        await page.run("breakConnection()")
        await client.wait_shows(1)
        await page.wait("shown().length === 1")
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


# ── files and other programs ─────────────────────────────────────────────────────────────────────


@in_either
async def test_a_file_that_changes_or_goes_once_it_was_opened_is_failed_by_its_reason(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    files = [tmp_path / f"{place}.png" for place in range(3)]
    for place, file in enumerate(files):
        file.write_bytes(make_png(WIDTH + place))
    async with (
        open_client_page(browser, relay, "files") as client,
        open_sharer(browser, relay, "files") as page,
    ):
        await page.run(
            "void document.body.append(Object.assign(document.createElement('input'),"
            " { type: 'file', multiple: true, id: 'own' }))"
        )
        await page.choose_files("#own", files)
        await page.run(
            "(async () => { for (const file of document.querySelector('#own').files)"
            " await add(file.name, file); })()"
        )
        files[1].write_bytes(make_png(WIDTH + 1, 200))
        os.utime(files[1], (1e9, 1e9))
        files[2].unlink()
        for place, reason in ((1, "changed"), (2, "unreadable")):
            await page.run(f"show({place})")
            await client.wait_stage(place, "failed", reason)
        await page.run("show(0)")
        await client.wait_shows(0)
        await page.wait("failed().length === 2 && shown().length === 1")
        assert await page.run("failed()") == [[1, "changed"], [2, "unreadable"]]
        assert await page.run("warned.length") == 2
        assert client.page.errors == page.errors == []


def hashes_in(folder: Path) -> set[str]:
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*.png")}


@in_either
async def test_pictures_of_a_page_come_to_our_client_byte_for_byte(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    async with open_fork("client", *our_client(relay), "--save", str(tmp_path)) as client:
        await client.wait_event("registered")
        async with open_sharer(browser, relay, "C") as page:
            await add(page, 3, 2 * MB)
            await page.run("show(0)")
            await page.run("announce(1)")
            for place in range(3):
                await page.run(f"show({place})")
                await page.wait(
                    "told.some(({ stage, image }) =>"
                    f" stage === 'fetched' && image.imageIndex === {place})"
                )
            hashes = await page.run("images.map(({ own }) => own.facts.sha256)")
            await page.run("session.close()")
            await client.wait_success()
    assert hashes_in(tmp_path) == set(hashes)


async def test_pictures_of_a_folder_come_to_a_page_over_the_connection(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    make_folder(tmp_path, 3)
    async with (
        open_images(tmp_path, via="peer") as images,
        open_client_page(browser, relay, "folder") as client,
        open_session(relay, "folder") as session,
    ):
        series = [*images]
        session.preload(series[1:])
        for place, image in enumerate(series):
            await session.show(image)
            await client.wait_shows(place)
        assert len(await client.sent("want")) == 3
        assert client.page.errors == []
