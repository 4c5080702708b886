"""Own pictures in the console, and a client whose program takes none of them."""

from __future__ import annotations

import trio

from imgsync import open_client
from tests.kit.browsers import Browser
from tests.kit.console_pages import open_console
from tests.kit.web_pages import WIDTH, make_png


async def test_it_is_said_why_the_client_sees_nothing_and_what_to_do(
    browser: Browser, relay: str
) -> None:
    came: list[int] = []

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(relay, user_id="old", ice_addresses=["127.0.0.1"]) as client:
            task_status.started()
            async for session in client.sessions():
                async with session:
                    came.extend([image.index async for image in session.images()])

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with open_console(browser, relay, "dr-old") as console:
            await console.drop({f"{name}.png": make_png(WIDTH) for name in "ab"})
            await console.wait_names("a.png", "b.png")
            await console.start("old")
            await console.press("n")
            await console.wait_says("Image 1 was not shown: it comes from this computer")
            await console.wait_says("show images that have web addresses")
            await console.wait_fate(0, "superseded")
            await console.press("n")
            await console.wait_says("Image 2 was not shown")
            await console.end()
            assert console.page.errors == []
        nursery.cancel_scope.cancel()
    assert came == []
