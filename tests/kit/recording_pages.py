"""A page that records, as the tests see it, and a server that takes recordings."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import trio

from imgsync import EvaluatorSession
from tests.kit.browsers import ANSWER_S, JSON, Browser, Page
from tests.kit.processes import wait_until
from tests.kit.web_pages import INSIDE, RECORDER, WIDTH, ClientPage, make_png, page_url, show_url

FAKE_DEVICES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

EBML = bytes.fromhex("1a45dfa3")
"""What every WebM file begins with."""

BOTH = "camera,microphone"

# What the page asks of the browser is counted; `deny` names devices that there are none of, and
# `fail` is what asking for any of them fails with. `filled` counts recordings that hold more than
# their beginning: how long that takes is for the machine to say.
ASKING = """
window.filled = 0;
window.asked = [];
window.tracks = [];
const start = MediaRecorder.prototype.start;
MediaRecorder.prototype.start = function (...given) {
  const asking = setInterval(() => {
    if (this.state === "recording") this.requestData();
    else clearInterval(asking);
  }, 100);
  let chunks = 0;
  this.addEventListener("dataavailable", ({ data }) => {
    if (data.size === 0 || ++chunks !== 2) return;
    window.filled += 1;
    clearInterval(asking);
  });
  return start.apply(this, given);
};
// A page that is not secure has no devices.
const devices = navigator.mediaDevices ?? {};
const ask = devices.getUserMedia?.bind(devices);
devices.getUserMedia = async (wanted) => {
  window.asked.push(Object.keys(wanted).filter((kind) => wanted[kind]));
  if (window.fail) throw new DOMException("", window.fail);
  if (wanted[window.deny]) throw new DOMException("", "NotFoundError");
  const stream = await ask(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
"""

TAP = (
    "[...document.querySelectorAll('button')]"
    ".find((button) => button.checkVisibility() && button.innerText === {!r})"
)

# Whether something of a recording that goes on is in storage.
WRITTEN = """
(async () => {
  const [{ name }] = await indexedDB.databases();
  const opening = indexedDB.open(name);
  await new Promise((resolve) => (opening.onsuccess = resolve));
  const counting = opening.result.transaction("chunks").objectStore("chunks").count();
  await new Promise((resolve) => (counting.onsuccess = resolve));
  opening.result.close();
  return counting.result > 0;
})()
"""

FOLDER = (
    "navigator.storage.getDirectory().then((r) => r.getDirectoryHandle('mine', { create: true }))"
)

# What is in the folder that was picked, in hexadecimal digits.
FILES = """
(async () => {
  const files = {};
  for await (const [name, file] of (await %s).entries()) {
    const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
    files[name] = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return files;
})()
""".replace("%s", FOLDER)

# Loads a recording as a player would. Its length is known once its end was looked for.
PLAY = """
(async (url) => {
  const player = document.createElement("video");
  const heard = (event) => new Promise((resolve, reject) => {
    player.addEventListener(event, resolve, { once: true });
    player.addEventListener("error", () => reject(new Error(player.error.message)));
  });
  player.muted = true;
  player.src = URL.createObjectURL(await (await fetch(url)).blob());
  await heard("loadedmetadata");
  const sought = heard("seeked");
  player.currentTime = 1e6;
  await sought;
  const { duration, videoWidth: width, currentTime: end } = player;
  const soughtBack = heard("seeked");
  player.currentTime = end / 2;
  await soughtBack;
  return { duration, width, middle: player.currentTime };
})
"""


@attrs.frozen
class Posted:
    """A recording as the server got it."""

    name: str
    media: bytes = attrs.field(repr=False)
    about: JSON


@attrs.define
class RecordingServer:
    """Takes recordings, after the failures that a test asks for; serves images, and files."""

    url: str = ""
    faults: dict[str, list[str]] = attrs.field(factory=dict)
    posts: list[Posted] = attrs.field(factory=list)
    taken: list[Posted] = attrs.field(factory=list)
    files: dict[str, bytes] = attrs.field(factory=dict)

    def image(self, index: int) -> str:
        return f"{self.url}/{index}.png?signature=secret"

    def of(self, user: str) -> list[Posted]:
        return [one for one in self.taken if one.about["userId"] == user]

    def tried(self, user: str) -> int:
        return sum(one.about["userId"] == user for one in self.posts)


def read_form(content_type: str, body: bytes) -> Posted:
    """What a form holds that was posted as multipart/form-data."""
    boundary = content_type.partition("boundary=")[2].encode()
    fields = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name, filename = re.findall(r'name="([^"]*)"', head.decode())
        fields[name] = filename, content.removesuffix(b"\r\n")
    name, media = fields["recording"]
    json_name, about = fields["metadata"]
    assert Path(json_name).stem == Path(name).stem
    return Posted(name, media, json.loads(about))


class Handler(BaseHTTPRequestHandler):
    recordings: RecordingServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/")
        if path.endswith(".png"):
            self._answer(200, make_png(WIDTH + int(path.removesuffix(".png"))))
        else:
            self._answer(200, self.recordings.files.get(path, b""))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        posted = read_form(self.headers["content-type"], body)
        self.recordings.posts.append(posted)
        faults = self.recordings.faults.get(posted.about["userId"])
        fault = faults.pop(0) if faults else ""
        if fault == "closed":
            self.close_connection = True
        elif fault == "mute":  # taken, and no page is let know
            self._answer(204, is_open=False)
        elif fault:
            self._answer(int(fault))
        else:
            self.recordings.taken.append(posted)
            self._answer(204)

    def _answer(self, status: int, body: bytes = b"", *, is_open: bool = True) -> None:
        self.send_response(status)
        if is_open:
            self.send_header("access-control-allow-origin", "*")
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def open_server() -> Iterator[RecordingServer]:
    """In a thread of its own."""
    recordings = RecordingServer()
    handler = type("OfThese", (Handler,), {"recordings": recordings})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        recordings.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield recordings
        http.shutdown()
        thread.join()


@asynccontextmanager
async def open_page_that_records(
    browser: Browser, relay: str, user: str, record: str = BOTH, early: str = ""
) -> AsyncIterator[ClientPage]:
    """A client's page whose link asks for a recording."""
    async with browser.open_page() as page:
        await page.run_early(INSIDE + RECORDER + ASKING + early)
        await page.goto(page_url(relay, user=user, record=record))
        yield ClientPage(page)


@asynccontextmanager
async def open_recorded(
    browser: Browser, relay: str, user: str, record: str = BOTH, early: str = ""
) -> AsyncIterator[ClientPage]:
    """One that has come so far as to ask its participant."""
    async with open_page_that_records(browser, relay, user, record, early) as client:
        await client.page.wait("!!document.querySelector('#consent')")
        yield client


async def tap(page: Page, label: str) -> None:
    """Tap a button, as a finger would."""
    button = TAP.format(label)
    await page.wait(f"{button} && !{button}.disabled")
    await page.run(f"{button}.scrollIntoView()")
    box = await page.run(f"{button}.getBoundingClientRect().toJSON()")
    await page.tap(int(box["x"] + box["width"] / 2), int(box["y"] + box["height"] / 2))


async def allow(client: ClientPage) -> None:
    await tap(client.page, "Allow recording")
    await wait_told(client, "You are recorded while an image is shown")


async def wait_told(client: ClientPage, words: str) -> None:
    """Wait until the page says this of its recordings."""
    await client.page.wait(f"document.querySelector('#recordings').textContent.includes({words!r})")


async def present(
    client: ClientPage, session: EvaluatorSession, server: RecordingServer, indexes: Sequence[int]
) -> None:
    """Show images, each until something of it is recorded."""
    for index in indexes:
        before = await client.page.run("filled")
        await show_url(session, index, server.image(index))
        await client.page.wait(f"filled > {before}")


async def show_unrecorded(
    client: ClientPage, session: EvaluatorSession, server: RecordingServer
) -> None:
    """Show an image of which nothing is to be recorded."""
    await show_url(session, 0, server.image(0))
    await client.wait_stage(0, "shown")
    assert await client.page.run("filled") == 0


@asynccontextmanager
async def warned(page: Page) -> AsyncIterator[None]:
    """Within, the page is left; it warns, and is left all the same."""
    before = len(page.dialogs)
    async with trio.open_nursery() as nursery:

        async def accept() -> None:
            await wait_until(lambda: len(page.dialogs) > before, "the warning", ANSWER_S)
            await page.command("Page.handleJavaScriptDialog", accept=True)

        nursery.start_soon(accept)
        yield
    assert page.dialogs[before:] == ["beforeunload"]


async def play(browser: Browser, server: RecordingServer, media: bytes) -> JSON:
    """What a browser finds in it."""
    server.files["recording"] = media
    async with browser.open_page(f"{server.url}/page") as page:
        await page.wait("location.pathname === '/page'")
        found: JSON = await page.run(f"{PLAY}('/recording')")
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """The downloads there that are whole: until then, a browser gives them other names."""
    return {f.name: f.read_bytes() for f in folder.iterdir() if f.suffix in (".json", ".webm")}


def number_text(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
