"""Own pictures in a session of the console: shown, moved, and recorded."""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage, open_console
from tests.kit.stored_pictures import stored
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


async def test_a_picture_that_the_browser_has_lost_is_not_shown_until_it_is_dropped_again(
    browser: Browser, relay: str
) -> None:
    files = {f"{name}.png": make_png(WIDTH + place) for place, name in enumerate("ab")}
    async with (
        open_client_page(browser, relay, "lost") as client,
        open_console(browser, relay, "dr-lost") as console,
    ):
        page = console.page
        await console.drop(files)
        await console.wait_says("This browser keeps them for a reload", "#own-note")
        await console.start("lost")
        await console.press("n")
        await client.wait_shows(0)
        token = await token_of(console)
        await stored(page, f"pictures.delete(['{token}', 'images/{token}/b.png']);")
        await page.reload_though_asked()
        await console.wait_says("Connected to lost")
        await console.press("n")
        await console.wait_says("This picture was not kept by this browser.", "#no-picture")
        await console.wait_says("Not shown to the client.", "#fate")
        await console.drop(files)
        await page.wait(f"document.querySelector('#picture').naturalWidth === {WIDTH + 1}")
        assert await client.put_up() == [0]
        await console.tap("#strip li:nth-child(2) button")
        await client.wait_shows(1)
        await console.wait_fate(1, "shown")
        await console.end()
        assert page.errors == client.page.errors == []


HEAR = """
window.heard = [];
const announcer = document.querySelector("#announcer");
new MutationObserver(() => heard.push(announcer.innerText)).observe(announcer, { childList: true });
"""


async def test_what_is_announced_in_a_session_is_not_followed_by_what_was_announced_before(
    browser: Browser, relay: str
) -> None:
    files = {f"{name}.png": make_png(WIDTH + place) for place, name in enumerate("ab")}
    async with (
        open_client_page(browser, relay, "heard") as client,
        open_console(browser, relay, "dr-heard") as console,
    ):
        page = console.page
        await console.drop(files)
        await console.wait_says("This browser keeps them for a reload", "#own-note")
        await console.start("heard")
        await console.press("n")
        await client.wait_shows(0)
        await console.wait_says("on the client\u2019s screen", "#announcer")
        await page.run(f"(() => {{ {HEAR} }})()")
        await console.drop(files)
        await page.wait("heard.includes('These pictures are here already.')")
        await console.tap("#arrange")
        await console.tap("#strip li:nth-child(2) button")
        await console.tap("#earlier")
        await console.wait_current(1)
        assert await page.run("heard") == ["These pictures are here already."]
        await console.end()
        assert page.errors == client.page.errors == []
