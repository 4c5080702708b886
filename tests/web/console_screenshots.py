"""Screenshots of the evaluator's console in each of its states, to be looked at by a person.

    python -m tests.web.console_screenshots FOLDER

Each at the size of a phone and of a laptop, in light and in dark, as long as the page is:
FOLDER/console-STATE-SIZE-SCHEME.png.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import trio

from imgsync import open_images
from tests.kit.albums import Album
from tests.kit.browsers import JSON, Browser, Started, open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.console_pages import ConsolePage, console_url, open_console
from tests.kit.console_pages import open_images as serve_images
from tests.kit.forks import open_relay
from tests.kit.processes import SAMPLES, open_child, our_client
from tests.kit.web_pages import open_client_page
from tests.web.test_console_trials import SPEAKS, current, puppet, study_of, tell
from tests.web.test_refused_pages import ANSWERS, Proxy

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><circle r='9'/></svg>"

DISPLAY = {
    **{"screenWidth": 1920, "screenHeight": 1080, "windowWidth": 1280, "windowHeight": 631},
    **{"pixelRatio": 1.25, "zoom": 1.1, "refreshRate": 143.98, "isolated": False, "resolution": 1},
    **{"browser": "Firefox 140", "system": "Windows", "languages": ["de-DE", "en"]},
    "pointer": "coarse",
}

# Files are read when they are released.
HELD = """
const read = Blob.prototype.arrayBuffer;
const held = new Promise((then) => { window.release = then; });
Blob.prototype.arrayBuffer = async function () { await held; return read.call(this); };
"""


@attrs.frozen
class ConsoleAlbum:
    """Of consoles: FOLDER/console-STATE-SIZE-SCHEME.png."""

    album: Album

    async def take(self, console: ConsolePage, state: str) -> None:
        """One of each size and scheme."""
        await self.album.take(console.page, f"console-{state}")


async def take_all(chromium: Started, folder: Path) -> None:
    album = ConsoleAlbum(Album(folder, is_whole=True))
    async with (
        open_browser(chromium) as browser,
        open_images(SAMPLES, via="url") as images,
        AsyncExitStack() as stack,
    ):
        pairs = [{"imageUrl": one.image_url, "signedUrl": str(one.signed_url)} for one in images]
        async with open_relay() as relay:
            opening = open_console(browser, relay, "dr-lee")
            console = await stack.enter_async_context(opening)
            await album.take(console, "empty")
            await take_invitation(album, console)
            await take_manifests(album, console, pairs)
            await take_session(album, browser, console, relay)
            await take_pictures(album, console)
            await take_trials(album, browser, relay)
            await take_silence(album, console, relay)
        await console.wait_says("not in reach", "#relay")
        await album.take(console, "no-server")
        await take_refused(album, browser)
        await take_obstacles(album, browser)


async def take_invitation(album: ConsoleAlbum, console: ConsolePage) -> None:
    await console.tap("#invite-fold summary")
    await console.tap("#invite-user")
    await console.page.insert("Zoë")
    await console.page.run("document.querySelector('#invite-language').value = 'ar'")
    await console.tap("#invite-form button")
    await console.wait_says("has not come in yet", "#invitation")
    await album.take(console, "invitation")
    await console.tap("#invite-fold summary")


async def take_manifests(
    album: ConsoleAlbum, console: ConsolePage, pairs: list[dict[str, str]]
) -> None:
    await console.paste(json.dumps([*pairs, {"imageUrl": "no"}]))
    await console.wait_says("no imageUrl", "#intake-error")
    await album.take(console, "bad-manifest")
    long = "a-name-that-goes-on-and-on-and-on-for-more-than-one-would-like"
    missing = pairs[0]["imageUrl"].rpartition("/")[0] + f"/{long}.png"
    await console.paste(json.dumps([*pairs, {"imageUrl": missing, "signedUrl": missing}] * 4))
    await console.press("n")
    await console.wait_current(0)
    await album.take(console, "preview")


async def take_pictures(album: ConsoleAlbum, console: ConsolePage) -> None:
    """From the evaluator's own disk."""
    page = console.page
    files = {path.name: path.read_bytes() for path in SAMPLES.glob("*.*g")}
    await page.run(HELD)
    await console.drop(files)
    await console.wait_says("Reading 0 of", "#reading")
    await album.take(console, "reading")
    await page.run("release()")
    await console.wait_says("This browser keeps them", "#own-note")
    await console.press("n")
    await album.take(console, "own-pictures")
    await console.tap("#arrange")
    await console.tap("#strip li:nth-child(2) button")
    await console.tap("#later")
    await album.take(console, "arranging")
    scans = {
        f"scan of a slide with a long name {number}.tif": b"II*\0...." for number in range(300)
    }
    await console.drop({**scans, "cut.png": files["10-end.png"][:-9], "new.svg": SVG})
    await console.wait_says("1 more picture", "#more")
    await page.run("document.querySelector('#left-out').open = true")
    await album.take(console, "more-and-left-out")


