"""How the handshake ends: by deadline, by the relay, by a loss, and what follows the end."""

import math
from collections.abc import Callable

import pytest

from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import EndCame, FromAttempt, NotMade
from imgsync.core.handshake.outputs import Discard, Ended, Interrupted, MakeOffer, Phase
from imgsync.core.protocol.numbers import (
    ATTEMPT_DEADLINE,
    CONNECT_DEADLINE,
    EXPLAIN_FIRST,
    REPAIR_DEADLINE,
)
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
        Ended(EndReason.NEGOTIATION_FAILED, "bye")
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


# ── who else has the client ──────────────────────────────────────────────────────────────────────


def test_a_client_that_is_taken_elsewhere_ends_what_is_not_connected_as_replaced() -> None:
    for core in (offerer(), interrupted(offerer())):
        core.signalling_lost()
        assert core.peer_taken() == [Ended(EndReason.REPLACED)]
        assert not core.is_ours  # what replaced it, the relay has told us


@pytest.mark.parametrize(
    "happens",
    [
        lambda core: core.left(1),
        lambda core: core.lost(1, EndReason.CONNECTION_LOST),
        lambda core: core.lost(1, EndReason.ENDED),
    ],
    ids=["connection closed", "connection lost", "channel closed"],
)
def test_an_open_channel_outlives_that_and_its_end_is_told_as_what_it_is(
    happens: Callable[[Core], object],
) -> None:
    core = connected(offerer())
    core.signalling_lost()
    assert is_noted(core.peer_taken())
    assert core.phase is Phase.CONNECTED
    assert happens(core) == [Ended(EndReason.REPLACED)]
    assert not core.is_ours


def test_a_client_that_is_back_in_the_session_is_taken_no_more() -> None:
    core = connected(offerer())
    core.signalling_lost()
    core.peer_taken()
    core.signalling_back()
    assert core.lost(1, EndReason.ENDED) == [Ended(EndReason.ENDED)]
    assert core.is_ours


# ── who is told of it ────────────────────────────────────────────────────────────────────────────


def test_the_relay_is_told_of_our_own_ends_and_not_of_what_it_has_said_itself() -> None:
    timed_out, own, said, outlived = (connected(offerer()) for _ in range(4))
    timed_out.lost(1, EndReason.CONNECTION_LOST)
    wait_for_end(timed_out)
    own.end()
    said.session_ended(EndReason.ENDED)
    outlived.session_ended(EndReason.PEER_GONE)
    assert [core.is_ours for core in (timed_out, own, said, outlived)] == [True, True, False, False]
    outlived.signalling_back()
    assert outlived.is_ours


def test_a_side_that_can_not_connect_at_all_says_so() -> None:
    core = offerer()
    made = core.handle(FromAttempt(1, NotMade("no WebRTC", EndReason.UNSUPPORTED)), core.now)
    assert made == [Ended(EndReason.UNSUPPORTED, "no WebRTC")]


# ── what was in the way ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [offerer, answerer])
@pytest.mark.parametrize("cause", Cause)
def test_what_is_in_the_way_stands_in_the_detail(make: Callable[[], Core], cause: Cause) -> None:
    core = make()
    core.hindered(core.attempt, cause)
    core.hindered(core.attempt, cause)
    [end] = wait_for_end(core)
    assert isinstance(end, Ended)
    assert end.reason is EndReason.CONNECT_TIMEOUT
    assert end.detail.count(f"this side's {cause.value}") == 1


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("relay", Cause.TURN_UNAUTHORIZED),
        ("relay", Cause.TURN_SILENT),
        ("srflx", Cause.STUN_SILENT),
    ],
)
@pytest.mark.parametrize("is_late", [True, False])
def test_a_server_is_not_in_the_way_where_another_serves(
    kind: str, cause: Cause, is_late: bool
) -> None:
    core = offerer()
    found = line(9, kind=kind)
    if not is_late:
        core.gathered(1, found)
    core.hindered(1, cause)
    if is_late:
        core.gathered(1, found)
    [end] = wait_for_end(core)
    assert isinstance(end, Ended)
    assert cause.value not in end.detail


def test_what_is_found_of_an_attempt_that_was_followed_by_another_counts() -> None:
    core = offerer()
    core.wait_due()
    assert core.attempt == 2
    core.hindered(1, Cause.TURN_SILENT)
    [end] = wait_for_end(core)
    assert isinstance(end, Ended)
    assert Cause.TURN_SILENT.value in end.detail


