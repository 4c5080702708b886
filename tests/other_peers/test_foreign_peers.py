"""Our commands against peers that share none of our stack, in both roles.

Everything runs as it would in the field: our relay and our peer are processes, the other peer is
one of this folder's, written from docs/protocol.md alone. It is in Node, on libwebrtc
(@roamhq/wrtc), werift or libdatachannel; in Go, on pion; on GStreamer's webrtcbin; or in a page of
a headless Chromium, whose host candidates are mDNS names. It reports what it saw; `complaints` is
whatever it found against that page. bench/stacks.py has many sessions with each.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest
import trio

import imgsync
from tests.kit.chromium import OPTIONS
from tests.kit.foreign import IMAGES, PEERS, STACKS, MakePeer, require
from tests.kit.forks import open_fork, open_relay
from tests.kit.processes import JSON, SESSION_S, START_S, open_child, our_client, our_evaluator

SAMPLES = Path(imgsync.__file__).parent / "samples"


# --- The foreign peers ----------------------------------------------------------------------------


@pytest.fixture
def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    require(program, "no Chromium is installed")
    return str(program)


@attrs.frozen
class Page:
    """The page with the foreign peer: where it is, and what it has posted."""

    origin: str
    posts: trio.MemoryReceiveChannel[tuple[str, JSON]]

    def url(self, **query: str) -> str:
        return f"{self.origin}/page.html?{urlencode(query)}"

    async def wait_registered(self) -> None:
        with trio.fail_after(START_S):
            while True:
                path, body = await self.posts.receive()
                # A page that gives up early posts its reason instead.
                assert path == "/event", body
                if body["event"] == "registered":
                    return

    async def wait_result(self) -> JSON:
        with trio.fail_after(SESSION_S):
            while True:
                path, body = await self.posts.receive()
                if path == "/result":
                    assert body["ok"], body
                    result: JSON = body["result"]
                    return result


class PageHandler(SimpleHTTPRequestHandler):
    # A browser opens connections ahead of use and sends nothing on them.
    timeout = START_S

    def __init__(self, *args: Any, posted: Callable[[str, JSON], None], **kwargs: Any) -> None:
        self.posted = posted
        super().__init__(*args, **kwargs)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.posted(self.path, json.loads(body))

    def log_message(self, format: str, *args: object) -> None:
        pass


@asynccontextmanager
async def open_page_server() -> AsyncIterator[Page]:
    # Unbounded: a page posts a few lines per image and then its result.
    send, receive = trio.open_memory_channel[tuple[str, JSON]](float("inf"))
    token = trio.lowlevel.current_trio_token()

    def posted(path: str, body: JSON) -> None:
        token.run_sync_soon(send.send_nowait, (path, body))

    handler = partial(PageHandler, directory=str(PEERS), posted=posted)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Page(f"http://127.0.0.1:{server.server_port}", receive)
    finally:
        # Both return within a poll of the server.
        server.shutdown()
        thread.join()
        server.server_close()


@asynccontextmanager
async def open_chromium(program: str, url: str) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory() as profile:
        options = (*OPTIONS, f"--user-data-dir={profile}")
        # What it would leave behind in the folder for temporary files goes with the profile.
        env = os.environ | {"TMPDIR": profile}
        async with open_child("Chromium", program, *options, url, env=env):
            yield


# --- What both kinds of foreign peer have to report -----------------------------------------------


def assert_all_samples_were_shown(client: JSON) -> None:
    """A foreign client's result, after our evaluator has shown it the samples."""
    images = [path.name for path in SAMPLES.iterdir() if path.suffix in {".png", ".svg"}]
    # They are numbered in their order, without leading zeros.
    names = sorted(images, key=lambda name: int(name.partition("-")[0]))
    showings = client["showings"]
    assert [showing["imageIndex"] for showing in showings] == list(range(len(names)))
    assert [Path(showing["imageUrl"]).name for showing in showings] == names
    assert all(before["sentAt"] < after["sentAt"] for before, after in pairwise(showings))
    assert client["copies"] >= len(names)
    assert client["evaluatorId"] == "E"
    assert client["complaints"] == []


def assert_all_images_were_acked(evaluator: JSON) -> None:
    """A foreign evaluator's result, after our client has followed it.

    That each ack repeats the sentAt of its image exactly is what the evaluator counts acks by.
    """
    acks = evaluator["acks"]
    assert [ack["imageIndex"] for ack in acks] == list(range(IMAGES))
    assert len({ack["sentAt"] for ack in acks}) == IMAGES
    # Both clocks are this machine's, so a receivedAt that is far off is in the wrong unit.
    assert all(abs(ack["receivedAt"] - ack["sentAt"]) < 60_000 for ack in acks)
    assert evaluator["readies"] >= 1
    assert evaluator["channelClosed"]
    assert evaluator["endReason"] == "ended"
    assert evaluator["complaints"] == []


# --- Every stack but a browser's ------------------------------------------------------------------

VARIANTS = [
    pytest.param("wrtc", ("--no-trickle",), id="no trickle"),
    pytest.param("wrtc", ("--end", "null-candidate"), id="end as a candidate of null"),
    pytest.param("wrtc", ("--end", "null"), id="end as null"),
    pytest.param("wrtc", ("--end", "none"), id="no end"),
    *(pytest.param(stack, (), id=stack) for stack in STACKS),
]


