"""The heartbeat of one channel: when it pings, and what it makes of silence."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsync.core.channel.heartbeat import Health, Heartbeat, HeartbeatOutput, Judged, SendPing
from imgsync.core.protocol.numbers import (
    LOST_AFTER,
    PING_BURST,
    PING_BURST_INTERVAL,
    PING_INTERVAL,
    SLEPT,
    SUSPECT_AFTER,
)

LAW = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
START = 1000.0
LONG = 1e6


def begun(now: float = START) -> Heartbeat:
    """As it stands with the last ping of its beginning, when all before that was answered."""
    heart = Heartbeat()
    heart.begin(now - (PING_BURST - 1) * PING_BURST_INTERVAL)
    while heart.due < now:
        heart.tick(heart.due)
    assert heart.tick(now) == [SendPing(PING_BURST)]
    heart.answer(PING_BURST - 1, now)
    return heart


def run(heart: Heartbeat, until: float, late: float = 0.0) -> list[tuple[float, HeartbeatOutput]]:
    """Call it whenever it is due, so much later than it asked for; what it said, and when."""
    said = []
    while heart.due < math.inf and heart.due + late <= until:
        now = heart.due + late
        said += [(now, output) for output in heart.tick(now)]
    return said


def verdicts(said: list[tuple[float, HeartbeatOutput]]) -> list[tuple[float, Health]]:
    return [(now, output.health) for now, output in said if isinstance(output, Judged)]


def pings(said: list[tuple[float, HeartbeatOutput]]) -> list[float]:
    return [now for now, output in said if isinstance(output, SendPing)]


# ── who says that it speaks ping ──


@pytest.mark.parametrize("later", [PING_BURST_INTERVAL, 0.5, SUSPECT_AFTER, LOST_AFTER - 0.1])
def test_who_says_so_is_pinged_at_once_whatever_was_known_before(later: float) -> None:
    heart = begun()
    run(heart, START + later - 0.05)
    assert isinstance(heart.greeted(START + later)[0], SendPing)
    assert Heartbeat().greeted(START) == [SendPing(1)]


def test_who_says_so_again_and_again_is_not_pinged_as_often() -> None:
    heart, said = begun(), []
    for number in range(1000):
        said += heart.greeted(START + number / 1000)
    assert len(said) <= 1 / PING_BURST_INTERVAL
    assert heart.health is Health.ALIVE


def test_who_says_so_and_takes_it_back_in_turn_is_not_pinged_as_often() -> None:
    heart, said = begun(), []
    for number in range(1000):
        heart.rest()
        said += heart.greeted(START + number / 1000)
    assert 1 <= len(said) <= 1 / PING_BURST_INTERVAL
    assert heart.health is Health.ALIVE
    assert isinstance(heart.tick(heart.due)[0], SendPing)


def test_who_was_lost_is_pinged_no_more() -> None:
    heart = begun()
    run(heart, START + LONG)
    assert heart.health is Health.LOST
    assert heart.greeted(START + LONG) == []


# ── before it begins ─────────────────────────────────────────────────────────────────────────────


def test_there_are_no_pings_before_the_other_side_speaks_ping() -> None:
    heart = Heartbeat()
    assert heart.health is Health.QUIET
    assert heart.due == math.inf
    assert heart.tick(START) == []
    assert heart.answer(1, START) == []
    assert heart.tick(START + 3600) == []
    assert heart.health is Health.QUIET


def test_the_first_ping_goes_out_at_once_and_there_is_one_beginning() -> None:
    heart = Heartbeat()
    assert heart.begin(START) == [SendPing(1)]
    assert heart.health is Health.ALIVE
    assert heart.begin(START + 1) == []
    assert heart.due == START + PING_BURST_INTERVAL


def test_it_begins_with_a_burst_whether_or_not_that_is_answered() -> None:
    heart = Heartbeat()
    heart.begin(START)
    sent = pings(run(heart, START + 1))
    assert sent == [START + number * PING_BURST_INTERVAL for number in range(1, PING_BURST)]
    assert heart.due == sent[-1] + PING_INTERVAL


# ── while it is answered ─────────────────────────────────────────────────────────────────────────


def test_pings_are_sent_every_two_seconds_with_ids_of_their_own() -> None:
    heart = begun()
    for number in range(1, 20):
        assert heart.due == START + number * PING_INTERVAL
        assert heart.tick(heart.due) == [SendPing(PING_BURST + number)]
        assert heart.answer(PING_BURST + number, START + number * PING_INTERVAL + 0.1) == []
    assert heart.health is Health.ALIVE


def test_who_is_called_too_early_does_nothing() -> None:
    heart = begun()
    assert heart.tick(START) == []
    assert heart.tick(START + PING_INTERVAL - 0.001) == []
    assert heart.tick(START + PING_INTERVAL) == [SendPing(PING_BURST + 1)]


def test_a_pong_ends_the_suspicion() -> None:
    heart = begun()
    run(heart, START + SUSPECT_AFTER)
    assert heart.health is Health.SUSPECT
    assert heart.answer(1, START + 5) == [Judged(Health.ALIVE)]
    assert heart.answer(2, START + 5) == []
    assert verdicts(run(heart, START + 5 + LOST_AFTER)) == [
        (START + 5 + SUSPECT_AFTER, Health.SUSPECT),
        (START + 5 + LOST_AFTER, Health.LOST),
    ]


@pytest.mark.parametrize("id", [0, -1, PING_BURST + 2, 2**53, "1", "", "one"])
def test_a_pong_with_an_id_that_we_never_sent_is_no_answer(id: int | str) -> None:
    heart = begun()
    said = run(heart, START + PING_INTERVAL)
    assert heart.answer(id, START + 3) == []
    said += run(heart, START + LOST_AFTER)
    assert verdicts(said)[-1] == (START + LOST_AFTER, Health.LOST)


# ── silence ──────────────────────────────────────────────────────────────────────────────────────


def test_silence_is_suspect_after_four_seconds_and_lost_after_eight() -> None:
    heart = begun()
    said = run(heart, START + 3600)
    assert verdicts(said) == [(START + 4, Health.SUSPECT), (START + 8, Health.LOST)]
    assert pings(said) == [START + 2, START + 4, START + 6, START + 8]


def test_nothing_is_said_after_the_loss() -> None:
    heart = begun()
    run(heart, START + LOST_AFTER)
    assert heart.health is Health.LOST
    assert heart.due == math.inf
    assert heart.tick(START + 100) == []
    assert heart.answer(1, START + 100) == []
    assert heart.begin(START + 100) == []


def test_a_caller_that_slept_does_not_condemn_the_other_side() -> None:
    heart = begun()
    awake = START + 600
    assert heart.tick(awake) == [SendPing(PING_BURST + 1)]
    assert heart.health is Health.ALIVE
    assert heart.answer(PING_BURST + 1, awake + 0.1) == []
    assert verdicts(run(heart, awake + SUSPECT_AFTER)) == []


@pytest.mark.parametrize("awake", [START + 8 + SLEPT + 0.01, START + 3600])
def test_a_caller_that_slept_while_it_suspected_still_waits_for_what_was_left(awake: float) -> None:
    heart = begun()
    run(heart, START + SUSPECT_AFTER)
    due = heart.due
    assert due < START + 8
    heart.tick(awake)
    assert heart.health is Health.SUSPECT
    assert verdicts(run(heart, LONG)) == [(awake + START + LOST_AFTER - due, Health.LOST)]


def test_a_pong_that_waited_for_a_caller_that_slept_does_not_count_for_the_time_to_come() -> None:
    heart = begun()
    awake = START + 600
    heart.answer(1, awake)
    assert heart.tick(awake) == [SendPing(PING_BURST + 1)]
    assert verdicts(run(heart, awake + 3600)) == [
        (awake + SUSPECT_AFTER, Health.SUSPECT),
        (awake + LOST_AFTER, Health.LOST),
    ]


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────

LATE = st.floats(0, SLEPT)


@given(delays=st.lists(st.floats(0, 4), min_size=1, max_size=40), late=st.data())
@LAW
def test_a_side_whose_pongs_come_within_four_seconds_is_never_lost(
    delays: list[float], late: st.DataObject
) -> None:
    heart = begun()
    on_the_way = {PING_BURST: START + delays[0]}
    for delay in delays[1:]:
        due = heart.due + late.draw(LATE)
        for id, at in sorted(on_the_way.items(), key=lambda entry: entry[1]):
            if at <= due:
                del on_the_way[id]
                heart.answer(id, at)
        for output in heart.tick(due):
            if isinstance(output, SendPing):
                on_the_way[output.id] = due + delay
        assert heart.health in (Health.ALIVE, Health.SUSPECT)


STEP = st.tuples(st.sampled_from(["tick", "late", "pong", "foreign"]), st.floats(0, 30))


@given(steps=st.lists(STEP, max_size=40))
@LAW
def test_whatever_came_before_a_side_that_falls_silent_is_lost_eight_seconds_later(
    steps: list[tuple[str, float]],
) -> None:
    heart = begun()
    now, sent, health = START, PING_BURST, Health.ALIVE
    for kind, pause in steps:
        now = max(now, heart.due if kind == "tick" else now + pause)
        if health is Health.LOST:
            return
        outputs = (
            heart.tick(now)
            if kind in ("tick", "late")
            else heart.answer(sent if kind == "pong" else -sent, now)
        )
        sent += sum(isinstance(output, SendPing) for output in outputs)
        judged = [output.health for output in outputs if isinstance(output, Judged)]
        assert judged == [heart.health] * (heart.health is not health)
        assert judged != [Health.SUSPECT] or kind != "foreign"
        health = heart.health
        assert health is Health.LOST or heart.due <= now + LOST_AFTER
    if health is not Health.LOST:
        # A sleep that is not noticed yet does not count as silence.
        said = [(now, output) for output in heart.tick(now)] + run(heart, now + 60)
        [*_, (lost, verdict)] = verdicts(said)
        assert verdict is Health.LOST
        assert lost <= now + LOST_AFTER


@given(late=st.lists(LATE, min_size=20, max_size=20))
@LAW
def test_silence_is_noticed_in_time_however_late_the_calls_are_within_a_second(
    late: list[float],
) -> None:
    heart = begun()
    judged: list[tuple[float, Health]] = []
    for more in late:
        if heart.health is Health.LOST:
            break
        now = heart.due + more
        judged += verdicts([(now, output) for output in heart.tick(now)])
    [suspect, lost] = judged
    assert suspect[1] is Health.SUSPECT
    assert START + SUSPECT_AFTER <= suspect[0] <= START + SUSPECT_AFTER + SLEPT
    assert lost[1] is Health.LOST
    assert START + LOST_AFTER <= lost[0] <= START + LOST_AFTER + SLEPT
