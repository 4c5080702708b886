"""What becomes of images, and what is announced, in sessions over the in-memory network."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from imgsync import (
    ClientSession,
    EndReason,
    EvaluatorSession,
    ImageFailed,
    ImageRef,
    NotSpoken,
    SessionEnded,
    SessionState,
    StageKind,
    UpcomingImage,
    open_client,
    open_evaluator,
)
from imgsync.client import client
from imgsync.core.channel import showings
from imgsync.core.channel.line import Line, LineOutput
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.numbers import LOST_AFTER
from imgsync.evaluator import delivery as delivery_module
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, image

WITHIN = 600
"""Seconds of a clock that jumps; heartbeats would let it go on for ever."""

Follow = Callable[[ClientSession], Awaitable[object]]


@asynccontextmanager
async def open_pair(
    follow: Follow, network: MemoryNetwork | None = None
) -> AsyncIterator[EvaluatorSession]:
    """A connected session with a client that does this."""
    over = network or MemoryNetwork()
    is_over = False

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=over) as client:
            task_status.started()
            async for session in client.sessions():
                async with session:
                    await follow(session)

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        nursery.cancel_scope.deadline = trio.current_time() + WITHIN
        async with (
            open_evaluator(URL, user_id="e", network=over) as evaluator,
            evaluator.open_session("c") as session,
        ):
            yield session
        is_over = True
        nursery.cancel_scope.cancel()
    # Out here: the cancellation of one that takes too long ends with the nursery.
    assert is_over, f"it took longer than {WITHIN} s"


async def take_silently(session: ClientSession) -> None:
    async for _ in session.images():
        pass


async def show_all(session: ClientSession) -> None:
    async for received in session.images():
        received.fetched(100)
        received.shown(200.5 + received.index)


async def test_the_onset_is_on_the_clients_clock(autojump_clock: MockClock) -> None:
    async with open_pair(show_all) as session:
        for index in range(3):
            delivery = await session.show(image(index))
            assert await delivery.shown() == 200.5 + index
        # Asked again, it is still known.
        assert await delivery.shown() == 202.5
    assert await delivery.shown() == 202.5


async def test_without_a_time_of_its_own_a_stage_is_of_now(autojump_clock: MockClock) -> None:
    async def show(session: ClientSession) -> None:
        async for received in session.images():
            received.shown()

    async with open_pair(show) as session:
        delivery = await session.show(image(0))
        assert delivery.received_at <= await delivery.shown() <= delivery.acked_at + 60_000


async def test_a_slow_screen_is_waited_for(autojump_clock: MockClock) -> None:
    async def show_late(session: ClientSession) -> None:
        async for received in session.images():
            await trio.sleep(9)
            received.shown(7)

    async with open_pair(show_late) as session:
        delivery = await session.show(image(0))
        begin = trio.current_time()
        assert await delivery.shown() == 7
        assert trio.current_time() - begin == pytest.approx(9)


@pytest.mark.parametrize("reason", ["http_403", "decode", "x" * 128])
async def test_an_image_that_failed_says_why(autojump_clock: MockClock, reason: str) -> None:
    async def fail(session: ClientSession) -> None:
        async for received in session.images():
            received.failed(reason)
            received.shown()

    async with open_pair(fail) as session:
        delivery = await session.show(image(4))
        with pytest.raises(ImageFailed, match="image 4 ") as failure:
            await delivery.shown()
    assert (failure.value.index, failure.value.reason) == (4, reason)


@pytest.mark.parametrize("reason", ["", "x" * 129, "two\nlines", "\ud800"])
async def test_a_reason_that_can_not_be_sent_is_refused_where_it_is_said(
    autojump_clock: MockClock, reason: str
) -> None:
    async def fail(session: ClientSession) -> None:
        received = await session.next_image()
        assert received is not None
        with pytest.raises(ValueError, match="1 to 128 printable"):
            received.failed(reason)
        received.shown(1)
        await trio.sleep_forever()

    async with open_pair(fail) as session:
        assert await (await session.show(image(0))).shown() == 1


async def test_an_image_whose_time_is_over_was_not_shown(autojump_clock: MockClock) -> None:
    async def skip_the_first(session: ClientSession) -> None:
        async for received in session.images():
            if received.index == 0:
                continue
            (received.hidden if received.index == 1 else received.shown)()

    async with open_pair(skip_the_first) as session:
        deliveries = [await session.show(image(index)) for index in range(3)]
        for delivery, reason in zip(deliveries, ["superseded", "hidden"], strict=False):
            with pytest.raises(ImageFailed) as failure:
                await delivery.shown()
            assert failure.value.reason == reason
        await deliveries[2].shown()


async def test_the_onset_is_the_first_time_that_an_image_was_seen(
    autojump_clock: MockClock,
) -> None:
    async def look_away_and_back(session: ClientSession) -> None:
        async for received in session.images():
            for at in (10, 20):
                received.shown(at)
                received.hidden(at + 5)

    async with open_pair(look_away_and_back) as session:
        delivery = await session.show(image(0))
        await trio.sleep(1)
        assert await delivery.shown() == 10
        told = session.stages()
        times = [
            (report.stage.value, report.at) for report in [await anext(told) for _ in range(4)]
        ]
        assert times == [("shown", 10), ("hidden", 15), ("shown", 20), ("hidden", 25)]


async def test_the_end_of_the_session_ends_the_wait(autojump_clock: MockClock) -> None:
    async def take_and_leave(session: ClientSession) -> None:
        await session.next_image()
        await trio.sleep(5)

    async with open_pair(take_and_leave) as session:
        delivery = await session.show(image(0))
        with pytest.raises(SessionEnded) as end:
            await delivery.shown()
        assert end.value.reason is EndReason.ENDED


async def test_a_client_that_does_not_speak_stage_is_not_waited_for(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FEATURES", ("ping",))
    async with open_pair(take_silently) as session:
        delivery = await session.show(image(0))
        with pytest.raises(NotSpoken, match="'stage'"):
            await delivery.shown()


async def test_what_the_client_speaks_is_known_although_its_ready_is_lost(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = Line.receive

    def lose_ready(line: Line, text: str | bytes, at: float, now: float) -> list[LineOutput]:
        return [] if '"ready"' in str(text) else receive(line, text, at, now)

    monkeypatch.setattr(Line, "receive", lose_ready)
    announced: list[str] = []

    async def follow(session: ClientSession) -> None:
        async for upcoming in session.preloads():
            announced.append(upcoming.image_url)
            if len(announced) == 2:
                break
        await show_all(session)

    async with open_pair(follow) as session:
        session.preload([image(index) for index in (1, 2)])
        delivery = await session.show(image(0))
        assert announced == ["http://h/1.png", "http://h/2.png"]
        assert await delivery.shown() == 200.5
        # Pings measure how far the clocks are apart, so that latencies have close bounds.
        await trio.sleep(1)
        assert (await session.show(image(3))).latency.bound < 1000


async def test_a_client_that_says_nothing_of_what_it_speaks_is_sent_no_extension(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FEATURES", ())
    seen: list[str] = []

    async def listen(session: ClientSession) -> None:
        seen.extend([upcoming.image_url async for upcoming in session.preloads()])

    async with open_pair(listen) as session:
        session.preload([image(1)])
        await trio.sleep(LOST_AFTER + 1)
        assert session.state is SessionState.CONNECTED
    await trio.testing.wait_all_tasks_blocked()
    assert seen == []


async def test_too_many_later_images_end_the_wait(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showings, "MAX_SETTLED", 3)
    async with open_pair(take_silently) as session:
        first = await session.show(image(0))
        for index in range(1, 4):
            await session.show(image(index))
        with pytest.raises(ImageFailed) as failure:
            await first.shown()
        assert failure.value.reason == "superseded"


async def test_the_first_reason_stays_though_more_is_told_later(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showings, "MAX_SETTLED", 3)

    async def fail_the_first(session: ClientSession) -> None:
        async for received in session.images():
            if received.index == 0:
                received.failed("decode")

    async with open_pair(fail_the_first) as session:
        first = await session.show(image(0))
        for index in range(1, 5):
            await session.show(image(index))
        with pytest.raises(ImageFailed, match="decode"):
            await first.shown()


async def test_stages_are_reported_in_order_from_the_beginning_to_the_end(
    autojump_clock: MockClock,
) -> None:
    async def run(session: ClientSession) -> None:
        former = None
        async for received in session.images():
            if former is not None:
                former.hidden(30)
            received.fetched(10)
            received.shown(20)
            former = received

    async with open_pair(run) as session:
        deliveries = [await session.show(image(index)) for index in range(2)]
        await deliveries[-1].shown()
    # The session is over; what was told is still there, for as many as ask.
    for _ in range(2):
        reports = [report async for report in session.stages()]
        assert [(one.image.index, one.stage, one.at) for one in reports] == [
            (0, StageKind.FETCHED, 10),
            (0, StageKind.SHOWN, 20),
            (0, StageKind.HIDDEN, 30),
            (1, StageKind.FETCHED, 10),
            (1, StageKind.SHOWN, 20),
        ]
        assert [one.sent_at for one in reports[2:4]] == [one.sent_at for one in deliveries]
        assert all(one.reason is None for one in reports)


async def test_who_falls_behind_goes_on_with_what_is_kept(
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(delivery_module, "MAX_REPORTS", 4)
    async with open_pair(show_all) as session:
        for index in range(6):
            await (await session.show(image(index))).shown()
    reports = [report async for report in session.stages()]
    assert [one.image.index for one in reports] == [4, 4, 5, 5]
    assert "8 stages were missed" in caplog.text


async def test_what_is_told_while_there_is_no_connection_is_said_on_the_next_one(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork()

    async def show_when_interrupted(session: ClientSession) -> None:
        received = await session.next_image()
        assert received is not None
        received.fetched(1)
        async for change in session.changes():
            if change.state is SessionState.INTERRUPTED:
                received.shown(2)

    async with open_pair(show_when_interrupted, network) as session:
        delivery = await session.show(image(0))
        network.links[-1].break_off()
        assert await delivery.shown() == 2
        assert session.state is SessionState.RESUMED
        told = session.stages()
        assert [(await anext(told)).stage for _ in range(2)] == [StageKind.FETCHED, StageKind.SHOWN]
        await trio.sleep(60)
    assert [report async for report in told] == []


async def test_what_was_lost_on_its_way_is_said_again(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()

    async def show_into_silence(session: ClientSession) -> None:
        received = await session.next_image()
        assert received is not None
        network.is_silent = True
        received.shown(3)
        await trio.sleep(60)

    async with open_pair(show_into_silence, network) as session:
        delivery = await session.show(image(0))
        async for change in session.changes():
            if change.state is SessionState.INTERRUPTED:
                network.is_silent = False
                break
        assert await delivery.shown() == 3


# ── what is announced ────────────────────────────────────────────────────────────────────────────


async def test_what_is_announced_comes_in_its_order_and_ends_with_the_session(
    autojump_clock: MockClock,
) -> None:
    known: list[UpcomingImage] = []

    async def listen(session: ClientSession) -> None:
        known.extend([upcoming async for upcoming in session.preloads()])

    async with open_pair(listen) as session:
        # Its ready asks for all of it again.
        await trio.testing.wait_all_tasks_blocked()
        session.preload([image(index) for index in range(200)])
        await trio.testing.wait_all_tasks_blocked()
        session.preload([image(7)])
    await trio.testing.wait_all_tasks_blocked()
    assert [upcoming.image_url for upcoming in known] == [
        f"http://h/{index}.png" for index in [*range(200), 7]
    ]
    assert known[0].signed_url == "http://h/0.png?s"
    with pytest.raises(SessionEnded):
        session.preload([image(8)])


async def test_images_and_what_is_announced_can_be_waited_for_at_once(
    autojump_clock: MockClock,
) -> None:
    came: list[str] = []
    note = came.append  # one by one, as they come

    async def listen(session: ClientSession) -> None:
        async def hear_preloads() -> None:
            async for upcoming in session.preloads():
                note(upcoming.signed_url or "")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hear_preloads)
            async for received in session.images():
                note(str(received.index))

    async with open_pair(listen) as session:
        for index in range(3):
            await session.show(image(index))
            session.preload([image(index + 1)])
            await trio.testing.wait_all_tasks_blocked()
    assert came == ["0", "http://h/1.png?s", "1", "http://h/2.png?s", "2", "http://h/3.png?s"]


async def test_what_does_not_fit_into_a_message_is_refused(autojump_clock: MockClock) -> None:
    async with open_pair(take_silently) as session:
        with pytest.raises(MessageTooLarge):
            session.preload([ImageRef(0, "http://h/" + "x" * 70_000, "http://h/")])
        await session.show(image(0))
