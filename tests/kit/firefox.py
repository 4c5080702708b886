"""Firefox, driven over WebDriver BiDi: https://w3c.github.io/webdriver-bidi/."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import trio

from tests.kit.browsers import JSON, Browser, Page, Started, Talk, run_browser
from tests.kit.foreign import require

_NAMES = ("firefox-esr", "firefox")
_OPTIONS = (
    *("--headless", "--no-remote", "--remote-debugging-port=0"),
    "--remote-allow-system-access",  # for the zoom, which is the browser's and not the page's
)
_PREFERENCES = {
    # Its start page takes longer to come up than a test does.
    "browser.startup.page": 0,
    "browser.newtabpage.enabled": False,
    "browser.newtab.preload": False,
    # Nor is a process started for a page that may come next.
    "dom.ipc.processPrelaunch.enabled": False,
    "browser.tabs.animate": False,
    "browser.sessionstore.resume_from_crash": False,
    "extensions.webcompat.enable_shims": False,
    # Each page has a cache of its own, and it is gone with the page: on disk it costs as much as
    # the page does.
    "browser.cache.disk.enable": False,
}
_LISTENING = b"WebDriver BiDi listening on "

_KEYS = {
    "ArrowRight": "\ue014",
    "ArrowLeft": "\ue012",
    "Home": "\ue011",
    "End": "\ue010",
    "Delete": "\ue017",
    "Tab": "\ue004",
    "Enter": "\ue007",
}
"""Of those that are no characters: https://www.w3.org/TR/webdriver/#keyboard-actions."""


