"""What a message in parts costs, and what a connection leaves behind: memory, looked at closely."""

import gc
import tracemalloc
import weakref
from typing import Any

import pytest
from trio.testing import wait_all_tasks_blocked
from wsproto.events import Message

from imgsync.net.held import Held
from imgsync.net.websocket import MAX_FRAMES, Frames, WebSocket
from tests.net.test_frames import BINARY, CLOSE, TEXT, frame, open_raw
from tests.net.test_limits import Desk, wait_streams


def whole_messages(*sent: bytes, max_message: int = 100_000) -> list[tuple[Any, bool]]:
    events = Frames(b"".join(sent), max_message, Held(10**6).open()).events()
    return [(event.data, event.message_finished) for event in events if isinstance(event, Message)]


def test_a_message_is_put_together_however_it_was_taken_apart() -> None:
    empty = [frame(0, first=0)] * 20
    many = [frame(0, "€".encode(), first=0)] * 20
    told = whole_messages(frame(TEXT, first=0), *empty, *many, *empty, frame(0, b"x"))
    assert told == [("€" * 20 + "x", True)]
    assert whole_messages(frame(TEXT, first=0), *empty, frame(0)) == [("", True)]
    assert whole_messages(frame(TEXT, b"a"), frame(TEXT, b"b")) == [("a", True), ("b", True)]
    assert whole_messages(frame(BINARY, b"a", first=0), frame(0, b"b")) == [(b"ab", True)]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_in_too_many_frames_counts_as_too_long(opcode: int) -> None:
    frames = [frame(0, first=0)] * (MAX_FRAMES - 1)
    [(enough, _)] = whole_messages(frame(opcode, first=0), *frames, frame(0), max_message=9)
    assert enough in ("", b"")
    told = whole_messages(frame(opcode, first=0), *frames, frame(0, first=0), max_message=9)
    assert [len(data) for data, _ in told] == [10]


def test_a_message_that_is_too_long_is_not_waited_for() -> None:
    parts = [frame(0, b"xx", first=0)] * 10
    told = whole_messages(frame(TEXT, first=0), *parts, max_message=9)
    assert told[0] == ("x" * 10, True)


def test_a_frame_that_drips_in_costs_what_it_holds() -> None:
    sent = frame(TEXT, "€".encode() * 20_000)
    frames = Frames(b"", 100_000, Held(10**6).open())
    told: list[str] = []
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for at in range(0, len(sent), 3):
            frames.receive_data(sent[at : at + 3])
            told += [event.data for event in frames.events() if isinstance(event, Message)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    [message] = told
    assert message == "€" * 20_000
    # As a string, 2 bytes each; two of them while they are joined.
    assert peak - before < 10 * 20_000


@pytest.mark.parametrize("is_pinged", [False, True])
async def test_a_socket_that_is_closed_leaves_nothing_for_the_garbage_collector(
    is_pinged: bool,
) -> None:
    sockets: list[weakref.ref[WebSocket]] = []

    def greet(socket: WebSocket) -> None:
        sockets.append(weakref.ref(socket))
        if is_pinged:  # and no pong comes
            socket.probe(60)

    desk = Desk(greet=greet)
    async with desk.open() as port:
        gc.collect()
        gc.disable()
        try:
            async with open_raw(port) as raw:
                await raw.upgrade()
                await raw.send(frame(TEXT, b"x"))
                await desk.frames.receive()
                await raw.send(frame(CLOSE))
                await raw.read_rest()
            await wait_streams(desk, 0)
            await desk.ends.receive()  # it holds the frames that it has come through
            await wait_all_tasks_blocked()
            assert [reference() for reference in sockets] == [None]
        finally:
            gc.enable()
