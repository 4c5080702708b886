"""How late are images and acks on a wire that loses some of what it carries?

An evaluator shows an image to each of its clients, one a second or one every 200 ms. `ours` is the
library at both ends; `stock` is aiortc as it comes, and `chromium` are plain pages in two browsers,
both without a relay; messages are of the same size. Evaluators are on one host and clients on
another, network namespaces of their own, and between them is the wire of the tests, which delays
all by half of ROUND_TRIP and loses the same share either way. Connections are made before anything
is lost.

All of them run at the same time, on the same wire, which has room for far more. A row is of all
sessions at one rate. `late` is the share of images, and of acks, that came more than a second after
the image was to be shown, or not at all; the percentiles are of those that came, in ms. `ended` are
sessions that did not last. Exit code 1 where more of ours are late than of Chromium's, by more than
chance, or a session of ours has ended. Needs root, for the namespaces.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import harness
import pytest
import trio

if TYPE_CHECKING:
    from tests.faults.hosts import Hosts
    from tests.kit.browsers import Page
    from tests.kit.processes import Child

EVERY = (1.0, 0.2)  # s
LOSSES = (0.05, 0.2)
ROUND_TRIP = 0.02  # s
LATE = 1000.0  # ms
PATIENCE = 5.0  # s, for the last acks
VARIANTS = ("ours", "stock", "chromium")
SIGMAS = 2.0  # by which ours has to be later than Chromium, until it is no chance

EVALUATOR_PAGE = """
window.lines = [];
window.offer = async (count) => {
  for (let number = 0; number < count; number++) {
    const pc = new RTCPeerConnection(), line = {pc, times: [], asked: 0, end: ""};
    line.channel = pc.createDataChannel("image-sync");
    line.opened = new Promise((resolve) => { line.channel.onopen = resolve; });
    line.channel.onclose = () => { line.end = `closed after ${line.asked} images`; };
    line.channel.onmessage = ({data}) => {
      const {sentAt, receivedAt} = JSON.parse(data);
      line.times.push([receivedAt - sentAt, now() - sentAt]);
    };
    lines.push(line);
  }
  return Promise.all(lines.map(async ({pc}) => {
    await pc.setLocalDescription();
    await gathered(pc);
    return pc.localDescription.sdp;
  }));
};
window.accept = async (answers) => {
  await Promise.all(lines.map(({pc}, number) =>
    pc.setRemoteDescription({type: "answer", sdp: answers[number]})));
  await Promise.all(lines.map((line) => line.opened));
};
window.talk = (every, seconds, patience, image) => {
  lines.forEach((line, number) => {
    line.pause = every[number % every.length];
    const begin = performance.now();
    const show = () => {
      if (line.asked >= Math.round(seconds / line.pause)) return;
      line.asked += 1;
      if (line.channel.readyState === "open") {
        line.channel.send(JSON.stringify({imageIndex: 0, ...image, sentAt: now()}));
      }
      setTimeout(show, begin + 1000 * line.pause * line.asked - performance.now());
    };
    show();
  });
  setTimeout(() => { window.isOver = true; }, 1000 * (seconds + patience));
};
window.result = () => {
  const rates = {};
  for (const {pause, times, asked} of lines) {
    const rate = rates[pause] ??= {times: [], asked: 0};
    rate.times.push(...times);
    rate.asked += asked;
  }
  return {rates, failures: lines.map(({end}) => end).filter(Boolean)};
};
"""

CLIENT_PAGE = """
window.answer = (offers) => Promise.all(offers.map(async (sdp) => {
  const pc = new RTCPeerConnection();
  pc.ondatachannel = ({channel}) => {
    channel.onmessage = ({data}) => {
      const {sentAt} = JSON.parse(data);
      channel.send(JSON.stringify({type: "ack", sentAt, receivedAt: now()}));
    };
  };
  (window.kept ??= []).push(pc);
  await pc.setRemoteDescription({type: "offer", sdp});
  await pc.setLocalDescription();
  await gathered(pc);
  return pc.localDescription.sdp;
}));
"""

BOTH_PAGES = """
window.now = () => performance.timeOrigin + performance.now();
window.gathered = (pc) => new Promise((resolve) => {
  const look = () => { if (pc.iceGatheringState === "complete") resolve(); };
  pc.addEventListener("icegatheringstatechange", look);
  look();
});
"""


async def ask(child: Child, within: float = 60.0, **command: Any) -> Any:
    """A command, and its answer."""
    await child.write(json.dumps(command) + "\n")
    return json.loads(await child.wait_line(within))


@attrs.frozen
class Scene:
    """Where the processes are started.

    :param count: sessions of each variant.
    """

    hosts: Hosts
    count: int

    @contextlib.asynccontextmanager
    async def _open(self, role: str, *words: str) -> AsyncIterator[Child]:
        from tests.kit.processes import open_child

        # So that the bench runs from a checkout that isn't installed.
        env = os.environ | {"PYTHONPATH": str(harness.BENCH.parent)}
        command = (*self.hosts.on(role), sys.executable, *words)
        async with open_child(role, *command, env=env, stdin=subprocess.PIPE) as child:
            yield child

    @contextlib.asynccontextmanager
    async def open_ours(self) -> AsyncIterator[Child]:
        from tests.faults.hosts import ADDRESSES
        from tests.kit.processes import LISTENING

        script = str(harness.BENCH / "loss_ours.py")
        options = ("--host", ADDRESSES["evaluator"], "--port", "0", "--stun", "none", "--no-auth")
        async with self._open("evaluator", "-m", "imgsync.relay", *options) as relay:
            url = (await relay.wait_line(harness.ANSWER_WITHIN)).removeprefix(LISTENING)
            words = (url, str(self.count))
            async with self._open("client", script, "client", *words) as client:
                await client.wait_line(harness.ANSWER_WITHIN)
                async with self._open("evaluator", script, "evaluator", *words) as evaluator:
                    await evaluator.wait_line(harness.ANSWER_WITHIN)
                    yield evaluator

    @contextlib.asynccontextmanager
    async def open_stock(self) -> AsyncIterator[Child]:
        script = str(harness.BENCH / "loss_bare.py")
        async with (
            self._open("client", script, "client") as client,
            self._open("evaluator", script, "evaluator") as evaluator,
        ):
            offers = await ask(evaluator, do="offer", count=self.count)
            answers = await ask(client, do="answer", sdp=offers)
            await ask(evaluator, do="accept", sdp=answers)
            yield evaluator

    @contextlib.asynccontextmanager
    async def open_pages(self) -> AsyncIterator[Page]:
        from tests.faults.hosts import ADDRESSES, run_ip

        # A page without a camera is given the address of the default route alone.
        for host, other in zip(ADDRESSES, reversed(ADDRESSES), strict=True):
            route = ("route", "replace", "default", "via", ADDRESSES[other])
            await run_ip("-n", self.hosts.network_of(host), *route)
        async with self._open_page("client") as client, self._open_page("evaluator") as evaluator:
            await client.run(BOTH_PAGES + CLIENT_PAGE)
            await evaluator.run(BOTH_PAGES + EVALUATOR_PAGE)
            offers = await evaluator.run(f"offer({self.count})")
            answers = await client.run(f"answer({json.dumps(offers)})")
            await evaluator.run(f"accept({json.dumps(answers)})")
            yield evaluator

    @contextlib.asynccontextmanager
    async def _open_page(self, role: str) -> AsyncIterator[Page]:
        from functools import partial

        from tests.kit.browsers import open_browser
        from tests.kit.chromium import shared_chromium

        with shared_chromium(harness.NO_MDNS, prefix=self.hosts.on(role)) as started:
            there = attrs.evolve(started, connect=partial(self.hosts.connect_on, role))
            async with open_browser(there) as browser, browser.open_page() as page:
                yield page


async def measure(scene: Scene, loss: float, args: argparse.Namespace) -> dict[str, Any]:
    """What each variant has found, all at the same time."""
    hosts, found = scene.hosts, dict[str, Any]()
    await hosts.lose(0)
    await hosts.delay(ROUND_TRIP / 2)
    asked = {"every": EVERY, "seconds": args.seconds, "patience": PATIENCE}
    within = args.seconds + PATIENCE + 30

    async def talk(name: str, child: Child) -> None:
        found[name] = await ask(child, within, do="talk", **asked)

    async def talk_on(page: Page) -> None:
        times = f"{json.dumps(EVERY)}, {args.seconds}, {PATIENCE}"
        await page.run(f"talk({times}, {json.dumps(harness.IMAGE)})")
        await page.wait("window.isOver", seconds=within)
        found["chromium"] = await page.run("result()")

    async with contextlib.AsyncExitStack() as stack:
        page = None
        if "chromium" in args.variants:
            page = await stack.enter_async_context(scene.open_pages())
        openers = {"ours": scene.open_ours, "stock": scene.open_stock}
        children = {
            name: await stack.enter_async_context(openers[name]())
            for name in args.variants
            if name in openers
        }
        await hosts.lose(loss)
        async with trio.open_nursery() as nursery:
            for name, child in children.items():
                nursery.start_soon(talk, name, child)
            if page is not None:
                nursery.start_soon(talk_on, page)
        await hosts.lose(0)
    return found


# ── the figures ──────────────────────────────────────────────────────────────────────────────────


def rows_of(loss: float, found: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each variant and rate."""
    rows = []
    for every in EVERY:
        for variant, told in found.items():
            rate = told["rates"][f"{every:g}"]
            if not rate["times"]:
                raise harness.BenchError(f"{variant}: no image was acked")
            ways = dict(zip(("image", "ack"), zip(*rate["times"], strict=True), strict=True))
            row = {"loss": loss, "every": every, "variant": variant, "n": rate["asked"]}
            for name, times in ways.items():
                late = sum(time > LATE for time in times) + rate["asked"] - len(times)
                row[f"{name}_late"] = round(late / rate["asked"], 4)
                for percent in (50, 95, 99):
                    row[f"{name}_p{percent}"] = round(harness.percentile(times, percent), 1)
            rows.append(row | {"ended": len(told["failures"])})
    return rows


