"""Series over the in-memory relay and links, with the autojump clock."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, overload

import pytest
import trio
from trio.testing import MockClock

from imgsync import ImageRef, SessionEnded, open_client, open_evaluator
from imgsync.client.client import ClientSession
from imgsync.commands.evaluator.presenting import ACK_DEADLINE, Series
from imgsync.commands.output import Output
from imgsync.core.channel.clocks import Bounded
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.signalling import EndReason
from imgsync.evaluator.delivery import Delivery, Showing, Showings
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, image

JSON = dict[str, Any]

NOTHING: JSON = {
    "event": "summary",
    "sent": 0,
    "shown": 0,
    "acked": 0,
    "failed": 0,
    "superseded": [],
}

Follow = Callable[[ClientSession], Awaitable[None]]


class Images(Sequence[ImageRef]):
    """Images, and when each was looked up: a folder's URLs are good from then on."""

    def __init__(self, count: int) -> None:
        self.images = [image(index) for index in range(count)]
        self.looked_up: list[tuple[int, float]] = []

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int) -> ImageRef: ...
    @overload
    def __getitem__(self, index: slice) -> list[ImageRef]: ...
    def __getitem__(self, index: int | slice) -> ImageRef | list[ImageRef]:
        if isinstance(index, int):
            found = self.images[index]
            self.looked_up.append((index, trio.current_time()))
            return found
        return self.images[index]


class Watched(Output):
    """Which image went out, and when."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__(as_json=as_json)
        self.begun: list[tuple[int, float]] = []

    def begin_image(self, index: int) -> None:
        self.begun.append((index, trio.current_time()))


class Stage:
    """A series for one client, and what the client was shown."""

    def __init__(self, session: EvaluatorSession, images: Images, seen: list[int]) -> None:
        self.images = images
        self.session = session
        self.seen = seen
        self.output = Watched(as_json=True)
        self.series = Series(session, images, self.output)
        self._begin = trio.current_time()

    @property
    def elapsed(self) -> float:
        return round(trio.current_time() - self._begin, 6)

    @property
    def cadence(self) -> list[tuple[int, float]]:
        """Which image was shown when, in seconds since the start; none was looked up before."""
        assert set(self.output.begun) <= set(self.images.looked_up)
        return [(index, round(at - self._begin, 6)) for index, at in self.output.begun]

    @property
    def score(self) -> tuple[int, int]:
        """How many images were shown, and how many acked."""
        return len(self.series.score.showings), len(self.series.deliveries)


@asynccontextmanager
async def open_stage(count: int = 4, follow: Follow | None = None) -> AsyncIterator[Stage]:
    """A connected session with a client that takes what comes, or does what it is told."""
    network, seen = MemoryNetwork(), list[int]()

    async def take_all(session: ClientSession) -> None:
        async for received in session.images():
            seen.append(received.index)

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            task_status.started()
            async for session in client.sessions():
                async with session:
                    await (follow or take_all)(session)

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            yield Stage(session, Images(count), seen)
        nursery.cancel_scope.cancel()


async def take_nothing(session: ClientSession) -> None:
    await trio.sleep_forever()


def take(count: int, then: Callable[[], Awaitable[object]] = trio.lowlevel.checkpoint) -> Follow:
    """A client that takes, and so acks, so many images, and then does something else and leaves."""

    async def follow(session: ClientSession) -> None:
        for _ in range(count):
            await session.next_image()
        await then()

    return follow


def take_slowly(seconds: float) -> Follow:
    async def follow(session: ClientSession) -> None:
        await trio.sleep(seconds)
        async for _ in session.images():
            await trio.sleep(seconds)

    return follow


def told(capsys: pytest.CaptureFixture[str]) -> list[JSON]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


class Typed(AsyncIterator[str]):
    """Lines that are all there at once, as those of a file are."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)

    async def __anext__(self) -> str:
        for line in self._lines:
            return line
        raise StopAsyncIteration


# ── by the clock ─────────────────────────────────────────────────────────────────────────────────


