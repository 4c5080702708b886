"""The offset of a clock that tells whole seconds."""

from __future__ import annotations

from email.utils import formatdate
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.commands.doctor.clock import Probe, WrongDate, clock_offset

EPOCH = 1_800_000_000.0

#: Of the two ways of a probe, in seconds; and between one probe and the next.
ways = st.floats(0, 3)
pauses = st.floats(0, 0.5)


def probe_at(now: float, offset: float, there: float = 0.0, back: float = 0.0) -> Probe:
    """What is seen of a clock that is ahead by the offset."""
    stamped = now + there
    return Probe(now, formatdate(floor(stamped + offset), usegmt=True), stamped + back)


@given(st.floats(-1e6, 1e6), st.lists(st.tuples(ways, ways, pauses), min_size=1, max_size=20))
def test_the_true_offset_lies_inside_whatever_the_ways_take(
    offset: float, journeys: list[tuple[float, float, float]]
) -> None:
    now, probes = EPOCH, []
    for there, back, pause in journeys:
        probes.append(probe_at(now, offset, there, back))
        now += there + back + pause
    found = clock_offset(probes)
    rounding = 1e-5
    assert found.low - rounding <= offset <= found.high + rounding
    assert found.bound > 0
    assert abs(found.middle - offset) <= found.bound + rounding
    assert found.distance <= abs(offset) + rounding


def test_probes_over_a_second_tell_it_to_a_tenth() -> None:
    probes = [probe_at(EPOCH + 0.09 * number, 123.456, 0.001, 0.001) for number in range(12)]
    found = clock_offset(probes)
    assert abs(found.middle - 123.456) <= found.bound <= 0.05


def test_a_single_probe_tells_it_to_half_a_second_and_half_its_round_trip() -> None:
    found = clock_offset([probe_at(EPOCH, 0.0, 0.2, 0.2)])
    assert found.bound == pytest.approx(0.5 + 0.2)
    assert found.distance == 0


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Nov 2026 00:00:00 GMT"])
def test_what_is_no_date_is_no_time(date: str) -> None:
    with pytest.raises(WrongDate, match="its Date is"):
        clock_offset([Probe(EPOCH, date, EPOCH)])


def test_a_clock_that_is_set_meanwhile_is_not_believed() -> None:
    with pytest.raises(WrongDate, match="back and forth"):
        clock_offset([probe_at(EPOCH, 0.0), probe_at(EPOCH + 1, 3600.0)])
