"""A page finds out whether the relay is still there: a rule of the pages alone, played in Node.

Of each input: the ids of the pings that go out, or "lost"; and when it is to be looked at next.
"""

from __future__ import annotations

import pytest

from imgsync.core.protocol.numbers import (
    KEEPALIVE_INTERVAL,
    PONG_DEADLINE,
    PROBE_DEADLINE,
    SLEPT,
)
from tests.both_languages.replay import Given, Replay, dice_of

NOW = 100.0
TURN = NOW + KEEPALIVE_INTERVAL
BEGUN: list[Given] = [["begin", NOW]]


def run(replay: Replay, *inputs: Given) -> list[Given]:
    """What comes of the last of these, after it has begun."""
    last: list[Given] = replay.run("keepalive", [*BEGUN, *inputs])[-1]
    return last


def test_a_relay_that_does_not_say_that_it_answers_is_not_asked_and_never_lost(
    replay: Replay,
) -> None:
    for given in (["ask", NOW], ["tick", NOW + 1000], ["answer", 1, NOW]):
        assert replay.run("keepalive", [given]) == [[[], None]]


def test_it_is_asked_in_turn_and_lost_when_it_does_not_answer_in_time(replay: Replay) -> None:
    asked: Given = ["tick", TURN]
    assert run(replay) == [[], TURN]
    assert run(replay, ["tick", TURN - 0.01]) == [[], TURN]
    assert run(replay, asked) == [[1], TURN + PONG_DEADLINE]
    answered: Given = ["answer", 1, TURN + 2]
    assert run(replay, asked, answered) == [[], TURN + 2 + KEEPALIVE_INTERVAL]
    again = TURN + 2 + KEEPALIVE_INTERVAL
    assert run(replay, asked, answered, ["tick", again]) == [[2], again + PONG_DEADLINE]
    assert run(replay, asked, ["tick", TURN + PONG_DEADLINE]) == [["lost"], None]
    # Once.
    lost: Given = ["tick", TURN + PONG_DEADLINE]
    assert run(replay, asked, lost, ["tick", TURN + 99]) == [[], None]


def test_where_something_may_have_happened_it_is_asked_at_once_and_has_less_time(
    replay: Replay,
) -> None:
    soon = NOW + 3 + PROBE_DEADLINE
    assert run(replay, ["ask", NOW + 3]) == [[1], soon]
    assert run(replay, ["ask", NOW + 3], ["ask", NOW + 4]) == [[], soon]
    # One that is under way has less time from then on.
    assert run(replay, ["tick", TURN], ["ask", TURN + 1]) == [[], TURN + 1 + PROBE_DEADLINE]
    assert run(replay, ["tick", TURN], ["ask", TURN + 9]) == [[], TURN + PONG_DEADLINE]
    assert run(replay, ["ask", NOW + 3], ["tick", soon]) == [["lost"], None]


@pytest.mark.parametrize("id", [0, 1, 3])
def test_only_the_answer_to_the_last_ping_counts(replay: Replay, id: int) -> None:
    # The first was answered while the machine slept.
    slept = TURN + PONG_DEADLINE + 2 * SLEPT
    second: list[Given] = [["tick", TURN], ["tick", slept]]
    assert run(replay, *second) == [[2], slept + PROBE_DEADLINE]
    assert run(replay, *second, ["answer", id, slept]) == [[], slept + PROBE_DEADLINE]
    assert run(replay, *second, ["answer", 2, slept]) == [[], slept + KEEPALIVE_INTERVAL]


def test_timers_that_are_always_late_excuse_it_once(replay: Replay) -> None:
    """As those of a tab that nobody looks at, which ring once a minute."""
    asked = TURN + 60
    assert run(replay, ["tick", asked]) == [[1], asked + PROBE_DEADLINE]
    late: list[Given] = [["tick", asked], ["tick", asked + 60]]
    assert run(replay, *late) == [[2], asked + 60 + PROBE_DEADLINE]
    assert run(replay, *late, ["tick", asked + 120]) == [["lost"], None]


def test_whatever_happens_one_that_never_answers_is_lost_and_one_that_always_does_is_not(
    replay: Replay,
) -> None:
    for answers in (False, True):
        for run_number, dice in dice_of(f"keepalive {answers}", 30):
            now, due, last, inputs = NOW, TURN, 0, list(BEGUN)
            for _ in range(40):
                method = dice.choice(["ask", "tick", "tick"])
                now = due + dice.choice([0, 0, 0.5, 5]) if method == "tick" else now + dice.random()
                inputs.append([method, now])
                outputs, due = replay.run("keepalive", inputs)[-1]
                if outputs == ["lost"]:
                    break
                last = max([last, *outputs])
                if answers:
                    inputs.append(["answer", last, now])
                    _, due = replay.run("keepalive", inputs)[-1]
            assert (outputs == ["lost"]) is not answers, run_number
