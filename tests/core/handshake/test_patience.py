"""Signals that are lost on their way: what was said and not answered is said anew, in time."""

import math
from collections.abc import Callable
from random import Random

import pytest

from imgsync.core.handshake.outputs import (
    Discard,
    Ended,
    MakeOffer,
    Output,
    Phase,
    Say,
)
from imgsync.core.protocol.numbers import (
    ANSWER_DEADLINES,
    ATTEMPT_DEADLINE,
    CONNECT_DEADLINE,
    MAX_BACKOFF,
    REPAIR_DEADLINE,
)
from imgsync.core.protocol.signalling import EndReason, Offer, RequestOffer
from tests.kit.handshakes import REQUEST, Core, answer, answerer, connected, offer, offerer, sdp
from tests.kit.repairs import World

Away = Callable[[Core], list[Output]]


def wait_for_another(core: Core) -> float:
    """Have another offer take the place of the last one. Returns the seconds that it has."""
    attempt = core.attempt
    assert core.wait_due() == [Discard(attempt), MakeOffer(attempt + 1)]
    return core.due - core.now


def describe(core: Core) -> float:
    """Have the offer that was asked for go out. Returns the seconds until something is due."""
    text = sdp("offer", f"eva{core.attempt}")
    assert core.described(core.attempt, text) == [Say(Offer(text))]
    return core.due - core.now


def test_an_offer_that_nobody_answers_is_followed_by_two_more_in_the_time_for_one() -> None:
    core = Core(offers=True)
    core.start()
    first, second = ANSWER_DEADLINES
    assert describe(core) == first
    assert wait_for_another(core) == ATTEMPT_DEADLINE
    assert describe(core) == second
    assert wait_for_another(core) == ATTEMPT_DEADLINE
    assert describe(core) == ATTEMPT_DEADLINE
    [end] = core.wait_due()
    assert isinstance(end, Ended)
    assert end.reason is EndReason.CONNECT_TIMEOUT
    assert first + second + ATTEMPT_DEADLINE == core.now == CONNECT_DEADLINE


def test_an_answer_that_leads_nowhere_is_followed_by_another_offer_in_the_time_that_is_left() -> (
    None
):
    core = offerer()
    wait_for_another(core)
    describe(core)
    core.receive(answer("cli2"))
    assert core.due == core.now + ATTEMPT_DEADLINE
    left = CONNECT_DEADLINE - ANSWER_DEADLINES[0] - ATTEMPT_DEADLINE
    assert wait_for_another(core) == left
    # There would be no time for the answer to yet another one.
    assert describe(core) == left
    assert isinstance(core.wait_due()[0], Ended)


def test_the_time_that_a_description_takes_is_of_the_time_for_the_first_connection() -> None:
    core = Core(offers=True)
    core.start()
    core.wait(ATTEMPT_DEADLINE - 1)
    assert describe(core) == 1
    core.receive(answer("cli1"))
    assert wait_for_another(core) == ATTEMPT_DEADLINE
    core.wait(ATTEMPT_DEADLINE - ANSWER_DEADLINES[0])
    # Its answer would be too late for another one.
    assert describe(core) == ANSWER_DEADLINES[0]
    assert isinstance(core.wait_due()[0], Ended)
    assert core.now == CONNECT_DEADLINE


def test_a_client_that_asked_for_an_offer_asks_again() -> None:
    core = Core(offers=False)
    first, second = ANSWER_DEADLINES
    assert core.start(resumed=True) == [Say(RequestOffer())]
    assert core.due == first
    assert core.wait_due() == [Say(RequestOffer())]
    assert core.due == first + second
    assert core.wait_due() == [Say(RequestOffer())]
    assert core.due == CONNECT_DEADLINE
    core.receive(offer("eva1"))
    assert core.due == core.now + CONNECT_DEADLINE


def test_an_offer_that_came_is_not_asked_for_again() -> None:
    core = Core(offers=False)
    core.start(resumed=True)
    core.receive(offer("eva1"))
    assert core.wait(sum(ANSWER_DEADLINES)) == []


