"""The true offset lies inside its bound at every time of a session, by all readings together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.commands.report.offsets import OffsetHistory
from imgsync.core.channel.clocks import Probe
from imgsync.core.channel.drift import Reading
from imgsync.core.protocol.numbers import COARSE, MAX_DRIFT, RESOLUTION
from tests.kit.records import EPOCH, World

#: Milliseconds: one way, the time from question to answer, and between two probes.
ways = st.floats(0, 5_000)
pauses = st.floats(0, 60_000)
journeys = st.lists(
    st.tuples(ways, st.floats(0, 50), ways, pauses, st.booleans()), min_size=1, max_size=40
)
offsets = st.floats(-1e8, 1e8)  # more than a day
drifts = st.floats(-MAX_DRIFT * 0.9, MAX_DRIFT * 0.9)
moments = st.floats(-3.6e6, 3.6e6)

FLOAT = 0.01
"""Times of 1e12 ms have a resolution of 2e-4 in a float, and those of a World one of 1e-3."""


def readings_of(
    world: World, travelled: list[tuple[float, float, float, float, bool]]
) -> list[Reading]:
    """Probes of either side, one after the other; True: the evaluator asks."""
    now, found = EPOCH, []
    for there, stay, back, pause, by_evaluator in travelled:
        times = now, now + there, now + there + stay, now + there + stay + back
        first, second, third, fourth = times
        if by_evaluator:
            theirs = world.theirs(second), world.theirs(third)
            found.append(Reading.by_us(first, *theirs, fourth))
        else:
            ours = second, third
            found.append(Reading.by_them(world.theirs(first), *ours, world.theirs(fourth)))
        now = fourth + pause
    return found


@given(offsets, drifts, journeys, moments)
def test_the_true_offset_lies_inside_the_bound(
    offset: float,
    drift: float,
    travelled: list[tuple[float, float, float, float, bool]],
    moment: float,
) -> None:
    world = World(offset, drift)
    readings = readings_of(world, travelled)
    history = OffsetHistory(readings)
    assert len(history.spans) == 1
    for time in (*(reading.end for reading in readings), EPOCH, EPOCH + moment):
        found = history.spans[0].at(time)
        assert found.bound >= RESOLUTION
        assert abs(world.theirs(time) - time - found.value) <= found.bound + FLOAT
        back = history.to_evaluator(world.theirs(time), time)
        assert back is not None
        assert abs(back.at - time) <= back.bound + FLOAT


@given(offsets, drifts, journeys, moments)
def test_no_message_is_passed_over(
    offset: float,
    drift: float,
    travelled: list[tuple[float, float, float, float, bool]],
    moment: float,
) -> None:
    readings = readings_of(World(offset, drift), travelled)
    time = EPOCH + moment
    most = min(one.most + MAX_DRIFT * abs(time - one.most_at) for one in readings)
    least = max(one.least - MAX_DRIFT * abs(time - one.least_at) for one in readings)
    found = OffsetHistory(readings).spans[0].at(time)
    assert found.value + found.bound <= most + FLOAT
    assert found.value - found.bound >= least - FLOAT


@given(offsets, drifts, journeys, moments)
def test_no_single_probe_knows_better(
    offset: float,
    drift: float,
    travelled: list[tuple[float, float, float, float, bool]],
    moment: float,
) -> None:
    world, now, probes = World(offset, drift), EPOCH, []
    for there, stay, back, pause, _ in travelled:
        left = now + there + stay
        probes.append(Probe(now, world.theirs(now + there), world.theirs(left), left + back))
        now = left + back + pause
    readings = [Reading.by_us(p.t0, p.t1, p.t2, p.t3) for p in probes]
    history = OffsetHistory(readings)
    time = EPOCH + moment
    for one in readings:
        age = max(time - one.most_at, one.least_at - time)
        alone = (one.most - one.least) / 2 + MAX_DRIFT * age
        assert history.spans[0].at(time).bound <= alone + FLOAT


@given(offsets, drifts, journeys, journeys, st.floats(20_000, 1e7), st.booleans())
def test_where_a_clock_was_set_there_are_two_spans_and_both_are_right(
    offset: float,
    drift: float,
    before: list[tuple[float, float, float, float, bool]],
    after: list[tuple[float, float, float, float, bool]],
    step: float,
    ahead: bool,
) -> None:
    world = World(offset, drift)
    first = readings_of(world, [(*one[:3], min(one[3], 2_000), one[4]) for one in before])[-5:]
    then = max(reading.end for reading in first) + 1
    world.steps.append((then, step if ahead else -step))
    later = then + 1 - EPOCH
    second = [
        Reading(
            one.most_at + later,
            one.most + world.offset_at(EPOCH + later) - offset,
            one.least_at + later,
            one.least + world.offset_at(EPOCH + later) - offset,
        )
        for one in readings_of(World(offset, drift), after)
    ]
    history = OffsetHistory([*second, *first])
    assert len(history.spans) == 2
    for reading in (*first, *second):
        found = history.spans[reading in second].at(reading.end)
        assert abs(world.offset_at(reading.end) - found.value) <= found.bound + FLOAT
    # A time that the client's clock shows twice is told apart by what it is near to.
    for time in (first[-1].end, second[0].end):
        back = history.to_evaluator(time + world.offset_at(time), time)
        assert back is not None
        assert abs(back.at - time) <= back.bound + FLOAT


def test_a_process_that_takes_another_ones_place_begins_a_span() -> None:
    readings = readings_of(World(0, 0), [(10, 0, 10, 100, True)] * 6)
    break_at = readings[3].most_at - 1
    spans = OffsetHistory(readings, [break_at]).spans
    assert [span.begin for span in spans] == [readings[0].end, readings[3].end]


def test_a_reading_that_can_not_be_true_counts_for_nothing() -> None:
    history = OffsetHistory([Reading.by_us(EPOCH, 10, 15, EPOCH + 2)])
    assert not history.spans
    assert history.to_evaluator(EPOCH, EPOCH) is None


def test_each_side_of_a_reading_is_of_the_moment_when_its_message_was_with_the_evaluator() -> None:
    asked = Reading.by_us(1_000.5, 9_010.5, 9_500.5, 1_520.5)
    assert (asked.most_at, asked.least_at) == (1_000.5, 1_520.5)
    assert (asked.most, asked.least) == (8_010 + RESOLUTION, 7_980 - RESOLUTION)
    answered = Reading.by_them(9_000.5, 1_020.5, 1_500.5, 9_510.5)
    assert (answered.most_at, answered.least_at) == (1_500.5, 1_020.5)
    assert (answered.most, answered.least) == (8_010 + RESOLUTION, 7_980 - RESOLUTION)


@pytest.mark.parametrize(
    "times", [(1_000, 9_010.5, 9_500.5, 1_520), (1_000.5, 9_010, 9_500, 1_520.5)]
)
def test_a_clock_that_tells_whole_milliseconds_may_be_off_by_one(
    times: tuple[float, float, float, float],
) -> None:
    t0, t1, t2, t3 = times
    reading = Reading.by_us(*times)
    assert (reading.most, reading.least) == (t1 - t0 + COARSE, t2 - t3 - COARSE)
    theirs = Reading.by_them(*times)
    assert (theirs.most, theirs.least) == (t3 - t2 + COARSE, t0 - t1 - COARSE)


def set_back(by: float, way: float) -> OffsetHistory:
    """Two probes a second apart, between which the client's clock was set back."""
    first = Reading.by_us(EPOCH, EPOCH + way, EPOCH + way, EPOCH + 2 * way)
    later = EPOCH + 1_000
    theirs = later + way - by
    return OffsetHistory([first, Reading.by_us(later, theirs, theirs, later + 2 * way)])


