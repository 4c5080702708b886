"""Sessions of pages, and reloads in them: whether each is as it has to be, in either browser.

One image after the other is shown, in sessions

- of the client's page with the library, and of the console with the client's command, each of which
  ends in good order;
- of which one side goes without a word and comes back: a page, which is loaded again, with Python
  or the other page as its other side; or a command, which is killed and started again.

A session has its stages where its image is told to be shown (fetched, by a client without a screen)
within WITHIN. It is lost to a reload where that is not so of the next image, or where the client's
page does not have the current one again.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import attrs
import trio

import imgsync
from tests.kit.browsers import ANSWER_S, Browser
from tests.kit.console_pages import ConsolePage, Images, open_console
from tests.kit.forks import open_fork
from tests.kit.processes import Child
from tests.kit.web_pages import ClientPage, open_client_page, open_command, show

WITHIN = ANSWER_S  # s; who is gone without a word may be missed after 8 s of silence only

IMAGES = 2
"""Which take turns."""

KEYS = "Home", "End"
"""Has the console show the first of them, and the last."""

NO_LIMITS = "--connect-rate", "0", "--rate-limit", "0"
"""Of a relay that has many of these sessions."""

Attempt = Callable[[int], Awaitable[None]]
"""One session or reload, numbered from 1; fails where what has to follow does not."""

Opener = Callable[["Scene"], AbstractAsyncContextManager[Attempt]]

_PAIRS = itertools.count(1)


@attrs.frozen
class Scene:
    """Where all of it takes place."""

    browser: Browser
    relay: str
    images: Images
    folder: Path
    pair: int = 0
    """Of peers: what became of others is nothing to them."""

    def with_others(self) -> Scene:
        """The same, for a pair of peers that was never there before."""
        return attrs.evolve(self, pair=next(_PAIRS))

    @property
    def client_id(self) -> str:
        return f"c{self.pair}"

    @property
    def evaluator_id(self) -> str:
        return f"e{self.pair}"

    def ref(self, number: int) -> imgsync.ImageRef:
        index = number % IMAGES
        url = f"{self.images.origin}/{index}.png"
        return imgsync.ImageRef(index=index, name=f"{index}.png", image_url=url, signed_url=url)

    def client_page(self) -> AbstractAsyncContextManager[ClientPage]:
        return open_client_page(self.browser, self.relay, self.client_id)

    def client_command(self) -> AbstractAsyncContextManager[Child]:
        peer = ("--relay", self.relay, "--user", self.client_id)
        command = (sys.executable, "-m", "imgsync.client", *peer, "--json")
        return open_fork("client", *command)

    @asynccontextmanager
    async def console(self) -> AsyncIterator[Console]:
        async with open_console(self.browser, self.relay, self.evaluator_id) as page:
            await page.paste(self.images.manifest(*range(IMAGES)))
            yield Console(page, self.client_id)


@attrs.frozen
class Console:
    """A console, as far as it is worked here."""

    page: ConsolePage
    client_id: str

    async def start(self) -> None:
        await self.page.start(self.client_id)

    async def reload(self) -> None:
        await self.page.page.reload_though_asked()
        await self.page.wait_says(f"Connected to {self.client_id}")

    async def show(self, number: int, stage: str) -> None:
        """Show an image, and wait for its stage."""
        newest = "#rows tr:first-child"
        await self.page.page.run(
            f"void document.querySelector({newest!r})?.classList.add('before')"
        )
        await self.page.press(KEYS[number % IMAGES])
        told = f"{newest}:not(.before)[data-fate={stage}]"
        await self.page.page.wait(f"document.querySelector({told!r}) !== null")


async def _show(session: imgsync.EvaluatorSession, image: imgsync.ImageRef) -> None:
    """Show an image, and wait until it is on the screen."""
    with trio.fail_after(WITHIN):
        await (await session.show(image)).shown()


# ── sessions that end in good order ──────────────────────────────────────────────────────────────


@asynccontextmanager
async def _sessions_of_the_clients_page(scene: Scene) -> AsyncIterator[Attempt]:
    async with (
        scene.client_page(),
        imgsync.open_evaluator(scene.relay, user_id=scene.evaluator_id) as evaluator,
    ):

        async def attempt(number: int) -> None:
            async with evaluator.open_session(scene.client_id) as session:
                await _show(session, scene.ref(number))

        yield attempt


@asynccontextmanager
async def _sessions_of_two_windows(scene: Scene) -> AsyncIterator[Attempt]:
    """Both answer each offer, and one of them takes part."""
    async with scene.client_page(), _sessions_of_the_clients_page(scene) as attempt:
        yield attempt


@asynccontextmanager
async def _sessions_of_the_console(scene: Scene) -> AsyncIterator[Attempt]:
    async with scene.client_command() as client, scene.console() as console:

        async def attempt(number: int) -> None:
            await console.start()
            await console.show(number, "fetched")
            await console.page.end()
            await client.wait_event("ended")

        yield attempt


SESSIONS: dict[str, Opener] = {
    "client's page, library": _sessions_of_the_clients_page,
    "client's page in two windows, library": _sessions_of_two_windows,
    "console, client's command": _sessions_of_the_console,
}
"""By its two sides."""


# ── sessions of which one side goes and comes back ───────────────────────────────────────────────


@asynccontextmanager
async def _reload_client_of_library(scene: Scene) -> AsyncIterator[Attempt]:
    async with (
        scene.client_page() as client,
        imgsync.open_evaluator(scene.relay, user_id=scene.evaluator_id) as evaluator,
        evaluator.open_session(scene.client_id) as session,
    ):
        await _show(session, scene.ref(0))

        async def attempt(number: int) -> None:
            await client.page.reload()
            await client.wait_shows((number - 1) % IMAGES)
            await _show(session, scene.ref(number))

        yield attempt


@asynccontextmanager
async def _reload_client_of_console(scene: Scene) -> AsyncIterator[Attempt]:
    async with scene.client_page() as client, scene.console() as console:
        await console.start()
        await console.show(0, "shown")

        async def attempt(number: int) -> None:
            await client.page.reload()
            await client.wait_shows((number - 1) % IMAGES)
            await console.show(number, "shown")

        yield attempt


@asynccontextmanager
async def _reload_console_of_page(scene: Scene) -> AsyncIterator[Attempt]:
    async with scene.client_page() as client, scene.console() as console:
        await console.start()
        await console.show(0, "shown")

        async def attempt(number: int) -> None:
            await console.reload()
            await console.show(number, "shown")
            await client.wait_shows(number % IMAGES)

        yield attempt


@asynccontextmanager
async def _reload_console_of_command(scene: Scene) -> AsyncIterator[Attempt]:
    async with scene.client_command() as client, scene.console() as console:
        await console.start()
        await console.show(0, "fetched")
        await client.wait_event("fetched")

        async def attempt(number: int) -> None:
            await console.reload()
            await console.show(number, "fetched")
            await client.wait_event("fetched")

        yield attempt


@asynccontextmanager
async def _kill_client_of_console(scene: Scene) -> AsyncIterator[Attempt]:
    async with scene.console() as console:
        began = trio.Event()

        async def attempt(number: int) -> None:
            async with scene.client_command() as client:
                if not began.is_set():
                    await console.start()
                    began.set()
                await console.show(number, "fetched")
                client.process.kill()

        yield attempt


@asynccontextmanager
async def _kill_evaluator_of_page(scene: Scene) -> AsyncIterator[Attempt]:
    async with scene.client_page():

        async def attempt(number: int) -> None:
            command = open_command(scene.relay, scene.folder, client=scene.client_id)
            async with command as evaluator:
                await show(evaluator, number % IMAGES)
                while (await evaluator.wait_event("stage"))["stage"] != "shown":
                    pass
                evaluator.process.kill()

        yield attempt


RELOADS: dict[str, Opener] = {
    "client's page, library": _reload_client_of_library,
    "client's page, console": _reload_client_of_console,
    "console, client's page": _reload_console_of_page,
    "console, client's command": _reload_console_of_command,
    "client's command, console": _kill_client_of_console,
    "evaluator's command, page": _kill_evaluator_of_page,
}
"""By the side that goes and comes back, and the other one."""


@attrs.frozen
class Tally:
    """Of one kind: how many there were, and why some failed."""

    count: int
    failures: list[str]


async def try_kind(open_attempt: Opener, scene: Scene, count: int) -> Tally:
    """So many attempts, in one opening; each that fails is followed by another opening."""
    failures: list[str] = []
    tried = 0
    while tried < count:
        try:
            async with open_attempt(scene.with_others()) as attempt:
                for number in range(1, count - tried + 1):
                    await attempt(number)
                    tried += 1
        except (AssertionError, trio.TooSlowError, imgsync.ImgsyncError) as exc:
            tried += 1
            failures.append(f"number {tried}: {exc!r}")
    return Tally(count, failures)