@pytest.mark.parametrize(
    ("go", "come"),
    [(Core.signalling_lost, Core.signalling_back), (Core.peer_away, Core.peer_back)],
)
def test_nothing_is_said_anew_while_nobody_would_hear_it(go: Away, come: Away) -> None:
    core = offerer()
    go(core)
    assert core.wait_due() == []
    assert core.now == ANSWER_DEADLINES[0]
    # The time for the first connection goes on, and the attempt with it.
    assert core.wait_due() == []
    assert core.now == ATTEMPT_DEADLINE
    assert core.due == CONNECT_DEADLINE
    assert core.phase is Phase.NEGOTIATING
    assert MakeOffer(2) in come(core)


def test_who_is_asked_for_an_offer_has_all_the_time_again() -> None:
    core = offerer()
    wait_for_another(core)
    wait_for_another(core)
    core.receive(REQUEST)
    assert describe(core) == ANSWER_DEADLINES[0]
    core.receive(answer("cli4"))
    wait_for_another(core)
    assert core.due == core.now + ATTEMPT_DEADLINE


def test_who_finds_the_other_side_there_again_has_all_the_time_again() -> None:
    core = offerer()
    wait_for_another(core)
    wait_for_another(core)
    core.peer_away()
    assert core.peer_back() == [MakeOffer(4)]
    assert describe(core) == ANSWER_DEADLINES[0]
    core.receive(answer("cli4"))
    wait_for_another(core)
    assert core.due == core.now + ATTEMPT_DEADLINE


def test_a_client_that_finds_the_other_side_there_again_has_its_time_from_the_offer_on() -> None:
    for comes in (False, True):
        core = answerer()
        core.wait(CONNECT_DEADLINE - 1)
        core.peer_away()
        assert core.peer_back() == []
        if comes:
            core.receive(offer("eva2"))
            core.wait(CONNECT_DEADLINE - 1)
        [end] = core.wait(1)
        assert isinstance(end, Ended)
        assert end.reason is EndReason.CONNECT_TIMEOUT


def test_a_connection_gives_the_next_offer_all_the_time_for_its_answer() -> None:
    core = offerer()
    wait_for_another(core)
    describe(core)
    core.receive(answer("cli2"))
    core.opened(2)
    core.lost(2, EndReason.CONNECTION_LOST)
    assert describe(core) == ANSWER_DEADLINES[0]


def test_an_offer_to_repair_is_followed_by_another_one_too() -> None:
    core = connected(offerer())
    core.lost(1, EndReason.CONNECTION_LOST)
    assert describe(core) == ANSWER_DEADLINES[0]
    assert wait_for_another(core) == ATTEMPT_DEADLINE
    assert describe(core) == ANSWER_DEADLINES[1]
    assert wait_for_another(core) == ATTEMPT_DEADLINE
    assert describe(core) == ATTEMPT_DEADLINE


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


# ── a relay that can pass on nothing for a time, and says so ─────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "took"), [(0.1, 4), (3.9, 4), (9.9, 10), (10.1, None), (math.inf, None)]
)
def test_such_a_time_at_the_beginning_costs_the_next_offer_or_the_session(
    seconds: float, took: float | None
) -> None:
    world = World()
    world.is_lost = lambda number: world.now < seconds
    world.settle(Random(1))
    assert world.is_connected is (took is not None)
    assert world.now == (CONNECT_DEADLINE if took is None else took)
    if took is None:
        assert [peer.is_over for peer in world.peers] == [True, True]
        end = world.evaluator.end
        assert end is not None
        assert end.reason is EndReason.CONNECT_TIMEOUT


@pytest.mark.parametrize("seconds", [5.0, 60.0, math.inf])
def test_a_repair_outlives_it_or_comes_to_an_end_in_its_own_time(seconds: float) -> None:
    world = World()
    world.settle(Random(1))
    begin = world.now
    world.is_lost = lambda number: world.now < begin + seconds
    world.lose(world.client)
    world.lose(world.evaluator)
    world.settle(Random(1))
    if seconds < math.inf:
        assert world.is_connected
        assert world.now - begin <= seconds + ATTEMPT_DEADLINE + MAX_BACKOFF
    else:
        assert all(peer.is_over for peer in world.peers)
        assert world.now - begin == REPAIR_DEADLINE
