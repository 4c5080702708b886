"""The repair of a connection that was there: each move of one core, input by input."""

from collections.abc import Callable

import pytest

from imgsync.core.handshake.handshake import Handshake
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
    SetDeadline,
    SetGiveUp,
    SetRetry,
)
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.numbers import ATTEMPT_DEADLINE, MAX_ASKED, REPAIR_DEADLINE
from imgsync.core.protocol.signalling import EndReason, RequestOffer
from tests.kit.handshakes import (
    REQUEST,
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
)

LOST = EndReason.CONNECTION_LOST
Make = Callable[[], Handshake]
both = pytest.mark.parametrize("make", [offerer, answerer])


def lose(core: Handshake) -> list[Output]:
    return core.lost(core.attempt, LOST, "silence")


def retry(outputs: list[Output]) -> SetRetry:
    [found] = [output for output in outputs if isinstance(output, SetRetry)]
    return found


def deadline(attempt: int) -> SetDeadline:
    return SetDeadline(attempt, ATTEMPT_DEADLINE)


# ── a connection is lost ─────────────────────────────────────────────────────────────────────────


def test_the_evaluator_that_loses_the_connection_offers_at_once() -> None:
    core = connected(offerer())
    assert lose(core) == [
        *(Interrupted(LOST, "silence"), SetGiveUp(1), Discard(1)),
        *(deadline(2), MakeOffer(2)),
    ]
    assert core.phase is Phase.NEGOTIATING


def test_the_client_that_loses_the_connection_gives_the_evaluator_time_and_then_asks() -> None:
    core = connected(answerer())
    outputs = lose(core)
    assert outputs[:3] == [Interrupted(LOST, "silence"), SetGiveUp(1), Discard(1)]
    assert core.phase is Phase.INTERRUPTED
    outputs = core.retry_due(retry(outputs).pause)
    assert outputs[0] == Say(RequestOffer())
    outputs = core.retry_due(retry(outputs).pause)
    assert outputs[0] == Say(RequestOffer())


def test_the_client_waits_longer_from_one_request_to_the_next() -> None:
    core = connected(answerer())
    pause, failures = retry(lose(core)), []
    for _ in range(4):
        failures.append(pause.failures)
        pause = retry(core.retry_due(pause.pause))
    assert failures == sorted(set(failures))


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
    assert client.receive(offer("eva2"))[-2:] == [
        deadline(2),
        MakeAnswer(2, parse_description("offer", sdp("offer", "eva2"))),
    ]
    for core in (evaluator, client):
        assert core.opened(2) == [Connected(2)]
        assert core.phase is Phase.CONNECTED
        assert lose(core)[:2] == [Interrupted(LOST, "silence"), SetGiveUp(2)]


def test_the_side_that_has_noticed_nothing_is_interrupted_by_the_other_one() -> None:
    anew = [Interrupted(LOST, "the other side connects anew"), SetGiveUp(1)]
    client = connected(answerer())
    assert client.receive(offer("eva2"))[:2] == anew
    assert client.phase is Phase.NEGOTIATING
    evaluator = connected(offerer())
    assert evaluator.receive(REQUEST)[:2] == anew
    assert evaluator.phase is Phase.NEGOTIATING


@both
def test_before_the_first_connection_a_loss_ends_the_session(make: Make) -> None:
    core = make()
    assert lose(core) == [Ended(LOST, "silence")]


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


@pytest.mark.parametrize("fail", [lose, lambda core: core.timed_out(core.attempt)])
def test_an_evaluators_attempts_follow_each_other_after_pauses_that_grow(
    fail: Callable[[Handshake], list[Output]],
) -> None:
    core = connected(offerer())
    lose(core)
    for number in range(1, 30):
        outputs = fail(core)
        assert outputs[0] == Discard(number + 1)
        assert retry(outputs).failures == number
        assert core.phase is Phase.INTERRUPTED
        outputs = core.retry_due(retry(outputs).pause)
        assert outputs[-2:] == [deadline(number + 2), MakeOffer(number + 2)]


@pytest.mark.parametrize("fail", [lose, lambda core: core.timed_out(core.attempt)])
def test_a_client_whose_attempt_failed_asks_for_another_one(
    fail: Callable[[Handshake], list[Output]],
) -> None:
    core = connected(answerer())
    lose(core)
    core.receive(offer("eva2"))
    outputs = fail(core)
    assert outputs[0] == Discard(2)
    assert core.retry_due(retry(outputs).pause)[0] == Say(RequestOffer())


def test_a_new_connection_makes_the_next_pause_a_short_one() -> None:
    core = connected(offerer())
    lose(core)
    first = retry(lose(core))
    core.retry_due(retry([first]).pause)
    core.opened(core.attempt)
    lose(core)
    assert retry(lose(core)).failures == first.failures


