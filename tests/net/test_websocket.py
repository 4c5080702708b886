"""A WebSocket's outbox, heartbeat and end, each held against a peer that does not play along."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from socket import SO_SNDBUF, SOL_SOCKET

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from imgsync.core.protocol.errors import SocketClosed, UpgradeRefused
from imgsync.net import pinger, websocket
from imgsync.net.connect import open_relay_socket
from imgsync.net.http import Request, Response, refuse
from imgsync.net.limits import NetLimits
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, SocketHandler, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.tasks import open_background
from tests.net.test_frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    RawPeer,
    frame,
    open_descriptors,
    open_raw,
    open_server,
    upgrade_head,
)

WITHIN = 8.0
"""Seconds for one test on a loaded machine."""

AT_ONCE = 1.0
"""Seconds for what has to happen without waiting for any deadline; the shortest is 2."""

PAGE = "x" * 60_000
"""A frame of which a few fill what the kernel holds for a connection."""


ORDINARY = NetLimits()

HASTY = NetLimits(write_deadline=0.1)
OUTBOX_SIZE = ORDINARY.outbox_size


async def refuse_all(request: Request) -> Response:
    return refuse(404)


def post_all(socket: WebSocket, frames: Iterable[str]) -> None:
    for text in frames:
        socket.post(text)


@asynccontextmanager
async def open_site(
    limits: NetLimits = ORDINARY, /, **sockets: SocketHandler
) -> AsyncIterator[int]:
    """Serve a handler for each path of one word. Yields the port."""
    listeners = await open_port("127.0.0.1", 0)
    # The kernel would take megabytes for a peer that does not read.
    assert isinstance(listeners[0], trio.SocketListener)
    listeners[0].socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 64 * 1024)
    by_path = {f"/{name}": handler for name, handler in sockets.items()}
    site = Site(refuse_all, by_path, limits=limits)
    async with open_background() as nursery:
        await nursery.start(serve_site, site, listeners)
        yield port_of(listeners)


class Seen:
    """A handler that keeps what it receives, and how it ended."""

    def __init__(self, greet: Callable[[WebSocket], object] | None = None) -> None:
        self.frames: list[str | bytes] = []
        self.end: SocketClosed | None = None
        self.opened = trio.Event()
        self.ended = trio.Event()
        self.socket: WebSocket | None = None
        self._greet = greet

    async def handle(self, socket: WebSocket, request: Request) -> None:
        self.socket = socket
        self.opened.set()
        if self._greet is not None:
            self._greet(socket)
        try:
            while True:
                self.frames.append(await socket.receive())
        except SocketClosed as exc:
            self.end = exc
        finally:
            self.ended.set()

    async def wait_end(self) -> SocketClosed:
        await self.ended.wait()
        assert self.end is not None
        return self.end


# ── outbox ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_peer_that_stops_reading_is_closed_without_delaying_another() -> None:
    count = 600
    slow, healthy = Seen(), Seen()

    async def fan_out(sender: WebSocket, request: Request) -> None:
        assert slow.socket is not None
        assert healthy.socket is not None
        for _ in range(count):
            number = await sender.receive()
            assert isinstance(number, str)
            slow.socket.post(PAGE)
            healthy.socket.post(number)
        await sender.receive()

    with trio.fail_after(WITHIN):
        async with (
            open_site(slow=slow.handle, healthy=healthy.handle, sender=fan_out) as port,
            open_raw(port) as deaf,
            open_relay_socket(f"ws://127.0.0.1:{port}/healthy") as receiver,
            open_raw(port) as sender,
        ):
            await deaf.upgrade(b"/slow")
            await sender.upgrade(b"/sender")
            await slow.opened.wait()
            await healthy.opened.wait()
            with trio.fail_after(websocket.CLOSE_DEADLINE):
                numbers = [str(number) for number in range(count)]
                await sender.send(b"".join(frame(TEXT, number.encode()) for number in numbers))
                assert [await receiver.receive() for _ in numbers] == numbers
            assert (await slow.wait_end()).code == 4013
            assert not healthy.ended.is_set()


async def test_a_peer_that_reads_late_is_told_that_it_was_too_slow() -> None:
    seen = Seen(lambda socket: post_all(socket, ["x" * OUTBOX_SIZE, "y"]))
    with trio.fail_after(WITHIN):
        async with open_site(ws=seen.handle) as port, open_raw(port) as raw:
            await raw.upgrade()
            assert await raw.read_close_code() == 4013
            await raw.send(frame(CLOSE))
            assert (await seen.wait_end()).code == 4013


async def test_a_burst_that_fits_the_outbox_arrives_whole() -> None:
    frames = [f"{number} {PAGE}" for number in range(OUTBOX_SIZE // (len(PAGE) + 4))]
    frames += [str(number) for number in range(2_000)]
    seen = Seen(lambda socket: post_all(socket, frames))
    with trio.fail_after(WITHIN):
        async with (
            open_site(ws=seen.handle) as port,
            open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket,
        ):
            assert [await socket.receive() for _ in frames] == frames


async def test_a_frame_that_takes_too_long_to_write_ends_the_connection() -> None:
    seen = Seen(lambda socket: post_all(socket, [PAGE] * (OUTBOX_SIZE // len(PAGE))))
    with trio.fail_after(WITHIN):
        async with open_site(HASTY, ws=seen.handle) as port, open_raw(port) as deaf:
            await deaf.upgrade()
            with trio.fail_after(AT_ONCE):
                assert (await seen.wait_end()).code == 4013
            assert await deaf.read_close_code() is None


# ── close ────────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_posted_before_the_close_arrives_and_what_came_after_does_not() -> None:
    frames = [f"{number} {PAGE}" for number in range(15)]

    def part(socket: WebSocket) -> None:
        post_all(socket, frames)
        socket.close(4999, "parting")
        socket.close(1000, "once is enough")
        socket.post("too late")

    with trio.fail_after(WITHIN):
        async with (
            open_site(ws=Seen(part).handle) as port,
            open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket,
        ):
            assert [await socket.receive() for _ in frames] == frames
            with pytest.raises(SocketClosed, match=r"\(4999: parting\)") as caught:
                await socket.receive()
            assert (caught.value.code, caught.value.reason) == (4999, "parting")


async def test_what_was_posted_before_the_block_is_left_arrives() -> None:
    numbers = [str(number) for number in range(200)]
    seen = Seen()
    with trio.fail_after(WITHIN):
        async with open_site(ws=seen.handle) as port:
            async with open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket:
                post_all(socket, numbers)
            assert (await seen.wait_end()).code == 1000
    assert seen.frames == numbers


async def test_a_block_that_is_cancelled_still_sends_what_was_posted_and_the_close_frame() -> None:
    seen = Seen()
    with trio.fail_after(WITHIN):
        async with open_site(ws=seen.handle) as port:
            with trio.CancelScope() as scope:
                async with open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket:
                    socket.post("a last word")
                    scope.cancel()
                    await trio.sleep_forever()
            assert scope.cancelled_caught
            assert (await seen.wait_end()).code == 1000
    assert seen.frames == ["a last word"]


async def test_a_block_that_fails_closes_and_lets_its_own_error_out() -> None:
    seen = Seen()
    with trio.fail_after(WITHIN):
        async with open_site(ws=seen.handle) as port:
            with pytest.raises(KeyError, match="mine"):
                async with open_relay_socket(f"ws://127.0.0.1:{port}/ws"):
                    raise KeyError("mine")
            assert (await seen.wait_end()).code == 1000


async def test_a_handler_that_returns_closes_its_socket() -> None:
    async def part(socket: WebSocket, request: Request) -> None:
        socket.post("farewell")

    with trio.fail_after(AT_ONCE):
        async with open_site(ws=part) as port, open_raw(port) as raw:
            await raw.upgrade()
            assert await raw.read_frame() == (TEXT, b"farewell")
            assert await raw.read_close_code() == 1000
            await raw.send(frame(CLOSE, b"\x03\xe8"))
            assert await raw.read_rest() == b""


async def test_a_close_by_the_other_side_is_answered_and_tells_code_and_reason() -> None:
    seen = Seen()
    with trio.fail_after(AT_ONCE):
        async with open_site(ws=seen.handle) as port, open_raw(port) as raw:
            await raw.upgrade()
            await raw.send(frame(CLOSE, (4123).to_bytes(2) + b"so long"))
            assert await raw.read_close_code() == 4123
            end = await seen.wait_end()
    assert (end.code, end.reason) == (4123, "so long")


async def test_a_peer_that_never_answers_the_close_frame_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_DEADLINE", 0.1)
    with trio.fail_after(AT_ONCE):
        async with open_site(ws=Seen(WebSocket.close).handle) as port, open_raw(port) as raw:
            await raw.upgrade()
            assert await raw.read_close_code() == 1000
            assert await raw.read_rest() == b""


async def test_a_ping_that_crosses_the_close_frame_does_not_hold_up_the_end() -> None:
    with trio.fail_after(AT_ONCE):
        async with open_site(ws=Seen(WebSocket.close).handle) as port, open_raw(port) as raw:
            await raw.upgrade()
            assert await raw.read_close_code() == 1000
            await raw.send(frame(PING, b"are you there?") + frame(CLOSE, b"\x03\xe8"))
            await raw.read_rest()


# ── heartbeat ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fast_pinger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinger, "KEEPALIVE_INTERVAL", 0.05)
    monkeypatch.setattr(websocket, "PONG_DEADLINE", 0.2)


@pytest.mark.usefixtures("fast_pinger")
async def test_a_peer_that_does_not_answer_pings_is_dropped() -> None:
    seen = Seen()
    with trio.fail_after(AT_ONCE):
        async with open_site(ws=seen.handle) as port, open_raw(port) as raw:
            await raw.upgrade()
            assert (await seen.wait_end()).code == 1006
            found = await raw.read_frame()
            assert found is not None
            assert found[0] == PING
            assert await raw.read_rest() == b""


@pytest.mark.usefixtures("fast_pinger")
async def test_a_peer_that_answers_pings_is_kept() -> None:
    seen = Seen()
    with trio.fail_after(WITHIN):
        async with open_site(ws=seen.handle) as port, open_raw(port) as raw:
            await raw.upgrade()
            for _ in range(10):
                found = await raw.read_frame()
                assert found is not None
                opcode, payload = found
                assert opcode == PING
                await raw.send(frame(PONG, payload))
            assert not seen.ended.is_set()


@pytest.mark.usefixtures("fast_pinger")
async def test_a_client_drops_a_server_that_does_not_answer_pings() -> None:
    async def answer_the_upgrade_alone(raw: RawPeer) -> None:
        await raw.accept()
        await raw.read_rest()

    with trio.fail_after(AT_ONCE):
        async with open_server(answer_the_upgrade_alone) as port:
            with pytest.raises(SocketClosed) as caught:
                async with open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket:
                    await socket.receive()
            assert caught.value.code == 1006


# ── nothing is left behind ───────────────────────────────────────────────────────────────────────


async def connect_in_good_order(port: int) -> None:
    async with open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket:
        socket.post("hello")


async def connect_to_a_wrong_path(port: int) -> None:
    with pytest.raises(UpgradeRefused):
        async with open_relay_socket(f"ws://127.0.0.1:{port}/other"):
            pass


async def connect_and_cancel(port: int) -> None:
    with trio.CancelScope() as scope:
        async with open_relay_socket(f"ws://127.0.0.1:{port}/ws"):
            scope.cancel()
            await trio.sleep_forever()


async def connect_and_reset(port: int) -> None:
    async with open_raw(port) as raw:
        await raw.upgrade()
        raw.reset()


async def ask_for_an_upgrade_and_reset(port: int) -> None:
    async with open_raw(port) as raw:
        await raw.send(upgrade_head())
        raw.reset()


async def hang_up_in_the_middle_of_a_head(port: int) -> None:
    async with open_raw(port) as raw:
        await raw.send(upgrade_head()[:-2])


KINDS = [
    connect_in_good_order,
    connect_to_a_wrong_path,
    connect_and_cancel,
    connect_and_reset,
    ask_for_an_upgrade_and_reset,
    hang_up_in_the_middle_of_a_head,
]


@pytest.mark.parametrize("connect", KINDS, ids=lambda connect: connect.__name__)
async def test_nothing_is_left_of_a_connection(connect: Callable[[int], Awaitable[None]]) -> None:
    def count() -> tuple[int, int]:
        return trio.lowlevel.current_statistics().tasks_living, open_descriptors()

    with trio.fail_after(WITHIN):
        async with open_site(ws=Seen().handle) as port:
            before = count()
            for _ in range(50):
                await connect(port)
            while count() != before:
                await wait_all_tasks_blocked(0.01)
