"""How many round trips from `start_session` to the first ack, where all of them are far apart?

Relay, evaluator and client are on hosts of their own (network namespaces), and the wire between
them, that of the tests, delays every frame, so that each two of them are RTTS apart. Beside ours is
the same with python-socketio and stock aiortc. Where there is Chromium, our evaluator has sessions
with the page in it as well, and the console's page with the client's. They take turns, at each
length of the wire and without any, which tells the round trips from what the machine needs: those
of the quickest session at either, as other work on the machine can only add. The times are taken by
the evaluator, and those of a page in that page, from the WebSocket's frame `start_session` to the
channel's message `ack`.

Connections to the relay are there before. Needs root, for the namespaces.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import harness
import pytest
import trio

if TYPE_CHECKING:
    from tests.faults.hosts import Hosts
    from tests.kit.browsers import Browser, Page

RTTS = (30, 100)  # ms
ROUNDS = 10
QUICK_RTTS, QUICK_ROUNDS = (100,), 3
WARM_UP = 1  # rounds
NO_LIMITS = ("--no-auth", "--connect-rate", "0", "--rate-limit", "0")

Side = Callable[[], Awaitable[float]]
"""Has one session; the ms to its first ack."""

PAIRS = {
    "ours": "Python to Python",
    "socketio": "python-socketio, aiortc",
    "page": "Python to the page",
    "pages": "page to page",
}
PYTHON: tuple[harness.Variant, ...] = ("ours", "socketio")
BASIS = "socketio"
"""What the others are compared with."""

# When the console asked for its session, and when the first ack of it came.
WATCH = """
window.starts = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (frame) {
  if (String(frame).includes('"start_session"')) starts.push({ begin: performance.now() });
  return send.call(this, frame);
};
const make = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (...given) {
  const channel = make.apply(this, given);
  const start = starts.at(-1);
  channel.addEventListener("message", ({ data }) => {
    if (String(data).includes('"ack"')) start.ack ??= performance.now();
  });
  return channel;
};
"""
# The client is tapped on, and one of two images is asked for before the session is there: each in
# its turn, as what is current already would not be shown.
BUTTON = "#clients button[aria-label='Start a session with page']"
START = f"""
document.querySelector({BUTTON!r}).click();
window.turn = window.turn === "Home" ? "End" : "Home";
document.body.dispatchEvent(new KeyboardEvent("keydown", {{ key: turn, bubbles: true }}));
"""
TOOK = "starts.at(-1)?.ack && starts.at(-1).ack - starts.at(-1).begin"


async def ask(worker: harness.Worker, client: str = "c") -> float:
    """One session of a Python evaluator, in a thread, as the wire's task must go on."""
    command = partial(worker.ask, do="handshake", image=harness.IMAGE, client=client)
    return float((await trio.to_thread.run_sync(command))["ms"])


@attrs.frozen
class Scene:
    """Where the sides are."""

    hosts: Hosts
    stack: contextlib.AsyncExitStack

    def open_python(self, variant: harness.Variant) -> Side:
        options = NO_LIMITS if variant == "ours" else ()
        where = self.hosts.addresses["relay"]
        opening = harness.open_variant(variant, self.hosts.on, where, options)
        return partial(ask, self.stack.enter_context(opening))

    async def open_pages(self) -> dict[str, Side]:
        """A relay, and a browser on either host; nothing where there is no Chromium."""
        browsers = {}
        for role in ("client", "evaluator"):
            try:
                browsers[role] = await self._open_browser(role)
            except pytest.skip.Exception:
                return {}
        host, prefix = self.hosts.addresses["relay"], self.hosts.on("relay")
        opening = harness.open_relay("ours", *NO_LIMITS, host=host, prefix=prefix)
        relay = self.stack.enter_context(opening)
        script, on = str(harness.BENCH / "ours.py"), self.hosts.on("evaluator")
        evaluator = self.stack.enter_context(
            harness.open_worker("evaluator", script, "evaluator", relay, prefix=on)
        )
        await self._open_client(browsers["client"], relay)
        console = await self._open_console(browsers["evaluator"], relay)
        return {"page": partial(ask, evaluator, "page"), "pages": console}

    async def _open_browser(self, role: str) -> Browser:
        from tests.kit.browsers import open_browser
        from tests.kit.chromium import shared_chromium

        started = self.stack.enter_context(
            shared_chromium(harness.NO_MDNS, prefix=self.hosts.on(role))
        )
        there = attrs.evolve(started, connect=partial(self.hosts.connect_on, role))
        return await self.stack.enter_async_context(open_browser(there))

    async def _open_client(self, browser: Browser, relay: str) -> Page:
        from tests.kit.web_pages import INSIDE, page_url

        page = await self.stack.enter_async_context(browser.open_page())
        await page.run_early(INSIDE)
        await page.goto(page_url(relay, user="page"))
        await page.wait("document.querySelector('#status')?.innerText.includes('Ready.')")
        return page

    async def _open_console(self, browser: Browser, relay: str) -> Side:
        from tests.kit.console_pages import ConsolePage, console_url

        page = await self.stack.enter_async_context(browser.open_page())
        console = ConsolePage(page)
        await page.run_early(WATCH)
        await page.resize(1280, 800)
        await page.goto(console_url(relay, user="console"))
        await console.wait_says("connected", "#relay")
        other = {**harness.IMAGE, "imageUrl": "https://images.example.org/other.png"}
        await console.paste(json.dumps([harness.IMAGE, other]))

        async def start() -> float:
            await page.wait(f"document.querySelector({BUTTON!r})?.disabled === false")
            await page.run(START)
            took: float = await page.wait(TOOK)
            await console.wait_says("Connected to page")
            await console.end()
            return took

        return start


