"""Is an image on the screen for exactly as many refreshes as were asked for, and is it told if not?

The evaluator is the library in this process, the client is the page of the relay in headless
Chromium, which has 60 frames a second. Images are shown for 3, 6 and 12 frames. For how many each
was up, a trace of the browser tells and not the page: `PipelineReporter` has when the frame that
put it up was presented, and when the one that took it away. It names the frames, too, that the
compositor dropped meanwhile.

Exit code 1 where of the images without a dropped frame less than 99 % were up for exactly as many
as were asked for, or where the record does not name one that was not: the `frames` of its `hidden`
are others then, or it has `dropped` some; or where the trace lacks more than a tenth of all.

Then keys are pressed at times that are told to the browser, every second one while the page is
busy: how far the reaction time that the page tells is from the one by the trace.
"""

from __future__ import annotations

import contextlib
import math
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import harness
import onset
import trio

import imgsync
from imgsync.core.protocol.trials import Respond, Trial

if TYPE_CHECKING:
    from tests.kit.browsers import Page, Started

FRAME = 1000 / 60  # ms, of a browser without a screen
COUNTS = (3, 6, 12)  # frames
ROUNDS, QUICK_ROUNDS = 200, 12  # showings of each
KEYS, QUICK_KEYS = 60, 8
RIGHT = 0.99  # of those without a dropped frame
JUDGED = 0.9  # of all: else the trace is not worth much

PICTURES = 12  # which are shown again and again
AHEAD = 6  # images
PAUSES = (0.05, 0.15)  # s, from the end of one to the next
KEY_AFTER = (0.15, 0.3)  # s, since the onset
BUSY_MS = 60  # for which the page hears of nothing
WAIT_S = 30.0

CATEGORIES = ("disabled-by-default-devtools.timeline.frame", "blink.user_timing")
STEPS = "devtools.timeline.frame"  # of what compositors do

# Says in the trace when an image was put into the document, and when it was taken out.
MARKS = """
window.count = 0;
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    if (target.id !== "stage") continue;
    for (const { tagName } of addedNodes) {
      if (tagName === "IMG") performance.mark(`put ${(count += 1) - 1}`);
      else performance.mark(`gone ${count - 1}`);
    }
  }
}).observe(document, { childList: true, subtree: true });
"""

BUSY = f"""
void (() => {{ for (const end = performance.now() + {BUSY_MS}; performance.now() < end; ); }})()
"""


# ── the trace ────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Frame:
    """What the compositor of the page made of one frame; times on the clock of the trace, in ms.

    :ivar steps: when each began.
    """

    state: str
    steps: dict[str, float]
    ended: float

    @property
    def began(self) -> float:
        return min(self.steps.values())

    @property
    def is_presented(self) -> bool:
        """With something new of the page's."""
        return self.state.startswith("STATE_PRESENTED") and "Commit" in self.steps

    @property
    def refreshes(self) -> int:
        """After so many, a screen shows it: with the first one after it was presented."""
        return math.ceil((self.ended - self.began) / FRAME)

    def holds(self, moment: float) -> bool:
        """Whether what the page did then is in it."""
        main = (self.steps.get(name) for name in ("SendBeginMainFrameToCommit", "Commit"))
        match tuple(main):
            case (float(since), float(until)):
                return since <= moment <= until
        return False


def read_frames(events: Iterable[dict[str, Any]], pid: int) -> list[Frame]:
    """The frames of a process, in their order."""
    by_id: dict[str, list[dict[str, Any]]] = {}
    for event in sorted(events, key=lambda one: float(one.get("ts", 0))):
        if event["pid"] == pid and event["ph"] in "be" and STEPS in event["cat"]:
            by_id.setdefault(event["id2"]["local"], []).append(event)
    found = [frame for group in by_id.values() for frame in split_frames(group)]
    return sorted(found, key=lambda frame: frame.began)


