"""Signals that are lost on their way: what was said and not answered is said anew, in time."""

from collections.abc import Callable
from random import Random

import pytest

from imgsync.core.handshake.handshake import Handshake
from imgsync.core.handshake.outputs import (
    Discard,
    Ended,
    MakeOffer,
    Output,
    Phase,
    Say,
    SetAnswerDeadline,
    SetDeadline,
)
from imgsync.core.protocol.numbers import ANSWER_DEADLINES, ATTEMPT_DEADLINE, CONNECT_DEADLINE
from imgsync.core.protocol.signalling import EndReason, RequestOffer
from tests.kit.handshakes import REQUEST, answer, connected, offer, offerer, sdp
from tests.kit.repairs import World

Away = Callable[[Handshake], list[Output]]


def again(attempt: int, seconds: float = ATTEMPT_DEADLINE) -> list[Output]:
    """Instead of the attempt before."""
    return [Discard(attempt - 1), SetDeadline(attempt, seconds), MakeOffer(attempt)]


def describe(core: Handshake) -> list[Output]:
    """Have the offer that was asked for go out; what follows on it."""
    return core.described(core.attempt, sdp("offer", f"eva{core.attempt}"))[1:]


def test_an_offer_that_nobody_answers_is_followed_by_two_more_in_the_time_for_one() -> None:
    core = Handshake(offers=True)
    core.start()
    first, second = ANSWER_DEADLINES
    assert describe(core) == [SetAnswerDeadline(1, first)]
    assert core.unanswered(1) == again(2)
    assert describe(core) == [SetAnswerDeadline(2, second)]
    assert core.unanswered(2) == again(3)
    assert describe(core) == []
    [end] = core.timed_out(3)
    assert isinstance(end, Ended)
    assert end.reason is EndReason.CONNECT_TIMEOUT
    assert first + second + ATTEMPT_DEADLINE == CONNECT_DEADLINE


def test_an_answer_that_leads_nowhere_is_followed_by_another_offer_in_the_time_that_is_left() -> (
    None
):
    core = offerer()
    core.unanswered(1)
    describe(core)
    core.receive(answer("cli2"))
    assert core.unanswered(2) == []
    left = CONNECT_DEADLINE - ANSWER_DEADLINES[0] - ATTEMPT_DEADLINE
    assert core.timed_out(2) == again(3, left)
    # There would be no time for the answer to yet another one.
    assert describe(core) == []
    assert isinstance(core.timed_out(3)[0], Ended)


def test_a_client_that_asked_for_an_offer_asks_again() -> None:
    core = Handshake(offers=False)
    first, second = (SetAnswerDeadline(0, seconds) for seconds in ANSWER_DEADLINES)
    assert core.start(resumed=True)[1:] == [Say(RequestOffer()), first]
    assert core.unanswered(0) == [Say(RequestOffer()), second]
    assert core.unanswered(0) == [Say(RequestOffer())]
    core.receive(offer("eva1"))
    assert core.unanswered(0) == []


@pytest.mark.parametrize(
    ("go", "come"),
    [
        (Handshake.signalling_lost, Handshake.signalling_back),
        (Handshake.peer_away, Handshake.peer_back),
    ],
)
def test_nothing_is_said_anew_while_nobody_would_hear_it(go: Away, come: Away) -> None:
    core = offerer()
    go(core)
    assert core.unanswered(1) == []
    # The time for the first connection goes on, and the attempt with it.
    assert core.timed_out(1) == [SetDeadline(1, CONNECT_DEADLINE - ATTEMPT_DEADLINE)]
    assert core.phase is Phase.NEGOTIATING
    assert MakeOffer(2) in come(core)


def test_who_is_asked_for_an_offer_has_all_the_time_again() -> None:
    core = offerer()
    core.unanswered(1)
    core.timed_out(2)
    core.receive(REQUEST)
    assert describe(core) == [SetAnswerDeadline(core.attempt, ANSWER_DEADLINES[0])]


def test_an_offer_to_repair_is_followed_by_another_one_too() -> None:
    core = connected(offerer())
    core.lost(1, EndReason.CONNECTION_LOST)
    assert describe(core) == [SetAnswerDeadline(2, ANSWER_DEADLINES[0])]
    assert core.unanswered(2) == again(3)
    assert describe(core) == [SetAnswerDeadline(3, ANSWER_DEADLINES[1])]
    assert core.unanswered(3) == again(4)
    assert describe(core) == []


@pytest.mark.parametrize("lost", [1, 2])
def test_one_lost_signal_costs_the_first_connection_seconds(lost: int) -> None:
    world = World()
    world.is_lost = lambda number: number == lost
    world.settle(Random(lost))
    assert world.is_connected
    assert world.now == ANSWER_DEADLINES[0]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_where_a_third_of_all_signals_is_lost_connections_come_about_and_are_repaired(
    which: int,
) -> None:
    world = World()
    world.is_lost = lambda number: number % 3 == which
    random = Random(which)
    for _ in range(10):
        begin = world.now
        world.settle(random)
        assert world.is_connected
        assert world.now - begin <= sum(ANSWER_DEADLINES)
        for peer in world.peers:
            world.lose(peer)
