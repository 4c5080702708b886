"""The pace that a stream's other side has to keep: stalls, drips, bursts, and rests."""

import pytest
import trio
from trio.testing import MockClock

from imgsync.net.pace import PAGE, PacedStream

DEADLINE = 10.0
PACE = PAGE / DEADLINE
"""Bytes per second."""


class Link(trio.abc.Stream):
    """Takes so many bytes per second, after a stall."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.stall = 0.0
        self.taken = 0

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        stall, self.stall = self.stall, 0.0
        await trio.sleep(stall + len(data) / self.rate)
        self.taken += len(data)

    async def wait_send_all_might_not_block(self) -> None:
        raise NotImplementedError

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError


async def send_all_of(stream: PacedStream, frames: list[bytes]) -> None:
    for one in frames:
        await stream.send_all(one)


@pytest.mark.parametrize("size", [1, 200, PAGE, 16 * PAGE])
async def test_who_takes_nothing_is_too_slow_after_the_deadline(
    size: int, autojump_clock: MockClock
) -> None:
    link = Link(1e9)
    link.stall = 1e9
    with pytest.raises(trio.TooSlowError):
        await PacedStream(link, DEADLINE).send_all(bytes(size))
    assert trio.current_time() == pytest.approx(DEADLINE)


@pytest.mark.parametrize("size", [10, 200, 30_000, 16 * PAGE])
@pytest.mark.parametrize("part", [0.001, 0.1, 0.5])
async def test_who_drips_is_too_slow_whatever_the_size_of_frames(
    size: int, part: float, autojump_clock: MockClock
) -> None:
    stream = PacedStream(Link(PACE * part), DEADLINE)
    with pytest.raises(trio.TooSlowError):
        await send_all_of(stream, [bytes(size)] * (16 * PAGE // size))
    assert trio.current_time() <= DEADLINE / (1 - part) + 0.01


@pytest.mark.parametrize("size", [1_000, 30_000, 16 * PAGE])
async def test_a_slow_link_that_keeps_the_pace_can_take_a_burst_of_any_size(
    size: int, autojump_clock: MockClock
) -> None:
    link = Link(PACE * 1.1)
    stream = PacedStream(link, DEADLINE)
    while link.taken < 16 * PAGE:
        await stream.send_all(bytes(size))
    assert trio.current_time() > 10 * DEADLINE


async def test_a_stall_is_forgiven_when_what_follows_is_taken(autojump_clock: MockClock) -> None:
    link = Link(1e6)
    stream = PacedStream(link, DEADLINE)
    for _ in range(5):
        link.stall = 0.9 * DEADLINE
        await stream.send_all(bytes(PAGE))


async def test_stalls_are_forgiven_with_time(autojump_clock: MockClock) -> None:
    link = Link(1e6)
    stream = PacedStream(link, DEADLINE)
    for _ in range(5):
        link.stall = 0.6 * DEADLINE
        await stream.send_all(b"a few bytes")
        await trio.sleep(0.6 * DEADLINE)


async def test_stalls_that_follow_each_other_count_together(autojump_clock: MockClock) -> None:
    link = Link(1e6)
    stream = PacedStream(link, DEADLINE)
    link.stall = 0.6 * DEADLINE
    await stream.send_all(b"a few bytes")
    link.stall = 0.6 * DEADLINE
    with pytest.raises(trio.TooSlowError):
        await stream.send_all(b"a few bytes")
    assert trio.current_time() == pytest.approx(DEADLINE, rel=0.01)
