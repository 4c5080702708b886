"""How the pages start, wherever they are opened, in Chromium and in Firefox."""

from __future__ import annotations

import json

from imgsync.commands.demo import page_of
from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage, console_url
from tests.kit.either_browser import in_either
from tests.kit.raw_peers import open_raw
from tests.kit.web_images import open_images
from tests.kit.web_pages import (
    INSIDE,
    ClientPage,
    open_client_page,
    open_session,
    page_url,
    show_url,
)

pytestmark = in_either


BARRED = {
    "none": "undefined",
    "null": "null",
    "no constructor": "() => {}",
    "refused": "class { constructor() { throw new DOMException('no', 'NotAllowedError'); } }",
    "without channels": "class { close() {} }",
}


async def test_a_page_without_webrtc_says_so_and_is_not_at_the_relay(
    browser: Browser, relay: str
) -> None:
    async with open_raw(relay, "evaluator", "waiting") as evaluator:
        for why, value in BARRED.items():
            early = f"Object.defineProperty(window, 'RTCPeerConnection', {{ value: {value} }});"
            sockets = "window.sockets = 0; const Real = WebSocket;"
            sockets += "window.WebSocket = class extends Real { constructor(...given)"
            sockets += "{ super(...given); window.sockets += 1; } };"
            async with browser.open_page() as page:
                await page.run_early(early + sockets)
                await page.goto(page_url(relay, user=f"barred: {why}"))
                client = ClientPage(page)
                await client.wait_says("This browser can\u2019t show the images.")
                await client.wait_says("Chrome, Edge, Firefox or Safari")
                await page.goto(console_url(relay, user="barred"))
                await ConsolePage(page).wait_says("This browser can\u2019t have sessions.")
                assert await page.run("sockets") == 0
        async with browser.open_page(page_url(relay, user="able")):
            presence = await evaluator.wait_event("presence")
            assert presence["userId"] == "able"


COUNT = """
window.opened = [];
const Real = WebSocket;
window.WebSocket = class extends Real {
  constructor(...given) { super(...given); window.opened.push(performance.now()); }
};
"""
ALL_LOADED = """[...document.querySelectorAll("link[rel=modulepreload], script[src]")]
  .every(({ href, src }) => performance.getEntriesByName(href ?? src).length)"""
SCRIPTS = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js'))"


async def test_the_socket_is_opened_by_the_first_module_and_a_reload_asks_for_no_file(
    browser: Browser, relay: str
) -> None:
    async with browser.open_page() as page:
        await page.run_early(COUNT)
        await page.goto(page_url(relay, user="quick"))
        client = ClientPage(page)
        await client.wait_says("Ready.")
        assert await page.run("opened.length") == 1
        await page.wait(ALL_LOADED)
        names = await page.run(f"{SCRIPTS}.map((one) => one.name)")
        assert len(names) == len({*names}) > 20
        # They come compressed; of the least there is nothing to be taken away.
        assert await page.run(
            f"{SCRIPTS}.every((one) => one.encodedBodySize < Math.max(200, one.decodedBodySize))"
        )
        await page.reload()
        await client.wait_says("Ready.")
        # What is only used later may come later still, before or after.
        loaded = f"new Set({SCRIPTS}.map((one) => one.name))"
        await page.wait(f"{json.dumps(names)}.every((name) => {loaded}.has(name))")
        assert await page.run(f"{SCRIPTS}.every((one) => one.transferSize === 0)")
        assert await page.run("opened.length") == 1