@contextmanager
def shared_firefox() -> Iterator[Started]:
    """A headless Firefox. Skips where there is none."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    require(program, "no Firefox is installed")

    def command(profile: Path) -> tuple[str, ...]:
        lines = [f"user_pref({json.dumps(pair)[1:-1]});\n" for pair in _PREFERENCES.items()]
        (profile / "user.js").write_text("".join(lines))
        return (str(program), *_OPTIONS, "--profile", str(profile))

    with run_browser("Firefox", command, _LISTENING) as (url, output):
        yield Started(f"{url}/session", output, _drive, probe="session.status")


@asynccontextmanager
async def _drive(talk: Talk) -> AsyncIterator[Browser]:
    ignore = {"unhandledPromptBehavior": {"default": "ignore"}}
    await talk.command("session.new", {"capabilities": {"alwaysMatch": ignore}})
    try:
        events = ["log.entryAdded", "browsingContext.userPromptOpened"]
        await talk.command("session.subscribe", {"events": events})
        tree = await talk.command("browsingContext.getTree", {"maxDepth": 0})
        yield _Firefox(talk, [tab["context"] for tab in tree["contexts"]])
    finally:
        # It has one at a time, which outlives its connection.
        with trio.CancelScope(shield=True):
            await talk.command("session.end", {})


class _Firefox(Browser):
    """:ivar _free: of each window without a page, the tab that is always there."""

    def __init__(self, talk: Talk, free: list[str]) -> None:
        self._talk = talk
        self._free = free
        self._pages: dict[str, _FirefoxPage] = {}
        talk.hear = self._hear

    def _hear(self, event: JSON) -> None:
        params = event["params"]
        context = params.get("context") or params.get("source", {}).get("context", "")
        if page := self._pages.get(context):
            page.hear(event["method"], params)

    @asynccontextmanager
    async def open_beside(self, page: Page, *, in_sight: bool = False) -> AsyncIterator[Page]:
        assert isinstance(page, _FirefoxPage)
        async with self._open_tab(page.user, of=None if in_sight else page) as beside:
            try:
                yield beside
            finally:
                with trio.CancelScope(shield=True):
                    await beside.command("browsingContext.close")

    @asynccontextmanager
    async def open_page(self, url: str = "about:blank", **context: object) -> AsyncIterator[Page]:
        made = await self._talk.command("browser.createUserContext", context)
        user: str = made["userContext"]
        async with self._open_tab(user) as page:
            try:
                if url != "about:blank":
                    await page.goto(url)
                yield page
            finally:
                with trio.CancelScope(shield=True):
                    await self._talk.command("browser.removeUserContext", {"userContext": user})

    @asynccontextmanager
    async def _open_tab(
        self, user: str, of: _FirefoxPage | None = None
    ) -> AsyncIterator[_FirefoxPage]:
        """In the window of a page, or of its own; whoever opens it closes it."""
        # Of the tabs of one window, all but one are hidden. A new window takes 0.5 s of CPU time.
        own = (
            None
            if of is not None
            else self._free.pop()
            if self._free
            else await self._create(type="window")
        )
        window = own if of is None else of.id
        try:
            id = await self._create(type="tab", referenceContext=window, userContext=user)
            page = self._pages[id] = _FirefoxPage(self._talk, id, user)
            yield page
        finally:
            if own is not None:
                with trio.CancelScope(shield=True):
                    await _FirefoxPage(self._talk, own, user).set_window("normal")
                self._free.append(own)

    async def _create(self, **how: object) -> str:
        id: str = (await self._talk.command("browsingContext.create", how))["context"]
        return id


class _FirefoxPage(Page):
    def __init__(self, talk: Talk, id: str, user: str) -> None:
        super().__init__()
        self._talk = talk
        self.id = id
        self.user = user

    async def command(self, method: str, **params: object) -> JSON:
        """A BiDi command to this page."""
        return await self._talk.command(method, {"context": self.id, **params})

    async def goto(self, url: str) -> None:
        await self.command("browsingContext.navigate", url=url, wait="interactive")

    async def begin_reload(self) -> None:
        await self.command("browsingContext.reload", wait="none")

    async def accept_dialog(self) -> None:
        await self.command("browsingContext.handleUserPrompt", context=self.id, accept=True)

    async def tap(self, x: float, y: float) -> None:
        move = {"type": "pointerMove", "x": round(x), "y": round(y)}
        down, up = ({"type": f"pointer{way}", "button": 0} for way in ("Down", "Up"))
        source = {"type": "pointer", "id": "mouse", "actions": [move, down, up]}
        await self.command("input.performActions", actions=[source])

    async def press(self, key: str) -> None:
        value = _KEYS.get(key, key)
        actions = [{"type": f"key{way}", "value": value} for way in ("Down", "Up")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        await self.command("input.performActions", actions=[source])

    async def insert(self, text: str) -> None:
        await self.run(f"document.execCommand('insertText', false, {json.dumps(text)})")

    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        locator = {"type": "css", "value": selector}
        found = await self.command("browsingContext.locateNodes", locator=locator)
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        await self.command("input.setFiles", element=element, files=[str(file) for file in files])

    async def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        await self.command("browsingContext.setViewport", viewport=size)

    async def magnify(self, scale: float, zoom: float = 1) -> None:
        await self._zoom(1)
        # It zooms by whole sixtieths; and the ratio that is set is not multiplied by that.
        ratio, size = scale * 60 / round(60 / zoom), {"width": 600, "height": 300}
        await self.command("browsingContext.setViewport", devicePixelRatio=ratio, viewport=size)
        await self._zoom(zoom)

    async def _zoom(self, zoom: float) -> None:
        tree = await self._talk.command("browsingContext.getTree", {"moz:scope": "chrome"})
        zoomed = f"gBrowser.browsers.forEach((browser) => (browser.fullZoom = {zoom}))"
        for window in tree["contexts"]:
            target = {"context": window["context"]}
            script = {"expression": zoomed, "target": target, "awaitPromise": False}
            await self._talk.command("script.evaluate", script)

    async def run(self, script: str) -> Any:
        target = {"context": self.id}
        answer = await self._talk.command(
            "script.evaluate", {"expression": script, "target": target, "awaitPromise": True}
        )
        assert answer["type"] == "success", answer["exceptionDetails"]
        return _read_value(answer["result"])

    async def run_early(self, script: str) -> None:
        function = f"() => {{\n{script}\n}}"
        preload = {"functionDeclaration": function, "contexts": [self.id]}
        await self._talk.command("script.addPreloadScript", preload)

    async def set_window(self, state: str) -> None:
        tree = await self._talk.command("browsingContext.getTree", {"root": self.id})
        window = {"clientWindow": tree["contexts"][0]["clientWindow"]}
        await self._talk.command("browser.setClientWindowState", {**window, "state": state})

    async def capture(self) -> str:
        answer = await self.command("browsingContext.captureScreenshot")
        data: str = answer["data"]
        return data

    def hear(self, event: str, params: JSON) -> None:
        """What the browser tells of this page."""
        match event:
            case "log.entryAdded" if params["level"] in ("error", "warn"):
                self.errors.append(params["text"])
            case "browsingContext.userPromptOpened":
                self.dialogs.append(params["type"])


def _read_value(told: JSON) -> Any:
    """A value as JSON has it: https://w3c.github.io/webdriver-bidi/#type-script-RemoteValue."""
    match told["type"]:
        case "array":
            return [_read_value(one) for one in told["value"]]
        case "object":
            return {name: _read_value(one) for name, one in told["value"]}
        case "undefined" | "null":
            return None
        case "string" | "boolean" | "number":
            return told["value"]
    return {}
