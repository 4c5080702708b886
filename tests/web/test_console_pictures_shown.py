"""Own pictures in a session of the console: shown, moved, and recorded."""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage, open_console
from tests.kit.web_pages import WIDTH, make_png, open_client_page

LIST = b"imageUrl,condition\nb.png,left\na.png,right\nc.png,left\nd.png,right\n"


async def token_of(console: ConsolePage) -> str:
    url: str = await console.page.run("document.querySelector('#strip button').value")
    return url.split("/")[1]


async def test_what_is_moved_in_a_session_is_shown_and_recorded_under_its_name_and_a_reload_goes_on(
    browser: Browser, relay: str
) -> None:
    files = {f"{name}.png": make_png(WIDTH + place) for place, name in enumerate("abcd")}
    async with (
        open_client_page(browser, relay, "own") as client,
        open_console(browser, relay, "dr-own") as console,
    ):
        page = console.page
        await client.page.resize(375, 667)
        await console.drop({**files, "block.csv": LIST})
        await console.wait_names("b.png", "a.png", "c.png", "d.png")
        await console.wait_says("This browser keeps them for a reload", "#own-note")
        await console.start("own")
        await console.press("n")
        await client.wait_shows(1)
        await console.press("n")
        await client.wait_shows(0)
        await console.wait_fate(1, "shown")
        # What the client sees can't be taken from it; it can be moved, and stays what is current.
        await console.tap("#arrange")
        await console.tap("#take-out")
        await console.wait_says("This picture is what the client sees", "#arrange-said")
        await console.tap("#later")
        await console.tap("#later")
        await console.wait_current(3)
        await console.wait_fate(3, "shown")
        await console.wait_fate(0, "hidden")
        await console.tap("#arrange")
        token = await token_of(console)
        await page.reload_though_asked()
        await console.wait_says("Connected to own")
        await console.wait_current(3)
        await console.wait_fate(3, "shown")
        assert await token_of(console) == token
        await console.press("p")
        await client.wait_shows(3)
        await console.press("n")
        await client.wait_shows(0)
        await console.end()
        shown = [
            (event["imageIndex"], event["imageUrl"], event["extra"])
            for event in await console.events("show")
        ]
        left, right = {"condition": "left"}, {"condition": "right"}
        assert shown == [
            (0, f"images/{token}/b.png", left),
            (1, f"images/{token}/a.png", right),
            (2, f"images/{token}/d.png", right),
            (3, f"images/{token}/a.png", right),
        ]
        assert page.errors == client.page.errors == []