async def test_a_page_that_was_loaded_before_the_relay_was_updated_is_loaded_anew(
    browser: Browser, relay: str
) -> None:
    """As its first answer was of another version, and so is what it names."""
    async with browser.open_page() as page:
        await page.goto(page_url(relay, user="stale"))
        client = ClientPage(page)
        await client.wait_says("Ready.")
        for script in ("page/first.js", "client/start.js"):
            await page.run(
                f"""(() => {{
                  window.isOld = true;
                  const script = document.createElement("script");
                  script.type = "module";
                  script.src = "web/0123456789abcdef/js/{script}";
                  document.head.append(script);
                }})()"""
            )
            await page.wait("!window.isOld")
            await client.wait_says("Ready.")
            await page.run("void history.replaceState(null, '')")
        # Another script of such a page is not there.
        await page.run(
            """(() => {
              window.isOld = true;
              const script = document.createElement("script");
              script.type = "module";
              script.src = "web/0123456789abcdef/js/client/client.js";
              document.head.append(script);
            })()"""
        )
        await page.wait("!window.isOld")
        await client.wait_says("Ready.")


IDS = ["a+b", "a&b=c", "a#b", "100%", "%41", "a b", "é漢🙂", "a/b?c", "'\"<i>", "a;b", "+49 30"]


async def test_a_page_is_who_its_link_says_whatever_is_in_the_id(
    browser: Browser, relay: str
) -> None:
    async with open_raw(relay, "evaluator", "reader") as evaluator, browser.open_page() as page:
        quoted = [(user, page_of(relay, user)) for user in IDS]
        await page.run_early(INSIDE)
        like_forms = [(f"{user}+", page_url(relay, user=f"{user}+")) for user in IDS]
        for user, url in (*quoted, *like_forms):
            await page.goto(url)
            presence = await evaluator.wait_event("presence")
            while presence["state"] != "available":
                presence = await evaluator.wait_event("presence")
            assert presence["userId"] == user
        await page.goto(console_url(relay, user="+&#% é"))
        await page.wait("document.querySelector('#user')?.textContent.includes('+&#% é')")


async def test_of_two_windows_the_one_in_sight_has_the_session_and_a_hidden_one_if_it_is_alone(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "two", door="off") as hidden,
    ):
        await hidden.page.hide()
        async with (
            open_client_page(browser, relay, "two", door="off") as seen,
            open_session(relay, "two") as session,
        ):
            await show_url(session, 0, images.url("0.png"))
            await seen.wait_stage(0, "shown")
            assert await hidden.sent("ack") == []
            await hidden.wait_says("in another window or on another device")
        await hidden.page.wait("document.visibilityState === 'hidden'")
        async with open_session(relay, "two") as session:
            await show_url(session, 0, images.url("0.png"))
            assert await hidden.sent("ack")


async def test_another_size_of_the_window_is_told_and_what_would_zoom_or_cover_is_prevented(
    browser: Browser, relay: str
) -> None:
    async with (
        open_images() as images,
        open_client_page(browser, relay, "steady") as client,
        open_session(relay, "steady") as session,
    ):
        page = client.page
        tried = """['contextmenu', 'dragstart', 'gesturestart', 'wheel', 'keydown'].map((name) => {
          const given = { bubbles: true, cancelable: true, ctrlKey: true, key: "+", deltaY: 1 };
          const made = { wheel: WheelEvent, keydown: KeyboardEvent }[name] ?? MouseEvent;
          const event = new made(name, given);
          (document.querySelector("#stage img") ?? document.body).dispatchEvent(event);
          return event.defaultPrevented;
        })"""
        assert await page.run(tried) == [False] * 5
        await page.resize(800, 600)
        await show_url(session, 0, images.url("0.png"))
        await client.wait_stage(0, "shown")
        assert await page.run(tried) == [True] * 5
        style = "getComputedStyle(document.body).touchAction"
        assert await page.run(style) == "none"
        # A wheel without Ctrl and keys that zoom nothing are the page's own business.
        plain = "new KeyboardEvent('keydown', { key: '+', cancelable: true, bubbles: true })"
        assert await page.run(f"document.body.dispatchEvent({plain})")
        await page.resize(700, 500)
        await page.resize(600, 400)
        hidden = await client.wait_stage(0, "hidden", "resized")
        await page.wait("sent.filter((m) => m.stage === 'shown').length === 2")
        first, again = [one for one in await client.sent("stage") if one["stage"] == "shown"]
        assert first["at"] <= hidden["at"] < again["at"]
        assert page.errors == []
