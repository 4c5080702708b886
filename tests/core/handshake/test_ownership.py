"""A client that comes back to a session which another window may have: it waits for its claim."""

import math

import pytest

from imgsync.core.handshake.outputs import Ended, MakeAnswer, Phase, Say
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.numbers import (
    ANSWER_DEADLINES,
    CLAIM_PAUSE,
    CONNECT_DEADLINE,
    HEAD_START,
)
from imgsync.core.protocol.signalling import EndReason, RequestOffer
from tests.kit.handshakes import Core, added, candidate, is_noted, offer, sdp


def doubtful() -> Core:
    core = Core(offers=False)
    assert core.start(resumed=True, owner_unknown=True) == []
    return core


def test_an_offer_is_asked_for_where_no_other_window_has_claimed_the_session() -> None:
    core = doubtful()
    assert core.due == CLAIM_PAUSE
    assert core.wait_due() == [Say(RequestOffer())]
    assert core.due == CLAIM_PAUSE + ANSWER_DEADLINES[1]
    assert core.wait_due() == [Say(RequestOffer())]
    assert core.due == CONNECT_DEADLINE


def test_an_offer_waits_until_no_other_window_has_claimed_the_session() -> None:
    core = doubtful()
    core.wait(1)
    assert is_noted(core.receive(offer("eva1", 1)))
    assert core.receive(candidate(2, "eva1")) == []
    assert core.phase is Phase.IDLE
    assert core.due == CLAIM_PAUSE
    made, *rest = core.wait_due()
    assert made == MakeAnswer(1, parse_description("offer", sdp("offer", "eva1", 1)))
    assert added(rest) == [(1, 1), (1, 2)]
    assert core.due == CLAIM_PAUSE + CONNECT_DEADLINE


def test_of_two_offers_that_wait_the_last_one_is_answered() -> None:
    core = doubtful()
    core.receive(offer("eva1"))
    core.receive(offer("eva2"))
    [made] = core.wait_due()
    assert isinstance(made, MakeAnswer)
    assert made.offer.ufrag == "eva2"
    # The other one may yet be the evaluator's next.
    assert core.receive(offer("eva1")) != []
    assert core.attempt == 2


def test_what_is_too_much_in_an_offer_that_waits_is_ignored_when_its_time_comes() -> None:
    core = doubtful()
    for port in range(1, 101):
        core.receive(candidate(port, "eva1"))
    core.receive(offer("eva1", 101))
    outputs = core.wait_due()
    assert isinstance(outputs[0], MakeAnswer)
    assert len(added(outputs)) == 100


def test_a_session_that_another_window_claims_is_not_ours_to_end() -> None:
    core = doubtful()
    core.receive(offer("eva1"))
    assert not core.is_ours
    reason = EndReason.CLAIMED_ELSEWHERE
    assert core.session_ended(reason) == [Ended(reason)]
    assert core.due == math.inf
    assert not core.is_ours


def test_a_session_that_nobody_else_has_is_ours_once_we_take_part() -> None:
    core = doubtful()
    core.receive(offer("eva1"))
    core.wait_due()
    assert core.is_ours


@pytest.mark.parametrize("offers", [False, True])
def test_a_session_in_which_nobody_else_can_be_is_ours_at_once(offers: bool) -> None:
    for resumed in (False, True):
        core = Core(offers=offers)
        core.start(resumed=resumed)
        assert core.is_ours
    # It has begun with us, so that no other window can know of it.
    core = Core(offers=False)
    core.start(owner_unknown=True)
    assert core.is_ours
    assert core.receive(offer("eva1")) != []
    assert core.attempt == 1


def test_while_nobody_would_hear_it_nothing_is_asked_when_the_claim_is_late() -> None:
    core = doubtful()
    core.signalling_lost()
    assert core.wait(CLAIM_PAUSE) == []
    assert core.due == CONNECT_DEADLINE
    core.signalling_back()
    assert core.receive(offer("eva1")) != []
    assert core.attempt == 1


# ── a window that nobody looks at ────────────────────────────────────────────────────────────────


def hidden(*, resumed: bool = False) -> Core:
    core = Core(offers=False)
    assert core.start(resumed=resumed, is_hidden=True) == []
    return core


def test_a_hidden_window_answers_when_one_that_is_in_sight_had_time_to() -> None:
    core = hidden()
    assert is_noted(core.receive(offer("eva1", 1)))
    assert core.due == HEAD_START
    made, *rest = core.wait_due()
    assert isinstance(made, MakeAnswer)
    assert added(rest) == [(1, 1)]
    assert core.is_ours


def test_a_hidden_window_leaves_a_session_to_the_one_that_has_claimed_it() -> None:
    core = hidden()
    core.receive(offer("eva1"))
    assert core.session_ended(EndReason.CLAIMED_ELSEWHERE) == [Ended(EndReason.CLAIMED_ELSEWHERE)]
    assert not core.is_ours
    assert core.wait(HEAD_START) == []


def test_an_offer_that_comes_late_is_answered_by_a_hidden_window_at_once() -> None:
    core = hidden()
    assert core.wait_due() == []
    assert isinstance(core.receive(offer("eva1"))[0], MakeAnswer)


def test_a_hidden_window_asks_for_the_offer_of_an_old_session_after_those_in_sight() -> None:
    core = hidden(resumed=True)
    assert core.due == HEAD_START
    assert core.wait_due() == [Say(RequestOffer())]


def test_a_hidden_window_that_another_one_may_have_left_waits_as_any_other() -> None:
    core = Core(offers=False)
    core.start(resumed=True, owner_unknown=True, is_hidden=True)
    assert core.due == CLAIM_PAUSE


def test_the_evaluator_answers_to_nobody_and_does_not_wait() -> None:
    core = Core(offers=True)
    assert core.start(is_hidden=True) != []
    assert min(ANSWER_DEADLINES) > HEAD_START
