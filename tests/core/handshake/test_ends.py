"""How the handshake ends: by deadline, by the relay, by a loss, and what follows the end."""

import math
from collections.abc import Callable

import pytest

from imgsync.core.handshake.outputs import Ended, Phase
from imgsync.core.protocol.numbers import CONNECT_DEADLINE, REPAIR_DEADLINE
from imgsync.core.protocol.signalling import EndReason, RawJson
from tests.kit.handshakes import (
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


def test_each_deadline_says_what_was_waited_for() -> None:
    def detail(core: Core) -> str:
        [end] = wait_for_end(core)
        assert isinstance(end, Ended)
        assert end.reason is EndReason.CONNECT_TIMEOUT
        assert f"{CONNECT_DEADLINE:g} s" in end.detail
        assert core.phase is Phase.ENDED
        return end.detail

    lonely = Core(offers=False)
    lonely.start()
    answered = offerer()
    answered.receive(answer("cli1"))
    answered.wait_due()
    answered.described(2, sdp("offer", "eva2"))
    answered.receive(answer("cli2"))
    assert "no offer ever came" in detail(lonely)
    assert "answer never came" in detail(offerer())
    elsewhere = offerer()
    elsewhere.receive(answer("cli1", mid="data"))
    assert "answer is to no open offer: its a=mid is data" in detail(elsewhere)
    assert "no path between the two was found" in detail(answered)
    assert "no path between the two was found" in detail(answerer())


def test_a_deadline_after_the_channel_opened_does_nothing() -> None:
    core = connected(offerer())
    assert core.due == math.inf
    assert core.wait(CONNECT_DEADLINE) == []
    assert core.phase is Phase.CONNECTED


def test_the_deadline_for_the_first_offer_is_over_when_it_came() -> None:
    core = Core(offers=False)
    core.start()
    core.wait(CONNECT_DEADLINE - 1)
    core.receive(offer("eva1"))
    assert core.wait(1) == []
    assert core.due == core.now + CONNECT_DEADLINE - 1
    assert core.phase is Phase.NEGOTIATING


SAID_BY_THE_RELAY = [
    *(EndReason.ENDED, EndReason.REPLACED, EndReason.PEER_GONE),
    *(EndReason.CLAIMED_ELSEWHERE, EndReason.RELAY_SHUTDOWN),
]


@pytest.mark.parametrize("reason", SAID_BY_THE_RELAY)
def test_before_the_channel_is_open_the_relay_ends_the_session(reason: EndReason) -> None:
    idle = Core(offers=False)
    idle.start()
    for core in (idle, offerer(), answerer()):
        assert core.session_ended(reason) == [Ended(reason)]
        assert core.phase is Phase.ENDED


@pytest.mark.parametrize("reason", SAID_BY_THE_RELAY)
def test_an_open_channel_outlives_the_relay_but_not_the_will_of_a_person(
    reason: EndReason,
) -> None:
    core = connected(offerer())
    outputs = core.session_ended(reason)
    if reason in (EndReason.PEER_GONE, EndReason.RELAY_SHUTDOWN):
        assert is_noted(outputs)
        assert core.phase is Phase.CONNECTED
    else:
        assert outputs == [Ended(reason)]
        assert core.phase is Phase.ENDED


def test_the_loss_of_the_relay_ends_nothing_by_itself() -> None:
    idle = Core(offers=False)
    idle.start()
    for core in (idle, offerer(), answerer(), connected(offerer()), interrupted(answerer())):
        phase = core.phase
        assert is_noted(core.signalling_lost())
        assert core.phase is phase


def test_what_is_not_connected_in_time_for_want_of_a_relay_ends_with_that_reason() -> None:
    idle = Core(offers=False)
    idle.start()
    for core in (idle, offerer(), answerer()):
        core.signalling_lost()
        assert wait_for_end(core) == [Ended(EndReason.SIGNALLING_LOST)]


@pytest.mark.parametrize("make", [offerer, answerer])
def test_a_connection_that_never_came_about_ends_the_session_with_its_reason(
    make: Callable[[], Core],
) -> None:
    core = make()
    assert core.lost(1, EndReason.CONNECTION_LOST, "bye") == [
        Ended(EndReason.CONNECTION_LOST, "bye")
    ]
    assert core.phase is Phase.ENDED


@pytest.mark.parametrize("make", [offerer, answerer])
@pytest.mark.parametrize("prepare", [lambda core: core, connected, interrupted])
def test_a_channel_that_the_other_side_closes_ends_the_session(
    make: Callable[[], Core], prepare: Callable[[Core], Core]
) -> None:
    core = prepare(make())
    assert core.lost(core.attempt, EndReason.ENDED) == [Ended(EndReason.ENDED)]
    assert core.phase is Phase.ENDED


@pytest.mark.parametrize("make", [offerer, answerer])
@pytest.mark.parametrize("prepare", [lambda core: core, connected, interrupted])
def test_nothing_follows_the_end(make: Callable[[], Core], prepare: Callable[[Core], Core]) -> None:
    core = prepare(make())
    core.session_ended(EndReason.ENDED)
    assert core.due == math.inf
    assert core.session_ended(EndReason.PEER_GONE) == []
    assert core.session_ended(EndReason.RELAY_SHUTDOWN) == []
    assert core.signalling_lost() == []
    assert core.signalling_back() == []
    assert core.peer_away() == []
    assert core.peer_back() == []
    assert core.left(1) == []
    assert core.lost(1, EndReason.CONNECTION_LOST) == []
    assert core.wait(2 * REPAIR_DEADLINE) == []
    assert core.opened(1) == []
    assert core.gathered(1, line(9)) == []
    assert core.described(1, sdp("offer", "late")) == []
    for raw in (offer("eva2"), answer("cli1"), REQUEST, candidate(9), RawJson("{")):
        assert core.receive(raw) == []
    assert core.phase is Phase.ENDED
