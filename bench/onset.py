"""When is a preloaded image on the screen, and how true is the onset that is told?

The evaluator is the library in this process, the client is the page of the relay in headless
Chromium, all on this machine and so on one clock: the onset is what `delivery.shown()` returns,
less `sent_at`; `presented` is what the browser itself says of when that image was first presented
(Element Timing). The screen's own delay is in neither.

First, PNGs of a few hundred kB in three sizes are announced AHEAD images ahead, and shown at
irregular intervals, so that they meet the frames at any phase. Exit code 1 where the median of
either is over BOUND frames plus the median round trip.

Then large pictures, each preloaded alone before it is shown: with none other announced, and with
OTHERS of its kind announced just before it is shown, so that these are fetched and decoded
meanwhile. `error` is from the onset that is told to the presentation; `early` counts what was told
as shown before it was in the document.
"""

from __future__ import annotations

import contextlib
import io
import random
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import harness
import trio

import imgsync

if TYPE_CHECKING:
    from tests.kit.browsers import Started

FRAME = 1000 / 60  # ms, of a browser without a screen
BOUND = 2  # frames

SIZES = ((1000, 1000), (1280, 720), (800, 1000))  # pixels
AHEAD = 6  # images
ROUNDS, QUICK_ROUNDS, LARGE_ROUNDS = 80, 20, 20
WARM_UP = 5  # showings
PAUSES = (0.1, 0.4)  # s, from one onset to the next image
OTHERS = 3
OTHERS_AHEAD_S = 0.15  # at most, from announcing others to the order to show
LARGE_PAUSES = (0.4, 0.6)  # s, for decoding
WAIT_S = 30.0

# Keeps when each image was put into the document, and when it was presented, in their order.
WATCH = """
performance.setResourceTimingBufferSize(1e6);
window.put = [];
window.presented = [];
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    if (target.id !== "stage") continue;
    for (const node of addedNodes) {
      put.push(Math.round(performance.timeOrigin) + performance.now());
      if (!node.hasAttribute("elementtiming")) node.setAttribute("elementtiming", "");
    }
  }
}).observe(document, { childList: true, subtree: true });
new PerformanceObserver((list) => {
  for (const { presentationTime, renderTime } of list.getEntries())
    presented.push(Math.round(performance.timeOrigin) + (presentationTime || renderTime));
}).observe({ type: "element" });
"""

# When each image had been fetched, by its URL without the signature.
FETCHED = """
Object.fromEntries(performance.getEntriesByType("resource")
  .filter((entry) => /[.](png|jpg)/.test(entry.name))
  .map(({ name, responseEnd }) => [name.split("?")[0], performance.timeOrigin + responseEnd]))
"""

