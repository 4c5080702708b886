"""When what is lost is sent again, on paths that are quick, slow, or gone."""

import math
from itertools import pairwise

import pytest

from imgsync.core.channel.recovery import (
    BACKED_OFF,
    DELAYED,
    FEW,
    INITIAL_RTO,
    LEAST_PROBE,
    LEAST_RTO,
    MOST_RTO,
    PERSISTENT,
    Due,
    Recovery,
    is_lost,
)

ROUND_TRIP = 0.02


def make_recovery(*samples: float) -> Recovery:
    recovery = Recovery()
    for sample in samples or (ROUND_TRIP,) * 50:
        recovery.measured(sample)
    return recovery


def run_in_vain(recovery: Recovery, count: int, now: float = 0.0) -> list[tuple[Due, float]]:
    """What becomes due, and when, of one packet that was sent now and is never acknowledged."""
    recovery.armed(now)
    came = []
    for _ in range(count):
        now = recovery.due
        due = recovery.tick(now)
        assert due is not None
        came.append((due, now))
        if due is Due.TIMEOUT:
            recovery.armed(now)
    return came


def first_due(recovery: Recovery) -> tuple[Due, float]:
    [(due, at)] = run_in_vain(recovery, 1)
    return due, at


def test_what_is_lost_is_probed_for_after_two_round_trips_and_waits_for_no_timeout() -> None:
    due, at = first_due(make_recovery(*[0.1] * 50))
    assert due is Due.PROBE
    assert at == pytest.approx(0.2, abs=0.001)
    assert first_due(make_recovery(*[0.001] * 50)) == (Due.PROBE, LEAST_PROBE)


def test_a_message_is_sent_five_times_in_the_first_second_and_less_and_less_often() -> None:
    came = run_in_vain(make_recovery(), 7)
    assert [due for due, _ in came] == [Due.PROBE] * 3 + [Due.TIMEOUT] * 4
    times = [at for _, at in came]
    assert sum(at < 1.0 for at in times) >= 4
    pauses = [after - before for before, after in pairwise([0.0, *times])]
    assert pauses[:3] == [pytest.approx(pauses[0] * 2**number) for number in range(3)]
    assert pauses[3:] == [pytest.approx(one) for one in (0.3, 0.6, 1.0, 1.0)]


def test_a_network_that_is_gone_is_asked_each_second_for_a_while_and_then_ever_less() -> None:
    times = [at for due, at in run_in_vain(make_recovery(), 200) if due is Due.TIMEOUT]
    pauses = [after - before for before, after in pairwise(times)]
    assert all(pause <= BACKED_OFF + 1e-9 for pause in pauses[: PERSISTENT - 1])
    assert times[PERSISTENT] > 5
    assert pauses[PERSISTENT] == pytest.approx(2 * BACKED_OFF)
    assert pauses[-1] == pytest.approx(MOST_RTO)


def test_while_nothing_is_measured_there_is_nothing_to_probe_by() -> None:
    recovery = Recovery()
    assert recovery.rto == INITIAL_RTO
    assert first_due(recovery) == (Due.TIMEOUT, INITIAL_RTO)


def test_the_timeout_is_never_nearer_than_an_acknowledgement_that_is_kept_back() -> None:
    for round_trip in (0.0, 0.001, 0.02, 0.1, 0.5, 3.0):
        recovery = make_recovery(*[round_trip] * 100)
        assert recovery.rto == pytest.approx(max(LEAST_RTO, round_trip + DELAYED), rel=0.01)


def test_a_peer_that_keeps_its_acknowledgements_back_is_not_probed_before_they_come() -> None:
    samples = [ROUND_TRIP, ROUND_TRIP + 0.2] * 25
    _, at = first_due(make_recovery(*samples))
    assert at > max(samples)


def test_nothing_is_due_when_all_is_acknowledged() -> None:
    recovery = make_recovery()
    recovery.armed(5.0)
    assert recovery.due < math.inf
    recovery.disarmed()
    assert recovery.due == math.inf
    assert recovery.tick(100.0) is None


def test_a_tick_that_comes_too_early_changes_nothing() -> None:
    recovery = make_recovery()
    recovery.armed(0.0)
    due = recovery.due
    assert recovery.tick(due - 0.001) is None
    assert recovery.due == due


def test_who_was_held_up_probes_before_anything_is_taken_for_lost() -> None:
    recovery = make_recovery()
    recovery.armed(0.0)
    assert recovery.tick(5.0) is Due.PROBE
    assert recovery.due > 5.0


def test_what_an_acknowledgement_shows_to_be_lost_is_not_probed_for() -> None:
    recovery = make_recovery()
    recovery.armed(0.0, is_recovering=True)
    assert recovery.due == recovery.rto
    assert recovery.tick(recovery.due) is Due.TIMEOUT
    # After a timeout, all is sent again; and what was sent again is not probed for.
    recovery.armed(1.0)
    assert recovery.tick(recovery.due) is Due.TIMEOUT


def test_what_follows_is_probed_for_again() -> None:
    recovery = make_recovery()
    _, at = run_in_vain(recovery, 5)[-1]
    recovery.acknowledged(at + ROUND_TRIP)
    assert first_due(recovery)[0] is Due.PROBE


def test_an_answer_that_comes_when_it_was_to_come_ends_the_longer_waiting() -> None:
    fresh = run_in_vain(make_recovery(), 6)
    recovery = make_recovery()
    _, at = run_in_vain(recovery, 6)[-1]
    recovery.acknowledged(at + ROUND_TRIP)
    assert run_in_vain(recovery, 6) == fresh


@pytest.mark.parametrize("after", [0.001, 0.3])
def test_an_answer_that_may_be_to_an_earlier_sending_does_not(after: float) -> None:
    recovery = make_recovery()
    _, at = run_in_vain(recovery, 4)[-1]
    recovery.acknowledged(at + after)
    longer = run_in_vain(recovery, 4)
    assert longer[-1][1] > run_in_vain(make_recovery(), 4)[-1][1]


@pytest.mark.parametrize("became", [0.1, 0.45, 0.8, 1.5, 4.0, 20.0])
def test_a_path_that_has_become_slow_is_found_to_be_so_whatever_it_is_by(became: float) -> None:
    """Each message is acknowledged; what was sent again measures nothing."""
    recovery, now = make_recovery(), 0.0
    sendings = []
    for _ in range(30):
        begin, count = now, 1
        recovery.armed(begin)
        while recovery.due < begin + became:
            now = recovery.due
            count += 1
            if recovery.tick(now) is Due.TIMEOUT:
                recovery.armed(now)
        now = begin + became
        recovery.acknowledged(now)
        if count == 1:
            recovery.measured(became)
        else:
            recovery.repeated_in_vain()
        recovery.disarmed()
        sendings.append(count)
    assert sendings[-10:] == [1] * 10, sendings


def test_a_clock_that_was_set_measures_nothing() -> None:
    recovery = make_recovery()
    before = recovery.rto
    for wrong in (-3600.0, 3600.0):
        recovery.measured(wrong)
    assert recovery.rto == before


def test_the_first_of_few_is_lost_where_all_behind_it_have_arrived() -> None:
    lost = [
        (outstanding, reported)
        for outstanding in range(8)
        for reported in range(outstanding + 1)
        if is_lost(outstanding, reported, unsent=0)
    ]
    assert lost == [(outstanding, outstanding - 1) for outstanding in range(2, FEW)]
    assert not is_lost(2, 1, unsent=1)
