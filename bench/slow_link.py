"""How long does the first picture take on a slow line, with 39 others announced?

The evaluator is the library in this process; clients are the page of the relay in headless Chromium
and the client's command. Pictures come over a line of this bench's own: all bytes of all
connections go through one queue that lets RATES pass, DELAY late each way; a connection takes a
round trip to open, and what is on its way when it is closed goes on taking its place. It does not
lose anything and knows no slow start. The relay, the handshake and the channel don't go over it.

PNGs of about 790 kB are announced, COUNT of them, and the first is shown in the same moment. `ours`
is from `show()` to the onset that the page tells, or until the command has fetched the picture;
`bare` is the same file alone on the same line: an `<img>` in the same browser, and a plain httpx
request. Both take turns. `jump` is the same as `ours` for a picture that is the last of those
announced, with the others half under way. Exit code 1 where a ratio of medians is over BOUND.
"""

from __future__ import annotations

import contextlib
import re
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import harness
import httpx
import onset
import trio

import imgsync
from imgsync import ImageRef, StageKind

if TYPE_CHECKING:
    from tests.kit.browsers import Browser

RATES, QUICK_RATES = (1.6, 4.0, 10.0), (10.0,)  # Mbit/s
ROUNDS, QUICK_ROUNDS = 3, 1
DELAY = 0.025  # s, one way
COUNT = 40
WIDTH = 1542  # pixels, of a square of noise that has some 790 kB
BOUND = 1.2
JUMP_AFTER = 3.0  # pictures' time
WAIT_S = 120.0

SEGMENT = 4 * 1024
WINDOW = 64 * 1024  # bytes of one connection that may be on their way
HEADERS = (
    "content-type: image/png\r\naccess-control-allow-origin: *\r\ncache-control: no-store\r\n"
    "access-control-expose-headers: etag, content-range\r\nconnection: keep-alive\r\n"
)


class Line:
    """One queue for all connections."""

    def __init__(self) -> None:
        self.rate = 1e6 / 8  # bytes/s
        self._free_at = 0.0

    def reserve(self, size: int) -> float:
        """When so many bytes will have come out of it at the other end."""
        self._free_at = max(self._free_at, trio.current_time()) + size / self.rate
        return self._free_at + DELAY

    async def drain(self) -> None:
        """Until nothing is on its way."""
        await trio.sleep_until(self._free_at + 2 * DELAY)


