"""How long from `show()` at the evaluator to the frame that puts a preloaded image on the screen?

The evaluator is the library in this process, the client is the page of the relay in headless
Chromium, all on this machine and so on one clock: the onset is what `delivery.shown()` returns, the
time of the animation frame, less `sent_at`. The screen's own delay is not in it; `painted` is what
the browser itself says of when that image was first painted (Element Timing). PNGs of a few hundred
kB in three sizes are announced AHEAD images ahead, and shown at irregular intervals, so that they
meet the frames at any phase. Exit code 1 where the median of either is over BOUND frames plus the
median round trip.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import struct
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import harness
import pytest
import trio

import imgsync

if TYPE_CHECKING:
    from tests.kit.browsers import Started

FRAME = 1000 / 60  # ms, of a browser without a screen
BOUND = 2  # frames

SIZES = ((1000, 1000), (1280, 720), (800, 1000))  # pixels
AHEAD = 6  # images
WARM_UP = 5  # showings
PAUSES = (0.1, 0.4)  # s, from one onset to the next image
WAIT_S = 30.0

# Names each image that is put up by its place in the series, and keeps when it was painted.
WATCH = """
performance.setResourceTimingBufferSize(1e6);
window.painted = {};
let count = 0;
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    if (target.id !== "stage") continue;
    for (const node of addedNodes) node.setAttribute("elementtiming", count++);
  }
}).observe(document, { childList: true, subtree: true });
new PerformanceObserver((list) => {
  for (const { identifier, renderTime } of list.getEntries())
    window.painted[identifier] = performance.timeOrigin + renderTime;
}).observe({ type: "element" });
"""

# When each image had been fetched, by its URL without the signature.
FETCHED = """
Object.fromEntries(performance.getEntriesByType("resource")
  .filter((entry) => entry.name.includes(".png"))
  .map((entry) => [entry.name.split("?")[0], performance.timeOrigin + entry.responseEnd]))
"""


@attrs.frozen
class Showing:
    """Times on the one clock, in ms."""

    image_url: str
    sent_at: float
    acked_at: float
    shown_at: float


@attrs.frozen
class Times:
    """Of each showing, in ms since it was sent."""

    onset: list[float]
    round_trip: list[float]
    painted: list[float]


def draw(width: int, height: int) -> bytes:
    """A PNG of noise in four gray levels: a quarter of a byte for each pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    four = bytes(level & 0xC0 for level in range(256))
    rows = b"".join(b"\0" + random.randbytes(width).translate(four) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def draw_all(folder: Path, count: int) -> float:
    """So many images; their median size in kB."""
    sizes = []
    for index in range(count):
        png = draw(*SIZES[index % len(SIZES)])
        (folder / f"{index}.png").write_bytes(png)
        sizes.append(len(png) / 1000)
    return harness.percentile(sizes, 50)


async def measure(chromium: Started, relay_url: str, folder: Path) -> Times:
    """Show every image of a folder in the client's page."""
    from tests.kit.browsers import open_browser
    from tests.kit.web_pages import page_url

    async with (
        open_browser(chromium) as browser,
        browser.open_page() as page,
        imgsync.open_images(str(folder)) as images,
        imgsync.open_evaluator(relay_url, user_id="e") as evaluator,
    ):
        await page.run_early(WATCH)
        await page.goto(page_url(relay_url, user="c"))
        await page.wait("document.body?.innerText.includes('Ready.')")
        async with evaluator.open_session("c") as session:
            session.preload(images[:AHEAD])
            await page.wait(f"Object.keys({FETCHED}).length === {AHEAD}")
            showings = [await show(session, images, index) for index in range(len(images))]
            painted = await page.wait(
                f"Object.keys(painted).length === {len(images)} && Object.values(painted)"
            )
            check_preloaded(showings, await page.run(FETCHED))
    counted = [*zip(showings, painted, strict=True)][WARM_UP:]
    return Times(
        onset=[one.shown_at - one.sent_at for one, _ in counted],
        round_trip=[one.acked_at - one.sent_at for one, _ in counted],
        painted=[at - one.sent_at for one, at in counted],
    )


async def show(
    session: imgsync.EvaluatorSession, images: Sequence[imgsync.ImageRef], index: int
) -> Showing:
    """Show one, tell of those to come, and let some time pass."""
    with trio.fail_after(WAIT_S):
        delivery = await session.show(images[index])
        shown_at = await delivery.shown()
    session.preload(images[index + 1 : index + 1 + AHEAD])
    await trio.sleep(random.uniform(*PAUSES))
    return Showing(images[index].image_url, delivery.sent_at, delivery.acked_at, shown_at)


def check_preloaded(showings: Sequence[Showing], fetched: dict[str, float]) -> None:
    """Raise BenchError unless each image had been fetched before it was to be shown."""
    late = [one.image_url for one in showings if fetched[one.image_url] > one.sent_at]
    if late:
        raise harness.BenchError(f"images that were not preloaded in time: {', '.join(late)}")


def run_all(rounds: int) -> dict[str, Any]:
    """Relay, Chromium and the showings; the figures."""
    harness.clean_up_on_kill()
    sys.path.insert(0, str(harness.BENCH.parent))
    from tests.kit.chromium import shared_chromium

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        image_kb = draw_all(folder, WARM_UP + rounds)
        try:
            chromium = stack.enter_context(shared_chromium())
        except pytest.skip.Exception as exc:
            raise harness.BenchError(str(exc)) from None
        options = ("-m", "imgsync.relay", "--port", "0", "--stun", "none")
        relay = stack.enter_context(harness.open_worker("relay", *options, ends_with_stdin=False))
        url = relay.read_line().removeprefix("listening on ")
        times = trio.run(measure, chromium, url, folder)
        load = os.getloadavg()[0]
    rows = {
        name: {f"p{p}": round(harness.percentile(values, p), 2) for p in (50, 95)}
        for name, values in attrs.asdict(times).items()
    }
    bound = BOUND * FRAME + rows["round_trip"]["p50"]
    return {
        "bench": "onset",
        "unit": "ms",
        "n": rounds,
        **rows,
        "frames_p50": round(rows["onset"]["p50"] / FRAME, 2),
        "bound": round(bound, 2),
        "is_kept": max(rows["onset"]["p50"], rows["painted"]["p50"]) <= bound,
        "image_kb": round(image_kb),
        "load": round(load, 1),
        "machine": harness.describe_machine(),
    }


def print_table(figures: dict[str, Any]) -> None:
    print(f"from show() of a preloaded image of {figures['image_kb']} kB, n = {figures['n']}, ms")
    print(f"{'':12}{'p50':>10}{'p95':>10}{'frames':>10}")
    for name in ("onset", "round_trip", "painted"):
        row = figures[name]
        frames = row["p50"] / FRAME
        print(f"{name:12}{row['p50']:10.2f}{row['p95']:10.2f}{frames:10.2f}")
    kept = "kept" if figures["is_kept"] else "NOT kept"
    print(f"bound of the median, {BOUND} frames and a round trip: {figures['bound']:.2f}, {kept}")
    print(f"load {figures['load']}")
    harness.print_machine(figures["machine"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=80, metavar="N", help="showings")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    figures = run_all(args.rounds)
    if args.json:
        print(json.dumps(figures))
    else:
        print_table(figures)
    if not figures["is_kept"]:
        sys.exit(1)


if __name__ == "__main__":
    harness.run(main)
