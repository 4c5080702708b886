"""How much the other side takes, and what waits until it does, over aiortc."""

import re
import threading
from collections.abc import Callable

import pytest
import trio
import trio.lowlevel

from imgsync.core.handshake.inputs import LinkLost
from imgsync.core.protocol.numbers import (
    DRAINED,
    MAX_BUFFERED,
    MAX_BUFFERED_MESSAGES,
    MAX_CHANNEL_MESSAGE,
    MAX_UNSENT,
)
from imgsync.rtc.bridge import open_bridge
from imgsync.rtc.outgoing import Backlog
from imgsync.seams import Drained, LinkEvent, Received
from tests.rtc.test_link import (
    DEADLINE,
    End,
    both_opened,
    connect,
    introduce,
    open_connected,
    open_ends,
)


def announced(line: str) -> Callable[[str], str]:
    """A description with this in the place of its largest message."""
    return lambda sdp: re.sub(r"a=max-message-size:\d+\r\n", line, sdp)


@pytest.mark.parametrize(
    ("line", "bytes"),
    [
        ("a=max-message-size:2000\r\n", 2000),
        ("a=max-message-size:65536\r\n", 65536),
        ("a=max-message-size:1000000000\r\n", MAX_CHANNEL_MESSAGE),
        ("a=max-message-size:0\r\n", MAX_CHANNEL_MESSAGE),
        ("", 65536),
    ],
)
async def test_the_largest_message_is_what_the_other_side_has_announced(
    line: str, bytes: int
) -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (near, far):
        await introduce(near, far, change_answer=announced(line))
        await both_opened(near, far)
        assert near.link.max_message == bytes
        with trio.fail_after(DEADLINE):
            near.link.send("x" * (bytes + 1) if line else "x")
            near.link.send("y" * bytes)
            while (await far.expect(Received)).text[0] != "y":
                pass


async def wait_for(end: End, kind: type[LinkEvent]) -> LinkEvent:
    while not isinstance(event := await end._next_event(), kind):
        pass
    return event


async def test_what_waits_is_counted_until_it_has_arrived_and_its_end_is_told() -> None:
    async with open_connected() as (near, far):
        assert near.link.waiting == 0
        with trio.fail_after(DEADLINE):
            for _ in range(20):
                near.link.send("x" * MAX_CHANNEL_MESSAGE)
            assert near.link.waiting >= 19 * MAX_CHANNEL_MESSAGE
            await wait_for(near, Drained)
            assert near.link.waiting <= DRAINED
            near.link.send("the last")
            while (await far.expect(Received)).text != "the last":
                pass
            while near.link.waiting > 0:
                near.link.send_stamped(lambda at: "")
                await far.expect(Received)


@pytest.mark.parametrize("size", [90, 5000, MAX_CHANNEL_MESSAGE])
async def test_who_takes_nothing_is_given_up_before_too_much_waits(size: int) -> None:
    async with open_connected() as (near, far):
        sctp = far.link._loop._pc.sctp  # type: ignore[union-attr]
        assert sctp is not None

        async def say_nothing() -> None:
            """In the place of an acknowledgement."""

        sctp._send_sack = say_nothing  # type: ignore[method-assign]
        sent = 0
        with trio.fail_after(DEADLINE):
            async with trio.open_nursery() as nursery:

                async def flood() -> None:
                    nonlocal sent
                    while True:
                        near.link.send("x" * size)
                        sent += 1
                        if sent % 100 == 0:
                            await trio.lowlevel.checkpoint()

                nursery.start_soon(flood)
                lost = await wait_for(near, LinkLost)
                nursery.cancel_scope.cancel()
        assert isinstance(lost, LinkLost)
        assert "takes nothing" in lost.why
        assert not lost.by_peer
        queue = near.link._loop._pc.sctp._data_channel_queue  # type: ignore[union-attr]
        assert len(queue) <= MAX_BUFFERED_MESSAGES
        assert sum(len(data) for _, _, data in queue) <= MAX_BUFFERED + size


# ── the sum of two threads ───────────────────────────────────────────────────────────────────────


def test_what_was_posted_counts_before_the_loop_thread_has_it_and_not_twice() -> None:
    told: list[int] = []
    backlog = Backlog(lambda: told.append(backlog.waiting))
    backlog.post(MAX_UNSENT + 1)
    assert backlog.waiting == MAX_UNSENT + 1
    backlog.take_aio(MAX_UNSENT + 1)
    backlog.look_aio(MAX_UNSENT + 1)
    assert backlog.waiting == MAX_UNSENT + 1
    backlog.look_aio(DRAINED + 1)
    assert told == []
    backlog.look_aio(DRAINED)
    assert told == [DRAINED]
    backlog.look_aio(0)
    assert (told, backlog.waiting) == ([DRAINED], 0)


def test_much_that_has_arrived_before_it_was_looked_at_is_told_too() -> None:
    told: list[int] = []
    backlog = Backlog(lambda: told.append(backlog.waiting))
    for _ in range(3):
        backlog.post(MAX_UNSENT)
    for _ in range(3):
        backlog.take_aio(MAX_UNSENT)
        backlog.look_aio(0)
    assert told == [0]


async def test_what_is_on_its_way_to_the_loop_thread_is_known_there() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (near, far):
        await connect(near, far)
        is_free = threading.Event()
        seen: list[bool] = []

        def look() -> None:
            seen.append(near.link.is_clear)

        bridge.post(is_free.wait, DEADLINE)
        bridge.post(look)
        near.link.send("a")
        near.link.send("b")
        bridge.post(look)
        is_free.set()
        with trio.fail_after(DEADLINE):
            await far.expect(Received)
        assert seen == [False, True]