def split_frames(events: Iterable[dict[str, Any]]) -> list[Frame]:
    """Those that have one id, one after the other; each has each step once."""
    found: list[Frame] = []
    state, steps, last = "", dict[str, float](), 0.0
    for event in events:
        name, at = event["name"], event["ts"] / 1000
        if event["ph"] == "b":
            if name in steps:
                found.append(Frame(state, steps, last))
                state, steps = "", {}
            steps[name] = at
            state = event["args"].get("frame_reporter", {}).get("state", state)
        last = at
    return [*found, Frame(state, steps, last)] if steps else found


@attrs.frozen
class Judged:
    """One showing, by the trace.

    :ivar up: for how many frames it was up; None where what put it up, or took it away, was not
        presented.
    :ivar dropped: how many frames the compositor dropped from the one to the other.
    :ivar presented: when it was.
    """

    up: int | None
    dropped: int
    presented: float | None


def judge(frames: Sequence[Frame], put: float, gone: float) -> Judged:
    """By the moments at which the page put it into its document, and took it out."""
    first, last = (presented_with(frames, moment) for moment in (put, gone))
    if first is None or last is None:
        return Judged(None, 0, None if first is None else first.ended)
    lost = [
        one
        for one in frames
        if one.state == "STATE_DROPPED" and first.began <= one.began <= last.began
    ]
    frames_between = round((last.began - first.began) / FRAME)
    return Judged(frames_between + last.refreshes - first.refreshes, len(lost), first.ended)


def presented_with(frames: Sequence[Frame], moment: float) -> Frame | None:
    """The frame on the screen that has what the page did then."""
    for one in frames:
        if one.holds(moment) and one.is_presented:
            return one
    return None


@attrs.frozen
class Trace:
    """Of the page, from the first image on.

    :ivar marks: what the page says of itself, by name: when, on the clock of the trace and on its
        own, in ms.
    """

    frames: Sequence[Frame]
    marks: dict[str, tuple[float, float]]

    def judge(self, index: int) -> Judged:
        """The image that was put up as this one."""
        put, gone = (self.marks[f"{word} {index}"][0] for word in ("put", "gone"))
        return judge(self.frames, put, gone)

    def presented_at(self, index: int) -> float | None:
        """When it was presented, on the clock of the page; None where it was not."""
        at, of_page = self.marks[f"put {index}"]
        frame = presented_with(self.frames, at)
        return None if frame is None else of_page + frame.ended - at


def read_trace(events: Sequence[dict[str, Any]]) -> Trace:
    """What was traced, of the one page that has marks."""
    marks = {}
    pid = 0
    for event in events:
        if event["cat"] == "blink.user_timing" and event["name"].split()[0] in ("put", "gone"):
            pid = event["pid"]
            marks[event["name"]] = (event["ts"] / 1000, event["args"]["data"]["startTime"])
    return Trace(read_frames(events, pid), marks)


# ── images and keys ──────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Showing:
    """What the record has of one, and what the trace says."""

    asked: int
    told: dict[str, Any]
    shown: dict[str, Any]
    judged: Judged

    @property
    def is_judged(self) -> bool:
        """Chromium's trace has gaps, of one image or of a hundred: what it lacks was on the screen
        all the same where the browser has told the page when it was presented.
        """
        return self.judged.up is not None or self.shown["timing"] != "presented"

    @property
    def is_right(self) -> bool:
        return self.judged.up == self.asked

    @property
    def is_named(self) -> bool:
        """Whether the record says that it was not as it was asked for."""
        return bool(self.told["frames"] != self.asked or self.told["dropped"] > 0)


