"""What a session measures and writes down, without a session."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.channel.clocks import Bounded
from imgsync.core.protocol.channel import Ack, Image, OnsetTiming, Pong, Stage, StageKind
from imgsync.core.protocol.numbers import MAX_DRIFT, RESOLUTION
from imgsync.core.protocol.signalling import EndReason
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.journal import events
from imgsync.journal.events import Event
from imgsync.peer.session_journal import SessionJournal

EPOCH = 1_800_000_000_000.25  # a clock of whole milliseconds is a coarse one
HOUR = 3_600_000.0

#: Milliseconds, of one way and of what the client takes in between.
ways = st.floats(0, 5_000)
offsets = st.floats(-1e8, 1e8)


class Told:
    """A journal, and all that it has written."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.journal = SessionJournal("s", self.events.append)

    def probe(self, now: float, offset: float, way: float = 1.0) -> None:
        """A ping of a client whose clock is ahead by so much."""
        arrived = now + way + offset
        self.journal.ponged(Pong(1, now, arrived, arrived), now + 2 * way)

    def ack(self, now: float, offset: float, there: float, back: float) -> Bounded:
        """An image that is shown now."""
        received_at = now + there + offset
        ack = Ack(now, received_at)
        return self.journal.acked(image(now), ack, now + there + back)

    def steps(self) -> list[events.ClockStep]:
        return [event for event in self.events if isinstance(event, events.ClockStep)]


def image(sent_at: float, index: int = 0) -> Image:
    url = f"http://user:password@h/{index}.png"
    return Image(index, f"{url}?key=secret", f"{url}?signature=secret", sent_at)


def is_true(latency: Bounded, true: float) -> bool:
    """Within its bound, but for what a float of 1e12 can hold."""
    return abs(latency - true) <= latency.bound + 0.01


# ── what is written ──────────────────────────────────────────────────────────────────────────────


def test_everything_that_happens_is_a_line_of_its_session() -> None:
    told = Told()
    journal = told.journal
    shown = image(EPOCH)
    journal.began("patient-7", resumed=False)
    journal.changed(StateChange(SessionState.INTERRUPTED, 5.0, EndReason.CONNECTION_LOST, "cut"))
    journal.connected(("host", "relay"))
    journal.ponged(Pong(1, 1.0, 2.0, 3.0), 4.0)
    journal.sent(shown, 2)
    journal.superseded(shown)
    journal.received(shown, EPOCH + 7)
    journal.staged(Stage(0, EPOCH, StageKind.FAILED, EPOCH + 9, "http_403"))
    assert told.events == [
        events.Session("s", "patient-7", False),
        events.State("s", SessionState.INTERRUPTED, EndReason.CONNECTION_LOST, "cut"),
        events.Path("s", "host", "relay"),
        events.Probe("s", 1.0, 2.0, 3.0, 4.0),
        events.Sent("s", 0, "http://h/0.png", EPOCH, 2),
        events.Superseded("s", 0, EPOCH),
        events.Received("s", 0, "http://h/0.png", EPOCH, EPOCH + 7),
        events.Stage("s", 0, EPOCH, StageKind.FAILED, EPOCH + 9, "http_403"),
    ]


def test_no_secret_of_an_image_is_written() -> None:
    told = Told()
    told.journal.sent(image(EPOCH), 1)
    told.journal.received(image(EPOCH), EPOCH)
    told.ack(EPOCH, 0, 1, 1)
    assert not [event for event in told.events if "secret" in repr(event)]
    assert not [event for event in told.events if "password" in repr(event)]


def test_a_connection_whose_way_is_not_known_is_no_line() -> None:
    told = Told()
    told.journal.connected(None)
    assert told.events == []


def test_an_ack_is_written_as_it_is_told() -> None:
    told = Told()
    latency = told.ack(EPOCH, HOUR, 3, 5)
    [acked] = told.events
    times = (EPOCH, EPOCH + 3 + HOUR, EPOCH + 8, 8.0)
    assert acked == events.Acked("s", 0, *times, float(latency), latency.bound)


# ── how long it took ─────────────────────────────────────────────────────────────────────────────


@given(offsets, ways, ways)
def test_by_its_ack_alone_an_image_came_between_the_showing_and_the_ack(
    offset: float, there: float, back: float
) -> None:
    latency = Told().ack(EPOCH, offset, there, back)
    assert is_true(latency, there)
    assert 0 <= latency <= there + back + RESOLUTION


@given(offsets, st.lists(st.tuples(ways, st.booleans()), max_size=10), ways, ways)
def test_whatever_was_measured_before_the_true_latency_lies_inside_the_bound(
    offset: float, journeys: list[tuple[float, bool]], there: float, back: float
) -> None:
    told, now = Told(), EPOCH
    for way, is_ping in journeys:
        if is_ping:
            told.probe(now, offset, way)
        else:
            told.ack(now, offset, way, 0)
        now += 2 * way + 1
    latency = told.ack(now, offset, there, back)
    assert is_true(latency, there)
    assert 0 <= latency <= there + back + RESOLUTION
    assert told.steps() == []


def test_a_ping_tells_a_one_sided_way_that_its_own_round_trip_would_not() -> None:
    told = Told()
    told.probe(EPOCH, HOUR, way=1)
    latency = told.ack(EPOCH + 100, HOUR, there=40, back=2)
    assert latency == pytest.approx(40, abs=1.5)
    assert latency.bound < 1.5 + 100 * MAX_DRIFT


