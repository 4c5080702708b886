"""The repair of a connection that was there: each move of one core, input by input."""

import math
from collections.abc import Callable

import pytest

from imgsync.core.handshake.outputs import (
    AddCandidate,
    ApplyAnswer,
    Connected,
    Discard,
    Ended,
    Interrupted,
    MakeAnswer,
    MakeOffer,
    Note,
    Output,
    Phase,
    Say,
)
from imgsync.core.handshake.patience import pause_after
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.numbers import (
    ABSENCE_DEADLINE,
    ATTEMPT_DEADLINE,
    MAX_ASKED,
    REPAIR_DEADLINE,
)
from imgsync.core.protocol.signalling import EndReason, RequestOffer
from tests.kit.handshakes import (
    CHANCE,
    REQUEST,
    Core,
    answer,
    answerer,
    candidate,
    connected,
    interrupted,
    is_noted,
    line,
    offer,
    offerer,
    sdp,
    wait_for_end,
)

LOST = EndReason.CONNECTION_LOST
Make = Callable[[], Core]
both = pytest.mark.parametrize("make", [offerer, answerer])


def lose(core: Core) -> list[Output]:
    return core.lost(core.attempt, LOST, "silence")


def fails(core: Core) -> list[Output]:
    """Let the attempt run into its deadline."""
    assert core.due == core.now + ATTEMPT_DEADLINE
    return core.wait_due()


def is_fruitless(core: Core) -> list[Output]:
    """Our side finds no address for the current attempt."""
    return core.fruitless(core.attempt)


def is_pausing(core: Core, failures: int) -> bool:
    """Whether it waits for as long as it does after so many failures."""
    return core.phase is Phase.INTERRUPTED and core.due == core.now + pause_after(failures, CHANCE)


def check_end(core: Core, at: float) -> None:
    """It gives up at this time, and not before."""
    [end] = wait_for_end(core)
    assert isinstance(end, Ended)
    assert end.reason is LOST
    assert f"{REPAIR_DEADLINE:g} s" in end.detail
    assert core.now == at


# ── a connection is lost ─────────────────────────────────────────────────────────────────────────


def test_the_evaluator_that_loses_the_connection_offers_at_once() -> None:
    core = connected(offerer())
    assert lose(core) == [Interrupted(LOST, "silence"), Discard(1), MakeOffer(2)]
    assert core.due == core.now + ATTEMPT_DEADLINE
    assert core.phase is Phase.NEGOTIATING
    check_end(core, REPAIR_DEADLINE)


def test_the_client_that_loses_the_connection_gives_the_evaluator_time_and_then_asks() -> None:
    core = connected(answerer())
    assert lose(core) == [Interrupted(LOST, "silence"), Discard(1)]
    assert core.phase is Phase.INTERRUPTED
    assert core.wait_due() == [Say(RequestOffer())]
    assert core.wait_due() == [Say(RequestOffer())]
    check_end(core, REPAIR_DEADLINE)


def test_the_client_waits_longer_from_one_request_to_the_next() -> None:
    core = connected(answerer())
    lose(core)
    for failures in range(1, 5):
        assert is_pausing(core, failures)
        assert core.wait_due() == [Say(RequestOffer())]
    pauses = [pause_after(failures, CHANCE) for failures in range(1, 5)]
    assert pauses == sorted(set(pauses))


def test_a_repaired_connection_is_a_connection() -> None:
    evaluator = connected(offerer())
    lose(evaluator)
    evaluator.described(2, sdp("offer", "eva2"))
    text = sdp("answer", "cli2")
    assert evaluator.receive(answer("cli2"))[-1] == ApplyAnswer(
        2, parse_description("answer", text)
    )
    client = connected(answerer())
    lose(client)
    text = sdp("offer", "eva2")
    assert client.receive(offer("eva2"))[-1] == MakeAnswer(2, parse_description("offer", text))
    for core in (evaluator, client):
        assert core.due == core.now + ATTEMPT_DEADLINE
        core.wait(1)
        assert core.opened(2) == [Connected(2)]
        assert core.phase is Phase.CONNECTED
        core.wait(1)
        assert lose(core)[0] == Interrupted(LOST, "silence")
        check_end(core, 2 + REPAIR_DEADLINE)


def test_the_side_that_has_noticed_nothing_is_interrupted_by_the_other_one() -> None:
    anew = Interrupted(LOST, "the other side connects anew")
    client = connected(answerer())
    assert client.receive(offer("eva2"))[0] == anew
    assert client.phase is Phase.NEGOTIATING
    evaluator = connected(offerer())
    assert evaluator.receive(REQUEST)[0] == anew
    assert evaluator.phase is Phase.NEGOTIATING
    for core in (client, evaluator):
        check_end(core, REPAIR_DEADLINE)


@both
def test_before_the_first_connection_an_attempt_without_an_address_has_its_time(make: Make) -> None:
    core = make()
    due = core.due
    assert core.fruitless(core.attempt) == []
    assert core.due == due