# Whether the page is isolated, and the smallest steps of its clock, in ms.
CLOCKS = """
(() => {
  let step = Infinity;
  for (let round = 0, last = performance.now(); round < 1e5; round += 1) {
    const now = performance.now();
    if (now > last) step = Math.min(step, now - last);
    last = now;
  }
  return { isolated: crossOriginIsolated, step };
})()
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
    presented: list[float]


@attrs.frozen
class Seen:
    """Of each showing of a large picture, in ms."""

    presented: list[float]  # since it was sent
    error: list[float]  # from the told onset to that
    early: int  # of those that were told as shown before they were in the document


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


def draw_jpeg(width: int, height: int) -> bytes:
    """A JPEG of coarse noise: a twelfth of a byte for each pixel."""
    from PIL import Image

    noise = Image.frombytes("L", (width // 8, height // 8), random.randbytes(width * height // 64))
    body = io.BytesIO()
    noise.resize((width, height)).convert("RGB").save(body, "jpeg", quality=80)
    return body.getvalue()


# Of some 1, 1 and 4 MB.
LARGE: dict[str, Callable[[], bytes]] = {
    "png 2000x2000": lambda: draw(2000, 2000),
    "jpg 4000x3000": lambda: draw_jpeg(4000, 3000),
    "png 4000x4000": lambda: draw(4000, 4000),
}


def draw_large(folder: Path, kind: str, count: int) -> float:
    """The same picture under so many names, which are as many to a page; its size in kB."""
    picture = LARGE[kind]()
    for index in range(count):
        (folder / f"{index:04}.{kind[:3]}").write_bytes(picture)
    return len(picture) / 1000


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
    from tests.kit.web_pages import INSIDE, page_url

    async with (
        open_browser(chromium) as browser,
        browser.open_page() as page,
        imgsync.open_images(str(folder), via="url") as images,
        imgsync.open_evaluator(relay_url, user_id="e") as evaluator,
    ):
        await page.run_early(INSIDE + WATCH)
        await page.goto(page_url(relay_url, user="c"))
        await page.wait("document.body?.innerText.includes('Ready.')")
        async with evaluator.open_session("c") as session:
            session.preload(images[:AHEAD])
            await page.wait(f"Object.keys({FETCHED}).length === {AHEAD}")
            showings = [await show(session, images, index) for index in range(len(images))]
            presented = await page.wait(f"presented.length === {len(images)} && presented")
            check_preloaded(showings, await page.run(FETCHED))
    counted = [*zip(showings, presented, strict=True)][WARM_UP:]
    return Times(
        onset=[one.shown_at - one.sent_at for one, _ in counted],
        round_trip=[one.acked_at - one.sent_at for one, _ in counted],
        presented=[at - one.sent_at for one, at in counted],
    )


async def measure_large(
    chromium: Started, relay_url: str, folder: Path, others: int
) -> tuple[Seen, dict[str, Any]]:
    """Show one image after the other, each preloaded alone, while so many others are fetched.

    Returns what the page says of its clocks, too.
    """
    from tests.kit.browsers import open_browser
    from tests.kit.web_pages import INSIDE, page_url

    async with (
        open_browser(chromium) as browser,
        browser.open_page() as page,
        imgsync.open_images(str(folder), via="url") as images,
        imgsync.open_evaluator(relay_url, user_id="e") as evaluator,
    ):
        await page.run_early(INSIDE + WATCH)
        await page.goto(page_url(relay_url, user="c"))
        await page.wait("document.body?.innerText.includes('Ready.')")
        told, sent_at = [], []
        async with evaluator.open_session("c") as session:
            for first in range(0, len(images), 1 + others):
                image, *rest = images[first : first + 1 + others]
                session.preload([image])
                await page.wait(f"Object.keys({FETCHED}).length === {first + 1}")
                await trio.sleep(random.uniform(*LARGE_PAUSES))  # until it is decoded
                session.preload(rest)
                await trio.sleep(random.uniform(0, OTHERS_AHEAD_S) if rest else 0)
                with trio.fail_after(WAIT_S):
                    delivery = await session.show(image)
                    told.append(await delivery.shown())
                sent_at.append(delivery.sent_at)
                await page.wait(f"presented.length === {len(told)}")
                await page.wait(f"Object.keys({FETCHED}).length === {first + 1 + others}")
                await trio.sleep(random.uniform(*LARGE_PAUSES))
        put, presented = await page.run("[put, presented]")
        clocks = await page.run(CLOCKS)
    seen = Seen(
        presented=[at - since for at, since in zip(presented, sent_at, strict=True)],
        error=[at - onset for at, onset in zip(presented, told, strict=True)],
        early=sum(onset < at for onset, at in zip(told, put, strict=True)),
    )
    return seen, clocks


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


def run_all(rounds: int, large: int) -> dict[str, Any]:
    """Relay, Chromium and the showings; the figures."""
    with contextlib.ExitStack() as stack:
        chromium = stack.enter_context(harness.open_chromium())
        url = stack.enter_context(harness.open_relay())
        figures = run_small(chromium, url, rounds) if rounds else {}
        rows, clocks = run_large(chromium, url, large) if large else ([], None)
    return {
        "bench": "onset",
        "unit": "ms",
        **figures,
        "large": rows,
        "clocks": clocks,
        "tables": tables(figures, rows),
    }


def run_small(chromium: Started, url: str, rounds: int) -> dict[str, Any]:
    """A series of images that are announced ahead."""
    with tempfile.TemporaryDirectory() as name:
        image_kb = draw_all(Path(name), WARM_UP + rounds)
        times = trio.run(measure, chromium, url, Path(name))
    rows = {
        name: {f"p{p}": round(harness.percentile(values, p), 2) for p in (50, 95)}
        for name, values in attrs.asdict(times).items()
    }
    bound = BOUND * FRAME + rows["round_trip"]["p50"]
    return {
        "n": rounds,
        **rows,
        "frames_p50": round(rows["onset"]["p50"] / FRAME, 2),
        "bound": round(bound, 2),
        "is_kept": max(rows["onset"]["p50"], rows["presented"]["p50"]) <= bound,
        "image_kb": round(image_kb),
    }


def run_large(
    chromium: Started, url: str, rounds: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Each kind of large picture, alone and beside others."""
    rows = []
    for kind in LARGE:
        for others in (0, OTHERS):
            with tempfile.TemporaryDirectory() as name:
                image_kb = draw_large(Path(name), kind, rounds * (1 + others))
                seen, clocks = trio.run(measure_large, chromium, url, Path(name), others)
            row = {"kind": kind, "kb": round(image_kb), "others": others, "n": rounds}
            for which in ("presented", "error"):
                values = getattr(seen, which)
                row |= {
                    f"{which}_p{p}": round(harness.percentile(values, p), 2) for p in (50, 95, 100)
                }
            row["error_min"] = round(min(seen.error), 2)
            rows.append({**row, "early": seen.early})
    return rows, clocks


