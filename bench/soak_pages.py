"""Does each session in a browser have its stages, and does it outlive what is loaded again?

What `soak.py --browser` runs. The relay is a process, and so is each command; the pages are the
relay's own, in one headless browser. One image after the other is shown, in sessions

- of the client's page with the library, and of the console with the client's command, each of which
  ends in good order;
- of which one side goes without a word and comes back: a page, which is loaded again, with Python
  or the other page as its other side; or a command, which is killed and started again.

A session has its stages where its image is told to be shown (fetched, by a client without a screen)
within WITHIN. It is lost to a reload where that is not so of the next image, or where the client's
page does not have the current one again. It is followed by another one on new pages.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import harness
import pytest
import trio

import imgsync
from tests.kit.browsers import Browser, Started, open_browser
from tests.kit.console_pages import ConsolePage, Images, open_console, open_images
from tests.kit.either_browser import BROWSERS
from tests.kit.forks import open_fork
from tests.kit.processes import Child, open_relay
from tests.kit.web_pages import ClientPage, make_folder, open_client_page, open_command, show

WITHIN = 15.0  # s; who is gone without a word may be missed after 8 s of silence only

IMAGES = 2  # which take turns
KEYS = "Home", "End"
"""Has the console show the first of them, and the last."""

NO_LIMITS = "--connect-rate", "0", "--rate-limit", "0"

Object = dict[str, Any]

Attempt = Callable[[int], Awaitable[None]]
"""One session or reload, numbered from 1; fails where what has to follow does not."""

_Opener = Callable[["Scene"], AbstractAsyncContextManager[Attempt]]


@attrs.frozen
class Scene:
    """Where all of it takes place."""

    browser: Browser
    relay: str
    images: Images
    folder: Path
    pair: int
    """Of peers: what went before is nothing to others."""

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
        await self.page.page.reload()
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


# ── sessions that end in good order ──────────────────────────────────────────────────────────────


@asynccontextmanager
async def _sessions_of_the_clients_page(scene: Scene) -> AsyncIterator[Attempt]:
    async with (
        scene.client_page(),
        imgsync.open_evaluator(scene.relay, user_id=scene.evaluator_id) as evaluator,
    ):

        async def attempt(number: int) -> None:
            async with evaluator.open_session(scene.client_id) as session:
                delivery = await session.show(scene.ref(number))
                await delivery.shown()

        yield attempt


@asynccontextmanager
async def _sessions_of_the_console(scene: Scene) -> AsyncIterator[Attempt]:
    async with scene.client_command(), scene.console() as console:

        async def attempt(number: int) -> None:
            await console.start()
            await console.show(number, "fetched")
            await console.page.end()

        yield attempt


SESSIONS: dict[str, _Opener] = {
    "client's page, library": _sessions_of_the_clients_page,
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
        await (await session.show(scene.ref(0))).shown()

        async def attempt(number: int) -> None:
            await client.page.reload()
            await client.wait_shows((number - 1) % IMAGES)
            await (await session.show(scene.ref(number))).shown()

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
    async with scene.client_command(), scene.console() as console:
        await console.start()
        await console.show(0, "fetched")

        async def attempt(number: int) -> None:
            await console.reload()
            await console.show(number, "fetched")

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


RELOADS: dict[str, _Opener] = {
    "client's page, library": _reload_client_of_library,
    "client's page, console": _reload_client_of_console,
    "console, client's page": _reload_console_of_page,
    "console, client's command": _reload_console_of_command,
    "client's command, console": _kill_client_of_console,
    "evaluator's command, page": _kill_evaluator_of_page,
}
"""By the side that goes and comes back, and the other one."""


# ── all of them ──────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Tally:
    """Of one kind: how many there were, and why some failed."""

    count: int
    failures: list[str]


async def _try_kind(open_attempt: _Opener, scenes: Iterator[Scene], count: int) -> Tally:
    failures: list[str] = []
    tried = 0
    while tried < count:
        try:
            async with open_attempt(next(scenes)) as attempt:
                for number in range(1, count - tried + 1):
                    with trio.fail_after(WITHIN):
                        await attempt(number)
                    tried += 1
        except trio.TooSlowError:
            failures.append(f"nothing for {WITHIN:g} s")
        except (AssertionError, imgsync.ImgsyncError) as exc:
            failures.append(repr(exc))
        else:
            continue
        tried += 1
        failures[-1] = f"number {tried}: {failures[-1]}"
    return Tally(count, failures)


async def _try_all(
    started: Started, folder: Path, sessions: int, reloads: int
) -> tuple[dict[str, Tally], dict[str, Tally]]:
    make_folder(folder, IMAGES)
    async with (
        open_relay(*NO_LIMITS) as relay,
        open_images() as images,
        open_browser(started) as browser,
    ):
        scenes = (Scene(browser, relay, images, folder, pair) for pair in itertools.count())
        tried = [
            {kind: await _try_kind(opener, scenes, count) for kind, opener in kinds.items()}
            for kinds, count in ((SESSIONS, sessions), (RELOADS, reloads))
        ]
        return tried[0], tried[1]


def soak_pages(name: str, sessions: int, reloads: int) -> Object:
    """So many sessions and reloads of each kind, and those that failed.

    :param name: of the browser.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            started = stack.enter_context(BROWSERS[name]())
        except pytest.skip.Exception as exc:
            raise harness.BenchError(str(exc)) from None
        began = time.monotonic()
        of_sessions, of_reloads = trio.run(_try_all, started, folder, sessions, reloads)
        seconds = time.monotonic() - began
    return {
        "browser": name,
        "sessions": _count(of_sessions),
        "without_stages": _count_failures(of_sessions),
        "reloads": _count(of_reloads),
        "lost": _count_failures(of_reloads),
        "seconds": round(seconds),
        "broken": [
            f"{what} ({kind}): {failure}"
            for what, tallies in (("session", of_sessions), ("reload", of_reloads))
            for kind, tally in tallies.items()
            for failure in tally.failures
        ],
    }


def _count(tallies: dict[str, Tally]) -> dict[str, int]:
    return {kind: tally.count for kind, tally in tallies.items()}


def _count_failures(tallies: dict[str, Tally]) -> dict[str, int]:
    return {kind: len(tally.failures) for kind, tally in tallies.items()}


def print_pages(result: Object) -> None:
    print(f"{result['browser']}, {result['seconds']} s")
    for what, failed in (("sessions", "without_stages"), ("reloads", "lost")):
        print(f"\n{what:32}{'number':>8}{failed.replace('_', ' '):>16}")
        for kind, count in result[what].items():
            print(f"{kind:32}{count:8}{result[failed][kind]:16}")
    harness.print_machine(result["machine"])
