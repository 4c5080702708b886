"""Screenshots of the client's page in each of its states, to be looked at by a person.

    python -m tests.web.screenshots FOLDER

Each at the size of a phone and of a laptop, in light and in dark: FOLDER/STATE-SIZE-SCHEME.png.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from imgsync.core.protocol.trials import Respond
from tests.kit.albums import Album
from tests.kit.browsers import Browser, Page, Started, open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.forks import open_relay
from tests.kit.processes import SAMPLES, Child
from tests.kit.web_pages import (
    INSIDE,
    ClientPage,
    end,
    open_client_page,
    open_command,
    page_url,
    show,
)
from tests.web.test_refused_pages import ANSWERS, Proxy
from tests.web.test_trials import open_trials

TEXT = "Among the Ts is one L. Tap on it, as quickly as you can.\n\nTap to begin."
EVALUATOR = Path(__file__).parent / "evaluator.js"

Take = Callable[[Page, str], Awaitable[None]]


async def take_all(chromium: Started, folder: Path) -> None:
    take = Album(folder).take
    async with open_browser(chromium) as browser, AsyncExitStack() as stack:
        async with open_relay() as relay:
            opening = open_client_page(browser, relay, "ada")
            client = await stack.enter_async_context(opening)
            await take(client.page, "waiting")
            async with open_command(relay, SAMPLES, client="ada") as evaluator:
                await take_session(client, evaluator, take)
            await stack.pop_all().aclose()
            alone = await stack.enter_async_context(open_client_page(browser, relay, "ada"))
            async with browser.open_page(f"{page_url(relay)}of=ada") as page:
                await page.wait("!!document.querySelector('#text')")
                await page.run(EVALUATOR.read_text())
                await alone.wait_says("Connected to")
                await take(alone.page, "connected")
            await alone.wait_says("interrupted")
            await take(alone.page, "interrupted")
            last = await stack.enter_async_context(open_client_page(browser, relay, "bea"))
            async with browser.open_page(page_url(relay)) as page:
                await ClientPage(page).wait_says("incomplete")
                await take(page, "incomplete")
            await take_recording(browser, relay, take)
            await take_trials(browser, relay, take)
        await last.wait_says("No server in reach.")
        await take(last.page, "no-server")
        await take_refused(browser, take)
        await take_obstacles(browser, take)


async def take_session(client: ClientPage, evaluator: Child, take: Take) -> None:
    for index in (0, 1, 3, 7):
        await show(evaluator, index)
        await client.wait_stage(index, "shown")
        await take(client.page, f"image-{index}")
    await end(evaluator)
    await client.wait_says("Thank you.")
    await take(client.page, "ended")


async def take_trials(browser: Browser, relay: str, take: Take) -> None:
    """Texts, and images with a time of their own or with answers."""
    async with open_trials(browser, relay, "dora") as trials:
        page = trials.page
        await trials.show_text(0, TEXT)
        await trials.stage(0, "shown")
        await take(page, "text")
        await trials.show_text(1, f"{TEXT}\n\n" * 9)
        await trials.stage(1, "shown")
        await take(page, "long-text")
        await trials.show_text(2, "ألم خفيف\nfaible douleur", Respond(keys=("j",)))
        await trials.stage(2, "shown")
        await take(page, "text-to-the-left")
        await trials.show(3, respond=Respond(taps=True))
        await trials.stage(3, "shown")
        await take(page, "taps")
        await trials.show(4, frames=2, respond=Respond(keys=("f",)))
        await trials.stage(4, "hidden", "exposure_over")
        await take(page, "exposure-over")


async def take_recording(browser: Browser, relay: str, take: Take) -> None:
    url = page_url(relay, user="cleo", record="camera,microphone")
    for saving in ("folder", "downloads"):
        async with browser.open_page() as page:
            await page.run_early(INSIDE)
            if saving == "downloads":
                await page.run_early("delete window.showDirectoryPicker;")
            await page.goto(url)
            await page.wait("!!document.querySelector('#consent')")
            await take(page, "consent")
            await page.run("document.querySelector('#consent button').click()")
            await page.wait("document.body.innerText.includes('You are recorded')")
            await take(page, "recording")
            async with open_command(relay, SAMPLES, client="cleo") as evaluator:
                for index in range(7):
                    await show(evaluator, index)
                    await page.wait("document.body.dataset.state === 'showing'")
                    await trio.sleep(0.5)
                await end(evaluator)
            await page.wait("'unsaved' in document.body.dataset")
            await take(page, f"saving-{saving}")
    async with browser.open_page() as page:
        await page.run_early(INSIDE + "delete window.MediaRecorder;")
        await page.goto(url)
        await page.wait("!!document.querySelector('#consent')")
        await page.run("document.querySelector('#consent button').click()")
        await page.wait("document.body.innerText.includes('without recording.')")
        await take(page, "no-recording")


async def take_refused(browser: Browser, take: Take) -> None:
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write("a secret of thirty-two characters, or more")
        secret.flush()
        async with (
            open_relay("--auth-secret-file", secret.name) as relay,
            browser.open_page(page_url(relay, user="ada", token="old")) as page,
        ):
            await ClientPage(page).wait_says("not valid")
            await take(page, "refused")


async def take_obstacles(browser: Browser, take: Take) -> None:
    for name, (health, text, _, _) in ANSWERS.items():
        async with (
            Proxy(health).open() as url,
            browser.open_page(page_url(url, user="ada")) as page,
        ):
            await ClientPage(page).wait_says(text)
            await take(page, name.replace(" ", "-"))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    devices = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with shared_chromium(*devices) as chromium:
        trio.run(take_all, chromium, folder)


if __name__ == "__main__":
    main()