@contextlib.asynccontextmanager
async def open_sides(*, pages: bool) -> AsyncIterator[tuple[Hosts, dict[str, Side]]]:
    """All of those that there are."""
    from tests.faults.hosts import WITH_RELAY, open_hosts, run_ip

    async with open_hosts(WITH_RELAY) as hosts, contextlib.AsyncExitStack() as stack:
        # A page without a camera tells no address but that of the default route.
        for host in hosts.addresses:
            route = ("route", "add", "default", "dev", "eth0")
            await run_ip("-n", hosts.network_of(host), *route)
        scene = Scene(hosts, stack)
        sides = {variant: scene.open_python(variant) for variant in PYTHON}
        yield hosts, sides | (await scene.open_pages() if pages else {})


async def measure(args: argparse.Namespace) -> dict[str, dict[int, list[float]]]:
    """The ms of each pair at each round trip, 0 among them."""
    rtts = (0, *args.rtts)
    async with open_sides(pages=not args.no_pages) as (hosts, sides):
        times = {pair: {rtt: list[float]() for rtt in rtts} for pair in sides}
        for number in range(WARM_UP + args.rounds):
            for rtt in rtts:
                await hosts.delay(rtt / 2000)
                for pair, have_session in sides.items():
                    took = await have_session()
                    # What was said at the end has to arrive before the next one is timed.
                    await trio.sleep(harness.SETTLE + rtt / 1000)
                    if number >= WARM_UP:
                        times[pair][rtt].append(took)
    return times


def summarize(times: dict[str, dict[int, list[float]]]) -> dict[str, Any]:
    """Medians, round trips and ratios, and their table."""
    medians = {
        pair: {rtt: statistics.median(values) for rtt, values in by_rtt.items()}
        for pair, by_rtt in times.items()
    }
    least = {
        pair: {rtt: min(values) for rtt, values in by_rtt.items()} for pair, by_rtt in times.items()
    }
    found: list[dict[str, Any]] = []
    for rtt in next(iter(medians.values())):
        for pair, by_rtt in medians.items():
            trips = (least[pair][rtt] - least[pair][0]) / rtt if rtt else None
            found.append(
                {
                    "rtt_ms": rtt,
                    "pair": pair,
                    "n": len(times[pair][rtt]),
                    "p50": round(by_rtt[rtt], 1),
                    "least": round(least[pair][rtt], 1),
                    "round_trips": trips if trips is None else round(trips, 2),
                    "ratio_p50": round(by_rtt[rtt] / medians[BASIS][rtt], 3),
                }
            )
    rows = [
        [
            f"{row['rtt_ms']} ms",
            PAIRS[row["pair"]],
            [row["p50"], "ms"],
            "" if row["round_trips"] is None else [row["round_trips"], ""],
            [row["ratio_p50"], ""],
        ]
        for row in found
    ]
    heads = ["round trip", "who", "to the first ack", "round trips", "to python-socketio"]
    return {"rows": found, "tables": {"wan": {"heads": heads, "rows": rows}}}


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help=f"{ROUNDS} by default")
    parser.add_argument("--rtts", type=int, nargs="+", metavar="MS", help="round trips")
    parser.add_argument("--no-pages", action="store_true", help="without Chromium")
    args = parser.parse_args()
    if args.rounds is None:
        args.rounds = QUICK_ROUNDS if args.quick else ROUNDS
    if args.rtts is None:
        args.rtts = QUICK_RTTS if args.quick else RTTS
    if min(args.rounds, *args.rtts) < 1:
        parser.error("--rounds and --rtts must be at least 1")
    harness.clean_up_on_kill()
    harness.use_tests()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(Path(folder)):
        try:
            times = trio.run(measure, args)
        except pytest.skip.Exception as exc:
            raise harness.BenchError(str(exc)) from None
    harness.emit({"bench": "wan", "unit": "ms", **summarize(times)}, args.json)


if __name__ == "__main__":
    harness.run(main)
