"""The bridge between Trio and the loop thread."""

import asyncio
import math
import random
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from contextlib import suppress

import pytest
import trio
import trio.testing

from imgsync.rtc.bridge import STOP_DEADLINE, Bridge, open_bridge

DEADLINE = 30.0
"""Seconds after which whatever should take a moment is taken to hang, on a loaded machine."""

LONGEST_STALL = 0.1
"""Seconds that the Trio loop may stand still while the bridge is entered or left."""


def bridge_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "imgsync-webrtc"]


async def count_tasks() -> int:
    """Run by `Bridge.call`; counts the tasks on the loop, itself included."""
    return len(asyncio.all_tasks())


async def measure_stall(work: Callable[[], Awaitable[None]]) -> float:
    """The longest time, in seconds, that other tasks had to wait while `work` ran."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = trio.current_time()
            await trio.sleep(0.001)
            longest = max(longest, trio.current_time() - before)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        await work()
        nursery.cancel_scope.cancel()
    return longest


# ── calls and posts ──────────────────────────────────────────────────────────────────────────────


async def test_a_call_brings_back_the_result() -> None:
    async def add(first: int, second: int) -> tuple[int, str]:
        await asyncio.sleep(0)
        return first + second, threading.current_thread().name

    async with open_bridge() as bridge:
        assert await bridge.call(add, 1, 2) == (3, "imgsync-webrtc")


async def test_a_call_brings_back_the_error() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("over there")

    async with open_bridge() as bridge:
        with pytest.raises(LookupError, match="over there"):
            await bridge.call(fail)
        assert await bridge.call(count_tasks) == 2


async def test_a_cancelled_call_is_cancelled_over_there_and_waited_for() -> None:
    history: list[str] = []
    started = trio.Event()
    token = trio.lowlevel.current_trio_token()

    async def work() -> None:
        token.run_sync_soon(started.set)
        try:
            await asyncio.Event().wait()
        finally:
            # A moment of its own, which the caller has to wait out.
            threading.Event().wait(0.05)
            history.append("cancelled over there")

    async with open_bridge() as bridge:
        with trio.fail_after(DEADLINE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.call, work)
                await started.wait()
                nursery.cancel_scope.cancel()
        history.append("the call is over")
        assert await bridge.call(count_tasks) == 2
    assert history == ["cancelled over there", "the call is over"]


async def test_a_call_of_somebody_cancelled_already_does_not_begin() -> None:
    begun: list[str] = []

    async def begin() -> None:
        begun.append("begun")

    async with open_bridge() as bridge:
        with trio.CancelScope() as scope:
            scope.cancel()
            await bridge.call(begin)
        assert scope.cancelled_caught
        await bridge.call(count_tasks)
    assert begun == []


async def test_an_error_while_a_call_is_being_cancelled_is_not_lost() -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LookupError("while cleaning up") from None

    async with open_bridge() as bridge:
        with trio.move_on_after(0.01), pytest.raises(LookupError, match="while cleaning up"):
            await bridge.call(work)


async def test_three_hundred_racing_calls_of_which_half_are_cancelled_leave_no_task() -> None:
    random.seed(1)
    done = cancelled = 0
    alive = 0

    async def work(seconds: float) -> None:
        nonlocal alive
        alive += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            alive -= 1

    async def call(bridge: Bridge, seconds: float, patience: float) -> None:
        nonlocal done, cancelled
        with trio.move_on_after(patience) as scope:
            await bridge.call(work, seconds)
            done += 1
        cancelled += scope.cancelled_caught

    async with open_bridge() as bridge:
        before = await bridge.call(count_tasks)
        with trio.fail_after(DEADLINE):
            async with trio.open_nursery() as nursery:
                for number in range(300):
                    # Close enough to meet in any order, but half are to be cancelled for sure.
                    patience = random.uniform(0, 0.04) if number % 2 else DEADLINE
                    seconds = DEADLINE if number % 4 == 1 else random.uniform(0, 0.04)
                    nursery.start_soon(call, bridge, seconds, patience)
        assert await bridge.call(count_tasks) == before
    assert alive == 0
    assert done + cancelled == 300
    assert done >= 150
    assert cancelled >= 75


async def test_posts_run_in_order_and_before_a_later_call() -> None:
    ran: list[int] = []

    async def read() -> list[int]:
        return list(ran)

    async with open_bridge() as bridge:
        for number in range(2000):
            bridge.post(ran.append, number)
        assert await bridge.call(read) == list(range(2000))


async def test_a_post_after_the_bridge_was_left_goes_nowhere() -> None:
    async with open_bridge() as bridge:
        pass
    bridge.post(pytest.fail, "ran")


# ── entering and leaving ─────────────────────────────────────────────────────────────────────────


async def test_the_bridge_is_one_thread_and_leaves_none() -> None:
    assert bridge_threads() == []
    for _ in range(5):
        async with open_bridge():
            assert bridge_threads() == ["imgsync-webrtc"]
        assert bridge_threads() == []


async def test_an_error_in_the_block_comes_out_as_itself() -> None:
    with pytest.raises(LookupError, match="in the block"):
        async with open_bridge():
            raise LookupError("in the block")
    assert bridge_threads() == []


async def test_leaving_cancels_what_runs_on_the_loop() -> None:
    ended: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def start() -> None:
        tasks.extend(asyncio.create_task(wait_for_ever()) for _ in range(20))
        await asyncio.sleep(0)

    with trio.fail_after(STOP_DEADLINE / 2):
        async with open_bridge() as bridge:
            await bridge.call(start)
    assert ended == ["cancelled"] * 20
    assert all(task.cancelled() for task in tasks)


async def test_leaving_ends_a_call_that_still_runs() -> None:
    async def call(bridge: Bridge) -> None:
        with pytest.raises(CancelledError):
            await bridge.call(asyncio.sleep, math.inf)

    with trio.fail_after(DEADLINE):
        async with trio.open_nursery() as nursery, open_bridge() as bridge:
            nursery.start_soon(call, bridge)
            await trio.testing.wait_all_tasks_blocked()


async def test_leaving_waits_for_a_task_that_is_stubborn_for_a_moment() -> None:
    ended: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def be_stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.sleep(0.3)
        ended.append("in its own time")

    async def start() -> None:
        tasks.append(asyncio.create_task(be_stubborn()))
        await asyncio.sleep(0)

    with trio.fail_after(STOP_DEADLINE / 2):
        async with open_bridge() as bridge:
            await bridge.call(start)
    assert ended == ["in its own time"]


async def test_trio_goes_on_while_the_bridge_is_entered_and_left() -> None:
    async def be_stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.sleep(0.3)

    tasks: list[asyncio.Task[None]] = []

    async def start() -> None:
        tasks.append(asyncio.create_task(be_stubborn()))
        await asyncio.sleep(0)

    async def enter_and_leave() -> None:
        async with open_bridge() as bridge:
            await bridge.call(start)

    # The least of three: a stall that is ours comes every time, one of the machine does not.
    stalls = [await measure_stall(enter_and_leave) for _ in range(3)]
    assert min(stalls) < LONGEST_STALL


async def test_a_bridge_cancelled_while_it_opens_leaves_no_thread() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        async with open_bridge():
            await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert bridge_threads() == []


async def test_a_bridge_cancelled_at_any_moment_leaves_no_thread() -> None:
    random.seed(2)
    with trio.fail_after(DEADLINE):
        for _ in range(40):
            with trio.move_on_after(random.uniform(0, 0.006)):
                async with open_bridge() as bridge:
                    await bridge.call(asyncio.sleep, DEADLINE)
            assert bridge_threads() == []