@pytest.mark.parametrize(("stack", "options"), VARIANTS)
async def test_our_evaluator_shows_every_sample_once(
    relay: str, foreign: MakePeer, options: tuple[str, ...]
) -> None:
    command = foreign("client", relay, *options)
    async with open_child("foreign client", *command) as client:
        await client.wait_event("registered")
        async with open_fork("evaluator", *our_evaluator(relay)) as evaluator:
            await evaluator.wait_success()
            [result] = await client.wait_success()

    assert_all_samples_were_shown(result)
    assert result.get("pings") != 0  # who speaks ping counts those that came


@pytest.mark.parametrize(
    ("stack", "options"),
    [
        *VARIANTS,
        pytest.param("wrtc", ("--media",), id="sound and pictures"),
        pytest.param("wrtc", ("--media", "--no-trickle"), id="sound and pictures, no trickle"),
    ],
)
async def test_our_client_acks_every_image(
    relay: str, foreign: MakePeer, options: tuple[str, ...]
) -> None:
    command = foreign("evaluator", relay, *options)
    async with open_fork("client", *our_client(relay)) as client:
        await client.wait_event("registered")
        async with open_child("foreign evaluator", *command) as evaluator:
            await client.wait_success()
            [_registered, result] = await evaluator.wait_success()

    assert_all_images_were_acked(result)
    assert result.get("pongs") != 0


# --- Several connections in one session ----------------------------------------------------------


@pytest.mark.parametrize("stack", ["pion"])
async def test_an_evaluators_new_offers_are_answered_and_its_last_one_counts(
    relay: str, foreign: MakePeer
) -> None:
    command = foreign("evaluator", relay, "--anew")
    async with open_fork("client", *our_client(relay)) as client:
        await client.wait_event("registered")
        async with open_child("pion evaluator", *command) as evaluator:
            await client.wait_success()
            [_registered, result] = await evaluator.wait_success()

    assert_all_images_were_acked(result)
    assert result["connections"] == 3


@pytest.mark.parametrize("stack", ["pion"])
async def test_each_request_for_an_offer_is_met_and_the_last_offer_counts(
    relay: str, foreign: MakePeer
) -> None:
    url = "http://127.0.0.1:9/0.png"
    images = [imgsync.ImageRef(index, f"{index}.png", url, url) for index in range(IMAGES)]
    async with open_child("pion client", *foreign("client", relay, "--anew")) as client:
        await client.wait_event("registered")
        with trio.fail_after(SESSION_S):
            async with (
                imgsync.open_evaluator(relay, user_id="E") as evaluator,
                evaluator.open_session("C") as session,
            ):
                for image in images:
                    await session.show(image)
        [result] = await client.wait_success()

    assert [showing["imageIndex"] for showing in result["showings"]] == list(range(IMAGES))
    assert result["complaints"] == []
    # An offer that is still being made when the next one is asked for never goes out.
    assert result["connections"] in (2, 3)


@pytest.mark.parametrize("stack", ["pion"])
async def test_our_client_that_was_killed_has_a_new_offer_of_a_foreign_evaluator(
    relay: str, foreign: MakePeer
) -> None:
    many = 500
    options = ("--images", str(many), "--deadline", str(SESSION_S))
    command = foreign("evaluator", relay, *options)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_fork("client", *our_client(relay)))
        await first.wait_event("registered")
        opened = open_child("pion evaluator", *command)
        evaluator = await stack.enter_async_context(opened)
        await first.wait_event("image")
        first.process.kill()
        await first.wait_exit()
        second = await stack.enter_async_context(open_fork("client", *our_client(relay)))
        await second.wait_success()
        [_registered, result] = await evaluator.wait_success()

    assert [ack["imageIndex"] for ack in result["acks"]] == list(range(many))
    assert result["connections"] >= 2


# --- Chromium -------------------------------------------------------------------------------------


async def test_our_evaluator_shows_every_sample_once_to_a_page_in_chromium(chromium: str) -> None:
    async with (
        open_page_server() as page,
        open_relay("--allow-origin", page.origin) as url,
        open_chromium(chromium, page.url(role="client", relay=url, user="C")),
    ):
        await page.wait_registered()
        async with open_fork("evaluator", *our_evaluator(url)) as evaluator:
            await evaluator.wait_success()
            result = await page.wait_result()

    assert_all_samples_were_shown(result)
    assert all(".local " in candidate for candidate in result["localCandidates"])


@pytest.mark.parametrize("media", ["no", "yes"])
async def test_our_client_acks_every_image_of_a_page_in_chromium(chromium: str, media: str) -> None:
    async with (
        open_page_server() as page,
        open_relay("--allow-origin", page.origin) as url,
        open_fork("client", *our_client(url)) as client,
    ):
        await client.wait_event("registered")
        query = {"role": "evaluator", "relay": url, "user": "E", "client": "C"}
        async with open_chromium(chromium, page.url(**query, images=str(IMAGES), media=media)):
            await client.wait_success()
            result = await page.wait_result()

    assert_all_images_were_acked(result)
    assert all(".local " in candidate for candidate in result["localCandidates"])