class Host:
    """Serves the same picture under any path, over the line, and parts of it."""

    def __init__(self, line: Line, picture: bytes) -> None:
        self._line = line
        self._picture = picture
        #: Bytes that have gone into the line.
        self.sent = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection."""
        await trio.sleep(2 * DELAY)
        unread = b""
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while True:
                while b"\r\n\r\n" not in unread:
                    more = await stream.receive_some(4096)
                    if not more:
                        return
                    unread += more
                head, _, unread = unread.partition(b"\r\n\r\n")
                await trio.sleep(DELAY)
                await self._answer(stream, head.decode("latin-1"))

    async def _answer(self, stream: trio.SocketStream, head: str) -> None:
        part = re.search(r"(?im)^range: bytes=(\d+)-", head)
        offset = 0 if part is None else int(part[1])
        size = len(self._picture)
        status, extra = "200 OK", ""
        if offset:
            status, extra = "206 Partial", f"content-range: bytes {offset}-{size - 1}/{size}\r\n"
        body = self._picture[offset:]
        head = f'HTTP/1.1 {status}\r\netag: "1"\r\ncontent-length: {len(body)}\r\n{HEADERS}{extra}'
        send, receive = trio.open_memory_channel[tuple[float, bytes]](WINDOW // SEGMENT)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._deliver, stream, receive)
            async with send:
                for segment in _cut(head.encode() + b"\r\n" + body):
                    self.sent += len(segment)
                    await send.send((self._line.reserve(len(segment)), segment))

    async def _deliver(
        self, stream: trio.SocketStream, receive: trio.MemoryReceiveChannel[tuple[float, bytes]]
    ) -> None:
        async for at, segment in receive:
            await trio.sleep_until(at)
            await stream.send_all(segment)


def _cut(data: bytes) -> list[bytes]:
    return [data[place : place + SEGMENT] for place in range(0, len(data), SEGMENT)]


async def _serve_host(
    host: Host, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    async def handle(stream: trio.SocketStream) -> None:
        # Whoever closes a connection ends what is sent on it.
        with contextlib.suppress(BaseExceptionGroup):
            await host.serve(stream)

    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    task_status.started(listener.socket.getsockname()[1])
    await trio.serve_listeners(handle, [listener])


@attrs.define
class Scene:
    """Where all of it takes place."""

    browser: Browser
    relay: str
    line: Line
    host: Host
    origin: str
    number: int = 0

    def fresh_images(self) -> list[ImageRef]:
        """So many that nobody has fetched before."""
        self.number += 1
        names = (f"{self.origin}/{self.number}/{index}.png" for index in range(COUNT))
        return [ImageRef(index, url, url) for index, url in enumerate(names)]

    async def time_element(self) -> float:
        """Of one picture alone, in an element of a page that does nothing else, s."""
        url = str(self.fresh_images()[0].signed_url)
        origin = self.relay.replace("ws:", "http:").removesuffix("/ws")
        async with self.browser.open_page() as page:
            await page.goto(f"{origin}/health")
            load = f"""(async () => {{
              const image = new Image(), begin = performance.now();
              image.src = {url!r};
              await image.decode();
              return performance.now() - begin;
            }})()"""
            took: float = await page.run(load)
        return took / 1000

    async def time_request(self) -> float:
        """Of one picture alone, in a request of a program, s."""
        url = str(self.fresh_images()[0].signed_url)
        async with httpx.AsyncClient(timeout=None, verify=False) as http:
            begin = trio.current_time()
            await http.get(url)
            return trio.current_time() - begin

    async def time_page(self) -> tuple[float, float]:
        """Of the first picture in a page, and of the last one while others are fetched, s."""
        from tests.kit.web_pages import INSIDE, page_url

        async with self.browser.open_page() as page:
            await page.run_early(INSIDE)
            await page.goto(page_url(self.relay, user="page"))
            await page.wait("document.body?.innerText.includes('Ready.')")
            return await self._time_showings("page", StageKind.SHOWN)

    async def time_command(self) -> tuple[float, float]:
        """The same in the client's command."""
        from tests.kit.processes import open_child

        options = ("--relay", self.relay, "--user", "command", "--json", "--once")
        command = (sys.executable, "-m", "imgsync.client", *options)
        async with open_child("client", *command) as client:
            await client.wait_event("registered")
            times = await self._time_showings("command", StageKind.FETCHED)
            await client.wait_success()
            return times

    async def _time_showings(self, client: str, stage: StageKind) -> tuple[float, float]:
        images = self.fresh_images()
        async with (
            imgsync.open_evaluator(self.relay, user_id="e") as evaluator,
            evaluator.open_session(client) as session,
        ):
            await trio.sleep(0.5)  # the bursts of pings at the start
            session.preload(images)
            first = await _time_showing(session, images[0], stage)
            await trio.sleep(JUMP_AFTER * len(self.host._picture) / self.line.rate)
            jump = await _time_showing(session, images[-1], stage)
        return first, jump


async def _time_showing(
    session: imgsync.EvaluatorSession, image: ImageRef, stage: StageKind
) -> float:
    with trio.fail_after(WAIT_S):
        delivery = await session.show(image)
        async for report in session.stages():
            if report.sent_at == delivery.sent_at and report.stage is StageKind.FAILED:
                raise harness.BenchError(f"the picture failed: {report.reason}")
            if report.sent_at == delivery.sent_at and report.stage is stage:
                return (report.at - report.sent_at) / 1000
    raise harness.BenchError("the session ended before the picture was there")


