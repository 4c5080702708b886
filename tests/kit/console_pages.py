"""The evaluator's console as the tests see it, and as a person works it: by taps and keys."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import attrs
import trio

from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from tests.kit.browsers import JSON, Browser, Page
from tests.kit.web_pages import WIDTH, make_png

IS_RECORD = "({ name }) => name.startsWith('imgsync console of')"

SECRET = "hush-hush"
"""In every signed URL and token, and nowhere in a record."""


def console_url(relay_url: str, **query: str) -> str:
    """Of the console at a relay."""
    origin = relay_url.replace("ws", "http", 1).removesuffix("/ws")
    return f"{origin}/evaluator?{urlencode(query)}"


@attrs.frozen
class ConsolePage:
    """A console that a person sits at."""

    page: Page

    async def wait_says(self, words: str, of: str = "#session") -> None:
        """Wait until this is among what it says there."""
        await self.page.wait(f"document.querySelector({of!r})?.innerText.includes({words!r})")

    async def tap(self, selector: str) -> None:
        """Tap on an element that can be seen, in its middle.

        What comes in at that moment may move it away, and then it is tapped where it is by now.
        """
        while not await self._tap_once(selector):
            pass

    async def _tap_once(self, selector: str) -> bool:
        """Whether the element was where it had been seen."""
        spot: JSON = await self.page.wait(
            "(() => {"
            f" const found = document.querySelector({selector!r});"
            " if (!found?.checkVisibility() || found.disabled) return null;"
            " found.scrollIntoView({ block: 'center', inline: 'center' });"
            " window.isTapped = false;"
            " const hear = () => { window.isTapped = true; };"
            " found.addEventListener('click', hear, { capture: true, once: true });"
            " const { x, y, width, height } = found.getBoundingClientRect();"
            " const spot = { x: x + width / 2, y: y + height / 2 };"
            " const hit = document.elementFromPoint(spot.x, spot.y);"
            " return found.contains(hit) || hit?.contains(found) ? spot : null; })()"
        )
        await self.page.tap(spot["x"], spot["y"])
        return bool(await self.page.run("window.isTapped !== false"))

    async def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        await self.page.press(key)

    async def paste(self, text: str) -> None:
        """Put a manifest into the field for it, and use it."""
        await self.page.run("document.querySelector('#intake').open = true")
        await self.tap("#paste")
        await self.page.run("document.querySelector('#paste').value = ''")
        await self.page.insert(text)
        await self.tap("#paste-form button")

    async def drop(self, files: Mapping[str, bytes]) -> None:
        """Drop files that are made in the page; nothing tells them from those of a disk."""
        encoded = {name: base64.b64encode(data).decode() for name, data in files.items()}
        await self.page.run(
            "(() => { const carried = new DataTransfer();"
            f" for (const [name, text] of Object.entries({json.dumps(encoded)})) carried.items.add("
            " new File([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], name));"
            " const how = { dataTransfer: carried, bubbles: true, cancelable: true };"
            " document.body.dispatchEvent(new DragEvent('drop', how)); })()"
        )

    async def drop_from_disk(self, *paths: Path) -> None:
        """Drop files and folders, as from a file manager. In Chromium alone."""
        carried = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            event = {"type": kind, "x": 600, "y": 100, "data": carried}
            await self.page.command("Input.dispatchDragEvent", **event)

    async def choose(self, selector: str, *paths: Path) -> None:
        """Choose files, or a folder, in one of the page's fields for that. In Chromium alone."""
        root = await self.page.command("DOM.getDocument")
        where = {"nodeId": root["root"]["nodeId"], "selector": selector}
        found = await self.page.command("DOM.querySelector", **where)
        chosen = {"files": list(map(str, paths)), "nodeId": found["nodeId"]}
        await self.page.command("DOM.setFileInputFiles", **chosen)

    async def wait_names(self, *names: str) -> None:
        """Wait until the thumbnails are of these files, in this order."""
        labels = [f"Image {place}, {name}" for place, name in enumerate(names, 1)]
        thumbs = "[...document.querySelectorAll('#strip button')].map((b) => b.ariaLabel)"
        await self.page.wait(f"{thumbs}.join('|') === {json.dumps('|'.join(labels))}")

    async def start(self, client: str) -> None:
        """Start a session with a client, and wait for the connection."""
        await self.tap(f"#clients button[aria-label='Start a session with {client}']")
        await self.wait_says(f"Connected to {client}")

    async def end(self) -> None:
        """End the session in good order."""
        await self.tap("#end")
        await self.tap("#end-yes")
        await self.wait_says("ended in good order")

    async def wait_fate(self, index: int, fate: str) -> None:
        """Wait until the thumbnail of an image says this."""
        thumb = f"document.querySelector('#strip li:nth-child({index + 1}) button')"
        await self.page.wait(f"{thumb}?.dataset.fate === {fate!r}")

    async def wait_current(self, index: int) -> None:
        """Wait until this image is the current one."""
        marked = f"document.querySelector('#strip li:nth-child({index + 1}) [aria-current=true]')"
        await self.page.wait(f"{marked} !== null")

    async def thumbs(self) -> list[str]:
        """What each thumbnail says to who can't see it."""
        found: list[str] = await self.page.run(
            "[...document.querySelectorAll('#strip button')].map((b) => b.ariaLabel)"
        )
        return found

    async def events(self, name: str | None = None) -> list[JSON]:
        """Those of this name, or all, in the record, as the browser keeps it."""
        told: list[JSON] = await self.page.run(
            "(async () => {"
            " const answer = (asked) =>"
            " new Promise((then) => { asked.onsuccess = () => then(asked.result); });"
            f" const [{{ name }}] = (await indexedDB.databases()).filter({IS_RECORD});"
            " const database = await answer(indexedDB.open(name));"
            " const events = database.transaction('events').objectStore('events');"
            " const told = (await answer(events.getAll())).flat();"
            " database.close();"
            " return told; })()"
        )
        return [event for event in told if name is None or event["event"] == name]


