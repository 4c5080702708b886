"""Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from imgsync.tasks import lone_errors
from tests.kit.browsers import (
    ANSWER_S,
    JSON,
    Browser,
    CommandFailed,
    Page,
    Started,
    Talk,
    run_browser,
)
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

MOST_PARKED = 4
"""Tabs without a page that wait for their next one."""

PARK_S = 5
"""Seconds for a page to be gone from its tab; where it is not, the tab goes with it."""

_FORGOTTEN = ("Accessibility", "DOM", "Emulation", "Fetch", "Input", "Inspector", "Log", "Network")
"""Domains of which nothing is left when nobody drives a page any more."""

_FORGOTTEN_TOO = (
    *("Runtime.enable", "Runtime.evaluate", "Page.enable", "Page.navigate", "Page.reload"),
    *("Page.addScriptToEvaluateOnNewDocument", "Page.captureScreenshot"),
    "Page.handleJavaScriptDialog",
)

_FILE = "crossOriginIsolated ? document.querySelector('script[src][type=module]')?.src : null"
"""Of the origin of a page, and as isolated as it; a browser has it, whatever the relay does."""


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

    Its tabs serve one page after the other, see `_Parked`.

    :param options: beside the usual ones.
    """
    with _start((_SHELL, *_NAMES), options, most_parked=MOST_PARKED) as started:
        yield started


@contextmanager
def _start(
    names: Sequence[str],
    options: Sequence[str] = (),
    prefix: Sequence[str] = (),
    most_parked: int = 0,
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
        parking = _Parking(most_parked)
        drive = partial(_drive, parking=parking)
        yield Started(url, output, drive, probe="Browser.getVersion")


@asynccontextmanager
async def _drive(talk: Talk, parking: _Parking) -> AsyncIterator[Browser]:
    yield _Chromium(talk, parking)


@attrs.frozen
class _Parked:
    """A tab that has had a page, and nothing of it but its process and its cache.

    A process begins with a page and has to get to know a hundred modules: the next page in the same
    tab, of the same relay, takes a third of the CPU time. It finds no storage, no cookie, no
    history and no script of the one before.
    """

    context: str
    target: str


@attrs.define
class _Parking:
    """The tabs that wait. They outlast the connection that drives the browser."""

    most: int
    tabs: list[_Parked] = attrs.field(factory=list)


class _Chromium(Browser):
    def __init__(self, talk: Talk, parking: _Parking) -> None:
        self._talk = talk
        self._parking = parking
        self._pages: dict[str, ChromiumPage] = {}
        talk.hear = self._hear

    def _hear(self, event: JSON) -> None:
        if page := self._pages.get(event.get("sessionId", "")):
            page.hear(event["method"], event["params"])

    @asynccontextmanager
    async def open_page(self, url: str = "about:blank", **context: object) -> AsyncIterator[Page]:
        parked = self._parking.tabs.pop() if self._parking.tabs and not context else None
        if parked is None:
            made = await self._talk.command("Target.createBrowserContext", context)
        context_id = made["browserContextId"] if parked is None else parked.context
        is_parked = False
        try:
            page = await (self._open_target(context_id) if parked is None else self._attach(parked))
            if url != "about:blank":
                await page.goto(url)
            yield page
            with trio.CancelScope(shield=True):
                is_parked = not context and await self._park(page)
        finally:
            if not is_parked:
                with trio.CancelScope(shield=True):
                    await self._dispose(context_id)

    async def _dispose(self, context_id: str) -> None:
        away = {"browserContextId": context_id}
        await self._talk.command("Target.disposeBrowserContext", away)

    async def _park(self, page: ChromiumPage) -> bool:
        """Have its tab wait for the next page; whether it can."""
        if not self._parking.most or page.leaves_something or page.crashed.is_set():
            return False
        with trio.move_on_after(PARK_S):
            try:
                is_left = await page.leave()
            except (AssertionError, CommandFailed):
                return False
            if is_left:
                tabs = self._parking.tabs
                tabs.append(_Parked(page.context, page.target))
                while len(tabs) > self._parking.most:
                    await self._dispose(tabs.pop(0).context)
                return True
        return False

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
        return await self._attach(_Parked(context_id, target))

    async def _attach(self, tab: _Parked) -> ChromiumPage:
        attach = {"targetId": tab.target, "flatten": True}
        session = (await self._talk.command("Target.attachToTarget", attach))["sessionId"]
        page = ChromiumPage(self._talk, session, tab.target, tab.context)
        self._pages[session] = page
        for domain in ("Page", "Runtime", "Log", "Inspector"):
            await page.command(f"{domain}.enable")
        return page


class ChromiumPage(Page):
    """One page, in a context that others may share.

    :ivar leaves_something: whether it was told what a page that comes after it would find.
    """

    def __init__(self, talk: Talk, session: str, target: str, context: str) -> None:
        super().__init__()
        self._talk = talk
        self._session = session
        self.target = target
        self.context = context
        self.crashed = trio.Event()
        self.traced: list[JSON] = []
        self.is_traced = trio.Event()
        self.leaves_something = False
        self._asked = trio.Event()

    async def command(self, method: str, **params: object) -> JSON:
        """A DevTools command to this page."""
        if method.partition(".")[0] not in _FORGOTTEN and method not in _FORGOTTEN_TOO:
            self.leaves_something = True
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

    async def leave(self) -> bool:
        """Leave nothing in its tab but a file of the same origin; whether that could be done."""
        file = await self.run(_FILE)
        if file is None:
            return False
        self._asked = trio.Event()
        with lone_errors():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._leave_though_asked)
                answer = await self.command("Page.navigate", url=file)
                nursery.cancel_scope.cancel()
        if "errorText" in answer:
            return False
        at_it = f"location.href === {json.dumps(file)} && document.readyState === 'complete'"
        await self.wait(at_it)
        await self.run("sessionStorage.clear()")
        origin = await self.run("location.origin")
        await self.command("Storage.clearDataForOrigin", origin=origin, storageTypes="all")
        await self._talk.command("Storage.clearCookies", {"browserContextId": self.context})
        for forget in ("Page.resetNavigationHistory", "Runtime.discardConsoleEntries", "Log.clear"):
            await self.command(forget)
        await self._talk.command("Target.detachFromTarget", {"sessionId": self._session})
        tabs = (await self._talk.command("Target.getTargets", {}))["targetInfos"]
        ours = [tab["targetId"] for tab in tabs if tab.get("browserContextId") == self.context]
        return ours == [self.target]

    async def _leave_though_asked(self) -> None:
        await self._asked.wait()
        await self.accept_dialog()

    async def set_window(self, state: str) -> None:
        self.leaves_something = True
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
                self._asked.set()
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
