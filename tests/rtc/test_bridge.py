"""The bridge between Trio and the loop thread, and the inbox that brings things back."""

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
from imgsync.tasks import Inbox

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


def put_from_a_thread(inbox: Inbox[int], count: int) -> None:
    """Trio has no turn until all are put."""

    def put_all() -> None:
        for number in range(count):
            inbox.put(number)

    thread = threading.Thread(target=put_all)
    thread.start()
    thread.join()


# ── the inbox ──────────────────────────────────────────────────────────────────────────────────


async def test_twenty_thousand_items_from_the_loop_thread_arrive_in_order() -> None:
    inbox: Inbox[int] = Inbox()

    async def put_all() -> None:
        for number in range(20_000):
            inbox.put(number)
            if number % 1000 == 0:
                await asyncio.sleep(0)

    with trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            nursery.start_soon(bridge.call, put_all)
            assert [await inbox.get() for _ in range(20_000)] == list(range(20_000))


async def test_a_burst_from_another_thread_costs_one_wake_up() -> None:
    inbox: Inbox[int] = Inbox()

    put_from_a_thread(inbox, 1000)
    assert trio.lowlevel.current_statistics().run_sync_soon_queue_size == 1
    assert [await inbox.get() for _ in range(1000)] == list(range(1000))


async def test_a_burst_from_trio_itself_costs_none() -> None:
    inbox: Inbox[int] = Inbox()
    for number in range(1000):
        inbox.put(number)
    assert trio.lowlevel.current_statistics().run_sync_soon_queue_size == 0
    assert [await inbox.get() for _ in range(1000)] == list(range(1000))


async def test_a_cancelled_get_loses_nothing_and_the_next_one_works() -> None:
    inbox: Inbox[int] = Inbox()
    with trio.move_on_after(0.01):
        await inbox.get()
    inbox.put(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await inbox.get()
    assert scope.cancelled_caught
    inbox.put(2)
    with trio.fail_after(DEADLINE):
        assert [await inbox.get(), await inbox.get()] == [1, 2]


async def test_cancellations_racing_with_puts_lose_nothing() -> None:
    inbox: Inbox[int] = Inbox()
    taken: list[int] = []

    async def put_all() -> None:
        for number in range(2000):
            inbox.put(number)
            await asyncio.sleep(0)

    async with open_bridge() as bridge, trio.open_nursery() as nursery:
        nursery.start_soon(bridge.call, put_all)
        with trio.fail_after(DEADLINE):
            while len(taken) < 2000:
                with trio.move_on_after(random.uniform(0, 0.0005)):
                    taken.append(await inbox.get())
    assert taken == list(range(2000))


async def serve_until(inbox: Inbox[int], count: int) -> list[int]:
    served: list[int] = []

    def take(number: int) -> None:
        served.append(number)
        if len(served) == count:
            scope.cancel()

    with trio.fail_after(DEADLINE), trio.CancelScope() as scope:
        await inbox.serve(take)
    return served


async def test_what_comes_from_both_threads_is_served_in_order() -> None:
    inbox: Inbox[int] = Inbox()

    async def put_all() -> None:
        for number in range(2000):
            inbox.put(number)
            if number % 7 == 0:
                await asyncio.sleep(0)

    async def put_more() -> None:
        for number in range(2000, 3000):
            inbox.put(number)
            await trio.lowlevel.checkpoint()

    async with open_bridge() as bridge, trio.open_nursery() as nursery:
        nursery.start_soon(bridge.call, put_all)
        nursery.start_soon(put_more)
        served = await serve_until(inbox, 3000)
    assert [number for number in served if number < 2000] == list(range(2000))
    assert [number for number in served if number >= 2000] == list(range(2000, 3000))


async def test_what_is_put_while_one_is_handled_comes_behind_what_waits() -> None:
    inbox: Inbox[int] = Inbox()
    served: list[int] = []

    def take(number: int) -> None:
        served.append(number)
        if number < 3:
            inbox.put(number + 10)
        if number == 12:
            scope.cancel()

    with trio.fail_after(DEADLINE), trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inbox.serve, take)
            await trio.testing.wait_all_tasks_blocked()
            put_from_a_thread(inbox, 3)
    assert served == [0, 1, 2, 10, 11, 12]


@pytest.mark.parametrize("is_apart", [False, True])
async def test_an_error_of_what_handles_comes_out_of_serve_and_the_rest_is_left(
    is_apart: bool,
) -> None:
    inbox: Inbox[int] = Inbox()

    def take(number: int) -> None:
        raise ValueError(number)

    async def put_two() -> None:
        inbox.put(1)
        inbox.put(2)

    async def put_late() -> None:
        await trio.testing.wait_all_tasks_blocked()
        await (bridge.call(put_two) if is_apart else put_two())

    with trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            nursery.start_soon(put_late)
            with pytest.raises(ValueError, match="1"):
                await inbox.serve(take)
        assert await inbox.get() == 2


async def test_a_flood_that_is_served_does_not_starve_other_tasks() -> None:
    inbox: Inbox[int] = Inbox()
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    put_from_a_thread(inbox, 1000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_turns)
        assert await serve_until(inbox, 1000) == list(range(1000))
        nursery.cancel_scope.cancel()
    assert turns > 900


async def test_a_full_inbox_does_not_starve_other_tasks() -> None:
    inbox: Inbox[int] = Inbox()
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    for number in range(1000):
        inbox.put(number)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_turns)
        for _ in range(1000):
            await inbox.get()
        nursery.cancel_scope.cancel()
    assert turns >= 900


async def test_putting_after_trio_has_ended_raises_nothing() -> None:
    async def make_inbox() -> Inbox[int]:
        return Inbox()

    inbox = await trio.to_thread.run_sync(trio.run, make_inbox)
    inbox.put(1)


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