def test_a_latency_of_nothing_is_one_too() -> None:
    told = Told()
    told.probe(EPOCH, HOUR, way=0)
    latency = told.ack(EPOCH + 1, HOUR, there=0, back=60)
    assert is_true(latency, 0)
    assert latency.bound < 1


def test_no_image_comes_before_it_was_shown() -> None:
    told = Told()
    told.probe(EPOCH, 0, way=50)
    latency = told.ack(EPOCH + 200, 50, there=0, back=400)  # all of the first way was one way
    assert latency >= 0
    assert latency + latency.bound <= 100 + 2 * RESOLUTION + 600 * MAX_DRIFT


def test_an_onset_is_told_by_what_is_known_of_the_clock() -> None:
    told = Told()
    said = Stage(0, EPOCH, StageKind.SHOWN, EPOCH + 30 + HOUR, None)
    assert told.journal.staged(said) is None
    told.probe(EPOCH, HOUR, way=1)
    onset = told.journal.staged(said)
    assert onset is not None
    assert is_true(onset, 30)
    assert onset.bound < 1.5


# ── clocks that change ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", [-HOUR, -250.0, 250.0, HOUR])
def test_a_clock_that_is_set_is_told_once_and_believed_from_then_on(by: float) -> None:
    told = Told()
    told.probe(EPOCH, 10)
    told.probe(EPOCH + 2000, 10 + by)
    [step] = told.steps()
    assert (step.session_id, step.whose) == ("s", "theirs")
    assert step.by == pytest.approx(by, abs=2.5 + 2000 * MAX_DRIFT)
    told.probe(EPOCH + 4000, 10 + by)  # until then it may run off by anything
    latency = told.ack(EPOCH + 4500, 10 + by, there=7, back=1)
    assert is_true(latency, 7)
    assert latency.bound < 2.5
    assert len(told.steps()) == 1


def test_a_drift_is_no_step() -> None:
    told = Told()
    for second in range(0, 7200, 2):
        told.probe(EPOCH + 1000 * second, HOUR + 1000 * second * MAX_DRIFT * 0.9)
    assert told.steps() == []


@pytest.mark.parametrize("by", [-10_000.0, 10_000.0])
def test_another_process_has_another_clock_though_its_first_ack_may_not_show_it(by: float) -> None:
    told = Told()
    told.journal.connected(("host", "host"))
    told.probe(EPOCH, HOUR)
    # Shown while nobody was there: by its ack alone it came at any time of a minute.
    shown_at = EPOCH + 5000
    told.journal.connected(("host", "host"))
    latency = told.ack(shown_at, HOUR + by, there=30_000, back=30_000)
    assert is_true(latency, 30_000)
    told.probe(shown_at + 61_000, HOUR + by)
    [step] = told.steps()
    assert step.by == pytest.approx(by, abs=50 + 66_000 * MAX_DRIFT)
    told.probe(shown_at + 63_000, HOUR + by)
    latency = told.ack(shown_at + 63_500, HOUR + by, there=7, back=1)
    assert is_true(latency, 7)
    assert latency.bound < 2.5
    assert len(told.steps()) == 1


def test_the_same_process_on_another_connection_is_no_step() -> None:
    told = Told()
    told.probe(EPOCH, HOUR)
    told.journal.connected(None)
    told.ack(EPOCH + 100, HOUR, there=20_000, back=10)
    told.probe(EPOCH + 21_000, HOUR)
    assert told.steps() == []


def test_what_is_said_again_before_the_first_probe_of_a_connection_is_of_the_clock_before() -> None:
    told = Told()
    told.probe(EPOCH, HOUR)
    told.journal.connected(None)
    onset = told.journal.staged(Stage(0, EPOCH + 5, StageKind.SHOWN, EPOCH + 35 + HOUR, None))
    assert onset is not None
    assert is_true(onset, 30)


def test_what_the_client_leaves_open_of_an_onset_is_in_its_bound_and_in_the_record() -> None:
    told = Told()
    told.probe(EPOCH, HOUR)
    bare = Stage(0, EPOCH + 5, StageKind.SHOWN, EPOCH + 35 + HOUR)
    certain = told.journal.staged(bare)
    assert certain is not None
    kinds = (
        (None, None),
        (OnsetTiming.PRESENTED, 0),
        (OnsetTiming.PRESENTED, 4),
        (OnsetTiming.FRAME, 650.5),
    )
    for timing, within in kinds:
        onset = told.journal.staged(attrs.evolve(bare, timing=timing, within=within))
        assert onset is not None
        assert float(onset) == float(certain)
        assert onset.bound == certain.bound + (within or 0)
    stages = [event for event in told.events if isinstance(event, events.Stage)]
    assert [(one.timing, one.within) for one in stages[1:]] == list(kinds)


def test_a_pong_that_can_not_be_true_spoils_nothing() -> None:
    told = Told()
    told.probe(EPOCH, HOUR)
    told.journal.ponged(Pong(2, EPOCH + 10, EPOCH + 900 + HOUR, EPOCH + 100 + HOUR), EPOCH + 12)
    latency = told.ack(EPOCH + 100, HOUR, there=7, back=1)
    assert is_true(latency, 7)
    assert latency.bound < 2.5
    assert told.steps() == []
