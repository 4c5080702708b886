"""What comes out of a block with background tasks, and how long the tasks live."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
import trio.testing

from imgsync.tasks import Bell, Pull, find_lone, open_background


class OursError(Exception):
    pass


class TheirsError(Exception):
    pass


Work = Callable[[], Awaitable[object]]


def failing(exc: BaseException) -> Work:
    """Fails once everything else waits for something."""

    async def work() -> None:
        await trio.testing.wait_all_tasks_blocked()
        raise exc

    return work


def failing_when_cancelled(exc: BaseException) -> Work:
    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise exc

    return work


async def run_block(block: Work, *tasks: Work) -> None:
    with trio.fail_after(1):
        async with open_background() as nursery:
            for task in tasks:
                nursery.start_soon(task)
            await block()


async def test_tasks_run_beside_the_block_and_are_cancelled_when_it_is_left() -> None:
    running, ended = trio.Event(), trio.Event()

    async def work() -> None:
        try:
            running.set()
            await trio.sleep_forever()
        finally:
            ended.set()

    with trio.fail_after(1):
        async with open_background() as nursery:
            nursery.start_soon(work)
            await running.wait()
            assert not ended.is_set()
    assert ended.is_set()


async def test_a_lone_error_of_the_block_comes_out_as_itself() -> None:
    mine, cause = OursError(), KeyError()
    mine.__cause__ = cause
    with pytest.raises(OursError) as caught:
        await run_block(failing(mine), trio.sleep_forever)
    assert caught.value is mine
    assert caught.value.__cause__ is cause


async def test_a_lone_error_of_a_task_comes_out_as_itself_and_ends_the_block() -> None:
    theirs, cause = TheirsError(), KeyError()
    theirs.__cause__ = cause
    with pytest.raises(TheirsError) as caught:
        await run_block(trio.sleep_forever, trio.sleep_forever, failing(theirs))
    assert caught.value is theirs
    assert caught.value.__cause__ is cause


async def test_an_error_of_a_task_in_its_last_moment_is_not_lost() -> None:
    with pytest.raises(TheirsError):
        await run_block(trio.lowlevel.checkpoint, failing_when_cancelled(TheirsError()))


async def test_a_lone_error_comes_out_of_blocks_in_blocks() -> None:
    mine = OursError()
    with pytest.raises(OursError) as caught:
        await run_block(partial(run_block, failing(mine), trio.sleep_forever), trio.sleep_forever)
    assert caught.value is mine


async def test_errors_of_the_block_and_of_a_task_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run_block(failing(OursError()), failing_when_cancelled(TheirsError()))
    assert caught.group_contains(OursError)
    assert caught.group_contains(TheirsError)


async def test_errors_of_two_tasks_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run_block(
            trio.sleep_forever, failing(OursError()), failing_when_cancelled(TheirsError())
        )
    assert caught.group_contains(OursError)
    assert caught.group_contains(TheirsError)


async def test_a_group_that_the_block_raises_stays_one() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with open_background():
            raise ExceptionGroup("mine", [OursError(), TheirsError()])
    assert caught.group_contains(OursError)
    assert caught.group_contains(TheirsError)


async def test_a_cancellation_passes() -> None:
    reached = False
    with trio.CancelScope() as scope:
        async with open_background() as nursery:
            nursery.start_soon(trio.sleep_forever)
            scope.cancel()
            await trio.sleep_forever()
        reached = True
    assert scope.cancelled_caught
    assert not reached


async def test_a_lone_error_in_a_cancelled_scope_comes_out_as_itself() -> None:
    mine = OursError()

    async def cancel_and_fail() -> None:
        with trio.CancelScope() as scope:
            async with open_background() as nursery:
                nursery.start_soon(trio.sleep_forever)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
                raise mine

    with pytest.raises(OursError) as caught:
        await cancel_and_fail()
    assert caught.value is mine


async def test_tasks_serve_the_block_while_it_cleans_up_after_a_cancellation() -> None:
    async def answer(questions: trio.MemoryReceiveChannel[trio.Event]) -> None:
        async for question in questions:
            question.set()

    answered = trio.Event()
    ask, questions = trio.open_memory_channel[trio.Event](0)
    with trio.fail_after(1), trio.CancelScope() as scope:
        async with open_background() as nursery:
            nursery.start_soon(answer, questions)
            try:
                scope.cancel()
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await ask.send(answered)
                    await answered.wait()
    assert scope.cancelled_caught
    assert answered.is_set()


async def test_a_task_that_cleans_up_is_waited_for() -> None:
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.testing.wait_all_tasks_blocked()
                cleaned = True

    async with open_background() as nursery:
        nursery.start_soon(work)
        await trio.testing.wait_all_tasks_blocked()
    assert cleaned


def test_the_lone_one_is_found_in_groups_of_one() -> None:
    lone = OursError()
    assert find_lone(lone) is lone
    assert find_lone(ExceptionGroup("outer", [ExceptionGroup("inner", [lone])])) is lone


def test_where_there_are_several_the_whole_group_is_kept() -> None:
    several = ExceptionGroup("several", [OursError(), TheirsError()])
    assert find_lone(several) is several
    outer = ExceptionGroup("outer", [several])
    assert find_lone(outer) is outer


async def test_a_block_that_is_entered_while_cancelled_is_left_at_once() -> None:
    with trio.fail_after(5):
        with trio.CancelScope() as scope:
            scope.cancel()
            async with open_background():
                pytest.fail("it was entered")
        assert scope.cancelled_caught


async def test_tasks_go_on_until_a_cancelled_block_has_cleaned_up() -> None:
    told: list[str] = []
    with trio.fail_after(5), trio.CancelScope() as scope:
        async with open_background() as nursery:
            ask, asked = trio.open_memory_channel[str](0)

            async def listen() -> None:
                told.append(await asked.receive())

            nursery.start_soon(listen)
            try:
                scope.cancel()
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await ask.send("goodbye")
    assert told == ["goodbye"]


# ── bells and iterators ──────────────────────────────────────────────────────────────────────────


async def test_a_bell_wakes_all_that_wait_and_nobody_who_comes_later() -> None:
    bell, woken = Bell(), list[int]()

    async def wait(number: int) -> None:
        await bell.wait()
        woken.append(number)

    bell.ring()  # nobody waits
    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(wait, number)
        await trio.testing.wait_all_tasks_blocked()
        assert woken == []
        bell.ring()
        nursery.start_soon(wait, 3)
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(woken) == [0, 1, 2]
        bell.ring()
    assert sorted(woken) == [0, 1, 2, 3]


async def test_a_wait_that_is_cancelled_takes_no_ring_from_the_others() -> None:
    bell, woken = Bell(), list[int]()

    async def wait() -> None:
        await bell.wait()
        woken.append(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        with trio.move_on_after(0.01):
            await bell.wait()
        bell.ring()
    assert woken == [1]


async def test_a_pull_asks_until_there_is_nothing_more_and_needs_no_closing() -> None:
    items = iter([1, 2, 3, None])

    async def next_item() -> int | None:
        return next(items)

    async for item in Pull(next_item):
        if item == 2:
            break
    assert [item async for item in Pull(next_item)] == [3]


@pytest.mark.parametrize("steps", range(8))
async def test_a_block_is_not_entered_with_a_nursery_that_a_cancellation_has_closed(
    steps: int,
) -> None:
    async def cancel(scope: trio.CancelScope) -> None:
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    for _ in range(50):  # in which order tasks run is a matter of chance
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(cancel, scope)
                async with open_background() as background:
                    background.start_soon(trio.sleep_forever)
                    await trio.sleep_forever()
            assert scope.cancelled_caught
