"""What a port grants to whoever connects, each limit at its edge."""

import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from imgsync.core.codec.codec import MAX_FRAME
from imgsync.core.protocol.errors import SocketClosed, UpgradeRefused
from imgsync.net import server, websocket
from imgsync.net.connect import open_relay_socket
from imgsync.net.http import Request, Response, refuse
from imgsync.net.limits import NetLimits
from imgsync.net.ports import Listeners, open_port, port_of
from imgsync.net.queues import LATE
from imgsync.net.server import Site, is_loopback, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.tasks import open_background
from tests.net.test_frames import BINARY, PING, PONG, TEXT, RawPeer, frame, open_raw, upgrade_head

WITHIN = 8.0
"""Seconds for one test on a loaded machine."""

AT_ONCE = 1.0
"""Seconds for what has to happen without waiting for any ordinary deadline."""


async def answer(request: Request) -> Response:
    return Response(200, request.remote.encode())


class Desk:
    """A site that keeps what comes to its WebSockets, and how they end."""

    def __init__(
        self,
        limits: NetLimits | None = None,
        *,
        may_upgrade: Callable[[Request], Response | None] = lambda request: None,
        greet: Callable[[WebSocket], object] = lambda socket: None,
        is_proxy: Callable[[str], bool] = is_loopback,
    ) -> None:
        #: Why others came no further.
        self.refused: list[str] = []
        self.site = Site(
            answer,
            {"/ws": self._serve},
            may_upgrade,
            limits or NetLimits(),
            self.refused.append,
            is_proxy,
        )
        self.requests: list[Request] = []
        self._greet = greet
        self._to_frames, self.frames = trio.open_memory_channel[str | bytes](100)
        self._to_ends, self.ends = trio.open_memory_channel[SocketClosed](100)

    async def _serve(self, socket: WebSocket, request: Request) -> None:
        self.requests.append(request)
        self._greet(socket)
        try:
            while True:
                self._to_frames.send_nowait(await socket.receive())
        except SocketClosed as exc:
            self._to_ends.send_nowait(exc)

    @asynccontextmanager
    async def open(self, listeners: Listeners | None = None) -> AsyncIterator[int]:
        """Serve on these listeners, or on one of this machine's own. Yields the port."""
        listeners = listeners or await open_port("127.0.0.1", 0)
        # The kernel would take megabytes for a peer that does not read.
        assert isinstance(listeners[0], trio.SocketListener)
        listeners[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        with trio.fail_after(WITHIN):
            async with open_background() as nursery:
                await nursery.start(serve_site, self.site, listeners)
                yield port_of(listeners)


def get(size: int = 0) -> bytes:
    """A request; its head is made so many bytes long."""
    head = b"GET / HTTP/1.1\r\nHost: a\r\n"
    filling = b"X: " + b"y" * (size - len(head) - 7) + b"\r\n" if size else b""
    return head + filling + b"\r\n"


async def ask(port: int, sent: bytes = get(), *, host: str = "127.0.0.1") -> tuple[bytes, bytes]:
    """The head and the body of an answer."""
    async with await trio.open_tcp_stream(host, port) as stream:
        raw = RawPeer(stream)
        await raw.send(sent)
        head = await raw.read_head()
        length = head.lower().split(b"content-length: ")[1].split()[0]
        return head, await raw.read_exactly(int(length))


async def wait_streams(desk: Desk, count: int) -> None:
    while desk.site.streams.open != count:
        await wait_all_tasks_blocked(0.001)


# ── heads and messages ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("max_head", [100, 5_000, 16 * 1024])
async def test_a_head_is_read_up_to_its_limit_and_not_beyond(max_head: int) -> None:
    async with Desk(NetLimits(max_head=max_head)).open() as port:
        head, _ = await ask(port, get(max_head))
        assert b" 200 " in head
        head, _ = await ask(port, get(max_head + 1))
        assert b" 431 " in head
        assert b"connection: close" in head.lower()


async def test_heads_that_come_together_are_measured_one_by_one() -> None:
    async with Desk(NetLimits(max_head=100)).open() as port, open_raw(port) as raw:
        await raw.send(get(100) * 20 + get(101))
        for _ in range(20):
            assert await raw.read_status() == 200
            await raw.read_exactly(len("127.0.0.1"))
        assert await raw.read_status() == 431


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_message_is_taken_up_to_its_limit_and_not_beyond(opcode: int) -> None:
    desk = Desk(NetLimits(max_message=100))
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        await raw.send(frame(opcode, b"x" * 100))
        assert len(await desk.frames.receive()) == 100
        await raw.send(frame(opcode, b"x" * 101))
        end = await desk.ends.receive()
        assert (end.code, end.ours) == (1009, True)
        assert await raw.read_close_code() == 1009


async def test_a_message_in_parts_is_taken_whole() -> None:
    desk = Desk(NetLimits(max_message=100))
    parts = [frame(0, b"xxxx", first=0), frame(0, first=0)] * 25
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        await raw.send(frame(TEXT, first=0) + b"".join(parts) + frame(0))
        assert await desk.frames.receive() == "x" * 100
        await raw.send(frame(TEXT, first=0) + frame(0))
        assert await desk.frames.receive() == ""


async def test_a_frame_of_the_protocol_is_taken_whole() -> None:
    desk = Desk()
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        await raw.send(frame(TEXT, "\N{SNOWMAN}".encode() * MAX_FRAME))
        assert await desk.frames.receive() == "\N{SNOWMAN}" * MAX_FRAME


async def test_an_outbox_is_filled_up_to_its_limit_and_not_beyond() -> None:
    def fill(over: str) -> Callable[[WebSocket], None]:
        def greet(socket: WebSocket) -> None:
            for text in ("x" * 60, "y" * 40, over):
                socket.post(text)

        return greet

    limits = NetLimits(outbox_size=100)
    async with Desk(limits, greet=fill("")).open() as port, open_raw(port) as raw:
        await raw.upgrade()
        assert await raw.read_frame() == (TEXT, b"x" * 60)
        assert await raw.read_frame() == (TEXT, b"y" * 40)
    desk = Desk(limits, greet=fill("z"))
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        assert await raw.read_close_code() == 4013
        end = await desk.ends.receive()
        assert (end.code, end.ours) == (4013, True)


# ── peers that do not take what is sent ──────────────────────────────────────────────────────────


def flood(socket: WebSocket) -> None:
    for number in range(5_000):
        socket.post(f"{number:200}")


async def drip(raw: RawPeer) -> None:
    while True:
        await raw.read_exactly(1)
        await trio.sleep(0.005)


async def test_a_peer_that_drips_is_dropped_as_if_it_did_not_read() -> None:
    desk = Desk(NetLimits(write_deadline=0.3), greet=flood)
    async with desk.open() as port, open_raw(port) as raw, trio.open_nursery() as nursery:
        await raw.upgrade()
        nursery.start_soon(drip, raw)
        with trio.fail_after(AT_ONCE):
            end = await desk.ends.receive()
        assert (end.code, end.ours) == (4013, True)
        nursery.cancel_scope.cancel()


async def test_a_peer_that_asks_for_pongs_and_does_not_take_them_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CONTROL_RATE", 0)
    desk = Desk(NetLimits(write_deadline=0.2))
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        pings = frame(PING, bytes(125)) * 100_000
        with pytest.raises(trio.BrokenResourceError):
            await raw.stream.send_all(pings)
        end = await desk.ends.receive()
        assert (end.code, end.ours) == (4013, True)


@pytest.mark.parametrize("control", [PING, PONG])
async def test_a_peer_that_does_nothing_but_ping_is_dropped(control: int) -> None:
    desk = Desk()
    count = int(websocket.CONTROL_BURST)
    async with desk.open() as port, open_raw(port) as raw, trio.open_nursery() as nursery:
        await raw.upgrade()
        await raw.send(frame(control) * (count - 10) + frame(TEXT, b"x"))
        assert await desk.frames.receive() == "x"
        nursery.start_soon(raw.read_rest)
        with pytest.raises(trio.BrokenResourceError):
            await raw.stream.send_all(frame(control) * 1_000_000)
        with trio.fail_after(AT_ONCE):
            end = await desk.ends.receive()
        assert (end.code, end.ours) == (4029, True)


async def test_a_peer_that_goes_on_and_on_when_it_was_closed_is_dropped() -> None:
    desk = Desk(greet=lambda socket: socket.close(4029, "enough"))
    page = frame(TEXT, b"x" * 60_000)
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        with trio.fail_after(AT_ONCE):
            with pytest.raises(trio.BrokenResourceError):
                await raw.stream.send_all(page * 500)
            assert (await desk.ends.receive()).code == 4029
        assert desk.frames.statistics().current_buffer_used <= LATE // 60_000 + 1


# ── connections ──────────────────────────────────────────────────────────────────────────────────


async def test_a_site_full_of_streams_turns_others_away_and_recovers() -> None:
    desk = Desk(NetLimits(max_streams=3))
    streams = desk.site.streams
    async with desk.open() as port, AsyncExitStack() as stack:
        silent = await stack.enter_async_context(open_raw(port))
        between_requests = await stack.enter_async_context(open_raw(port))
        await between_requests.send(get())
        assert await between_requests.read_status() == 200
        upgraded = await stack.enter_async_context(open_raw(port))
        await upgraded.upgrade()
        await wait_streams(desk, 3)
        for number in range(1, 4):
            with trio.fail_after(AT_ONCE):
                async with open_raw(port) as turned_away:
                    head = await turned_away.read_head()
                    assert head.startswith(b"HTTP/1.1 503 ")
                    assert b"\r\nRetry-After: " in head
                    assert await turned_away.read_rest() == b""
            assert (streams.open, desk.refused) == (3, number * ["full"])
        await upgraded.send(frame(TEXT, b"still here"))
        assert await desk.frames.receive() == "still here"
        upgraded.reset()
        await wait_streams(desk, 2)
        assert (await ask(port))[1] == b"127.0.0.1"
        assert desk.refused == 3 * ["full"]
        await silent.stream.aclose()
        await between_requests.stream.aclose()
        await wait_streams(desk, 0)


async def test_one_address_has_not_all_the_room_unless_it_is_a_proxys() -> None:
    limits = NetLimits(max_streams=10, max_streams_per_address=2)
    desk = Desk(limits, is_proxy=lambda address: address == "127.0.0.2")
    async with desk.open() as port, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(open_raw(port))
        await wait_streams(desk, 2)
        head, _ = await ask(port)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert desk.refused == ["address_full"]
        for _ in range(3):
            await stack.enter_async_context(
                await trio.open_tcp_stream("127.0.0.1", port, local_address="127.0.0.2")
            )
        await wait_streams(desk, 5)
        assert len(desk.refused) == 1
    assert not desk.site.streams.by_address


async def test_who_is_turned_away_gets_his_answer_whatever_he_has_sent() -> None:
    desk = Desk(NetLimits(max_streams=0))
    async with desk.open() as port:
        for sent in (get(), upgrade_head(), bytes(100_000)):
            head, body = await ask(port, sent)
            assert head.startswith(b"HTTP/1.1 503 ")
            assert body == b""


async def test_who_is_turned_away_and_stays_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "LINGER_DEADLINE", 0.1)
    async with Desk(NetLimits(max_streams=0)).open() as port:
        tasks = trio.lowlevel.current_statistics().tasks_living
        async with open_raw(port) as raw:
            assert await raw.read_status() == 503
            with trio.fail_after(AT_ONCE):
                while trio.lowlevel.current_statistics().tasks_living > tasks:
                    await wait_all_tasks_blocked(0.01)