async def measure(scene: Scene, rates: Sequence[float], rounds: int) -> list[dict[str, Any]]:
    """Figures of each rate, of both clients."""
    rows = []
    for rate in rates:
        scene.line.rate = rate * 1e6 / 8
        for client, bare, ours in (
            ("page", scene.time_element, scene.time_page),
            ("command", scene.time_request, scene.time_command),
        ):
            alone, first, jump = [], [], []
            for _ in range(rounds):
                alone.append(await bare())
                await scene.line.drain()
                one, other = await ours()
                await scene.line.drain()
                first.append(one)
                jump.append(other)
            ratio = statistics.median(first) / statistics.median(alone)
            rows.append(
                {
                    "client": client,
                    "mbit": rate,
                    "n": rounds,
                    "bare": round(statistics.median(alone), 3),
                    "ours": round(statistics.median(first), 3),
                    "worst": round(max(first), 3),
                    "ratio": round(ratio, 2),
                    "jump": round(statistics.median(jump), 3),
                    "is_kept": ratio <= BOUND,
                }
            )
            print_row(rows[-1])
    return rows


@contextlib.asynccontextmanager
async def open_scene(started: Any, relay: str, picture: bytes) -> AsyncIterator[Scene]:
    """The browser, and a host behind a line."""
    from tests.kit.browsers import open_browser

    line = Line()
    host = Host(line, picture)
    async with open_browser(started) as browser, trio.open_nursery() as nursery:
        port = await nursery.start(_serve_host, host)
        yield Scene(browser, relay, line, host, f"http://127.0.0.1:{port}")
        nursery.cancel_scope.cancel()


def run_all(rates: Sequence[float], rounds: int) -> dict[str, Any]:
    """Relay, Chromium and the pictures; the figures."""
    picture = onset.draw(WIDTH, WIDTH)

    async def run(started: Any, relay: str) -> list[dict[str, Any]]:
        async with open_scene(started, relay, picture) as scene:
            return await measure(scene, rates, rounds)

    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(stack.enter_context(tempfile.TemporaryDirectory())))
        started = stack.enter_context(harness.open_chromium())
        url = stack.enter_context(harness.open_relay("ours", "--connect-rate", "0"))
        rows = trio.run(run, started, url)
    return {
        "bench": "slow_link",
        "unit": "s",
        "rows": rows,
        "is_kept": all(row["is_kept"] for row in rows),
        "tables": tables(rows),
    }


def print_row(row: dict[str, Any]) -> None:
    """As soon as it is known, on stderr: all of it takes minutes."""
    names = ("mbit", "n", "bare", "ours", "worst", "ratio", "jump")
    told = (f"{name} {row[name]}" for name in names)
    print(f"{row['client']}: {', '.join(told)}", file=sys.stderr)


def tables(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A line for each rate, of both clients."""
    lines: dict[float, list[Any]] = {}
    for row in rows:
        times = [[row["ours"], "s"], [row["bare"], "s"], [row["ratio"], ""]]
        lines.setdefault(row["mbit"], [f"{row['mbit']:g}"]).extend(times)
    heads = ["Mbit/s", "page", "`<img>` alone", "ratio", "Python client", "alone", "ratio"]
    return {"slow_link": {"heads": heads, "rows": list(lines.values())}}


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--rounds", type=int, metavar="N", help="of each rate")
    parser.add_argument("--rates", type=float, nargs="+", metavar="MBIT", help="of the line")
    args = parser.parse_args()
    rates, rounds = (QUICK_RATES, QUICK_ROUNDS) if args.quick else (RATES, ROUNDS)
    args.rates = rates if args.rates is None else args.rates
    args.rounds = rounds if args.rounds is None else args.rounds
    if args.rounds < 1 or min(args.rates) <= 0:
        parser.error("--rounds is at least 1, --rates are more than 0")
    figures = run_all(args.rates, args.rounds)
    harness.emit(figures, args.json)
    if not figures["is_kept"]:
        sys.exit(f"a ratio is over {BOUND}")


if __name__ == "__main__":
    harness.run(main)
