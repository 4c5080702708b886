"""Screenshots of the participant's pages before and beside a session, to be looked at by a person.

    python -m tests.web.participant_screenshots FOLDER

Each in English and in Arabic, at the size of a phone and of a laptop, in light and in dark:
FOLDER/STATE-LANGUAGE-SIZE-SCHEME.png.
"""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from tests.kit.albums import Album
from tests.kit.browsers import Browser, Started, open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.forks import open_relay
from tests.kit.participant_states import STATES, open_state, sees
from tests.kit.web_pages import page_url

LANGUAGES = ("en", "ar")


async def take_all(chromium: Started, folder: Path) -> None:
    album = Album(folder)
    async with open_browser(chromium) as browser, open_relay() as relay:
        for language in LANGUAGES:
            for state in STATES:
                async with open_state(browser, relay, state, language) as page:
                    await album.take(page, f"{state}-{language}")
            await take_two_tabs(browser, relay, album, language)


async def take_two_tabs(browser: Browser, relay: str, album: Album, language: str) -> None:
    """Of one browser: who takes part where, and who takes over."""
    url = page_url(relay, user="two", lang=language)
    async with browser.open_page(url) as first:
        await first.wait("document.querySelector('#door-ready')?.disabled === false")
        await first.run("document.querySelector('#door-ready').click()")
        await first.wait(sees("#status"))
        await album.take(first, f"touched-{language}")
        title = "document.querySelector('#door-title')?.textContent"
        async with browser.open_beside(first) as second:
            before = await first.run(title)
            await second.goto(url)
            await second.wait(f"{sees('#door')} && {title} !== {before!r}")
            await album.take(second, f"second-tab-{language}")
            await second.run("document.querySelector('#door-ready').click()")
            await first.wait(sees("#door"))
            await album.take(first, f"taken-over-{language}")
        await first.wait(f"{title} === {before!r}")
        await album.take(first, f"left-alone-{language}")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    devices = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with shared_chromium(*devices) as chromium:
        trio.run(take_all, chromium, folder)


if __name__ == "__main__":
    main()
