"""What the client's page waits for when it starts, in Chromium."""

from __future__ import annotations

import trio

from tests.kit.browsers import Browser
from tests.kit.forks import open_relay
from tests.kit.raw_peers import open_raw
from tests.kit.web_images import open_images
from tests.kit.web_pages import INSIDE, RECORDER, ClientPage, open_session, page_url, show_url

LATER = [{"urlPattern": f"*/js/{part}*"} for part in ("client/client.js", "core/handshake/")]
SCRIPTS = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js'))"


async def test_a_page_is_at_the_relay_while_all_but_its_first_files_are_still_on_their_way(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_raw(relay, "evaluator", "onlooker") as onlooker,
        browser.open_page() as page,
    ):
        await page.run_early(INSIDE + RECORDER)
        await page.command("Fetch.enable", patterns=LATER)
        await page.goto(page_url(relay, user="early"))
        client = ClientPage(page)
        await client.wait_says("Ready.")
        presence = await onlooker.wait_event("presence")
        assert (presence["userId"], presence["state"]) == ("early", "available")

        async def let_on() -> None:
            assert (await onlooker.wait_event("presence"))["state"] == "busy"
            await page.command("Fetch.disable")

        # A session that begins meanwhile waits for them, and for nothing else.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(let_on)
            async with open_session(relay, "early") as session:
                await show_url(session, 0, images.url("0.png"))
                await client.wait_stage(0, "shown")
        names = await page.run(f"{SCRIPTS}.map((one) => one.name.split('/js/')[1])")
        assert len(names) == len({*names})
        await client.wait_says("Thank you.")
        await page.reload()
        await client.wait_says("Ready.")
        await page.wait(f"{SCRIPTS}.length === {len(names)}")
        assert await page.run(f"{SCRIPTS}.every((one) => one.transferSize === 0)")
        assert page.errors == []


async def test_a_page_that_has_lost_the_relay_before_all_of_it_is_there_is_ready_no_more(
    browser: Browser,
) -> None:
    async with browser.open_page() as page:
        await page.run_early(INSIDE)
        await page.command("Fetch.enable", patterns=LATER)
        client = ClientPage(page)
        async with open_relay() as relay:
            await page.goto(page_url(relay, user="early"))
            await client.wait_says("Ready.")
        await client.wait_says("Connecting")
        await page.command("Fetch.disable")
