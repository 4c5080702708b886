"""The inbox that brings things back from the loop thread to Trio."""

import asyncio
import random
import threading

import pytest
import trio
import trio.testing

from imgsync.rtc.bridge import open_bridge
from imgsync.tasks import Inbox
from tests.rtc.test_bridge import DEADLINE


def put_from_a_thread(inbox: Inbox[int], count: int) -> None:
    """Trio has no turn until all are put."""

    def put_all() -> None:
        for number in range(count):
            inbox.put(number)

    thread = threading.Thread(target=put_all)
    thread.start()
    thread.join()


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


async def test_tasks_that_are_woken_by_what_is_served_run_in_its_order() -> None:
    inbox: Inbox[int] = Inbox()
    events = [trio.Event() for _ in range(200)]
    woken: list[int] = []

    async def wait_for(number: int) -> None:
        await events[number].wait()
        woken.append(number)

    with trio.fail_after(DEADLINE):
        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as waiting:
                for number in range(len(events)):
                    waiting.start_soon(wait_for, number)
                nursery.start_soon(inbox.serve, lambda number: events[number].set())
                await trio.testing.wait_all_tasks_blocked()
                put_from_a_thread(inbox, len(events))
            nursery.cancel_scope.cancel()
    assert woken == list(range(len(events)))


class Turns:
    """How many a task has had beside others."""

    def __init__(self) -> None:
        self.count = 0

    async def take(self) -> None:
        while True:
            await trio.lowlevel.checkpoint()
            self.count += 1


async def test_a_flood_that_is_served_does_not_starve_other_tasks() -> None:
    inbox: Inbox[int] = Inbox()
    turns = Turns()
    put_from_a_thread(inbox, 1000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns.take)
        assert await serve_until(inbox, 1000) == list(range(1000))
        nursery.cancel_scope.cancel()
    assert turns.count > 900


async def test_a_full_inbox_does_not_starve_other_tasks() -> None:
    inbox: Inbox[int] = Inbox()
    turns = Turns()
    for number in range(1000):
        inbox.put(number)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns.take)
        for _ in range(1000):
            await inbox.get()
        nursery.cancel_scope.cancel()
    assert turns.count >= 900


async def test_putting_after_trio_has_ended_raises_nothing() -> None:
    async def make_inbox() -> Inbox[int]:
        return Inbox()

    inbox = await trio.to_thread.run_sync(trio.run, make_inbox)
    inbox.put(1)
