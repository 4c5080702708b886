"""How many round trips until the client's page is at the relay, and says that it is ready?

The page is loaded in headless Chromium through a wire that delays, over HTTP from the relay itself
and over TLS through nginx with the lines of docs/relay.md, for the first time and once more. The
floor is what no page can do without that is served like this:

    TCP, [TLS,] the page, its first module; TCP, [TLS,] WebSocket, register      6, with TLS 8
    loaded again: the page alone, on a connection that is there                  4, with TLS 5

Two wires of different length tell the round trips from what the machine itself needs. A wire is a
proxy on this machine: what a browser sends is held until its TCP handshake would be over, and each
way takes half a round trip. It knows no loss and no window, so that what is larger than a first
flight (14 kB) may cost more than here. Exit code 1 where there is more than one round trip over the
floor.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
import trio

if TYPE_CHECKING:
    from tests.kit.browsers import Page, Started

FLOORS = {("http", "fresh"): 6, ("http", "reload"): 4, ("tls", "fresh"): 8, ("tls", "reload"): 5}
ALLOWED = 1  # round trips more

# When the relay has said the first thing, and when the page said that it is ready.
WATCH = """
window.times = {};
const Real = WebSocket;
window.WebSocket = class extends Real {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", () => (window.times.registered ??= performance.now()));
  }
};
new MutationObserver(() => {
  if (document.querySelector("#text")?.textContent === "Ready.") times.ready ??= performance.now();
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
IS_THERE = "window.times?.registered && times.ready && times"
FILES = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/web/'))"
ALL_THERE = f"""(() => {{
  const there = new Set({FILES}.map((one) => one.name));
  return [...document.querySelectorAll("link[href], script")]
    .every((one) => there.has(one.href ?? one.src));
}})()"""
# Files that had to be asked for and had come by then.
BEFORE = f"""{FILES}.filter((one) =>
  one.transferSize > 0 && one.responseEnd < times.ready).length"""

LONGER = 4  # times
FULL, QUICK = (3, 300.0), (1, 75.0)
"""Rounds, and the ms of a round trip."""

START_S = 10.0


GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


async def carry(
    source: trio.SocketStream, target: trio.SocketStream, since: float, way: float
) -> None:
    """One direction: what comes in leaves `way` seconds later, counted from `since` at least."""
    sender, receiver = trio.open_memory_channel[tuple[float, bytes]](math.inf)

    async def deliver() -> None:
        with contextlib.suppress(*GONE):
            async for due, part in receiver:
                await trio.sleep_until(due)
                await target.send_all(part)
            await target.send_eof()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver)
        with sender, contextlib.suppress(*GONE):
            async for part in source:
                sender.send_nowait((max(trio.current_time(), since) + way, bytes(part)))


async def carry_both(port: int, round_trip: float, near: trio.SocketStream) -> None:
    """One connection, to this port."""
    opened = trio.current_time()
    async with (
        await trio.open_tcp_stream("127.0.0.1", port) as far,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(carry, near, far, opened + round_trip, round_trip / 2)
        nursery.start_soon(carry, far, near, opened, round_trip / 2)


async def load(page: Page) -> dict[str, float]:
    """What a page has found since it was loaded: ms, and files that were asked for."""
    times = await page.wait(IS_THERE, seconds=60)
    return {**times, "requests": 1 + await page.run(BEFORE)}


async def measure(
    chromium: Started, ports: dict[str, int], round_trip: float, rounds: int
) -> list[dict[str, Any]]:
    from tests.kit.browsers import open_browser
    from tests.kit.web_pages import INSIDE

    found = []
    async with trio.open_nursery() as nursery, open_browser(chromium) as browser:
        for scheme, port in ports.items():
            wire = partial(carry_both, port, round_trip)
            serve = partial(trio.serve_tcp, wire, 0, host="127.0.0.1")
            [listener] = await nursery.start(serve)
            host = f"127.0.0.1:{listener.socket.getsockname()[1]}"
            url = f"{'http' if scheme == 'http' else 'https'}://{host}/client?user=u"
            for _ in range(rounds):
                async with browser.open_page() as page:
                    await page.run_early(INSIDE + WATCH)
                    await page.goto(url)
                    fresh = await load(page)
                    await page.wait(ALL_THERE, seconds=60)
                    await page.reload()
                    again = await load(page)
                for kind, row in (("fresh", fresh), ("reload", again)):
                    found.append({"over": scheme, "load": kind, "ms": round_trip * 1000, **row})
        nursery.cancel_scope.cancel()
    return found


@contextlib.contextmanager
def open_nginx(relay_port: int) -> Iterator[int]:
    """An nginx in front of the relay, as docs/relay.md has it."""
    from tests.kit.ports import find_free_port
    from tests.relay.test_behind_nginx import (
        NGINX,
        nginx_snippet,
        replace_once,
        write_configuration,
    )

    if NGINX is None:
        raise harness.BenchError("nginx is not installed")
    with tempfile.TemporaryDirectory() as folder:
        port = find_free_port()
        trust = ssl.create_default_context()
        snippet = replace_once(nginx_snippet(), "127.0.0.1:8765", f"127.0.0.1:{relay_port}")
        configuration = write_configuration(Path(folder), port, snippet, trust)
        command = (NGINX, "-p", folder, "-c", configuration, "-e", "stderr")
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            wait_listening(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def wait_listening(port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise harness.BenchError("nginx did not start")


def run_all(rounds: int, round_trip: float) -> dict[str, Any]:
    """Relay, nginx, Chromium and the wire; the figures."""
    with contextlib.ExitStack() as stack:
        # The certificate of this nginx is one that nobody knows.
        chromium = stack.enter_context(harness.open_chromium("--ignore-certificate-errors"))
        relay = stack.enter_context(harness.open_relay())
        port = int(relay.rpartition(":")[2].removesuffix("/ws"))
        ports = {"http": port, "tls": stack.enter_context(open_nginx(port))}
        lengths = (round_trip, round_trip * LONGER)
        # In turn, as the load of a machine changes.
        turns = [*lengths] * rounds
        found = [row for one in turns for row in trio.run(measure, chromium, ports, one, 1)]
    rows: list[dict[str, Any]] = []
    for (over, kind), floor in FLOORS.items():
        these = [row for row in found if (row["over"], row["load"]) == (over, kind)]

        def median(name: str, length: float, these: list[dict[str, Any]] = these) -> float:
            found = [row[name] for row in these if row["ms"] == length * 1000]
            return float(statistics.median(found))

        trips = {
            name: round(
                (median(name, lengths[1]) - median(name, lengths[0]))
                / (1000 * (lengths[1] - lengths[0])),
                2,
            )
            for name in ("registered", "ready")
        }
        shorter = {
            "ready_ms": round(median("ready", round_trip)),
            "requests": median("requests", round_trip),
        }
        rows.append({"over": over, "load": kind, "floor": floor, **trips, **shorter})
    return {
        "bench": "page_start",
        "unit": "round trips",
        "round_trip_ms": round_trip * 1000,
        "n": rounds,
        "rows": rows,
        "is_kept": all(row["ready"] <= row["floor"] + ALLOWED for row in rows),
        "tables": tables(rows),
    }


LOADED = {"http": "HTTP, from the relay", "tls": "TLS, through nginx"}


def tables(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The times are those of the shorter wire."""
    cells = [
        [
            LOADED[row["over"]] if row["load"] == "fresh" else "the same, loaded again",
            str(row["floor"]),
            [row["ready"], ""],
            [row["ready_ms"], ""],
        ]
        for row in rows
    ]
    return {"page_start": {"heads": ["loaded", "floor", "found", "ms"], "rows": cells}}


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help="loads of each kind")
    parser.add_argument("--round-trip", type=float, metavar="MS", help="of the wire")
    args = parser.parse_args()
    rounds, round_trip = QUICK if args.quick else FULL
    args.rounds = rounds if args.rounds is None else args.rounds
    args.round_trip = round_trip if args.round_trip is None else args.round_trip
    if args.rounds < 1 or args.round_trip <= 0:
        parser.error("--rounds must be at least 1, and --round-trip above 0")
    figures = run_all(args.rounds, args.round_trip / 1000)
    harness.emit(figures, args.json)
    if not figures["is_kept"]:
        sys.exit(f"more than {ALLOWED} round trip over the floor")


if __name__ == "__main__":
    harness.run(main)