def is_later(ours: dict[str, Any], theirs: dict[str, Any], name: str) -> bool:
    """Whether more of ours are late, by more than chance."""
    one, other = ours[f"{name}_late"], theirs[f"{name}_late"]
    spread = one * (1 - one) / ours["n"] + other * (1 - other) / theirs["n"]
    return bool(one - other > SIGMAS * math.sqrt(spread))


def judge(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What is not as it should be."""
    missed = []
    for ours in (row for row in rows if row["variant"] == "ours"):
        where = f"{ours['loss']:.0%} lost, every {ours['every']:g} s"
        if ours["ended"]:
            missed.append(f"{where}: sessions of ours have ended")
        for theirs in rows:
            key = (theirs["variant"], theirs["loss"], theirs["every"])
            if key == ("chromium", ours["loss"], ours["every"]):
                missed += [
                    f"{where}: more of our {name}s are late than of Chromium's"
                    for name in ("image", "ack")
                    if is_later(ours, theirs, name)
                ]
    return missed


NAMES = {"ours": "imgsync", "stock": "stock aiortc", "chromium": "Chromium"}


def tables(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What was measured."""
    heads = ["lost", "an image", "who", "images late", "p95", "acks late", "p95", "ended"]
    cells = [
        [
            f"{row['loss']:.0%}",
            f"each {row['every']:g} s",
            NAMES[row["variant"]],
            [row["image_late"] * 100, "%"],
            [row["image_p95"], "ms"],
            [row["ack_late"] * 100, "%"],
            [row["ack_p95"], "ms"],
            [row["ended"], ""],
        ]
        for row in rows
    ]
    return {"loss": {"heads": heads, "rows": cells}}


async def run(args: argparse.Namespace) -> dict[str, Any]:
    """Two hosts, and all that happens between them."""
    from tests.faults.hosts import open_hosts

    rows, failures = [], []
    for loss in args.losses:
        async with open_hosts() as hosts:
            found = await measure(Scene(hosts, args.sessions), loss, args)
        rows += rows_of(loss, found)
        failures += [f"{name}: {end}" for name, told in found.items() for end in told["failures"]]
        if "ours" in found and (repaired := found["ours"]["repaired"]):
            failures.append(f"ours: {repaired} images came over a connection that was made anew")
    return {
        "bench": "loss",
        "unit": "ms",
        "round_trip_ms": ROUND_TRIP * 1000,
        "rows": rows,
        "failures": failures,
        "missed": judge(rows),
        "tables": tables(rows),
    }


def read_args() -> argparse.Namespace:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--sessions", type=int, default=10, metavar="N", help="of each variant")
    parser.add_argument("--seconds", type=float, default=120, metavar="S", help="of each loss")
    parser.add_argument("--losses", type=float, nargs="+", default=LOSSES, metavar="SHARE")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    args = parser.parse_args()
    if args.sessions < len(EVERY) or args.seconds < max(EVERY):
        parser.error("--sessions must be at least 2, --seconds at least 1")
    if not all(0 <= share < 1 for share in args.losses):
        parser.error("--losses must be shares from 0 to below 1")
    if args.quick:
        args.seconds = 10.0
    return args


def main() -> None:
    args = read_args()
    sys.path.insert(0, str(harness.BENCH.parent))
    try:
        figures = trio.run(run, args)
    except pytest.skip.Exception as exc:
        raise harness.BenchError(str(exc)) from None
    harness.emit(figures, args.json)
    for line in (*figures["failures"], *figures["missed"]):
        print(line, file=sys.stderr)
    if figures["missed"]:
        sys.exit(1)


if __name__ == "__main__":
    harness.run(main)
