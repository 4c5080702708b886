"""The offset between two clocks lies inside its bound, whatever the ways between them do."""

from __future__ import annotations

from math import floor

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.channel.clocks import Bounded, ClockOffset, Probe, Refused, Stepped
from imgsync.core.channel.drift import Reading, Readings
from imgsync.core.protocol.numbers import (
    MAX_DRIFT,
    PROBES_AT_LEAST,
    RESOLUTION,
)

EPOCH = 1_800_000_000_000.25  # a clock of whole milliseconds is a coarse one

#: Milliseconds: one way, the time from question to answer over there, and between two probes.
ways = st.floats(0, 5_000)
pauses = st.floats(0, 60_000)
journeys = st.lists(st.tuples(ways, st.floats(0, 50), ways, pauses), min_size=1, max_size=100)
offsets = st.floats(-1e8, 1e8)  # more than a day
drifts = st.floats(-MAX_DRIFT * 0.9, MAX_DRIFT * 0.9)


@attrs.frozen
class World:
    """Our clock is right; theirs is ahead by so much at EPOCH and gains so much."""

    offset: float
    drift: float

    def theirs(self, now: float) -> float:
        return now + self.offset_at(now)

    def offset_at(self, now: float) -> float:
        return self.offset + self.drift * (now - EPOCH)

    def probe(self, now: float, there: float, stay: float, back: float) -> Probe:
        arrived, left = now + there, now + there + stay
        return Probe(now, self.theirs(arrived), self.theirs(left), left + back)


def is_inside(clock: ClockOffset, world: World, now: float) -> bool:
    found = clock.at(now)
    assert found is not None
    assert found.bound > 0
    # Times of 1e12 ms have a resolution of 2e-4 in a float.
    return abs(world.offset_at(now) - found.value) <= found.bound + 0.01


@given(offsets, drifts, journeys, st.floats(-3.6e6, 3.6e6))
def test_the_true_offset_lies_inside_the_bound(
    offset: float,
    drift: float,
    journeys: list[tuple[float, float, float, float]],
    later: float,
) -> None:
    world, clock, now = World(offset, drift), ClockOffset(), EPOCH
    for there, stay, back, pause in journeys:
        probe = world.probe(now, there, stay, back)
        assert clock.add(probe) is None
        now = probe.t3
        assert is_inside(clock, world, now)
        now += pause
    # Whatever it is asked for: an image that was sent before, or one long after.
    assert is_inside(clock, world, now + later)


@given(offsets, drifts, journeys, st.booleans(), st.booleans())
def test_it_does_so_where_a_clock_tells_whole_milliseconds_only(
    offset: float,
    drift: float,
    journeys: list[tuple[float, float, float, float]],
    ours_is_coarse: bool,
    theirs_is_coarse: bool,
) -> None:
    world, clock, now = World(offset, drift), ClockOffset(), EPOCH
    for there, stay, back, pause in journeys:
        true = world.probe(now, there, stay, back)
        t0, t3 = (floor(t) if ours_is_coarse else t for t in (true.t0, true.t3))
        t1, t2 = (floor(t) if theirs_is_coarse else t for t in (true.t1, true.t2))
        assert clock.add(Probe(t0, t1, t2, t3)) is None
        now = true.t3
        assert is_inside(clock, world, now)
        now += pause


@given(offsets, drifts, journeys, journeys, st.floats(20_000, 1e7), st.booleans())
def test_after_a_clock_was_set_the_offset_is_the_new_one(
    offset: float,
    drift: float,
    before: list[tuple[float, float, float, float]],
    after: list[tuple[float, float, float, float]],
    step: float,
    ahead: bool,
) -> None:
    clock, now = ClockOffset(), EPOCH
    world = World(offset, drift)
    for there, stay, back, pause in before[-5:]:
        probe = world.probe(now, there, stay, back)
        clock.add(probe)
        now = probe.t3 + min(pause, 2_000)
    world = World(offset + (step if ahead else -step), drift)
    told = []
    for there, stay, back, pause in after:
        probe = world.probe(now, there, stay, back)
        told.append(clock.add(probe))
        now = probe.t3
        assert is_inside(clock, world, now)
        now += pause
    assert isinstance(told[0], Stepped)
    assert (told[0].by > 0) is ahead
    assert told[1:] == [None] * (len(told) - 1)


@pytest.mark.parametrize("stay", [10.0, 100.0, 1_000.0, 5_000.0])
@pytest.mark.parametrize("drift", [0.9 * MAX_DRIFT, -0.9 * MAX_DRIFT, 600e-6, 0.0])
def test_an_answer_that_takes_its_time_over_there_is_believed_however_the_clock_runs(
    drift: float, stay: float
) -> None:
    world, clock = World(5_000.0, drift), ClockOffset()
    probe = world.probe(EPOCH, 0, stay, 0)
    assert clock.add(probe) is None
    assert is_inside(clock, world, probe.t3)


def test_the_quickest_way_there_and_the_quickest_back_decide() -> None:
    clock, world = ClockOffset(), World(1000.0, 0.0)
    clock.add(world.probe(EPOCH, 1, 0, 10))
    clock.add(world.probe(EPOCH + 20, 50, 0, 2))
    found = clock.at(EPOCH + 72)
    assert found is not None
    least, most = 1000 - 2 - RESOLUTION, 1000 + 1 + RESOLUTION + MAX_DRIFT * 72
    assert found.value == pytest.approx((least + most) / 2, abs=0.001)
    assert found.bound == pytest.approx((most - least) / 2, abs=0.001)