@attrs.frozen
class Series:
    """A session with the page, which shows pictures again and again."""

    page: Page
    session: imgsync.EvaluatorSession
    images: Sequence[imgsync.ImageRef]

    async def show(self, index: int, trial: Trial) -> None:
        image = self.images[index % len(self.images)]
        await self.session.show(attrs.evolve(image, index=index, trial=trial))
        coming = range(index + 1, index + 1 + AHEAD)
        self.session.preload([self.images[place % len(self.images)] for place in coming])

    async def told(self, index: int, what: str) -> dict[str, Any]:
        """Once the page has said this of it."""
        of = f"one.imageIndex === {index} && (one.stage === {what!r} || one.type === {what!r})"
        found: dict[str, Any] = await self.page.wait(f"sent.find((one) => {of})", WAIT_S)
        return found


@contextlib.asynccontextmanager
async def open_series(chromium: Started, relay_url: str, folder: str) -> AsyncIterator[Series]:
    """With the page ready, and the first pictures on their way."""
    from tests.kit.browsers import open_browser
    from tests.kit.web_pages import INSIDE, RECORDER, page_url

    async with (
        open_browser(chromium) as browser,
        browser.open_page() as page,
        imgsync.open_images(folder, via="url") as images,
        imgsync.open_evaluator(relay_url, user_id="e") as evaluator,
    ):
        await page.run_early(INSIDE + RECORDER + MARKS)
        await page.goto(page_url(relay_url, user="c"))
        await page.wait("document.body?.innerText.includes('Ready.')")
        async with evaluator.open_session("c") as session:
            session.preload(images[:AHEAD])
            await page.wait("sent.some((one) => one.type === 'display' && one.refreshRate)")
            yield Series(page, session, images)


async def measure(
    chromium: Started, relay_url: str, folder: str, asked: Sequence[int]
) -> list[Showing]:
    """Show one image after the other, each for as many frames as are asked for."""
    from tests.kit.chromium import traced

    async with open_series(chromium, relay_url, folder) as series:
        async with traced(series.page, *CATEGORIES) as events:
            told = []
            for index, frames in enumerate(asked):
                await series.show(index, Trial(frames=frames))
                hidden = await series.told(index, "hidden")
                told.append((hidden, await series.told(index, "shown")))
                await trio.sleep(random.uniform(*PAUSES))
        trace = read_trace(events)
    return [
        Showing(frames, hidden, shown, trace.judge(index))
        for index, (frames, (hidden, shown)) in enumerate(zip(asked, told, strict=True))
    ]


async def measure_keys(
    chromium: Started, relay_url: str, folder: str, count: int
) -> tuple[list[float], list[float]]:
    """How far reaction times are off, in ms: of a page that is idle, and of one that is busy."""
    from tests.kit.chromium import traced

    respond = Trial(respond=Respond(keys=("n",)))
    async with open_series(chromium, relay_url, folder) as series:
        pressed, told = [], []
        async with traced(series.page, *CATEGORIES) as events:
            for index in range(count):
                await series.show(index, respond)
                await series.told(index, "shown")
                await trio.sleep(random.uniform(*KEY_AFTER))
                pressed.append(await press(series.page, is_busy=index % 2 == 1))
                told.append(await series.told(index, "response"))
        origin = await series.page.run("performance.timeOrigin")
        trace = read_trace(events)
    errors: tuple[list[float], list[float]] = ([], [])
    for index, (at, said) in enumerate(zip(pressed, told, strict=True)):
        presented = trace.presented_at(index)
        if presented is not None:
            errors[index % 2].append(said["reactionTime"] - (at - origin - presented))
    return errors


async def press(page: Page, *, is_busy: bool) -> float:
    """A key; when it was pressed, as the browser is told, in ms since the epoch."""
    key = {"key": "n", "windowsVirtualKeyCode": 78}
    async with trio.open_nursery() as nursery:
        if is_busy:
            nursery.start_soon(page.run, BUSY)
            await trio.sleep(BUSY_MS / 4000)
        at = time.time()
        send = partial(page.command, "Input.dispatchKeyEvent", timestamp=at, **key)
        await send(type="keyDown", text="n")
        await send(type="keyUp")
    return at * 1000


