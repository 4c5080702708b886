"""What the console keeps in its browser: over a reload, a closed tab, and a month."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.kit.browsers import Browser
from tests.kit.console_pages import (
    IS_RECORD,
    ConsolePage,
    Images,
    console_url,
    is_seen,
    open_console,
    open_images,
)
from tests.kit.web_pages import open_client_page
from tests.web.test_console import download


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    async with open_images() as server:
        yield server


async def test_a_closed_tab_loses_nothing_and_the_next_one_offers_to_go_on(
    browser: Browser, relay: str, images: Images, tmp_path: Path
) -> None:
    async with open_client_page(browser, relay, "kim") as client, browser.open_page() as first:
        async with open_console(browser, relay, "dr-kim", beside=first) as console:
            await console.paste(images.manifest(*range(4)))
            await console.start("kim")
            for index in range(3):
                await console.press("n")
                await console.wait_fate(index, "shown")
            await console.wait_says("3 showings in 1 session. Kept in this browser", "#record-note")
            # Another tab has a record of its own, and nothing of this one.
            async with open_console(browser, relay, "dr-kim", beside=first) as other:
                await other.wait_says("No session.")
                assert await other.thumbs() == []
                assert not await is_seen(other, "#offer")
                await other.page.reload()
                await other.wait_says("connected", "#relay")
                assert not await is_seen(other, "#offer, #remove")
        async with open_console(browser, relay, "dr-kim", beside=first) as console:
            await console.wait_says("A session with kim was left just now, at image 3.", "#offer")
            await console.wait_says("3 showings in 1 session", "#record-note")
            await console.wait_says("was shown when the client was last heard of", "#rows")
            await console.tap("#take-up")
            await console.wait_says("Connected to kim")
            await console.wait_current(2)
            await console.press("n")
            await console.wait_fate(3, "shown")
            # It was on the screen all the time.
            assert await client.put_up() == [0, 1, 2, 3]
            await console.end()
            table, lines = await download(console, "dr-kim", tmp_path)
            assert [row["imageIndex"] for row in table] == ["0", "1", "2", "3"]
            assert len({row["sessionId"] for row in table}) == 1
            # What was shown after the page was loaded anew has it from the list that was kept.
            assert [row["label"] for row in table] == [f"of {i}" for i in range(4)]
            assert [line["role"] for line in lines if line["event"] == "header"] == [
                "evaluator"
            ] * 2
            await console.page.reload()
            await console.wait_says("until this page is opened anew", "#record-note")
            assert console.page.errors == []
        async with open_console(browser, relay, "dr-kim", beside=first) as console:
            await console.wait_says("No session.")
            assert not await is_seen(console, "#offer, #remove, #table")
            assert [event["event"] for event in await console.events()] == ["header"]


async def test_a_record_can_be_removed_and_is_told_before_it_is_dropped(
    browser: Browser, relay: str, images: Images
) -> None:
    async with open_client_page(browser, relay, "ivy"), browser.open_page() as first:
        async with open_console(browser, relay, "dr-ivy", beside=first) as console:
            await console.paste(images.manifest(0))
            await console.start("ivy")
            await console.press("n")
            await console.wait_fate(0, "shown")
            assert (
                await console.page.run("document.querySelector('#remove').ariaDisabled") == "true"
            )
            await console.end()
        for words in ("Kept in this browser", "older than 30 days", "older than 30 days"):
            async with open_console(browser, relay, "dr-ivy", beside=first) as console:
                await console.wait_says(words, "#record-note")
                assert not await is_seen(console, "#offer")
                await make_older(console, days=31)
        async with open_console(browser, relay, "dr-ivy", beside=first) as console:
            await console.wait_says("1 showing in 1 session", "#record-note")
            await console.tap("#remove")
            await console.tap("#remove-no")
            await console.tap("#remove")
            await console.tap("#remove-yes")
            await console.page.wait("document.querySelector('#record-note')?.textContent === ''")
            await console.wait_says("connected", "#relay")
            assert await console.thumbs() == []
            await console.page.wait("!document.querySelector('#remove').checkVisibility()")


async def make_older(console: ConsolePage, days: int) -> None:
    """As if this much time had passed since something was written, and was told of."""
    await console.page.run(
        "(async () => {"
        f" const [{{ name }}] = (await indexedDB.databases()).filter({IS_RECORD});"
        " const opening = indexedDB.open(name);"
        " await new Promise((then) => (opening.onsuccess = then));"
        " const pages = opening.result.transaction('pages', 'readwrite').objectStore('pages');"
        " const asked = pages.getAll();"
        " await new Promise((then) => (asked.onsuccess = then));"
        f" const ago = Date.now() - {days} * 24 * 3600e3;"
        " await Promise.all(asked.result.map((row) => new Promise((then) => {"
        " pages.put({ ...row, at: ago }).onsuccess = then; }))); opening.result.close(); })()"
    )


async def test_a_browser_that_keeps_nothing_is_told_of_and_asks_before_it_loses_something(
    browser: Browser, relay: str, images: Images
) -> None:
    async with open_client_page(browser, relay, "lou"), browser.open_page() as page:
        await page.run_early("Object.defineProperty(window, 'indexedDB', { value: undefined })")
        await page.goto(console_url(relay, user="dr-lou"))
        console = ConsolePage(page)
        await console.wait_says("connected", "#relay")
        await console.wait_says("it is all in this window only", "#record-note")
        await console.paste(images.manifest(0, 1))
        await console.start("lou")
        await console.press("n")
        await console.wait_fate(0, "shown")
        await console.page.reload_though_asked()
        # The tab remembers the session, with what is on the screen.
        await console.wait_says("Connected to lou")
        # The same list goes on where the session stands.
        await console.paste(images.manifest(0, 1))
        await console.wait_current(0)
        await console.press("n")
        await console.wait_fate(1, "shown")
        await console.end()
        await page.reload_though_asked()
        await console.wait_says("No session.")
        assert page.errors == []


SILENT = {
    "of reads": "IDBObjectStore.prototype.getAll = () => ({});",
    "of writes": "IDBObjectStore.prototype.add = IDBObjectStore.prototype.put = () => ({});",
    "of all": "IDBDatabase.prototype.transaction = () => new Promise(() => {});"
    " IDBFactory.prototype.open = () => ({});",
}


@pytest.mark.parametrize("silence", SILENT.values(), ids=SILENT)
async def test_a_console_begins_where_storage_opens_and_answers_nothing(
    browser: Browser, relay: str, images: Images, silence: str
) -> None:
    async with open_client_page(browser, relay, "max"), browser.open_page() as page:
        await page.run_early(silence)
        with trio.fail_after(20):
            await page.goto(console_url(relay, user="dr-max"))
            console = ConsolePage(page)
            await console.wait_says("connected", "#relay")
        await console.wait_says("it is all in this window only", "#record-note")
        await console.paste(images.manifest(0))
        await console.start("max")
        await console.press("n")
        await console.wait_fate(0, "shown")
        await console.end()
        assert page.errors == []


OPENED = """
window.opened = [];
const open = IDBFactory.prototype.open;
IDBFactory.prototype.open = function (...given) {
  const opening = open.apply(this, given);
  opening.addEventListener("success", () => window.opened.push(opening.result));
  return opening;
};
window.closeAll = () =>
  window.opened.splice(0).map((database) => (database.close(), database.name));