def test_a_time_that_came_twice_is_the_one_that_can_have_been() -> None:
    history = set_back(by=20_000, way=5)
    assert len(history.spans) == 2
    shown = EPOCH + 1_020 - 20_000
    before, after = (
        history.to_evaluator(shown, near, not_before)
        for near, not_before in ((None, EPOCH - 30_000), (None, EPOCH))
    )
    assert before is not None
    assert after is not None
    assert before.at == pytest.approx(shown, abs=1)
    assert after.at == pytest.approx(EPOCH + 1_020, abs=1)


def test_a_time_at_which_the_clock_may_have_been_set_has_the_bounds_of_both() -> None:
    history = set_back(by=40, way=1)  # between EPOCH and EPOCH + 1,002
    before, between, after = (
        history.to_evaluator(EPOCH + at, near=EPOCH + at) for at in (-100, 500, 2_000)
    )
    assert before is not None
    assert between is not None
    assert after is not None
    # Of a single probe, nothing is known of how the clock runs.
    off = 2 + 500 * MAX_DRIFT
    assert before.bound < off
    assert (before.at, after.at) == pytest.approx((EPOCH - 100, EPOCH + 2_040), abs=off)
    assert (between.earliest, between.latest) == pytest.approx((EPOCH + 500, EPOCH + 540), abs=off)