def test_what_makes_no_sense_does_not_end_a_session_that_was_connected() -> None:
    core = connected(offerer())
    lose(core)
    core.described(2, sdp("offer", "eva2"))
    assert is_noted(core.receive(answer("cli2").replace("a=mid:0", "a=mud:0")))  # type: ignore[arg-type]
    assert core.phase is Phase.NEGOTIATING


# ── timers of the past ───────────────────────────────────────────────────────────────────────────


@both
def test_only_the_last_pause_leads_to_a_retry(make: Make) -> None:
    core = connected(make())
    pauses = [0]
    outputs = lose(core)
    for _ in range(3):
        if core.phase is Phase.NEGOTIATING:
            outputs = lose(core)
        assert [core.retry_due(pause) for pause in pauses] == [[]] * len(pauses)
        pauses.append(retry(outputs).pause)
        core.peer_away()
        outputs = core.peer_back()
    if core.phase is Phase.NEGOTIATING:
        outputs = lose(core)
    assert [core.retry_due(pause) for pause in pauses] == [[]] * len(pauses)
    assert core.retry_due(retry(outputs).pause) != []


def test_a_pause_of_an_earlier_interruption_does_nothing() -> None:
    core = connected(answerer())
    stale = retry(lose(core)).pause
    core.receive(offer("eva2"))
    core.opened(2)
    assert core.retry_due(stale) == []
    fresh = retry(lose(core)).pause
    assert core.retry_due(stale) == []
    assert core.retry_due(fresh) != []


@both
def test_a_pause_of_an_earlier_interruption_does_not_forestall_the_verdict(make: Make) -> None:
    core = connected(make())
    lose(core)
    core.receive(offer("eva2"))
    stale = retry(lose(core)).pause
    core.peer_back()
    core.receive(offer("eva3"))
    core.opened(core.attempt)
    core.left(core.attempt)
    assert core.retry_due(stale) == []
    assert core.phase is Phase.INTERRUPTED


@both
def test_the_verdicts_of_an_earlier_interruption_do_nothing(make: Make) -> None:
    core = connected(make())
    core.left(1)
    reconnect(core)
    assert core.absence_due(1) == core.gave_up(1) == []
    lose(core)
    assert core.absence_due(1) == core.gave_up(1) == []
    assert core.phase is not Phase.ENDED


def reconnect(core: Handshake) -> None:
    core.peer_away()
    core.peer_back()
    core.receive(offer("eva2"))
    core.opened(core.attempt)
    assert core.phase is Phase.CONNECTED


@both
def test_an_interruption_that_lasts_too_long_ends_the_session(make: Make) -> None:
    negotiating = connected(make())
    lose(negotiating)
    negotiating.receive(offer("eva2"))
    assert negotiating.phase is Phase.NEGOTIATING
    for core in (interrupted(make()), negotiating):
        [end] = core.gave_up(1)
        assert isinstance(end, Ended)
        assert end.reason is LOST
        assert f"{REPAIR_DEADLINE:g} s" in end.detail


@both
def test_a_deadline_after_the_connection_was_repaired_does_nothing(make: Make) -> None:
    core = connected(make())
    lose(core)
    core.receive(offer("eva2"))
    core.opened(core.attempt)
    for attempt in range(core.attempt + 1):
        assert core.timed_out(attempt) == []
    assert core.phase is Phase.CONNECTED


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
    assert core.opened(1) == core.left(1) == core.timed_out(1) == []
    assert core.lost(1, LOST) == core.lost(1, EndReason.ENDED) == []


# ── too many ─────────────────────────────────────────────────────────────────────────────────────


def test_the_attempts_that_a_client_asks_for_are_limited_and_a_pause_of_ours_allows_more() -> None:
    core = connected(offerer())
    for _ in range(MAX_ASKED):
        assert MakeOffer(core.attempt + 1) in core.receive(REQUEST)
    assert is_noted(core.receive(REQUEST))
    assert core.phase is Phase.NEGOTIATING
    core.retry_due(retry(core.timed_out(core.attempt)).pause)
    assert MakeOffer(core.attempt + 1) in core.receive(REQUEST)


def test_the_attempts_that_an_evaluator_asks_for_are_limited_and_a_pause_allows_more() -> None:
    core = connected(answerer())
    core.opened(1)
    for number in range(MAX_ASKED):
        assert core.receive(offer(f"new{number}")) != []
        assert core.attempt == number + 2
    assert is_noted(core.receive(offer("more")))
    core.retry_due(retry(core.timed_out(core.attempt)).pause)
    core.receive(offer("more"))
    assert core.attempt == MAX_ASKED + 2


def test_our_own_attempts_are_not_counted_as_asked_for() -> None:
    core = connected(offerer())
    lose(core)
    for _ in range(3 * MAX_ASKED):
        core.retry_due(retry(lose(core)).pause)
    assert not any(isinstance(output, Note) for output in core.receive(REQUEST))
