"""The client's page as the tests see it: what is on its screen, and what it says on the channel."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import attrs
import trio

from imgsync import Delivery, EvaluatorSession, ImageRef, open_evaluator
from imgsync.core.protocol.numbers import (
    FEATURE_EXPOSURE,
    FEATURE_PICTURES,
    FEATURE_RESPONSE,
    FEATURE_SIZE,
    FEATURE_TEXT,
    FEATURES,
)
from tests.kit.browsers import JSON, Browser, Page
from tests.kit.forks import open_fork
from tests.kit.processes import START_S, Child

# Before anything of the page runs: keep what it sends on channels, and which images were put up.
RECORDER = """
window.sent = [];
window.put = [];
const send = RTCDataChannel.prototype.send;
RTCDataChannel.prototype.send = function (text) {
  window.sent.push(JSON.parse(text));
  return send.call(this, text);
};
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    if (target.id !== "stage") continue;
    for (const node of addedNodes) {
      if (node instanceof HTMLImageElement) window.put.push(node.naturalWidth);
    }
  }
}).observe(document, { childList: true, subtree: true });
"""

# As a page that was touched leaves it to the one that comes after it in its tab.
INSIDE = """
try {
  const user = new URL(location.href).searchParams.get("user");
  sessionStorage.setItem(`imgsync door of ${user} at ${location.pathname}`, "handed on");
} catch {} // before there is a page, there is no storage
"""

# It says that it is ready while most of it may still be on the way.
ALL_IS_THERE = """
(() => {
  const names = performance.getEntriesByType("resource").map(({ name }) => name);
  const start = names.find((name) => name.endsWith("/client/start.js"));
  return import(new URL("client.js", start)).then(() => true);
})()
"""

ON_SCREEN = "document.querySelector('#stage img')?.naturalWidth"

SPOKEN = (
    *FEATURES,
    FEATURE_PICTURES,
    FEATURE_EXPOSURE,
    FEATURE_RESPONSE,
    FEATURE_TEXT,
    FEATURE_SIZE,
)
"""What the page says that it speaks on the channel."""

ACK_S = 20

WIDTH = 10
"""Pixels of image 0; each one is wider by one than the one before, which tells them apart."""


def page_url(relay_url: str, **query: str) -> str:
    """Of the client's page at a relay."""
    origin = relay_url.replace("ws", "http", 1).removesuffix("/ws")
    return f"{origin}/client?{urlencode(query)}"


HURRY = 20

# Every timer of a page in a fraction of its time.
IN_A_HURRY = f"""
const realSetTimeout = setTimeout;
window.setTimeout = (act, ms, ...given) => realSetTimeout(act, ms / {HURRY}, ...given);
"""


@attrs.frozen
class ClientPage:
    """A page that follows sessions."""

    page: Page

    async def wait_says(self, words: str) -> None:
        """Wait until this is among what it says to who looks at it."""
        await self.page.wait(f"document.querySelector('#status')?.innerText.includes({words!r})")

    async def wait_shows(self, index: int) -> None:
        """Wait for an image on the screen."""
        await self.page.wait(f"{ON_SCREEN} === {WIDTH + index}")

    async def sent(self, kind: str) -> list[JSON]:
        """What it has said of this type, in order, since it was loaded."""
        found: list[JSON] = await self.page.run(f"sent.filter((m) => m.type === {kind!r})")
        return found

    async def put_up(self) -> list[int]:
        """Indexes of the images that were put on the screen, in order, since it was loaded."""
        widths: list[int] = await self.page.run("window.put")
        return [width - WIDTH for width in widths]

    async def wait_stage(self, index: int, stage: str, reason: str | None = None) -> JSON:
        """Wait until it tells this of an image."""
        of = f"m.imageIndex === {index} && m.stage === {stage!r}"
        if reason is not None:
            of += f" && m.reason === {reason!r}"
        found: JSON = await self.page.wait(f"sent.find((m) => m.type === 'stage' && {of})")
        return found

    async def stages(self, index: int) -> list[str]:
        """What it has told of an image: stages, or the reason of a failure."""
        told = [one for one in await self.sent("stage") if one["imageIndex"] == index]
        return [str(one.get("reason", one["stage"])) for one in told]


@asynccontextmanager
async def open_client_page(
    browser: Browser, relay_url: str, user: str, early: str = "", **query: str
) -> AsyncIterator[ClientPage]:
    """A client's page that is ready for a session, past its door, and all there.

    :param early: a script that runs in it before all others.
    """
    async with browser.open_page() as page:
        await page.run_early(INSIDE + RECORDER + early)
        await page.goto(page_url(relay_url, user=user, **query))
        client = ClientPage(page)
        await client.wait_says("Ready.")
        await page.run(ALL_IS_THERE)
        yield client


def make_png(width: int, height: int = 8) -> bytes:
    """A grey image."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = b"".join(b"\x00" + bytes([200]) * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_folder(folder: Path, count: int) -> Path:
    """So many images, each as wide as its index says."""
    for index in range(count):
        (folder / f"{index}.png").write_bytes(make_png(WIDTH + index))
    return folder


@asynccontextmanager
async def open_command(
    relay_url: str, source: Path, *, client: str, options: Sequence[str] = ()
) -> AsyncIterator[Child]:
    """The evaluator's command, steered by lines on its stdin, once it is connected."""
    peers = ("--relay", relay_url, "--user", f"E-of-{client}", "--client", client)
    command = (sys.executable, "-m", "imgsync.evaluator", *peers, "--json", *options, str(source))
    async with open_fork("evaluator", *command, stdin=subprocess.PIPE) as evaluator:
        await evaluator.wait_event("connected", START_S)
        yield evaluator


async def show(evaluator: Child, index: int) -> None:
    """Have the command show an image, and wait for the ack."""
    await evaluator.write(f"goto {index}\n")
    acked = await evaluator.wait_event("acked")
    assert acked["imageIndex"] == index


async def end(evaluator: Child) -> None:
    """Have it end the session; all that it showed has to be acked."""
    await evaluator.write("end\n")
    await evaluator.wait_success()


@asynccontextmanager
async def open_session(relay_url: str, client: str) -> AsyncIterator[EvaluatorSession]:
    """A session of the library's evaluator with a client."""
    async with (
        open_evaluator(relay_url, user_id=f"E-of-{client}") as evaluator,
        evaluator.open_session(client) as session,
    ):
        yield session


async def show_url(session: EvaluatorSession, index: int, url: str) -> Delivery:
    """Have it show what is there, and wait for the ack."""
    with trio.fail_after(ACK_S):
        return await session.show(ImageRef(index, url, url))