def test_what_the_other_side_says_of_a_failure_has_ours_beside_it() -> None:
    core = answerer()
    core.hindered(1, Cause.TURN_UNTRUSTED)
    failed = EndCame(EndReason.CONNECT_TIMEOUT, "no path")
    said = f"no path; this side's {Cause.TURN_UNTRUSTED.value}"
    assert core.handle(failed, core.now) == [Ended(EndReason.CONNECT_TIMEOUT, said)]


@pytest.mark.parametrize("reason", [EndReason.ENDED, EndReason.REPLACED])
def test_an_end_that_is_no_failure_has_nothing_beside_it(reason: EndReason) -> None:
    core = answerer()
    core.hindered(1, Cause.TURN_UNTRUSTED)
    assert core.session_ended(reason) == [Ended(reason)]


def test_a_client_that_knows_what_is_in_the_way_says_so_before_the_evaluator_ends_it() -> None:
    silent, knows = answerer(), answerer()
    knows.hindered(1, Cause.TURN_UNTRUSTED)
    assert silent.due - knows.due == EXPLAIN_FIRST
    for core in (silent, knows):
        core.wait(ATTEMPT_DEADLINE)
        core.receive(offer("eva2"))
    # The evaluator waits in all for no longer than before.
    assert silent.due - knows.due == ATTEMPT_DEADLINE + EXPLAIN_FIRST


@pytest.mark.parametrize("make", [offerer, answerer])
def test_a_connection_that_is_refused_says_by_what(make: Callable[[], Core]) -> None:
    core = make()
    core.hindered(1, Cause.DTLS_REFUSED)
    said = f"failed; this side's {Cause.DTLS_REFUSED.value}"
    ended = Ended(EndReason.NEGOTIATION_FAILED, said)
    assert core.lost(1, EndReason.CONNECTION_LOST, "failed") == [ended]


@pytest.mark.parametrize("make", [offerer, answerer])
def test_a_repair_is_hindered_by_what_is_found_in_it(make: Callable[[], Core]) -> None:
    core = make()
    core.hindered(1, Cause.STUN_SILENT)
    interrupted(core)
    core.hindered(core.attempt, Cause.TURN_SILENT)
    [end] = wait_for_end(core)
    assert isinstance(end, Ended)
    assert end.reason is EndReason.CONNECTION_LOST
    assert Cause.TURN_SILENT.value in end.detail
    assert Cause.STUN_SILENT.value not in end.detail


def test_a_path_that_loses_large_packets_is_told_with_each_interruption() -> None:
    core = connected(offerer())
    core.hindered(1, Cause.STUN_SILENT)
    core.hindered(1, Cause.PATH_MTU)
    said = f"silent; this side's {Cause.PATH_MTU.value}"
    for attempt in (1, 2):
        outputs = core.lost(attempt, EndReason.CONNECTION_LOST, "silent")
        assert Interrupted(EndReason.CONNECTION_LOST, said) in outputs
        core.described(attempt + 1, sdp("offer", f"eva{attempt + 1}"))
        core.receive(answer(f"cli{attempt + 1}"))
        core.opened(attempt + 1)
        assert core.phase is Phase.CONNECTED
    core.lost(3, EndReason.CONNECTION_LOST, "silent")
    [end] = wait_for_end(core)
    assert isinstance(end, Ended)
    assert Cause.PATH_MTU.value in end.detail
    assert Cause.STUN_SILENT.value not in end.detail


def test_the_side_that_is_asked_to_connect_anew_tells_of_the_path_too() -> None:
    core = connected(answerer())
    core.opened(1)
    core.hindered(1, Cause.PATH_MTU)
    [told, *_] = core.receive(offer("eva2"))
    said = f"the other side connects anew; this side's {Cause.PATH_MTU.value}"
    assert told == Interrupted(EndReason.CONNECTION_LOST, said)


def test_where_dtls_is_not_answered_the_evaluator_offers_once_more_to_begin_with_it() -> None:
    core = offerer()
    core.receive(answer("cli1"))
    assert core.hindered(1, Cause.PATH_MTU) == [Discard(1), MakeOffer(2, leads=True)]
    core.described(2, sdp("offer", "eva2"))
    core.receive(answer("cli2"))
    assert core.hindered(1, Cause.PATH_MTU) == []
    assert core.hindered(2, Cause.PATH_MTU) == []
    core.opened(2)
    # What has helped helps again.
    assert MakeOffer(3, leads=True) in core.lost(2, EndReason.CONNECTION_LOST)


def test_where_dtls_is_not_answered_the_client_and_who_is_connected_wait() -> None:
    assert answerer().hindered(1, Cause.PATH_MTU) == []
    core = connected(offerer())
    assert core.hindered(1, Cause.PATH_MTU) == []
    assert MakeOffer(2) in core.lost(1, EndReason.CONNECTION_LOST)
