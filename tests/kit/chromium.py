"""Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trio

from tests.kit.browsers import ANSWER_S, JSON, Browser, Page, Started, Talk, run_browser
from tests.kit.foreign import require

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SHELL = "chromium-headless-shell"
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Each page has a window of its own, and each window would load two pages for its address bar,
    # which take longer than all that is tested does. Nor is a process started for a page that
    # may come next.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,SpareRendererForSitePerProcess",
    "--remote-debugging-port=0",
)
_LISTENING = b"DevTools listening on "

_KEYS = {
    "ArrowRight": 39,
    "ArrowLeft": 37,
    "Home": 36,
    "End": 35,
    "Delete": 46,
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
}
"""Windows key codes, which is how Chromium wants to be told of keys; a character has its own."""


@contextmanager
def shared_chromium(*options: str, prefix: Sequence[str] = ()) -> Iterator[Started]:
    """A headless Chromium. Skips where there is none.

    :param options: beside the usual ones.
    :param prefix: before the command.
    """
    with _start(_NAMES, options, prefix) as started:
        yield started


@contextmanager
def shared_shell(*options: str) -> Iterator[Started]:
    """Chromium without what is around a page, such as its window: its pages are the same, and take
    three quarters of the time. The whole one where that is not installed.

    :param options: beside the usual ones.
    """
    with _start((_SHELL, *_NAMES), options) as started:
        yield started


@contextmanager
def _start(
    names: Sequence[str], options: Sequence[str] = (), prefix: Sequence[str] = ()
) -> Iterator[Started]:
    program = next(filter(None, map(shutil.which, names)), None)
    require(program, "no Chromium is installed")

    def command(profile: Path) -> tuple[str, ...]:
        return (
            *prefix,
            str(program),
            *OPTIONS,
            *options,
            f"--user-data-dir={profile}",
            "about:blank",
        )

    with run_browser("Chromium", command, _LISTENING) as (url, output):
        yield Started(url, output, _drive, probe="Browser.getVersion")


@asynccontextmanager
async def _drive(talk: Talk) -> AsyncIterator[Browser]:
    yield _Chromium(talk)


class _Chromium(Browser):
    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._pages: dict[str, ChromiumPage] = {}
        talk.hear = self._hear

    def _hear(self, event: JSON) -> None:
        if page := self._pages.get(event.get("sessionId", "")):
            page.hear(event["method"], event["params"])

    @asynccontextmanager
    async def open_page(self, url: str = "about:blank", **context: object) -> AsyncIterator[Page]:
        made = await self._talk.command("Target.createBrowserContext", context)
        context_id = made["browserContextId"]
        try:
            page = await self._open_target(context_id)
            if url != "about:blank":
                await page.goto(url)
            yield page
        finally:
            with trio.CancelScope(shield=True):
                away = {"browserContextId": context_id}
                await self._talk.command("Target.disposeBrowserContext", away)

    @asynccontextmanager
    async def open_beside(self, page: Page, *, in_sight: bool = False) -> AsyncIterator[Page]:
        assert isinstance(page, ChromiumPage)
        beside = await self._open_target(page.context, newWindow=in_sight)
        try:
            yield beside
        finally:
            with trio.CancelScope(shield=True):
                await self._talk.command("Target.closeTarget", {"targetId": beside.target})

    async def _open_target(self, context_id: str, **how: object) -> ChromiumPage:
        blank = {"url": "about:blank", "browserContextId": context_id, **how}
        target = (await self._talk.command("Target.createTarget", blank))["targetId"]
        attach = {"targetId": target, "flatten": True}
        session = (await self._talk.command("Target.attachToTarget", attach))["sessionId"]
        page = self._pages[session] = ChromiumPage(self._talk, session, target, context_id)
        for domain in ("Page", "Runtime", "Log", "Inspector"):
            await page.command(f"{domain}.enable")
        return page


class ChromiumPage(Page):
    """One page, in a context that others may share."""

    def __init__(self, talk: Talk, session: str, target: str, context: str) -> None:
        super().__init__()
        self._talk = talk
        self._session = session
        self.target = target
        self.context = context
        self.crashed = trio.Event()
        self.traced: list[JSON] = []
        self.is_traced = trio.Event()

    async def command(self, method: str, **params: object) -> JSON:
        """A DevTools command to this page."""
        return await self._talk.command(method, params, sessionId=self._session)

    async def goto(self, url: str) -> None:
        await self.command("Page.navigate", url=url)

    async def begin_reload(self) -> None:
        await self.command("Page.reload")

    async def accept_dialog(self) -> None:
        await self.command("Page.handleJavaScriptDialog", accept=True)

    async def tap(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def press(self, key: str) -> None:
        is_character = len(key) == 1
        code = {
            "windowsVirtualKeyCode": ord(key.upper()) if is_character else _KEYS[key],
            "key": key,
        }
        text = {"text": key} if is_character else {"text": "\r"} if key == "Enter" else {}
        await self.command("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        await self.command("Input.dispatchKeyEvent", type="keyUp", **code)

    async def insert(self, text: str) -> None:
        await self.command("Input.insertText", text=text)

    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        root = (await self.command("DOM.getDocument"))["root"]["nodeId"]
        found = await self.command("DOM.querySelector", nodeId=root, selector=selector)
        paths = [str(file) for file in files]
        await self.command("DOM.setFileInputFiles", files=paths, nodeId=found["nodeId"])

    async def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.command("Emulation.setDeviceMetricsOverride", **size)

    async def magnify(self, scale: float, zoom: float = 1) -> None:
        width, height = await self.run("[outerWidth, outerHeight]")
        size = {"width": round(width / zoom), "height": round(height / zoom), "mobile": False}
        await self.command(
            "Emulation.setDeviceMetricsOverride", deviceScaleFactor=scale * zoom, **size
        )

    async def run(self, script: str) -> Any:
        answer = await self.command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def run_early(self, script: str) -> None:
        await self.command("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def set_window(self, state: str) -> None:
        target = {"targetId": self.target}
        window = await self._talk.command("Browser.getWindowForTarget", target)
        bounds = {"windowId": window["windowId"], "bounds": {"windowState": state}}
        await self._talk.command("Browser.setWindowBounds", bounds)

    async def capture(self) -> str:
        answer = await self.command("Page.captureScreenshot", format="png")
        data: str = answer["data"]
        return data

    def hear(self, event: str, params: JSON) -> None:
        """What the browser tells of this page."""
        match event:
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "assert", "warning"):
                self.errors.append(json.dumps(params["args"]))
            case "Tracing.dataCollected":
                self.traced += params["value"]
            case "Tracing.tracingComplete":
                self.is_traced.set()
            case "Inspector.targetCrashed":
                self.crashed.set()
            case "Page.javascriptDialogOpening":
                self.dialogs.append(params["type"])
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.errors.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))


async def crash(page: Page) -> None:
    """End the process of a page, as a bug of the browser or a lack of memory would."""
    assert isinstance(page, ChromiumPage)
    async with trio.open_nursery() as nursery:
        # It has no answer.
        nursery.start_soon(partial(page.command, "Page.crash"))
        with trio.fail_after(ANSWER_S):
            await page.crashed.wait()
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def traced(page: Page, *categories: str) -> AsyncIterator[list[JSON]]:
    """What the browser traces meanwhile; filled once the block is left."""
    assert isinstance(page, ChromiumPage)
    page.traced, page.is_traced = [], trio.Event()
    await page.command("Tracing.start", traceConfig={"includedCategories": categories})
    yield page.traced
    await page.command("Tracing.end")
    with trio.fail_after(ANSWER_S):
        await page.is_traced.wait()
