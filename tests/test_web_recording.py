"""Recording in the client's page: what is recorded, where it goes, and that none of it is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import pytest
import trio

from imgsync import EvaluatorSession
from tests.browsers import ANSWER_S, JSON, Browser, Page, open_browser, shared_chromium
from tests.processes import shared_relay, wait_until
from tests.web_pages import (
    IN_A_HURRY,
    RECORDER,
    WIDTH,
    ClientPage,
    make_png,
    open_client_page,
    open_session,
    page_url,
    show_url,
)

FAKE_DEVICES = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

EBML = bytes.fromhex("1a45dfa3")
"""What every WebM file begins with."""

BOTH = "camera,microphone"

RECORDED_S = 0.3
"""Of each image: a recording takes its time."""

# What the page asks of the browser is counted; `deny` names devices that there are none of, and
# `fail` is what asking for any of them fails with.
ASKING = """
window.asked = [];
window.tracks = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.asked.push(Object.keys(wanted).filter((kind) => wanted[kind]));
  if (window.fail) throw new DOMException("", window.fail);
  if (wanted[window.deny]) throw new DOMException("", "NotFoundError");
  const stream = await ask(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
"""

TAP = "[...document.querySelectorAll('button')].find((b) => b.checkVisibility() && b.innerText === {!r})"

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

# What is in the folder that was picked, in hexadecimal digits.
FILES = """
(async () => {
  const files = {};
  for await (const [name, file] of (await navigator.storage.getDirectory()).entries()) {
    const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
    files[name] = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return files;
})()
"""

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
    """Takes recordings, after as many failures as a test asks for; serves images, and what it has."""

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
        kind = self.headers["content-type"].encode()
        parts = message_from_bytes(b"content-type: " + kind + b"\r\n\r\n" + body).get_payload()
        named = {part.get_param("name", header="content-disposition"): part for part in parts}
        media = named["recording"].get_payload(decode=True)
        about = json.loads(named["metadata"].get_payload(decode=True))
        posted = Posted(named["recording"].get_filename(), media, about)
        self.recordings.posts.append(posted)
        faults = self.recordings.faults.get(about["userId"])
        fault = faults.pop(0) if faults else ""
        if fault == "closed":
            self.close_connection = True
        elif fault:
            self._answer(int(fault))
        else:
            self.recordings.taken.append(posted)
            self._answer(204)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("access-control-allow-origin", "*")
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def chromium() -> Iterator[str]:
    with shared_chromium(*FAKE_DEVICES) as url:
        yield url


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    recordings = RecordingServer()
    handler = type("OfThese", (Handler,), {"recordings": recordings})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        recordings.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield recordings
        http.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def relay(server: RecordingServer) -> Iterator[str]:
    with shared_relay("--recording-url", f"{server.url}/recordings?study=1") as url:
        yield url


@pytest.fixture(scope="module")
def plain_relay() -> Iterator[str]:
    """One that has no server for recordings: they are saved by hand."""
    with shared_relay() as url:
        yield url


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with open_browser(chromium) as browser:
        yield browser


@asynccontextmanager
async def open_page_that_records(
    browser: Browser, relay: str, user: str, record: str = BOTH, early: str = ""
) -> AsyncIterator[ClientPage]:
    """A client's page whose link asks for a recording."""
    async with browser.open_page() as page:
        await page.run_early(RECORDER + ASKING + early)
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
    """Show images, each for long enough that there is something to be seen of it."""
    for index in indexes:
        await show_url(session, index, server.image(index))
        await client.wait_stage(index, "shown")
        await trio.sleep(RECORDED_S)


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


# ── what is recorded ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("record", [BOTH, "microphone"])
async def test_there_is_a_recording_of_each_image_that_can_be_played(
    browser: Browser, relay: str, server: RecordingServer, record: str
) -> None:
    user = f"each of {record}"
    async with open_recorded(browser, relay, user, record) as client:
        await allow(client)
        async with open_session(relay, user) as session:
            await present(client, session, server, [0, 7])
        await wait_until(lambda: len(server.of(user)) == 2, "both recordings")
        stages = await client.sent("stage")
        assert client.page.errors == []
    for index, posted in zip([0, 7], server.of(user), strict=True):
        told = {one["stage"]: one["at"] for one in stages if one["imageIndex"] == index}
        about = posted.about
        assert posted.name == f"{index:04}-{_number(about['sentAt'])}.webm"
        assert posted.media.startswith(EBML)
        assert about["imageUrl"] == f"{server.url}/{index}.png"
        assert about["imageIndex"] == index
        assert about["shownAt"] == told["shown"]
        # Of the last one, the end of the session is the end, which has no channel to be told on.
        assert about["hiddenAt"] == told.get("hidden", about["hiddenAt"]) > about["shownAt"]
        assert about["offset"] == about["shownAt"] - about["recordingStartedAt"]
        assert abs(about["offset"]) < 500
        assert about["recordingStartedAt"] <= about["startEventAt"] < about["hiddenAt"] + 500
        assert about["mimeType"].startswith("video/webm" if record == BOTH else "audio/webm")
        assert about["size"] == len(posted.media)
        found = await play(browser, server, posted.media)
        seen = (about["hiddenAt"] - about["shownAt"]) / 1000
        assert 0.1 < found["duration"] < seen + 1
        assert 0 < found["middle"] < found["duration"]
        assert bool(found["width"]) == (record == BOTH)


async def test_a_recording_ends_when_the_tab_is_hidden_and_another_begins_when_it_is_seen_again(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "hidden") as client:
        await allow(client)
        async with open_session(relay, "hidden") as session:
            await present(client, session, server, [3])
            await client.page.hide()
            await wait_until(lambda: len(server.of("hidden")) == 1, "the first recording")
            await client.page.unhide()
            await trio.sleep(RECORDED_S)
        await wait_until(lambda: len(server.of("hidden")) == 2, "the second recording")
        first, second = server.of("hidden")
        assert second.name == first.name.replace(".webm", "-2.webm")
        assert second.about["sentAt"] == first.about["sentAt"]
        assert second.about["shownAt"] > first.about["hiddenAt"]
        assert client.page.errors == []


async def test_nothing_tells_of_it_while_an_image_is_shown_and_the_devices_are_off_at_the_end(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "quiet") as client:
        page = client.page
        assert await page.run("asked") == []
        assert await page.run("!document.querySelector('#status').checkVisibility()")
        await allow(client)
        assert await page.run("asked") == [["video", "audio"]]
        # The tap answered, and did nothing else.
        assert await page.run("document.fullscreenElement === null")
        async with open_session(relay, "quiet") as session:
            await present(client, session, server, [0])
            assert await page.run("document.body.innerText.trim()") == ""
            assert await page.run("tracks.every((track) => track.readyState === 'live')")
        await client.wait_says("Thank you.")
        await page.wait("tracks.every((track) => track.readyState === 'ended')")
        # Another session has them on again, and nobody is asked twice.
        async with open_session(relay, "quiet") as session:
            await wait_told(client, "You are recorded")
            assert await page.run("tracks.length") == 4
            await present(client, session, server, [1])
        await wait_until(lambda: len(server.of("quiet")) == 2, "both recordings")
        await page.wait("tracks.every((track) => track.readyState === 'ended')")
        assert page.errors == []


# ── without it ───────────────────────────────────────────────────────────────────────────────────


async def test_without_record_nothing_of_it_is_loaded_or_asked(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_client_page(browser, relay, "without", ASKING) as client:
        async with open_session(relay, "without") as session:
            await present(client, session, server, [0])
        await client.wait_says("Thank you.")
        loaded = await client.page.run("performance.getEntriesByType('resource').map((e) => e.name)")
        assert any(name.endswith("/client.js") for name in loaded)
        assert not [name for name in loaded if "recording" in name or "capture" in name]
        assert await client.page.run("asked") == []
        assert await client.page.run("indexedDB.databases()") == []


@pytest.mark.parametrize("is_asked_before", [False, True])
async def test_who_does_not_want_it_takes_part_without(
    browser: Browser, relay: str, server: RecordingServer, is_asked_before: bool
) -> None:
    user = f"refusing {is_asked_before}"
    async with open_recorded(browser, relay, user) as client:
        if is_asked_before:
            await allow(client)
            await tap(client.page, "Stop recording")
            await client.page.wait("tracks.every((track) => track.readyState === 'ended')")
        else:
            await tap(client.page, "Take part without recording")
        for asks in range(2):
            async with open_session(relay, user) as session:
                await present(client, session, server, [0])
            await client.wait_says("Thank you.")
            # Nor after a reload.
            if asks == 0:
                await client.page.reload()
                await client.wait_says("Ready.")
                await client.page.wait("!document.querySelector('#consent')")
        assert await client.page.run("asked") == []
        assert server.tried(user) == 0
        assert client.page.errors == []


@pytest.mark.parametrize(
    ("early", "words"),
    [
        ("window.fail = 'NotAllowedError'", "does not let this page use your camera and micro"),
        ("window.fail = 'NotFoundError'", "No camera or microphone was found."),
        ("window.fail = 'NotReadableError'", "perhaps another program does"),
        ("delete window.MediaRecorder", "This browser can’t record."),
        ("IDBFactory.prototype.open = () => { throw new Error('') }", "keeps no recordings"),
    ],
)
async def test_what_can_not_be_recorded_is_told_and_the_session_goes_on(
    browser: Browser, relay: str, server: RecordingServer, early: str, words: str
) -> None:
    user = f"unable {words[:12]}"
    async with open_page_that_records(browser, relay, user, early=early) as client:
        if "IDB" not in early:
            await tap(client.page, "Allow recording")
        await wait_told(client, words)
        await wait_told(client, "The session goes on without recording.")
        async with open_session(relay, user) as session:
            await show_url(session, 0, server.image(0))
            await client.wait_stage(0, "shown")
        await client.wait_says("Thank you.")
        assert server.tried(user) == 0
        assert client.page.errors == []


async def test_where_one_device_is_missing_the_other_is_recorded(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "one", early="window.deny = 'video'") as client:
        await allow(client)
        await wait_told(client, "No camera was found.")
        async with open_session(relay, "one") as session:
            await present(client, session, server, [0])
        await wait_until(lambda: len(server.of("one")) == 1, "the recording")
        assert server.of("one")[0].about["mimeType"].startswith("audio/webm")


async def test_a_link_that_asks_for_something_else_says_so(browser: Browser, relay: str) -> None:
    async with open_page_that_records(browser, relay, "else", "camera,smell") as client:
        await wait_told(client, "asks to record “camera,smell”")
        async with open_session(relay, "else"):
            await client.wait_says("Connected to")
        assert await client.page.run("asked") == []


# ── sent ─────────────────────────────────────────────────────────────────────────────────────────


async def test_recordings_outlast_a_server_that_fails_and_a_page_that_is_loaded_again(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    user = "lasting"
    server.faults[user] = ["500", "closed", "404"] + 1000 * ["503"]
    async with open_recorded(browser, relay, user, early=IN_A_HURRY) as client:
        page = client.page
        await allow(client)
        async with open_session(relay, user) as session:
            await present(client, session, server, [0, 1, 2])
        await wait_told(client, "3 recordings still to be sent.")
        await wait_until(lambda: server.tried(user) > 4, "tries")
        async with warned(page):
            await page.reload()
        await wait_told(client, "3 recordings still to be sent.")
        await wait_told(client, "The server does not take them")
        tries = server.tried(user)
        await wait_until(lambda: server.tried(user) > tries, "tries of the page that came back")
        server.faults[user].clear()
        await wait_until(lambda: len(server.of(user)) == 3, "all recordings")
        await page.wait("document.querySelector('#recordings-left').textContent === ''")
        # Nothing is left, so that it can be left without a word.
        await page.reload()
        await client.wait_says("Ready.")
    assert sorted(one.about["imageIndex"] for one in server.of(user)) == [0, 1, 2]
    first = {one.name: one for one in server.posts if one.about["userId"] == user}
    assert {one.name: one.media for one in server.of(user)} == {n: p.media for n, p in first.items()}


async def test_what_a_page_that_crashes_has_recorded_is_sent_by_the_next_one(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    async with open_recorded(browser, relay, "crashed") as client:
        page = client.page
        await allow(client)
        async with open_session(relay, "crashed") as session:
            await show_url(session, 0, server.image(0))
            await client.wait_stage(0, "shown")
            await page.wait(WRITTEN)
            await page.crash()
            await page.reload()
            # The session and the permission are still there: the same showing is recorded anew.
            await client.wait_stage(0, "shown")
            await trio.sleep(RECORDED_S)
            await wait_until(lambda: len(server.of("crashed")) == 1, "what was left")
        await wait_until(lambda: len(server.of("crashed")) == 2, "both recordings")
    broken, whole = server.of("crashed")
    assert broken.about["hiddenAt"] is None
    assert broken.media.startswith(EBML)
    assert broken.about["size"] == len(broken.media)
    assert (await play(browser, server, broken.media))["duration"] > 0.3
    assert whole.name == broken.name.replace(".webm", "-2.webm")
    assert whole.about["hiddenAt"] > whole.about["shownAt"]


async def test_a_device_that_is_full_says_so_and_records_again_when_there_is_room(
    browser: Browser, relay: str, server: RecordingServer
) -> None:
    user = "full"
    server.faults[user] = 1000 * ["503"]
    async with open_recorded(browser, relay, user, early=IN_A_HURRY) as client:
        page = client.page
        await allow(client)
        async with open_session(relay, user) as session:
            await present(client, session, server, [0])
            origin = await page.run("location.origin")
            await page.command("Storage.overrideQuotaForOrigin", origin=origin, quotaSize=1)
            await present(client, session, server, [1, 2])
            await wait_told(client, "There is no room left")
            await page.command("Storage.overrideQuotaForOrigin", origin=origin)
            server.faults[user].clear()
            await wait_until(lambda: len(server.of(user)) == 1, "the first recording")
            await wait_told(client, "You are recorded")
            await present(client, session, server, [3])
        await wait_until(lambda: len(server.of(user)) == 2, "the last recording")
        assert [one.about["imageIndex"] for one in server.of(user)] == [0, 3]


# ── saved ────────────────────────────────────────────────────────────────────────────────────────


async def test_they_are_saved_in_a_folder_by_the_participant(
    browser: Browser, plain_relay: str, server: RecordingServer
) -> None:
    # The browser's own dialog can't be driven; this folder is a real one, of its private storage.
    early = "window.showDirectoryPicker = () => navigator.storage.getDirectory();"
    async with open_recorded(browser, plain_relay, "folder", early=early) as client:
        page = client.page
        assert "nobody gets them unless you hand them on" in await page.run("document.body.innerText")
        await allow(client)
        async with open_session(plain_relay, "folder") as session:
            await present(client, session, server, [0, 1])
        await wait_told(client, "2 recordings still to be saved.")
        # They are there for whoever made them, also later, and for nobody else.
        async with warned(page):
            await page.goto(page_url(plain_relay, user="other", record=BOTH))
        await page.wait("!!document.querySelector('#consent')")
        assert await page.run("document.querySelector('#recordings').textContent.includes('Image')") is False
        await page.goto(page_url(plain_relay, user="folder", record=BOTH))
        await wait_told(client, "2 recordings still to be saved.")
        await tap(page, "Save all in a folder …")
        await wait_told(client, "All recordings are in the folder")
        files = await page.run(FILES)
        names = sorted(files)
        assert [Path(name).suffix for name in names] == [".json", ".webm"] * 2
        for json_name, name in zip(names[::2], names[1::2], strict=True):
            about = json.loads(bytes.fromhex(files[json_name]))
            media = bytes.fromhex(files[name])
            assert Path(json_name).stem == Path(name).stem
            assert media.startswith(EBML)
            assert about["size"] == len(media)
        await page.reload()
        await client.wait_says("Ready.")
        assert await page.run("document.querySelectorAll('#recordings li').length") == 0


async def test_they_are_downloaded_where_pages_can_not_write_into_folders(
    browser: Browser, plain_relay: str, server: RecordingServer, tmp_path: Path
) -> None:
    early = "delete window.showDirectoryPicker;"
    async with open_recorded(browser, plain_relay, "download", early=early) as client:
        page = client.page
        await page.allow_downloads(tmp_path)
        await allow(client)
        async with open_session(plain_relay, "download") as session:
            await present(client, session, server, [0])
        await wait_told(client, "1 recording still to be saved.")
        await tap(page, "Save")
        await wait_told(client, "You have saved all recordings.")
        # Whether that has worked nobody tells the page, so that it can be done once more.
        await page.wait(f"!!{TAP.format('Save again')}")
        await wait_until(lambda: len([*tmp_path.glob("0000-*.*")]) == 2, "both files", ANSWER_S)
        [json_name, name] = sorted(tmp_path.iterdir())
        await wait_until(lambda: json_name.stat().st_size > 0, "the whole file")
        about = json.loads(json_name.read_text())
        assert name.read_bytes().startswith(EBML)
        assert name.stat().st_size == about["size"]
        await page.reload()
        await client.wait_says("Ready.")
        assert await page.run("document.querySelectorAll('#recordings li').length") == 0


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
