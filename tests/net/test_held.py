"""What all WebSockets of a port hold together: how it is counted, and who goes when it is too much.

Random inputs are derandomized: the same on every run.
"""

import random
import tracemalloc
from collections.abc import Callable
from sys import getsizeof

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from imgsync.net.held import SMALL, Account, Held
from imgsync.net.limits import NetLimits
from imgsync.net.queues import QUEUED, Inbox, Outbox
from imgsync.net.websocket import WebSocket
from tests.net.test_frames import TEXT, frame, open_raw
from tests.net.test_limits import AT_ONCE, Desk

MUCH = 10**9
EMOJI = "\N{GRINNING FACE}"


class Side:
    """An outbox that is emptied when its socket has to go."""

    def __init__(self, held: Held, told: Callable[[], None] = lambda: None) -> None:
        self.account = held.open()
        self.outbox = Outbox(MUCH, self.account)
        self.is_shed = False
        self._told = told
        self.account.on_shed = self._shed

    def _shed(self) -> None:
        self.is_shed = True
        self.outbox.clear()
        self._told()

    def post(self, *texts: str) -> None:
        for text in texts:
            assert self.outbox.put(text)


def text(size: int, char: str = "x") -> str:
    """One of its own, that no other outbox has."""
    return char * size


# ── what counts ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("char", ["x", "é", "中", EMOJI])
@pytest.mark.parametrize("size", [10, 10_000])
def test_a_text_counts_with_the_memory_that_it_takes_until_it_is_written(
    char: str, size: int
) -> None:
    held = Held(MUCH)
    side = Side(held)
    posted = text(size, char)
    side.post(posted)
    assert held.size == side.account.size == getsizeof(posted)
    assert side.outbox.pop() == [posted]
    assert held.size == getsizeof(posted)
    side.outbox.written()
    assert held.size == side.account.size == 0


def test_a_text_that_is_posted_to_many_is_there_once_until_it_is_written() -> None:
    held = Held(MUCH)
    sides = [Side(held) for _ in range(5)]
    posted = text(10_000)
    for side in sides:
        side.post(posted)
    assert held.size == getsizeof(posted)
    for number, side in enumerate(sides, start=1):
        side.outbox.pop()
        # The last one needs the text no more.
        assert held.size == getsizeof(posted) * min(number + 1, 5)
    for side in sides:
        side.outbox.written()
    assert held.size == 0


def test_what_waits_for_a_socket_that_has_ended_counts_no_more() -> None:
    held = Held(MUCH)
    side, other = Side(held), Side(held)
    posted = text(10_000)
    for one in (side, other):
        one.post(posted, "y", text(70_000))
        one.outbox.pop()
        one.account.expect(5000)
    side.outbox.clear()
    side.account.close()
    assert held.size == other.account.size
    side.outbox.written()
    side.account.expect(0)
    assert held.size == other.account.size


def test_an_outbox_that_is_full_holds_what_is_under_way_alone() -> None:
    held = Held(MUCH)
    account = held.open()
    outbox = Outbox(100_000, account)
    assert outbox.put(text(60_000))
    outbox.pop()
    assert outbox.put(text(30_000))
    assert not outbox.put(text(30_000))
    assert not outbox
    assert outbox.size == 60_000
    assert held.size == getsizeof("x" * 60_000)


def test_whatever_happens_all_that_is_there_is_counted() -> None:
    dice = random.Random(7)
    held = Held(300_000)
    sides = [Side(held) for _ in range(8)]
    shared = [text(size) for size in (10, 5000, 20_000)]
    for _ in range(5000):
        side = dice.choice(sides)
        if side.is_shed:
            sides[sides.index(side)] = side = Side(held)
        match dice.randrange(6):
            case 0 | 1:
                side.post(dice.choice(shared))
            case 2:
                side.post(text(dice.randrange(30_000), dice.choice("xé" + EMOJI)))
            case 3 if not side.outbox.is_under_way and side.outbox:
                side.outbox.pop()
            case 4:
                side.outbox.written()
            case _:
                side.account.expect(dice.choice([0, 100, 20_000]))
        assert held.size <= held.limit + 8 * SMALL
    for side in sides:
        side.outbox.written()
        side.outbox.clear()
        side.account.expect(0)
        assert side.account.size == 0
    assert held.size == 0


# ── who goes ─────────────────────────────────────────────────────────────────────────────────────


def test_one_of_the_largest_goes_first_and_of_these_the_one_that_was_so_for_the_longest() -> None:
    shed: list[str] = []
    held = Held(400_000, lambda: shed.append("counted"))
    sides = {name: Side(held, lambda name=name: shed.append(name)) for name in "abcd"}  # type: ignore[misc]
    sides["a"].post(text(30_000))
    for name in "bcd":
        sides[name].post(text(100_000))
    assert shed == []
    sides["a"].post(text(100_000))
    assert shed == ["b", "counted"]
    sides["a"].post(text(100_000))
    assert shed[2:] == ["a", "counted"]
    assert held.size == 2 * getsizeof("x" * 100_000)


