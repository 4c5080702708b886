"""How the handshake ends: by deadline, by the relay, by a loss, and what follows the end."""

from collections.abc import Callable

import pytest

from imgsync.core.messages import EndReason, RawJson
from imgsync.core.peer import CONNECT_DEADLINE, Ended, Handshake, Phase
from tests.handshakes import (
    REQUEST,
    answer,
    answerer,
    candidate,
    connected,
    is_noted,
    line,
    offer,
    offerer,
    sdp,
)


def test_each_deadline_says_what_was_waited_for() -> None:
    def detail(core: Handshake) -> str:
        [end] = core.timed_out(core.attempt)
        assert isinstance(end, Ended)
        assert end.reason is EndReason.CONNECT_TIMEOUT
        assert f"{CONNECT_DEADLINE:g} s" in end.detail
        assert core.phase is Phase.ENDED
        return end.detail

    lonely = Handshake(offers=False)
    lonely.start()
    answered = offerer()
    answered.receive(answer("cli1"))
    assert "no offer ever came" in detail(lonely)
    assert "answer never came" in detail(offerer())
    assert "no path between the two was found" in detail(answered)
    assert "no path between the two was found" in detail(answerer())


def test_a_deadline_after_the_channel_opened_does_nothing() -> None:
    core = connected(offerer())
    assert core.timed_out(1) == []
    assert core.phase is Phase.CONNECTED


def test_the_deadline_for_the_first_offer_is_over_when_it_came() -> None:
    assert answerer().timed_out(0) == []


SAID_BY_THE_RELAY = [
    *(EndReason.ENDED, EndReason.REPLACED, EndReason.PEER_GONE),
    *(EndReason.CLAIMED_ELSEWHERE, EndReason.RELAY_SHUTDOWN),
]


@pytest.mark.parametrize("reason", SAID_BY_THE_RELAY)
def test_before_the_channel_is_open_the_relay_ends_the_session(reason: EndReason) -> None:
    idle = Handshake(offers=False)
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


def test_the_loss_of_signalling_ends_what_is_not_connected_yet() -> None:
    assert offerer().signalling_lost() == [Ended(EndReason.SIGNALLING_LOST)]
    assert Handshake(offers=False).signalling_lost() == [Ended(EndReason.SIGNALLING_LOST)]
    core = connected(answerer())
    assert is_noted(core.signalling_lost())
    assert core.phase is Phase.CONNECTED


@pytest.mark.parametrize("prepare", [lambda core: core, connected])
def test_a_lost_connection_ends_the_session_with_its_reason(
    prepare: Callable[[Handshake], Handshake],
) -> None:
    core = prepare(offerer())
    assert core.lost(1, EndReason.CONNECTION_LOST, "bye") == [
        Ended(EndReason.CONNECTION_LOST, "bye")
    ]
    assert core.phase is Phase.ENDED


@pytest.mark.parametrize("make", [offerer, answerer])
def test_nothing_follows_the_end(make: Callable[[], Handshake]) -> None:
    core = make()
    core.session_ended(EndReason.ENDED)
    assert core.session_ended(EndReason.PEER_GONE) == []
    assert core.signalling_lost() == []
    assert core.lost(1, EndReason.CONNECTION_LOST) == []
    assert core.timed_out(1) == []
    assert core.opened(1) == []
    assert core.gathered(1, line(9)) == []
    assert core.described(1, sdp("offer", "late")) == []
    for raw in (offer("eva2"), answer("cli1"), REQUEST, candidate(9), RawJson("{")):
        assert core.receive(raw) == []
    assert core.phase is Phase.ENDED