"""

EMPTIED = (
    "Promise.all(closeAll().map((name) => new Promise((then) => {"
    " indexedDB.deleteDatabase(name).onsuccess = () => then(); })))"
)


async def test_a_connection_that_is_closed_is_opened_again_and_what_is_lost_is_written_anew(
    browser: Browser, relay: str, images: Images
) -> None:
    async with open_client_page(browser, relay, "ned"), browser.open_page() as page:
        await page.run_early(OPENED)
        await page.goto(console_url(relay, user="dr-ned"))
        console = ConsolePage(page)
        await console.wait_says("connected", "#relay")
        await console.paste(images.manifest(*range(4)))
        await console.start("ned")
        await console.press("n")
        await console.wait_fate(0, "shown")
        await page.reload_though_asked()
        await console.wait_says("Connected to ned")
        for index, deed in enumerate(["closeAll()", EMPTIED, "closeAll()"], 1):
            await page.run(deed)
            await console.press("n")
            await console.wait_fate(index, "shown")
            await console.wait_says("Kept in this browser", "#record-note")
        await console.end()
        kept = await console.events()
        shown = [event["imageIndex"] for event in kept if event["event"] == "show"]
        assert shown == [0, 1, 2, 3]
        assert len([event for event in kept if event["event"] == "header"]) == 2
        await page.reload()
        await console.wait_says("4 showings in 1 session. Kept in this browser", "#record-note")
        assert len(await console.thumbs()) == 4
        assert page.errors == []