def test_what_is_too_old_says_less_than_what_is_new() -> None:
    clock, world = ClockOffset(), World(1000.0, 0.0)
    for number in range(PROBES_AT_LEAST + 1):
        clock.add(world.probe(EPOCH + 2_000 * number, 1, 0, 1))
    young = clock.at(EPOCH + 20_000)
    late = EPOCH + 200_000
    clock.add(world.probe(late, 50, 0, 10))
    old = clock.at(late + 60)
    assert young is not None
    assert old is not None
    assert young.value == pytest.approx(1000)
    assert young.bound < 6
    # By now they may have drifted further apart than these ways can explain.
    assert old.value == pytest.approx(1020, abs=0.1)
    assert old.bound == pytest.approx(30 + RESOLUTION, abs=0.1)


def test_without_a_probe_nothing_is_known() -> None:
    assert ClockOffset().at(EPOCH) is None


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(Probe(EPOCH, 10, 15, EPOCH + 2), id="longer there than we waited"),
        pytest.param(Probe(EPOCH, 15, 10, EPOCH + 2), id="an answer before its question"),
    ],
)
def test_what_can_not_be_true_is_refused(probe: Probe) -> None:
    clock = ClockOffset()
    assert isinstance(clock.add(probe), Refused)
    assert clock.at(EPOCH) is None


def test_the_quickest_of_a_flood_is_remembered_and_the_others_are_not_looked_at_again() -> None:
    known, before = Readings(), 0
    for number in range(30_000):
        way = 0.2 if number % 1000 == 500 else 3 + number % 7
        reading = Reading.by_us(
            *attrs.astuple(World(1000.0, 0.0).probe(EPOCH + number, way, 0, way))
        )
        if known.is_news(reading):
            known.add(reading, known.prove(reading))
            before += 1
    assert len(known) < 64
    assert before < 3_000
    found = known.at(EPOCH + 30_000)
    assert found is not None
    assert found.value == pytest.approx(1000, abs=0.5)
    assert found.bound < 1


def test_on_a_line_without_jitter_few_of_a_flood_are_looked_at_closer() -> None:
    known, world, count = Readings(), World(1000.0, 0.0), 0
    for number in range(20_000):
        reading = Reading.by_us(*attrs.astuple(world.probe(EPOCH + number / 2, 0.3, 0, 0.3)))
        if known.is_news(reading):
            known.add(reading, known.prove(reading))
            count += 1
    assert count < 2_000
    found = known.at(EPOCH + 10_000)
    assert found is not None
    assert found.bound < 0.3 + RESOLUTION + 0.02


def test_what_says_no_more_than_the_one_before_is_no_news_and_what_may_contradict_is() -> None:
    known, world = Readings(), World(1000.0, 0.0)
    first = Reading.by_us(*attrs.astuple(world.probe(EPOCH, 1, 0, 1)))
    known.add(first, known.prove(first))
    for there, back, is_news in ((5, 5, False), (0.5, 5, True), (5, 0.5, True)):
        probe = world.probe(EPOCH + 10, there, 0, back)
        assert known.is_news(Reading.by_us(*attrs.astuple(probe))) is is_news
    for by in (-20, 20):
        probe = World(1000.0 + by, 0.0).probe(EPOCH + 10, 5, 0, 5)
        assert known.is_news(Reading.by_us(*attrs.astuple(probe)))


def test_as_many_readings_are_kept_after_hours_as_after_minutes() -> None:
    known, world = Readings(), World(1000.0, 0.0)
    most = 0
    for number in range(3 * 3600):
        reading = Reading.by_us(*attrs.astuple(world.probe(EPOCH + 1000 * number, 1, 0, 1)))
        known.add(reading, known.prove(reading))
        most = max(most, len(known))
    assert most < 40
    assert len(known) < 20


@given(offsets, drifts, journeys, ways, st.floats(-60_000, 60_000))
def test_a_time_of_theirs_is_told_on_our_clock_and_what_lies_between_the_two_with_its_bound(
    offset: float,
    drift: float,
    journeys: list[tuple[float, float, float, float]],
    latency: float,
    when: float,
) -> None:
    world, clock, now = World(offset, drift), ClockOffset(), EPOCH
    for there, stay, back, pause in journeys:
        probe = world.probe(now, there, stay, back)
        clock.add(probe)
        now = probe.t3 + pause
    sent = now + when
    received = world.theirs(sent + latency)
    here = clock.to_ours(received)
    found = clock.since(sent, received)
    assert here is not None
    assert found is not None
    assert abs(here - (sent + latency)) <= here.bound + 0.01
    assert abs(found - latency) <= found.bound + 0.01
    assert found.bound == here.bound > 0


def test_without_a_probe_their_times_mean_nothing_here() -> None:
    assert ClockOffset().to_ours(EPOCH) is None
    assert ClockOffset().since(EPOCH, EPOCH) is None


def test_what_was_measured_is_a_number_with_its_bound() -> None:
    latency = Bounded(12.5, 0.25)
    assert latency + 1 == 13.5
    assert f"{latency:.1f} ms" == "12.5 ms"
    assert repr(latency) == "12.5 ± 0.25"
