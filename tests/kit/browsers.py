"""Chromium for tests of pages, driven over its DevTools protocol.

One browser serves a whole file of tests; each page has a context of its own, as if it were a
browser of its own: cookies, storage and cache are nobody else's.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

from tests.kit.foreign import require

JSON = dict[str, Any]

START_S = 30
ANSWER_S = 20
"""Seconds for a command's answer, and for what a page is waited for; on a loaded machine."""

LOOK_AGAIN_S = 0.02

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
_LISTENING = b"DevTools listening on "
_MAX_MESSAGE = 64 * 1024 * 1024


@contextmanager
def shared_chromium(*options: str) -> Iterator[str]:
    """A headless Chromium; yields the URL of its DevTools. Skips where there is none.

    :param options: beside the usual ones.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    require(program, "no Chromium is installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = (str(program), *_OPTIONS, *options, f"--user-data-dir={profile}", "about:blank")
        # What it would leave behind in the folder for temporary files goes with the profile.
        env = os.environ | {"TMPDIR": profile}
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, env=env) as process:
            try:
                yield _read_url(process)
            finally:
                process.terminate()
                try:
                    process.wait(START_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def _read_url(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + START_S
    said = b""
    while _LISTENING not in said or b"\n" not in said.partition(_LISTENING)[2]:
        left = max(0.0, deadline - time.monotonic())
        assert select.select([process.stdout], [], [], left)[0], f"Chromium says only: {said!r}"
        said += (chunk := os.read(process.stdout.fileno(), 4096))
        assert chunk, f"Chromium has ended: {said!r}"
    return said.partition(_LISTENING)[2].split()[0].decode()


@attrs.define(eq=False)
class _Call:
    done: trio.Event = attrs.field(factory=trio.Event)
    answer: JSON = attrs.field(factory=dict)


class Page:
    """One page in a context of its own. Made by `Browser.open_page`.

    :ivar errors: what the page, or the browser about it, has complained of.
    :ivar dialogs: kinds of those that it has opened; each holds it up until it is answered.
    """

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self.target = target
        self.errors: list[str] = []
        self.dialogs: list[str] = []
        self._crashed = trio.Event()

    async def command(self, method: str, **params: object) -> JSON:
        """A DevTools command to this page."""
        return await self._browser.command(method, params, self._session)

    async def goto(self, url: str) -> None:
        await self.command("Page.navigate", url=url)

    async def reload(self) -> None:
        """Load it again; returns when the old document is gone."""
        await self.run("void (window.isOld = true)")
        await self.command("Page.reload")
        await self.wait("!window.isOld")

    async def crash(self) -> None:
        """End its process, as a bug of the browser or a lack of memory would."""
        async with trio.open_nursery() as nursery:
            # It has no answer.
            nursery.start_soon(partial(self.command, "Page.crash"))
            with trio.fail_after(ANSWER_S):
                await self._crashed.wait()
            nursery.cancel_scope.cancel()

    async def allow_downloads(self, folder: Path) -> None:
        """Put them there, without asking."""
        await self.command("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    async def tap(self, x: int, y: int) -> None:
        """Press and release there."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        answer = await self.command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def wait(self, script: str, seconds: float = ANSWER_S) -> Any:
        """The value of an expression once it is true; it may be looked at while a page loads."""
        found: Any = None
        with trio.move_on_after(seconds):
            while not found:
                # It fails while the page is being replaced by another.
                with suppress(AssertionError, CommandFailed):
                    found = await self.run(script)
                if not found:
                    await trio.sleep(LOOK_AGAIN_S)
            return found
        body = await self.run("document.body?.outerHTML")
        raise AssertionError(f"{script} was not so within {seconds} s: {body}; {self.errors}")

    async def run_early(self, script: str) -> None:
        """Have this run in each document before anything else of it does."""
        await self.command("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def hide(self) -> None:
        """Have nobody look at it: its window is minimized."""
        await self._set_window("minimized")
        await self.wait("document.visibilityState === 'hidden'")

    async def unhide(self) -> None:
        """Have it looked at again."""
        await self._set_window("normal")
        await self.wait("document.visibilityState === 'visible'")

    async def _set_window(self, state: str) -> None:
        window = await self._browser.command(
            "Browser.getWindowForTarget", {"targetId": self.target}
        )
        bounds = {"windowId": window["windowId"], "bounds": {"windowState": state}}
        await self._browser.command("Browser.setWindowBounds", bounds)

    async def screenshot(self) -> bytes:
        """The page as PNG."""
        answer = await self.command("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    def hear(self, event: str, params: JSON) -> None:
        """What the browser tells of this page."""
        match event:
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "assert", "warning"):
                self.errors.append(json.dumps(params["args"]))
            case "Inspector.targetCrashed":
                self._crashed.set()
            case "Page.javascriptDialogOpening":
                self.dialogs.append(params["type"])
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.errors.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))


class CommandFailed(Exception):
    """The browser refuses a command."""


class Browser:
    """A connection to a browser. Made by `open_browser`."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._pages: dict[str, Page] = {}

    async def command(self, method: str, params: JSON, session: str | None = None) -> JSON:
        """A DevTools command and its answer. Raises CommandFailed."""
        id = next(self._ids)
        call = self._calls[id] = _Call()
        message = {"id": id, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        await self._socket.send_message(json.dumps(message))
        with trio.move_on_after(ANSWER_S) as scope:
            await call.done.wait()
        assert not scope.cancelled_caught, f"no answer to {method} within {ANSWER_S} s"
        if "error" in call.answer:
            raise CommandFailed(f"{method}: {call.answer['error']}")
        result: JSON = call.answer["result"]
        return result

    async def receive(self) -> None:
        """Hand on what the browser says, until cancelled."""
        while True:
            message = json.loads(await self._socket.get_message())
            if "id" in message:
                call = self._calls.pop(message["id"])
                call.answer = message
                call.done.set()
            elif page := self._pages.get(message.get("sessionId", "")):
                page.hear(message["method"], message["params"])

    @asynccontextmanager
    async def open_page(self, url: str = "about:blank", **context: object) -> AsyncIterator[Page]:
        """A page in a context of its own."""
        made = await self.command("Target.createBrowserContext", context)
        context_id = made["browserContextId"]
        try:
            blank = {"url": "about:blank", "browserContextId": context_id}
            target = (await self.command("Target.createTarget", blank))["targetId"]
            attach = {"targetId": target, "flatten": True}
            session = (await self.command("Target.attachToTarget", attach))["sessionId"]
            page = self._pages[session] = Page(self, session, target)
            for domain in ("Page", "Runtime", "Log", "Network", "Inspector"):
                await page.command(f"{domain}.enable")
            if url != "about:blank":
                await page.goto(url)
            yield page
        finally:
            with trio.CancelScope(shield=True):
                await self.command("Target.disposeBrowserContext", {"browserContextId": context_id})


@asynccontextmanager
async def open_browser(url: str) -> AsyncIterator[Browser]:
    """Drive the browser whose DevTools are at this URL."""
    async with (
        open_websocket_url(
            url,
            max_message_size=_MAX_MESSAGE,
            message_queue_size=math.inf,  # type: ignore[arg-type]
        ) as socket,
        trio.open_nursery() as nursery,
    ):
        browser = Browser(socket)
        nursery.start_soon(browser.receive)
        yield browser
        nursery.cancel_scope.cancel()