def test_who_holds_little_is_never_what_goes() -> None:
    held = Held(20_000)
    crowd = [Side(held) for _ in range(20)]
    for side in crowd:
        side.post(text(3000))
    assert not any(side.is_shed for side in crowd)
    large = Side(held)
    large.post(text(5000))
    assert large.is_shed
    assert not any(side.is_shed for side in crowd)


def test_a_message_that_has_come_in_half_counts() -> None:
    held = Held(100_000)
    sides = [Side(held) for _ in range(3)]
    for side in sides:
        side.account.expect(40_000)
    assert [side.is_shed for side in sides] == [True, False, False]
    sides[1].account.expect(0)
    assert held.size == 40_000


def test_a_text_that_is_too_much_alone_ends_who_it_is_for() -> None:
    held = Held(100_000)
    small, large = Side(held), Side(held)
    small.post(text(1000))
    large.post(text(200_000))
    assert (small.is_shed, large.is_shed) == (False, True)
    assert held.size == getsizeof("x" * 1000)


def test_an_account_without_a_socket_yet_can_go() -> None:
    held = Held(100_000)
    account: Account = held.open()
    account.expect(200_000)
    assert held.size == 0


# ── over real sockets ────────────────────────────────────────────────────────────────────────────

TOO_SLOW = 4013
KERNEL = 8 * 1024 * 1024
"""Bytes that no kernel takes for a peer that does not read."""


async def test_who_reads_nothing_goes_when_all_hold_too_much_and_others_stay() -> None:
    sockets: list[WebSocket] = []
    desk = Desk(NetLimits(outbox_size=MUCH, outbox_total=KERNEL), greet=sockets.append)
    async with desk.open() as port, open_raw(port) as deaf, open_raw(port) as other:
        await deaf.upgrade()
        await other.upgrade()
        while len(sockets) < 2:
            await wait_all_tasks_blocked(0.001)
        for _ in range(KERNEL // 100_000 + 20):
            sockets[0].post(text(100_000))
        sockets[1].post("hello")
        with trio.fail_after(AT_ONCE):
            end = await desk.ends.receive()
            assert (end.code, end.ours) == (TOO_SLOW, True)
            assert await other.read_frame() == (TEXT, b"hello")
        assert desk.site.held.size < SMALL


async def test_half_messages_of_many_are_bounded_together() -> None:
    desk = Desk(NetLimits(outbox_total=250_000))
    half = frame(TEXT, (EMOJI * 50_000).encode())[:-100]
    async with desk.open() as port, open_raw(port) as first, open_raw(port) as second:
        for raw in (first, second):
            await raw.upgrade()
            await raw.send(half[:100_000])
        await wait_held(desk, 180_000)
        await second.send(half[100_000:])
        with trio.fail_after(AT_ONCE):
            assert (await desk.ends.receive()).code == TOO_SLOW
        assert desk.site.held.size < 150_000


async def test_a_message_that_is_whole_at_last_counts_no_more() -> None:
    desk = Desk()
    sent = frame(TEXT, b"x" * 60_000)
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        await raw.send(sent[:40_000])
        await wait_held(desk, 30_000)
        await raw.send(sent[40_000:])
        assert await desk.frames.receive() == "x" * 60_000
        assert desk.site.held.size == 0


async def wait_held(desk: Desk, size: int) -> None:
    while desk.site.held.size < size:
        await wait_all_tasks_blocked(0.001)


# ── what comes in ────────────────────────────────────────────────────────────────────────────────


async def test_messages_that_nobody_takes_are_read_up_to_so_many_characters() -> None:
    send, receive = trio.open_memory_channel[str | bytes](32)
    inbox = Inbox(send)
    message = "x" * (QUEUED // 2)
    with trio.fail_after(AT_ONCE):
        await inbox.send(message)
        await inbox.send(message)
        with trio.move_on_after(0.01) as scope:
            await inbox.send("y")
        assert scope.cancelled_caught
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inbox.send, "y")
            await wait_all_tasks_blocked()
            inbox.taken(receive.receive_nowait())
        assert receive.statistics().current_buffer_used == 2
        # One has its place however long it is.
        for _ in range(2):
            inbox.taken(receive.receive_nowait())
        await inbox.send(message * 10)


async def test_messages_that_nobody_will_take_are_not_kept() -> None:
    send, receive = trio.open_memory_channel[str | bytes](32)
    inbox = Inbox(send)
    with trio.fail_after(AT_ONCE):
        await inbox.send("x" * QUEUED)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inbox.send, "y")
            await wait_all_tasks_blocked()
            inbox.discard()
        await inbox.send("z")
    assert receive.statistics().current_buffer_used == 1


async def test_a_socket_that_rests_holds_on_to_no_message() -> None:
    async def rest() -> None:
        desk.frames.receive_nowait()
        await wait_all_tasks_blocked()

    desk = Desk()
    size = 60_000
    async with desk.open() as port, open_raw(port) as raw:
        await raw.upgrade()
        sent = frame(TEXT, b"x" * size)
        tracemalloc.start()
        try:
            await raw.send(sent)
            while not desk.frames.statistics().current_buffer_used:
                await wait_all_tasks_blocked(0.001)
            await rest()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < size