async def test_all_are_shown_in_order_and_each_has_its_time(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage() as stage:
        await stage.series.show_every(2.5)
        assert stage.elapsed == 10
        assert stage.seen == [0, 1, 2, 3]
        assert stage.cadence == [(0, 0), (1, 2.5), (2, 5), (3, 7.5)]
        assert stage.score == (4, 4)
        assert stage.series.score.complaint("c") is None
    events = told(capsys)
    assert [(event["event"], event["imageIndex"]) for event in events] == [
        ("acked", index) for index in range(4)
    ]
    for event, delivery in zip(events, stage.series.deliveries, strict=True):
        assert event["name"] == f"{event['imageIndex']}.png"
        assert event["imageUrl"] == f"http://h/{event['imageIndex']}.png"
        assert event["sentAt"] == delivery.sent_at
        assert event["receivedAt"] == delivery.received_at
        assert event["roundTripMs"] == pytest.approx(delivery.round_trip, abs=0.001)
        assert event["copies"] == 1
        assert "signedUrl" not in event


async def test_slow_acks_do_not_slow_the_images_down(autojump_clock: MockClock) -> None:
    async with open_stage(10, take_slowly(3)) as stage:
        await stage.series.show_every(0.5)
        assert stage.cadence == [(index, index * 0.5) for index in range(10)]
        # The last ack comes after 10 times 3 s.
        assert stage.elapsed == 30
        assert stage.score == (10, 10)


async def test_a_short_interval_keeps_the_order(autojump_clock: MockClock) -> None:
    async with open_stage(50) as stage:
        await stage.series.show_every(1e-9)
        assert stage.seen == list(range(50))


async def test_a_client_that_never_acks_is_counted_as_not_acked(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage(3, take_nothing) as stage:
        await stage.series.show_every(1)
        assert stage.elapsed == 2 + ACK_DEADLINE
        assert stage.score == (3, 0)
        assert stage.series.score.complaint("c")
        stage.output.write(stage.series.summary)
    assert told(capsys) == [
        *(
            {
                "event": "not_acked",
                "imageIndex": index,
                "name": f"{index}.png",
                "reason": "timeout",
            }
            for index in range(3)
        ),
        NOTHING | {"sent": 3},
    ]


async def test_acks_that_stop_half_way_are_missed(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage(4, take(2, then=trio.sleep_forever)) as stage:
        await stage.series.show_every(1)
        assert stage.score == (4, 2)
        assert stage.series.score.complaint("c")
    assert [(event["event"], event["imageIndex"]) for event in told(capsys)] == [
        ("acked", 0),
        ("acked", 1),
        ("not_acked", 2),
        ("not_acked", 3),
    ]


# Trio wakes tasks in either order, so once would prove nothing.
@pytest.mark.parametrize("attempt", range(4))
async def test_a_session_that_ends_in_the_middle_is_told_and_counted(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str], attempt: int
) -> None:
    async def leave_later() -> None:
        await trio.sleep(3.5)

    async with open_stage(9, take(2, then=leave_later)) as stage:
        with pytest.raises(SessionEnded) as failure:
            await stage.series.show_every(1)
        assert failure.value.reason is EndReason.ENDED
        # Image 1 came at 1 s; the client has left 3.5 s later, without taking 2 to 4.
        assert stage.elapsed == 4.5
        assert stage.score == (5, 2)
        stage.output.write(stage.series.summary)
    *events, summary = told(capsys)
    assert [event["imageIndex"] for event in events if event["event"] == "not_acked"] == [
        2,
        3,
        4,
    ]
    assert (summary["sent"], summary["shown"], summary["acked"]) == (5, 0, 2)


async def test_a_client_that_leaves_before_the_last_image_had_its_time_has_left_early(
    autojump_clock: MockClock,
) -> None:
    async with open_stage(3, take(3)) as stage:
        with pytest.raises(SessionEnded):
            await stage.series.show_every(1)
        assert stage.elapsed == 2
        assert stage.score == (3, 3)


async def test_a_client_that_leaves_just_when_an_image_is_due_is_told(
    autojump_clock: MockClock,
) -> None:
    async def leave_later() -> None:
        await trio.sleep(1)

    async with open_stage(5, take(3, then=leave_later)) as stage:
        with pytest.raises(SessionEnded):
            await stage.series.show_every(1)
        assert stage.elapsed == 3
        assert stage.score in ((3, 3), (4, 3))


async def test_an_image_whose_url_is_too_long_comes_out_as_itself(
    autojump_clock: MockClock,
) -> None:
    async with open_stage(3) as stage:
        stage.images.images[1] = ImageRef(1, "http://h/1", "http://h/" + "x" * 70_000, "1")
        with pytest.raises(MessageTooLarge):
            await stage.series.show_every(1)
        assert stage.seen == [0]
        assert stage.series.score.complaint("c")


async def test_a_picture_that_this_client_can_t_be_sent_is_told_and_the_others_are_shown(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage(3) as stage:
        stage.images.images[1] = ImageRef(1, "images/0a1b2c3d/1.png", None, "1.png")
        await stage.series.show_every(1)
        assert (stage.seen, stage.elapsed) == ([0, 2], 3)
        assert stage.series.score.complaint("c")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [missed] = [line for line in lines if line["event"] == "not_acked"]
    assert (missed["imageIndex"], missed["reason"]) == (1, "not_spoken")


async def test_a_cancelled_series_leaves_the_session_usable(
    autojump_clock: MockClock,
) -> None:
    async with open_stage(9) as stage:
        with trio.move_on_after(2.5):
            await stage.series.show_every(1)
        assert stage.score == (3, 3)
        await stage.session.show(image(8))
        assert stage.seen == [0, 1, 2, 8]


# ── by a person ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ([], []),
        (["end"], []),
        (["", "  ", "\r"], []),
        (["next", "next", "next"], [0, 1, 2]),
        (["next", "next", "prev", "next"], [0, 1, 0, 1]),
        (["goto 3", "prev", "goto 0", "next"], [3, 2, 0, 1]),
        (["goto 2", "goto 2"], [2, 2]),
        (["prev"], [0]),
        (["next\r", "end\r", "next\r"], [0]),
        (["next", "end", "next"], [0]),
        # What is refused leaves the current image what it is.
        (["next", "prev", "goto 9", "nonsense", "next"], [0, 1]),
        (["goto 3", "next", "next", "prev"], [3, 2]),
    ],
)
async def test_lines_are_obeyed_in_their_order(
    autojump_clock: MockClock, lines: list[str], seen: list[int]
) -> None:
    async with open_stage() as stage:
        await stage.series.obey(Typed(lines))
        assert stage.elapsed == 0
        assert stage.seen == seen
        assert stage.score == (len(seen), len(seen))
        assert stage.series.score.complaint("c") is None


@pytest.mark.parametrize("attempt", range(4))
async def test_lines_that_come_in_one_piece_are_shown_in_their_order(
    autojump_clock: MockClock, attempt: int
) -> None:
    # Trio starts tasks in either order, so once would prove nothing.
    async with open_stage(20) as stage:
        await stage.series.obey(Typed(["next"] * 20))
        assert stage.seen == list(range(20))


async def test_what_is_refused_is_told_and_not_counted(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage() as stage:
        await stage.series.obey(Typed(["goto 4", "dance"]))
        stage.output.write(stage.series.summary)
    first, second, summary = told(capsys)
    assert first == {"event": "refused", "reason": "there is no image 4; they go from 0 to 3"}
    assert second["event"] == "refused"
    assert "'dance'" in second["reason"]
    assert summary == NOTHING


async def test_each_image_is_shown_as_soon_as_it_is_asked_for(autojump_clock: MockClock) -> None:
    send, lines = trio.open_memory_channel[str](0)
    async with open_stage(4, take_slowly(10)) as stage, trio.open_nursery() as nursery:
        nursery.start_soon(stage.series.obey, lines)
        async with send:
            for line, after in (("next", 1), ("goto 3", 2), ("prev", 0.5)):
                await send.send(line)
                await trio.sleep(after)
            assert stage.cadence == [(0, 0), (3, 1), (2, 3)]
            assert stage.score == (3, 0)


@pytest.mark.parametrize("last", [["end"], []])
async def test_the_end_waits_for_the_acks(autojump_clock: MockClock, last: list[str]) -> None:
    async with open_stage(4, take_slowly(5)) as stage:
        await stage.series.obey(Typed(["next", "next", *last]))
        assert stage.elapsed == 10
        assert stage.score == (2, 2)


async def test_the_end_does_not_wait_for_ever(autojump_clock: MockClock) -> None:
    async with open_stage(4, take_nothing) as stage:
        await stage.series.obey(Typed(["next", "end"]))
        assert stage.elapsed == ACK_DEADLINE
        assert stage.score == (1, 0)


async def test_a_session_that_ends_while_nothing_is_typed_is_told_at_once(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async def leave_later() -> None:
        await trio.sleep(7)

    send, lines = trio.open_memory_channel[str](1)
    async with send, lines, open_stage(4, take(1, then=leave_later)) as stage:
        send.send_nowait("next")
        with pytest.raises(SessionEnded):
            await stage.series.obey(lines)
        assert stage.elapsed == 7
        assert stage.score == (1, 1)


# ── the summary ──────────────────────────────────────────────────────────────────────────────────


def delivery(sent_at: float, acked_at: float, latency: float, bound: float) -> Delivery:
    showing = Showing(image(0), sent_at, Showings())
    received_at = sent_at + latency + 3.6e6  # a client whose clock is an hour ahead
    return Delivery(
        image=image(0),
        sent_at=sent_at,
        received_at=received_at,
        acked_at=acked_at,
        copies=1,
        latency=Bounded(latency, bound),
        showing=showing,
    )


async def test_the_summary_has_the_median_and_the_longest(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage() as stage:
        for index in range(4):
            stage.series.score.begin(index, index)
        stage.series.deliveries += [
            delivery(1000, 1016, 10.25, 0.5),
            delivery(2000, 2004, 2, 0.25),
            delivery(3000, 3100, 4, 0.75),
        ]
        for output in (stage.output, Output(as_json=False)):
            output.write(stage.series.summary)
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {
        "event": "summary",
        "sent": 4,
        "shown": 0,
        "acked": 3,
        "failed": 0,
        "superseded": [],
        "roundTripMs": {"median": 16, "max": 100},
        "oneWayMs": {"median": 4, "max": 10.25},
        "boundMs": {"median": 0.5, "max": 0.75},
    }
    assert second == (
        "4 images sent, 3 acked; round trip 16.0 ms (longest 100.0);"
        " one way 4.0 ms, to 0.5 (at worst 0.8)"
    )


async def test_the_summary_of_nothing_has_no_times(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_stage() as stage:
        Output(as_json=False).write(stage.series.summary)
    assert capsys.readouterr().out == "0 images sent, 0 acked\n"