async def take_session(
    album: ConsoleAlbum, browser: Browser, console: ConsolePage, relay: str
) -> None:
    async with (
        open_client_page(browser, relay, "ada") as client,
        open_console(browser, relay, "dr-b") as other,
        open_client_page(browser, relay, "participant-number-0042-of-the-long-study") as busy,
    ):
        async with open_client_page(browser, relay, "gone"):
            await console.wait_says("gone", "#clients")
        await other.tap("#clients button[aria-label*=participant]")
        await busy.wait_says("Connected to")
        await console.wait_says("busy", "#clients")
        await album.take(console, "clients")
        await console.tap("#clients button[aria-label*=participant]")
        await console.wait_says("another evaluator")
        await album.take(console, "not-started")
        await console.start("ada")
        await album.take(console, "connected")
        for index in (0, 1, 2, 3, 5, 6, 10):
            await console.tap(f"#strip li:nth-child({index + 1}) button")
            await console.wait_fate(index, "failed" if index == 10 else "shown")
        await album.take(console, "failed")
        await console.press("p")
        await console.wait_fate(9, "shown")
        await console.page.wait("document.querySelector('#plot polyline').points.length > 9")
        await album.take(console, "shown")
        await client.page.command("Network.enable")
        await client.page.command("Network.setBlockedURLs", urls=["*/js/*"])
        await client.page.reload()
        await console.wait_says("is interrupted")
        await console.press("p")
        await album.take(console, "interrupted")
        await client.page.command("Network.setBlockedURLs", urls=[])
        await client.page.reload()
        await console.wait_says("Connected to ada again.")
        await console.wait_fate(8, "shown")
        await album.take(console, "resumed")
        await console.end()
        await album.take(console, "ended")


async def take_trials(album: ConsoleAlbum, browser: Browser, relay: str) -> None:
    """What is asked, answered and noted; what the client says is put into the mouth of its page."""
    async with (
        serve_images() as images,
        open_client_page(browser, relay, "tia", puppet(*SPEAKS)) as client,
        open_console(browser, relay, "dr-tia") as console,
    ):
        await console.paste(study_of(images))
        await console.start("tia")
        await tell(client, type="display", at=1, **DISPLAY)
        await console.wait_says("144.0", "#facts-sum")
        await album.take(console, "facts-warned-of")
        await console.tap("#facts-sum")
        await console.press("n")
        await console.wait_fate(0, "shown")
        for number in range(1, 4):
            await tell(client, **(await answer_to(console, number)))
        await console.wait_says("Answers: ", "#answers")
        await console.press("4")
        await console.press("m")
        await console.page.insert("slow, and asked what to do; the left hand was under the table")
        await album.take(console, "noting")
        await console.press("Enter")
        await console.wait_says("Noted: score 4", "#marks")
        await console.press("n")
        await console.wait_fate(1, "shown")
        await console.press("End")
        await console.wait_current(2)
        await album.take(console, "text-card")
        await console.end()
        await album.take(console, "trials-over")
    async with (
        serve_images() as images,
        open_client_page(browser, relay, "old", puppet("preload")),
        open_console(browser, relay, "dr-old") as console,
    ):
        await console.paste(study_of(images))
        await console.start("old")
        await console.press("End")
        await console.wait_says("Image 3 was not shown: it is a text")
        await album.take(console, "trials-of-an-old-client")


async def answer_to(console: ConsolePage, number: int) -> JSON:
    """By a key, then by taps."""
    of = await current(console)
    said: JSON = {"type": "response", **of, "number": number, "at": of["sentAt"] + 500 * number}
    said |= {"reactionTime": 412.04 * number, "within": 8.3}
    if number == 1:
        return said | {"kind": "key", "value": "f"}
    return said | {"kind": "tap", "value": "picture", "x": 12.4, "y": 3}


async def take_silence(album: ConsoleAlbum, console: ConsolePage, relay: str) -> None:
    async with open_child("client", *our_client(relay)) as client:
        await console.start("C")
        await console.press("n")
        client.process.send_signal(signal.SIGSTOP)
        await console.wait_says("is not answering")
        await album.take(console, "suspect")
        client.process.send_signal(signal.SIGCONT)
        await console.end()


async def take_refused(album: ConsoleAlbum, browser: Browser) -> None:
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write("a secret of thirty-two characters, or more")
        secret.flush()
        async with open_relay("--auth-secret-file", secret.name) as relay:
            async with browser.open_page(console_url(relay, user="dr-lee", token="old")) as page:
                console = ConsolePage(page)
                await console.wait_says("refused", "#relay")
                await album.take(console, "refused")
            async with browser.open_page(console_url(relay)) as page:
                console = ConsolePage(page)
                await console.wait_says("incomplete")
                await album.take(console, "incomplete")


async def take_obstacles(album: ConsoleAlbum, browser: Browser) -> None:
    for name, (health, _, _, server) in ANSWERS.items():
        async with (
            Proxy(health).open() as url,
            browser.open_page(console_url(url, user="dr-lee")) as page,
        ):
            console = ConsolePage(page)
            await console.wait_says(server, "#relay")
            await album.take(console, name.replace(" ", "-"))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with shared_chromium() as chromium:
        trio.run(take_all, chromium, folder)


if __name__ == "__main__":
    main()
