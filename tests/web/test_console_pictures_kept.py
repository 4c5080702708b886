"""Pictures from the evaluator's own disk in the browser's storage: over a reload, and no longer."""

from __future__ import annotations

from tests.kit.browsers import Browser
from tests.kit.console_pages import ConsolePage, console_url, is_seen, open_console
from tests.kit.either_browser import in_either
from tests.kit.stored_pictures import stored, wait_stored
from tests.kit.web_pages import WIDTH, make_png

# What browsers keep, and what they forbid, is each one's own.
pytestmark = in_either

KEPT = "This browser keeps them for a reload"


def pngs(*names: str) -> dict[str, bytes]:
    return {name: make_png(WIDTH + place) for place, name in enumerate(names)}


async def token_of(console: ConsolePage) -> str:
    url: str = await console.page.run("document.querySelector('#strip button').value")
    return url.split("/")[1]


async def reload(console: ConsolePage) -> None:
    await console.page.reload()
    await console.wait_says("connected", "#relay")


async def test_pictures_their_order_and_their_names_outlive_a_reload_until_they_are_removed(
    browser: Browser, relay: str
) -> None:
    async with open_console(browser, relay, "dr-reload") as console:
        page = console.page
        await console.drop(pngs("a.png", "b.png", "c.png"))
        await console.wait_says(KEPT, "#own-note")
        await console.tap("#arrange")
        await console.tap("#later")
        await console.tap("#strip li:nth-child(3) button")
        await console.tap("#take-out")
        await console.wait_names("b.png", "a.png")
        token = await token_of(console)
        await wait_stored(page, "a.png", "b.png")
        await reload(console)
        await console.wait_names("b.png", "a.png")
        assert await token_of(console) == token
        await console.press("n")
        await page.wait(f"document.querySelector('#picture').naturalWidth === {WIDTH + 1}")
        await console.tap("#remove")
        await console.tap("#remove-yes")
        await page.wait("document.querySelectorAll('#strip li').length === 0")
        await wait_stored(page)
        assert page.errors == []


async def test_pictures_that_were_lost_are_told_of_and_are_here_again_once_they_are_dropped(
    browser: Browser, relay: str
) -> None:
    async with open_console(browser, relay, "dr-lost") as console:
        page = console.page
        await console.drop(pngs("a.png", "b.png", "c.png"))
        await console.wait_says(KEPT, "#own-note")
        await console.press("n")
        await console.press("n")
        token = await token_of(console)
        await stored(page, f"pictures.delete(['{token}', 'images/{token}/b.png']);")
        await reload(console)
        await console.wait_names("a.png", "b.png", "c.png")
        await console.wait_says("1 picture was not kept by this browser", "#own-note")
        await console.press("n")
        await console.press("n")
        await console.wait_says("This picture was not kept by this browser.", "#no-picture")
        changed = {"b.png": make_png(WIDTH + 7)}
        await console.drop(changed)
        await console.wait_says("1 with the name of one that is here", "#more")
        assert not await is_seen(console, "#more-add")
        await console.tap("#more-no")
        await console.drop(pngs("a.png", "b.png", "c.png"))
        await page.wait(f"document.querySelector('#picture').naturalWidth === {WIDTH + 1}")
        await console.wait_says("1 picture is here again.", "#announcer")
        await console.wait_says(KEPT, "#own-note")
        assert await token_of(console) == token
        await wait_stored(page, "a.png", "b.png", "c.png")
        assert page.errors == []


FULL = """
IDBObjectStore.prototype.put = ((put) => function (value, ...key) {
  const isFull = value instanceof Blob && ++window.puts > 100;
  if (isFull) throw new DOMException("", "QuotaExceededError");
  return put.call(this, value, ...key);
})(IDBObjectStore.prototype.put);
window.puts = 0;
"""


LITTLE = """
if (navigator.storage) navigator.storage.estimate = async () => ({ quota: 9, usage: 8 });
"""


async def test_a_browser_that_has_no_room_or_keeps_nothing_works_all_the_same_and_is_told_of(
    browser: Browser, relay: str
) -> None:
    many = pngs(*(f"{number}.png" for number in range(150)))
    for early, said in (
        (FULL, "keeps 100 of 150 for a reload: it has no room for more (at most 1 GiB are kept)"),
        (LITTLE, "keeps 0 of 150"),
        (
            "Object.defineProperty(window, 'indexedDB', { value: undefined });",
            "This browser keeps no pictures for this page: after a reload, drop them again.",
        ),
    ):
        async with browser.open_page() as page:
            await page.run_early(early)
            await page.goto(console_url(relay, user="dr-room"))
            console = ConsolePage(page)
            await console.wait_says("connected", "#relay")
            await console.drop(many)
            await console.wait_says(said, "#own-note")
            await console.press("n")
            await page.wait(f"document.querySelector('#picture').naturalWidth === {WIDTH}")
            assert page.errors == []
