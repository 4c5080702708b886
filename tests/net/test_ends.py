"""How a WebSocket ends, and who ended it; probes of sockets that may be half-open."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked
from trio_websocket import WebSocketConnection

from imgsync.core.protocol.errors import SocketClosed
from imgsync.net import pinger, websocket
from imgsync.net.connect import open_relay_socket
from imgsync.net.held import Held
from imgsync.net.http import Request, Response, refuse
from imgsync.net.limits import NetLimits
from imgsync.net.pace import PacedStream
from imgsync.net.pinger import open_pinger
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import Reader, WebSocket, open_websocket, take_over
from imgsync.tasks import open_background
from tests.net.test_frames import CLOSE, PING, PONG, TEXT, RawPeer, frame, open_raw, open_server

WITHIN = 8.0
"""Seconds for one test on a loaded machine."""

AT_ONCE = 1.0
"""Seconds for what has to happen without waiting for any deadline; the shortest is 2."""

SOON = 0.1
"""Seconds that a probe waits."""


async def refuse_all(request: Request) -> Response:
    return refuse(404)


class Met:
    """One WebSocket of a server, and the client at its other end."""

    def __init__(self, socket: WebSocket, raw: RawPeer) -> None:
        self.socket = socket
        self.raw = raw

    async def find_end(self) -> SocketClosed:
        """How the socket ends, once it has."""
        try:
            while True:
                await self.socket.receive()
        except SocketClosed as exc:
            return exc

    async def exchange(self, text: str) -> None:
        """A word in each direction."""
        await self.raw.send(frame(TEXT, text.encode()))
        assert await self.socket.receive() == text
        self.socket.post(text)
        assert await self.raw.read_frame() == (TEXT, text.encode())

    async def answer_ping(self) -> None:
        opcode, payload = await self.raw.read_frame() or (None, b"")
        assert opcode == PING
        await self.raw.send(frame(PONG, payload))


@asynccontextmanager
async def meet(limits: NetLimits | None = None) -> AsyncIterator[Met]:
    """Upgrade; the socket is received from by nobody but the test."""
    opened, met = trio.open_memory_channel[WebSocket](1)
    over = trio.Event()

    async def lend(socket: WebSocket, request: Request) -> None:
        opened.send_nowait(socket)
        await over.wait()

    site = Site(refuse_all, {"/ws": lend}, limits=limits or NetLimits())
    listeners = await open_port("127.0.0.1", 0)
    with trio.fail_after(WITHIN):
        async with open_background() as nursery:
            await nursery.start(serve_site, site, listeners)
            async with open_raw(port_of(listeners)) as raw:
                await raw.upgrade()
                yield Met(await met.receive(), raw)
                over.set()


# ── drop ─────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_dropped_ends_at_once_without_a_close_frame() -> None:
    async with meet() as met:
        await met.raw.send(frame(TEXT, b"nobody takes this"))
        met.socket.drop(4999, "for a reason")
        with trio.fail_after(AT_ONCE):
            with pytest.raises(SocketClosed) as caught:
                await met.socket.receive()
            assert await met.raw.read_rest() == b""
        end = caught.value
        assert (end.code, end.reason, end.ours) == (4999, "for a reason", True)
        met.socket.post("nobody gets this")
        met.socket.close()
        met.socket.drop(4998, "once is enough")
        met.socket.probe(SOON)
        assert (await met.find_end()).code == 4999


async def test_a_drop_wakes_whoever_receives() -> None:
    ends: list[SocketClosed] = []

    async with meet() as met:

        async def wait_end() -> None:
            ends.append(await met.find_end())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_end)
            await wait_all_tasks_blocked()
            met.socket.drop(4999, "for a reason")
    assert [(end.code, end.ours) for end in ends] == [(4999, True)]


async def test_a_drop_during_the_close_handshake_leaves_the_code_that_the_peer_was_told() -> None:
    async with meet() as met:
        met.socket.close(4321, "parting")
        assert await met.raw.read_close_code() == 4321
        met.socket.drop(4999, "too long")
        with trio.fail_after(AT_ONCE):
            assert await met.raw.read_rest() == b""
            assert (await met.find_end()).code == 4321


# ── who it was ───────────────────────────────────────────────────────────────────────────────────


async def test_what_this_side_closes_is_its_own_doing() -> None:
    async with meet() as met:
        met.socket.close(4321, "parting")
        assert await met.raw.read_close_code() == 4321
        await met.raw.send(frame(CLOSE, (4321).to_bytes(2)))
        end = await met.find_end()
        assert (end.code, end.reason, end.ours) == (4321, "parting", True)


@pytest.mark.parametrize("code", [1000, 1002, 1009, 4013])
async def test_what_the_peer_closes_is_his_doing_whatever_is_done_after_it(code: int) -> None:
    async with meet() as met:
        await met.raw.send(frame(CLOSE, code.to_bytes(2) + b"so long"))
        assert await met.raw.read_close_code() == code
        met.socket.close(4321, "too late")
        end = await met.find_end()
        assert (end.code, end.reason, end.ours) == (code, "so long", False)


async def test_a_reset_is_nobodys_doing_here() -> None:
    async with meet() as met:
        met.raw.reset()
        end = await met.find_end()
        assert (end.code, end.ours) == (1006, False)


async def test_a_hang_up_is_nobodys_doing_here() -> None:
    async with meet() as met:
        await met.raw.stream.send_eof()
        end = await met.find_end()
        assert (end.code, end.ours) == (1006, False)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"x" * 101), 1009),
        (frame(TEXT, b"hi", mask=None), 1002),
        (frame(TEXT, b"\xff"), 1007),
    ],
)
async def test_what_breaks_the_rules_is_closed_by_this_side(sent: bytes, code: int) -> None:
    async with meet(NetLimits(max_message=100)) as met:
        await met.raw.send(sent)
        end = await met.find_end()
        assert (end.code, end.ours) == (code, True)


async def test_a_client_knows_who_closed_too() -> None:
    async def close_first(raw: RawPeer) -> None:
        await raw.accept()
        await raw.send(frame(CLOSE, (4013).to_bytes(2), mask=None))
        await raw.read_rest()

    with trio.fail_after(WITHIN):
        async with (
            open_server(close_first) as port,
            open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket,
        ):
            with pytest.raises(SocketClosed) as caught:
                await socket.receive()
            assert (caught.value.code, caught.value.ours) == (4013, False)


async def test_a_reader_that_fails_ends_the_socket_and_says_why() -> None:
    near, far = memory_stream_pair()

    async def fail() -> None:
        raise LookupError("a defect below")

    far.receive_stream.receive_some_hook = fail
    limits = NetLimits()
    stream = PacedStream(far, limits.write_deadline)
    account = Held(limits.outbox_total).open()

    async def handshake(reader: Reader) -> WebSocketConnection:
        return await take_over(reader, stream=stream, early=b"", limits=limits, account=account)

    with trio.fail_after(AT_ONCE):
        async with (
            open_pinger() as pinger,
            open_websocket(handshake, stream, limits=limits, pinger=pinger) as socket,
        ):
            await near.send_all(frame(TEXT, b"hello"))
            with pytest.raises(SocketClosed, match="a defect below") as caught:
                await socket.receive()
            assert (caught.value.code, caught.value.ours) == (1006, True)


# ── probe ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_probe_drops_a_socket_that_is_half_open() -> None:
    async with meet() as met:
        met.socket.probe(SOON)
        with trio.fail_after(AT_ONCE):
            end = await met.find_end()
        assert (end.code, end.ours) == (1006, True)


async def test_a_probe_drops_a_socket_whose_peer_does_not_even_read() -> None:
    async with meet(NetLimits(outbox_size=10_000_000)) as met:
        for _ in range(100):
            met.socket.post("x" * 60_000)
        met.socket.probe(SOON)
        with trio.fail_after(AT_ONCE):
            end = await met.find_end()
        assert (end.code, end.ours) == (1006, True)


async def test_a_probe_leaves_a_healthy_socket_alone() -> None:
    async with meet() as met:
        for _ in range(3):
            met.socket.probe(WITHIN)
            await met.answer_ping()
            await met.exchange("still here")
            await wait_all_tasks_blocked()


async def test_a_healthy_client_outlives_probes() -> None:
    sockets, opened = trio.open_memory_channel[WebSocket](1)

    async def serve(socket: WebSocket, request: Request) -> None:
        sockets.send_nowait(socket)
        with suppress(SocketClosed):
            while True:
                text = await socket.receive()
                assert isinstance(text, str)
                socket.probe(WITHIN)
                socket.post(text)

    listeners = await open_port("127.0.0.1", 0)
    with trio.fail_after(WITHIN):
        async with open_background() as nursery:
            await nursery.start(serve_site, Site(refuse_all, {"/ws": serve}), listeners)
            url = f"ws://127.0.0.1:{port_of(listeners)}/ws"
            async with open_relay_socket(url) as client:
                (await opened.receive()).probe(WITHIN)
                for number in range(20):
                    client.post(str(number))
                    assert await client.receive() == str(number)


@pytest.mark.parametrize("deadlines", [(WITHIN, SOON), (SOON, WITHIN), (SOON, SOON, SOON)])
async def test_probes_that_overlap_are_one_with_the_earliest_deadline(
    deadlines: tuple[float, ...],
) -> None:
    async with meet() as met:
        for deadline in deadlines:
            met.socket.probe(deadline)
        with trio.fail_after(AT_ONCE):
            end = await met.find_end()
            assert (end.code, end.ours) == (1006, True)
            opcode, _ = await met.raw.read_frame() or (None, b"")
            assert opcode == PING
            assert await met.raw.read_frame() is None


async def test_a_probe_hurries_the_ordinary_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinger, "KEEPALIVE_INTERVAL", 0.05)
    async with meet() as met:
        opcode, _ = await met.raw.read_frame() or (None, b"")
        assert opcode == PING
        met.socket.probe(SOON)
        with trio.fail_after(AT_ONCE):
            assert (await met.find_end()).code == 1006
            assert await met.raw.read_frame() is None


async def test_the_pong_of_an_ordinary_ping_satisfies_a_probe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pinger, "KEEPALIVE_INTERVAL", 0.05)
    async with meet() as met:
        for _ in range(5):
            met.socket.probe(WITHIN)
            await met.answer_ping()
        await met.raw.send(frame(TEXT, b"still here"))
        assert await met.socket.receive() == "still here"


@pytest.mark.parametrize(
    "end", [lambda socket: socket.close(), lambda socket: socket.drop(4999, "over")]
)
async def test_a_probe_that_is_under_way_does_not_hold_up_the_end(
    end: Callable[[WebSocket], None],
) -> None:
    async with meet() as met:
        met.socket.probe(WITHIN)
        opcode, _ = await met.raw.read_frame() or (None, b"")
        assert opcode == PING
        end(met.socket)
        with trio.fail_after(AT_ONCE):
            if await met.raw.read_close_code() is not None:
                await met.raw.send(frame(CLOSE, b"\x03\xe8"))
            assert await met.raw.read_rest() == b""


async def test_a_peer_that_is_written_to_is_judged_by_its_pace_and_not_by_its_pongs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pinger, "KEEPALIVE_INTERVAL", 0.02)
    monkeypatch.setattr(websocket, "PONG_DEADLINE", 0.02)
    async with meet(NetLimits(outbox_size=20_000_000, write_deadline=0.5)) as met:
        for _ in range(300):
            met.socket.post("x" * 60_000)
        with trio.fail_after(AT_ONCE):
            assert (await met.find_end()).code == 4013