@both
def test_before_the_first_connection_a_loss_ends_the_session(make: Make) -> None:
    core = make()
    assert lose(core) == [Ended(EndReason.NEGOTIATION_FAILED, "silence")]


@both
def test_the_close_of_the_channel_is_meant_even_in_the_middle_of_a_repair(make: Make) -> None:
    for core in (connected(make()), interrupted(make())):
        assert core.lost(core.attempt, EndReason.ENDED) == [Ended(EndReason.ENDED)]


@both
def test_a_connection_that_was_given_up_can_be_lost_or_opened_no_more(make: Make) -> None:
    core = interrupted(make())
    assert core.opened(core.attempt) == []
    assert lose(core) == []
    assert core.left(core.attempt) == []
    assert core.phase is Phase.INTERRUPTED


# ── an attempt to repair fails ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fail", [lose, fails, is_fruitless])
def test_an_evaluators_attempts_follow_each_other_after_pauses_that_grow(
    fail: Callable[[Core], list[Output]],
) -> None:
    core = connected(offerer())
    lose(core)
    for failures in range(10):
        assert fail(core) == [Discard(core.attempt)]
        assert is_pausing(core, failures)
        assert core.wait_due() == [MakeOffer(failures + 3)]
        assert core.due == core.now + ATTEMPT_DEADLINE


@pytest.mark.parametrize("fail", [lose, fails, is_fruitless])
def test_a_client_whose_attempt_failed_asks_for_another_one(
    fail: Callable[[Core], list[Output]],
) -> None:
    core = connected(answerer())
    lose(core)
    core.receive(offer("eva2"))
    assert fail(core) == [Discard(2)]
    assert is_pausing(core, 1)
    assert core.wait_due() == [Say(RequestOffer())]


@both
def test_half_of_a_pause_is_left_to_chance(make: Make) -> None:
    core = interrupted(make())
    core.peer_back()
    if core.phase is Phase.NEGOTIATING:
        lose(core)
    longest = core.due - core.now
    core.chance = 0.0
    core.peer_back()
    if core.phase is Phase.NEGOTIATING:
        lose(core)
    assert core.due - core.now == pytest.approx(longest / 2)


def test_a_new_connection_makes_the_next_pause_a_short_one() -> None:
    core = connected(offerer())
    for _ in range(2):
        lose(core)
        lose(core)
        assert is_pausing(core, 0)
        core.wait_due()
        core.opened(core.attempt)


def test_what_makes_no_sense_does_not_end_a_session_that_was_connected() -> None:
    core = connected(offerer())
    lose(core)
    core.described(2, sdp("offer", "eva2"))
    assert is_noted(core.receive(answer("cli2").replace("a=mid:0", "a=mud:0")))  # type: ignore[arg-type]
    assert core.phase is Phase.NEGOTIATING


# ── times of the past ────────────────────────────────────────────────────────────────────────────


@both
def test_only_the_last_pause_leads_to_a_retry(make: Make) -> None:
    core = connected(make())
    lose(core)
    for _ in range(3):
        if core.phase is Phase.NEGOTIATING:
            lose(core)
        stale = core.due
        core.wait((stale - core.now) / 2)
        core.peer_away()
        core.peer_back()
        if core.phase is Phase.NEGOTIATING:
            lose(core)
        assert core.due > stale
        assert core.wait(stale - core.now) == []
        assert core.phase is Phase.INTERRUPTED
    assert core.wait_due() != []


def test_a_pause_of_an_earlier_interruption_does_nothing() -> None:
    core = connected(answerer())
    lose(core)
    stale = core.due
    core.wait((stale - core.now) / 2)
    core.receive(offer("eva2"))
    core.opened(2)
    assert core.due == math.inf
    lose(core)
    assert is_pausing(core, 1)
    assert core.wait(stale - core.now) == []
    assert core.wait_due() != []


@both
def test_a_pause_of_an_earlier_interruption_does_not_forestall_the_verdict(make: Make) -> None:
    core = connected(make())
    lose(core)
    core.receive(offer("eva2"))
    lose(core)
    assert core.due < core.now + ABSENCE_DEADLINE
    core.peer_back()
    core.receive(offer("eva3"))
    core.opened(core.attempt)
    core.left(core.attempt)
    assert core.due == core.now + ABSENCE_DEADLINE
    assert core.phase is Phase.INTERRUPTED


@both
def test_the_verdicts_of_an_earlier_interruption_do_nothing(make: Make) -> None:
    core = connected(make())
    core.left(1)
    core.wait(ABSENCE_DEADLINE / 2)
    reconnect(core)
    assert core.due == math.inf
    lose(core)
    core.wait(ABSENCE_DEADLINE)
    assert core.phase is not Phase.ENDED
    check_end(core, ABSENCE_DEADLINE / 2 + REPAIR_DEADLINE)