# ── figures ──────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def open_all() -> Iterator[tuple[Started, str, str]]:
    """Chromium, a relay, and a folder of pictures."""
    with contextlib.ExitStack() as stack:
        chromium = stack.enter_context(harness.open_chromium())
        url = stack.enter_context(harness.open_relay())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        onset.draw_all(Path(folder), PICTURES)
        yield chromium, url, folder


def run_all(rounds: int, keys: int) -> dict[str, Any]:
    """The figures."""
    asked = [count for count in COUNTS for _ in range(rounds)]
    random.shuffle(asked)
    with open_all() as opened:
        showings = trio.run(measure, *opened, asked)
        errors = trio.run(measure_keys, *opened, keys) if keys else ([], [])
    rows = {count: count_up([one for one in showings if one.asked == count]) for count in COUNTS}
    sums = count_up(showings)
    times = {
        name: {
            "n": len(values),
            **{f"p{p}": round(harness.percentile(values, p), 3) for p in (0, 50, 95, 100)},
        }
        for name, values in zip(("idle", "busy"), errors, strict=True)
        if values
    }
    return {
        "bench": "exposure",
        "unit": "frames",
        "by_count": rows,
        **sums,
        "is_kept": sums["right"] >= RIGHT * sums["whole"]
        and sums["unnamed"] == 0
        and sums["n"] - sums["unjudged"] >= JUDGED * sums["n"],
        "keys": times,
        "tables": tables(rows, times),
    }


def count_up(showings: Iterable[Showing]) -> dict[str, int]:
    """How many there are of each kind."""
    kinds = ("n", "unjudged", "whole", "right", "shaken", "shaken_right", "named", "unnamed")
    found = dict.fromkeys(kinds, 0)
    for one in showings:
        found["n"] += 1
        if not one.is_judged:
            found["unjudged"] += 1
            continue
        kind = "shaken" if one.judged.dropped else "whole"
        found[kind] += 1
        if one.is_right:
            found["right" if kind == "whole" else "shaken_right"] += 1
        else:
            found["named" if one.is_named else "unnamed"] += 1
    return found


def tables(rows: dict[int, dict[str, int]], times: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Of what was measured."""
    heads = ["asked for", "images", "none dropped", "exactly so", "some dropped", "exactly so"]
    heads += ["others", "not named by the record", "not in the trace"]
    lines = []
    for count, row in rows.items():
        others = row["named"] + row["unnamed"]
        figures = [row[name] for name in ("n", "whole", "right", "shaken", "shaken_right")]
        cells = [[one, ""] for one in (*figures, others, row["unnamed"], row["unjudged"])]
        lines.append([f"{count} frames", *cells])
    found = {"exposure": {"heads": heads, "rows": lines}}
    if times:
        lines = [
            [f"page {name}", *([row[f"p{p}"], "ms"] for p in (0, 50, 100))]
            for name, row in times.items()
        ]
        heads = ["reaction time less that of the trace", "least", "median", "most"]
        found["exposure_keys"] = {"heads": heads, "rows": lines}
    return found


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help=f"of each number; {ROUNDS}")
    parser.add_argument("--keys", type=int, metavar="N", help=f"{KEYS}; 0 leaves them out")
    args = parser.parse_args()
    rounds, keys = (QUICK_ROUNDS, QUICK_KEYS) if args.quick else (ROUNDS, KEYS)
    args.rounds = rounds if args.rounds is None else args.rounds
    args.keys = keys if args.keys is None else args.keys
    if args.rounds < 1 or args.keys < 0:
        parser.error("--rounds is at least 1, and --keys at least 0")
    figures = run_all(args.rounds, args.keys)
    harness.emit(figures, args.json)
    if not figures["is_kept"]:
        counts = f"{figures['right']} of {figures['whole']} images, {figures['unnamed']} unnamed"
        sys.exit(f"{counts}, {figures['unjudged']} of {figures['n']} not in the trace")


if __name__ == "__main__":
    harness.run(main)