def tables(figures: dict[str, Any], large: list[dict[str, Any]]) -> dict[str, Any]:
    """Of what was measured."""
    found = {}
    if figures:
        told = {"round_trip": "ack", "onset": "onset: presented, as `delivery.shown()` tells"}
        rows = [
            [said, *([ms, "ms"] for ms in figures[name].values())] for name, said in told.items()
        ]
        found["onset"] = {"heads": ["since `show()`", "median", "p95"], "rows": rows}
    if large:
        heads = ["picture", "alone, median", "longest", "beside three others, median", "longest"]
        kinds: dict[str, list[Any]] = {}
        for row in large:
            cells = kinds.setdefault(row["kind"], [f"{row['kind']}, {row['kb'] / 1000:.1f} MB"])
            cells += [[row["presented_p50"], "ms"], [row["presented_p100"], "ms"]]
        found["onset_large"] = {"heads": heads, "rows": list(kinds.values())}
    return found


def print_large(figures: dict[str, Any]) -> None:
    """How true the onsets are, and the clock that they are told by."""
    print("large pictures: from the told onset to the presentation, ms")
    names = ("others", "n", "error_min", "error_p50", "error_p95", "error_p100", "early")
    print(f"{'':15}" + "".join(f"{name.removeprefix('error_'):>8}" for name in names))
    for row in figures["large"]:
        print(f"{row['kind']:15}" + "".join(f"{row[name]:8}" for name in names))
    print(
        "clock of the page: isolated {isolated}, steps of {step:.4f} ms".format(**figures["clocks"])
    )


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help=f"showings in the series; {ROUNDS}")
    parser.add_argument(
        "--large", type=int, metavar="N", help=f"of each large picture; {LARGE_ROUNDS}"
    )
    args = parser.parse_args()
    rounds, large = (QUICK_ROUNDS, 0) if args.quick else (ROUNDS, LARGE_ROUNDS)
    args.rounds = rounds if args.rounds is None else args.rounds
    args.large = large if args.large is None else args.large
    if min(args.rounds, args.large) < 0:
        parser.error("--rounds and --large are at least 0, which leaves that part out")
    figures = run_all(args.rounds, args.large)
    harness.emit(figures, args.json)
    if figures["large"] and not args.json:
        print_large(figures)
    if not figures.get("is_kept", True):
        sys.exit(f"a median is over the bound of {figures['bound']} ms")


if __name__ == "__main__":
    harness.run(main)