async def is_seen(console: ConsolePage, selector: str) -> bool:
    """Whether one of these can be seen."""
    found = f"[...document.querySelectorAll('{selector}')]"
    return bool(await console.page.run(f"{found}.some((one) => one.checkVisibility())"))


@asynccontextmanager
async def open_console(
    browser: Browser, relay_url: str, user: str, beside: Page | None = None, **query: str
) -> AsyncIterator[ConsolePage]:
    """A console that is registered.

    :param beside: a page of the same context, as another tab.
    """
    async with browser.open_page() if beside is None else browser.open_beside(beside) as page:
        await page.resize(1280, 800)
        await page.goto(console_url(relay_url, user=user, **query))
        console = ConsolePage(page)
        await console.wait_says("connected", "#relay")
        yield console


@attrs.define
class Images:
    """A server of /N.png, each as wide as N says, and of manifests.

    :ivar expired: signatures that are good no more.
    """

    origin: str = ""
    manifests: dict[str, str] = attrs.field(factory=dict)
    expired: set[str] = attrs.field(factory=set)

    async def answer(self, request: Request) -> Response:
        cors = (("access-control-allow-origin", "*"),)
        if request.path in self.manifests:
            return Response(200, self.manifests[request.path].encode(), "text/plain", cors)
        name = request.path.removeprefix("/").removesuffix(".png")
        if not name.isdecimal() or request.query.removeprefix("signature=") in self.expired:
            return refuse(403, "", *cors)
        return Response(200, make_png(WIDTH + int(name)), "image/png", cors)

    def manifest(self, *names: int | str, signature: str = SECRET) -> str:
        """A JSON manifest of these images, which says of each what its label is."""
        found = []
        for name in names:
            url = f"{self.origin}/{name}.png"
            signed = f"{url}?signature={signature}"
            found.append({"imageUrl": url, "signedUrl": signed, "label": f"of {name}"})
        return json.dumps(found)


@asynccontextmanager
async def open_images() -> AsyncIterator[Images]:
    """A server of images."""
    server = Images()
    listeners = await open_port("127.0.0.1", 0)
    server.origin = f"http://127.0.0.1:{port_of(listeners)}"
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_site, Site(http=server.answer), listeners))
        yield server
        nursery.cancel_scope.cancel()
