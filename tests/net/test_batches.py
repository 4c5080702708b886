"""What goes out together and what comes in together: how often, how much, and in which order."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from imgsync.net.held import Held
from imgsync.net.http import Request
from imgsync.net.pace import PacedStream
from imgsync.net.queues import BLOCK, QUEUE_SIZE, ROOM_PART, Outbox
from imgsync.net.websocket import WebSocket
from tests.net.test_frames import PING, PONG, TEXT, frame, open_raw
from tests.net.test_websocket import WITHIN, open_site

Receive = Callable[[WebSocket], Awaitable[object]]


def fill(*texts: str) -> Outbox:
    outbox = Outbox(10 * BLOCK, Held(100 * BLOCK).open())
    assert all(map(outbox.put, texts))
    return outbox


def test_an_outbox_gives_all_that_waits_up_to_a_block() -> None:
    half = "x" * (BLOCK // 2)
    outbox = fill("a", half, "b", half, "c")
    assert outbox.pop() == ["a", half, "b"]
    assert outbox.pop() == [half, "c"]
    assert not outbox


def test_a_frame_that_is_longer_than_a_block_goes_alone() -> None:
    outbox = fill("x" * (BLOCK + 1), "a")
    assert len(outbox.pop()) == 1
    assert outbox.pop() == ["a"]


def test_what_is_being_written_counts_until_it_is_written() -> None:
    outbox = fill("aé", "b")
    outbox.pop()
    assert outbox.size == 4
    outbox.written()
    assert outbox.size == 0


def test_room_in_an_outbox_is_told_once_when_most_of_it_is_written() -> None:
    limit = 2 * ROOM_PART * BLOCK
    outbox, told = Outbox(limit, Held(limit).open()), list[int]()
    assert all(outbox.put("x" * BLOCK) for _ in range(5))
    assert not outbox.has_room
    outbox.await_room(lambda: told.append(outbox.size))
    while outbox.pop():
        outbox.written()
    assert told == [2 * BLOCK]
    assert outbox.has_room


async def test_what_is_posted_in_one_turn_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    send_all = PacedStream.send_all

    async def count(stream: PacedStream, data: bytes) -> None:
        writes.append(len(data))
        await send_all(stream, data)

    async def greet(socket: WebSocket, request: Request) -> None:
        await wait_all_tasks_blocked()
        monkeypatch.setattr(PacedStream, "send_all", count)
        for number in range(20):
            socket.post(str(number))
        await socket.receive()

    with trio.fail_after(WITHIN):
        async with open_site(ws=greet) as port, open_raw(port) as peer:
            await peer.upgrade()
            said = [await peer.read_frame() for _ in range(20)]
            assert said == [(TEXT, str(number).encode()) for number in range(20)]
            assert len(writes) == 1


async def test_a_thousand_frames_in_one_packet_are_taken_in_order_and_in_small_turns() -> None:
    turns: list[list[str | bytes]] = []

    async def take(socket: WebSocket, request: Request) -> None:
        while sum(map(len, turns)) < 1000:
            turns.append(await socket.receive_all())
        socket.post("done")
        await socket.receive()

    with trio.fail_after(WITHIN):
        async with open_site(ws=take) as port, open_raw(port) as peer:
            await peer.upgrade()
            await peer.send(b"".join(frame(TEXT, str(n).encode()) for n in range(1000)))
            assert await peer.read_frame() == (TEXT, b"done")
    assert [text for turn in turns for text in turn] == [str(n) for n in range(1000)]
    # The one that woke the taker, and the one for which there was no room.
    assert max(map(len, turns)) <= QUEUE_SIZE + 2
    assert len(turns) < 500


async def test_others_have_their_turns_between_those_of_a_flood() -> None:
    order: list[str] = []

    async def take(name: str, socket: WebSocket, request: Request) -> None:
        while True:
            order.extend([name] * len(await socket.receive_all()))
            if order.count(name) >= (1000 if name == "flood" else 1):
                socket.post("done")

    sockets = {"flood": partial(take, "flood"), "other": partial(take, "other")}
    with trio.fail_after(WITHIN):
        async with (
            open_site(**sockets) as port,
            open_raw(port) as flood,
            open_raw(port) as other,
        ):
            await flood.upgrade(b"/flood")
            await other.upgrade(b"/other")
            await flood.send(frame(TEXT, b"x") * 1000)
            await other.send(frame(TEXT, b"x"))
            assert await other.read_frame() == (TEXT, b"done")
            assert await flood.read_frame() == (TEXT, b"done")
    assert order.index("other") < 1000


async def test_a_ping_behind_a_flood_is_answered_while_it_is_taken() -> None:
    async def take(socket: WebSocket, request: Request) -> None:
        while True:
            await socket.receive_all()

    with trio.fail_after(WITHIN):
        async with open_site(ws=take) as port, open_raw(port) as peer:
            await peer.upgrade()
            await peer.send(frame(TEXT, b"x") * 500 + frame(PING, b"there"))
            assert await peer.read_frame() == (PONG, b"there")


async def test_what_came_in_before_a_close_frame_is_still_taken() -> None:
    taken: list[str | bytes] = []

    async def take(socket: WebSocket, request: Request) -> None:
        while True:
            taken.extend(await socket.receive_all())

    with trio.fail_after(WITHIN):
        async with open_site(ws=take) as port, open_raw(port) as peer:
            await peer.upgrade()
            close = frame(0x8, (1000).to_bytes(2))
            await peer.send(frame(TEXT, b"x") * 3 + close)
            assert await peer.read_close_code() == 1000
    assert taken == ["x"] * 3