def reconnect(core: Core) -> None:
    core.peer_away()
    core.peer_back()
    core.receive(offer("eva2"))
    core.opened(core.attempt)
    assert core.phase is Phase.CONNECTED


@both
def test_an_interruption_that_lasts_too_long_ends_the_session(make: Make) -> None:
    negotiating = connected(make())
    lose(negotiating)
    negotiating.wait(REPAIR_DEADLINE - 1)
    for raw in (offer("eva2"), REQUEST):
        negotiating.receive(raw)
    assert negotiating.phase is Phase.NEGOTIATING
    assert negotiating.due == REPAIR_DEADLINE
    for core in (interrupted(make()), negotiating):
        check_end(core, REPAIR_DEADLINE)


@both
def test_a_deadline_after_the_connection_was_repaired_does_nothing(make: Make) -> None:
    core = connected(make())
    lose(core)
    core.receive(offer("eva2"))
    core.opened(core.attempt)
    assert core.due == math.inf
    assert core.wait(2 * REPAIR_DEADLINE) == []
    assert core.phase is Phase.CONNECTED


def test_what_is_overdue_is_done_in_its_order() -> None:
    core = connected(offerer())
    lose(core)
    core.now += ATTEMPT_DEADLINE + 1
    assert core.tick(core.now) == [Discard(2)]
    assert is_pausing(core, 0)
    core.now = REPAIR_DEADLINE
    offered, end = core.tick(core.now)
    assert offered == MakeOffer(3)
    assert isinstance(end, Ended)


@both
def test_a_connection_that_opens_when_its_deadline_has_passed_unnoticed_is_there(
    make: Make,
) -> None:
    core = connected(make())
    lose(core)
    core.receive(offer("eva2"))
    core.now += ATTEMPT_DEADLINE + 1
    assert core.opened(2) == [Connected(2)]
    assert core.tick(core.now) == []
    assert core.phase is Phase.CONNECTED


@both
def test_what_our_side_says_of_an_attempt_that_was_given_up_is_dropped(make: Make) -> None:
    core = interrupted(make())
    assert core.described(core.attempt, sdp("offer", "late")) == []
    assert core.gathered(core.attempt, line(9)) == []
    assert core.phase is Phase.INTERRUPTED


# ── signals of the past ──────────────────────────────────────────────────────────────────────────


def test_a_client_drops_the_signals_of_attempts_before() -> None:
    core = connected(answerer())
    lose(core)
    assert is_noted(core.receive(offer("eva1")))
    core.receive(offer("eva2"))
    for raw in (offer("eva1"), offer("eva2"), candidate(7, "eva1"), candidate(None, "eva1")):
        assert is_noted(core.receive(raw))
    assert [type(output) for output in core.receive(candidate(7, "eva2"))] == [AddCandidate]


def test_an_evaluator_drops_the_signals_of_attempts_before() -> None:
    core = connected(offerer())
    lose(core)
    core.described(2, sdp("offer", "eva2", mid="2"))
    for raw in (answer("cli1"), candidate(7, "cli1"), candidate(None, "cli1")):
        assert is_noted(core.receive(raw))
    assert isinstance(core.receive(answer("cli2", mid="2"))[-1], ApplyAnswer)


@both
def test_what_our_side_says_of_the_lost_attempt_is_dropped(make: Make) -> None:
    core = connected(make())
    lose(core)
    core.receive(offer("eva2"))
    assert core.attempt == 2
    assert core.described(1, sdp("offer", "late")) == []
    assert core.gathered(1, line(9)) == []
    assert core.opened(1) == core.left(1) == []
    assert core.lost(1, LOST) == core.lost(1, EndReason.ENDED) == []
    assert core.due == core.now + ATTEMPT_DEADLINE


# ── too many ─────────────────────────────────────────────────────────────────────────────────────


def test_the_attempts_that_a_client_asks_for_are_limited_and_a_pause_of_ours_allows_more() -> None:
    core = connected(offerer())
    for _ in range(MAX_ASKED):
        assert MakeOffer(core.attempt + 1) in core.receive(REQUEST)
    assert is_noted(core.receive(REQUEST))
    assert core.phase is Phase.NEGOTIATING
    fails(core)
    core.wait_due()
    assert MakeOffer(core.attempt + 1) in core.receive(REQUEST)


def test_the_attempts_that_an_evaluator_asks_for_are_limited_and_a_pause_allows_more() -> None:
    core = connected(answerer())
    core.opened(1)
    for number in range(MAX_ASKED):
        assert core.receive(offer(f"new{number}")) != []
        assert core.attempt == number + 2
    assert is_noted(core.receive(offer("more")))
    fails(core)
    core.wait_due()
    core.receive(offer("more"))
    assert core.attempt == MAX_ASKED + 2


def test_our_own_attempts_are_not_counted_as_asked_for() -> None:
    core = connected(offerer())
    lose(core)
    for _ in range(3 * MAX_ASKED):
        lose(core)
        core.wait_due()
    assert not any(isinstance(output, Note) for output in core.receive(REQUEST))