# ── who asks, and who may ────────────────────────────────────────────────────────────────────────


def listen_on_every_address() -> list[trio.SocketListener]:
    """One socket for IPv4 and IPv6, as some systems make them."""
    try:
        listening = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError):
        pytest.skip("this machine has no IPv6")
    return [trio.SocketListener(trio.socket.from_stdlib_socket(listening))]


async def test_a_request_says_where_it_comes_from_in_one_spelling() -> None:
    async with Desk().open(listen_on_every_address()) as port:
        assert (await ask(port))[1] == b"127.0.0.1"
        assert (await ask(port, host="::1"))[1] == b"::1"


async def test_a_websocket_comes_with_its_request() -> None:
    desk = Desk()
    async with desk.open() as port, open_raw(port) as raw:
        await raw.send(upgrade_head(b"/ws?a=b", Origin=b"https://console.example"))
        assert await raw.read_status() == 101
    (request,) = desk.requests
    assert (request.path, request.query, request.remote) == ("/ws", "a=b", "127.0.0.1")
    assert request.headers["origin"] == "https://console.example"


async def test_connections_that_are_reset_before_they_are_looked_at_leave_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    async with desk.open() as port:
        for _ in range(20):
            async with open_raw(port) as raw:
                raw.reset()
        assert (await ask(port))[1] == b"127.0.0.1"
        await wait_streams(desk, 0)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_site_may_answer_instead_of_upgrading() -> None:
    asked: list[str] = []

    def decide(request: Request) -> Response | None:
        asked.append(request.path)
        allowed = request.headers.get("origin") == "https://console.example"
        return None if allowed else refuse(403, "Not from there.")

    desk = Desk(may_upgrade=decide)
    async with desk.open() as port:
        head, body = await ask(port, upgrade_head(Origin=b"https://evil.example"))
        assert head.startswith(b"HTTP/1.1 403 ")
        assert body == b"Not from there.\n"
        assert b"connection: close" in head.lower()
        async with open_raw(port) as raw:
            await raw.send(upgrade_head(Origin=b"https://console.example"))
            assert await raw.read_status() == 101
        assert asked == ["/ws", "/ws"]
        await ask(port)
        await ask(port, upgrade_head(b"/other"))
        await ask(port, upgrade_head(Sec_WebSocket_Key=None))
        assert asked == ["/ws", "/ws"]


async def test_an_upgrade_with_a_body_is_refused() -> None:
    async with Desk().open() as port:
        head, _ = await ask(port, upgrade_head(Content_Length=b"5") + b"hello")
        assert head.startswith(b"HTTP/1.1 400 ")


async def test_frames_that_come_with_the_upgrade_are_taken() -> None:
    desk = Desk()
    async with desk.open() as port, open_raw(port) as raw:
        await raw.send(upgrade_head() + frame(TEXT, b"early") + frame(TEXT, b"bird")[:3])
        assert await raw.read_status() == 101
        assert await desk.frames.receive() == "early"
        await raw.send(frame(TEXT, b"bird")[3:])
        assert await desk.frames.receive() == "bird"


async def test_a_client_is_told_that_the_site_is_full() -> None:
    async with Desk(NetLimits(max_streams=0)).open() as port:
        with pytest.raises(UpgradeRefused, match="503"):
            async with open_relay_socket(f"ws://127.0.0.1:{port}/ws"):
                pass
