"""Following a session by hooks, over the in-memory network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from imgsync import (
    ClientSession,
    EndReason,
    EvaluatorSession,
    ImageFailed,
    ReceivedImage,
    StageKind,
    follow,
    open_client,
    open_evaluator,
)
from imgsync.client.hooks import HOOK_DEADLINE
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, image
from tests.peer.test_stages import WITHIN


class Screen:
    """An application: what its hooks were called with, in order."""

    def __init__(self, *, slowly: float = 0.0) -> None:
        self.calls: list[tuple[str, object]] = []
        self.slowly = slowly
        self.scope = trio.CancelScope()

    async def show(self, received: ReceivedImage) -> None:
        await trio.sleep(self.slowly)
        self.calls.append(("show", received.index))

    async def hide(self, received: ReceivedImage) -> None:
        await trio.sleep(self.slowly)
        self.calls.append(("hide", received.index))

    async def end(self, reason: EndReason) -> None:
        await trio.sleep(self.slowly)
        self.calls.append(("end", reason))

    async def follow(self, session: ClientSession) -> None:
        with self.scope:
            await follow(session, on_show=self.show, on_hide=self.hide, on_end=self.end)


@asynccontextmanager
async def open_pair(screen: Screen) -> AsyncIterator[EvaluatorSession]:
    network = MemoryNetwork()

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            task_status.started()
            await screen.follow(await client.next_session())

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        nursery.cancel_scope.deadline = trio.current_time() + WITHIN
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            yield session
    assert not nursery.cancel_scope.cancel_called, f"it took longer than {WITHIN} s"


async def test_an_image_is_hidden_before_the_next_is_shown_and_the_end_comes_once_and_last(
    autojump_clock: MockClock,
) -> None:
    screen = Screen()
    async with open_pair(screen) as session:
        for index in (0, 1, 0):
            delivery = await session.show(image(index))
            assert await delivery.shown() >= delivery.received_at
    assert screen.calls == [
        ("show", 0),
        ("hide", 0),
        ("show", 1),
        ("hide", 1),
        ("show", 0),
        ("hide", 0),
        ("end", EndReason.ENDED),
    ]
    stages = [(one.image.index, one.stage) async for one in session.stages()]
    assert stages[:3] == [(0, StageKind.SHOWN), (0, StageKind.HIDDEN), (1, StageKind.SHOWN)]


async def test_what_a_hook_says_itself_counts(autojump_clock: MockClock) -> None:
    class Exact(Screen):
        async def show(self, received: ReceivedImage) -> None:
            received.failed("decode") if received.index == 1 else received.shown(11)

        async def hide(self, received: ReceivedImage) -> None:
            received.hidden(12)

    async with open_pair(Exact()) as session:
        assert await (await session.show(image(0))).shown() == 11
        with pytest.raises(ImageFailed, match="decode"):
            await (await session.show(image(1))).shown()
        await (await session.show(image(2))).shown()
    told = [(one.image.index, one.stage, one.at) async for one in session.stages()]
    assert told[:2] == [(0, StageKind.SHOWN, 11), (0, StageKind.HIDDEN, 12)]
    assert [stage for index, stage, _ in told if index == 1] == [StageKind.FAILED]


async def test_slow_hooks_run_one_after_the_other(autojump_clock: MockClock) -> None:
    screen = Screen(slowly=2)
    async with open_pair(screen) as session:
        async with trio.open_nursery() as nursery:
            for index in range(3):
                nursery.start_soon(session.show, image(index))
                await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(30)
    names = [call[0] for call in screen.calls]
    assert names == ["show", "hide", "show", "hide", "show", "hide", "end"]


async def test_without_an_image_only_the_end_is_told(autojump_clock: MockClock) -> None:
    screen = Screen()
    async with open_pair(screen):
        pass
    assert screen.calls == [("end", EndReason.ENDED)]


async def test_a_cancelled_follower_hides_what_is_shown_and_tells_the_end(
    autojump_clock: MockClock,
) -> None:
    screen = Screen(slowly=1)
    async with open_pair(screen) as session:
        await (await session.show(image(0))).shown()
        screen.scope.cancel()
        assert await session.wait_ended() is EndReason.ENDED
        # What was on the screen is said to be hidden while there is still a channel.
        told = [one.stage async for one in session.stages()]
        assert told == [StageKind.SHOWN, StageKind.HIDDEN]
    assert screen.calls == [("show", 0), ("hide", 0), ("end", EndReason.ENDED)]


async def test_hooks_that_hang_hold_up_the_end_for_a_bounded_time(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck(Screen):
        async def hide(self, received: ReceivedImage) -> None:
            await trio.sleep_forever()

        async def end(self, reason: EndReason) -> None:
            self.calls.append(("end", reason))
            await trio.sleep_forever()

    screen = Stuck()
    begin = trio.current_time()
    async with open_pair(screen) as session:
        await (await session.show(image(0))).shown()
        screen.scope.cancel()
    assert trio.current_time() - begin == pytest.approx(2 * HOOK_DEADLINE)
    assert screen.calls == [("show", 0), ("end", EndReason.ENDED)]
    assert "on_hide was given up" in caplog.text
    assert "on_end was given up" in caplog.text


async def test_a_hook_that_is_cancelled_half_way_has_shown_nothing(
    autojump_clock: MockClock,
) -> None:
    screen = Screen(slowly=3)
    async with open_pair(screen) as session:
        await session.show(image(0))
        screen.scope.cancel()
        await session.wait_ended()
    assert screen.calls == [("end", EndReason.ENDED)]
    assert [one async for one in session.stages()] == []


async def test_an_error_of_a_hook_comes_out_after_the_end_was_told(
    autojump_clock: MockClock,
) -> None:
    class Broken(Screen):
        async def show(self, received: ReceivedImage) -> None:
            raise OSError("no screen")

        async def follow(self, session: ClientSession) -> None:
            with pytest.raises(OSError, match="no screen"):
                await super().follow(session)

    screen = Broken()
    async with open_pair(screen) as session:
        await session.show(image(0))
        assert await session.wait_ended() is EndReason.ENDED
    assert screen.calls == [("end", EndReason.ENDED)]
