"""The relay's decisions on several sockets of one user: who inherits a session, and who takes it.

These are sockets that were opened before the loss of another one was known.
"""

import pytest

from imgsync.core.protocol.signalling import (
    EndReason,
    ErrorCode,
    PeerAway,
    PeerBack,
    Presence,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.outputs import Probe, SessionOver, SideAway, SideBack
from tests.kit.relay_states import (
    AVAILABLE,
    CLIENT,
    EVALUATOR,
    WITH_CARL,
    WITH_EVE,
    has_session,
    in_session,
    join,
    refused,
    relay_with,
    signal_from,
)

CARL_AWAY, CARL_BACK = SideAway("s1", CLIENT, "carl"), SideBack("s1", CLIENT, "carl")
CLAIMED = SessionEndedEvent("s1", EndReason.CLAIMED_ELSEWHERE)

# ── inherit ──────────────────────────────────────────────────────────────────────────────────────


def test_a_later_socket_of_a_client_inherits_when_the_first_is_lost() -> None:
    relay = in_session()
    assert len(relay.register("c2", CLIENT, "carl")) == 1
    assert relay.noted == [Probe("c1", "c2")]
    assert relay.lose("c1") == [
        ("e1", PeerAway("s1", "carl")),
        ("c2", WITH_EVE),
        ("e1", PeerBack("s1", "carl")),
    ]
    assert relay.noted == [CARL_AWAY, CARL_BACK]
    assert has_session(relay, client="c2")


def test_a_later_socket_of_an_evaluator_inherits_all_its_sessions() -> None:
    relay = in_session(c2="cleo")
    relay.start("e1", "cleo")
    assert len(relay.register("e2", EVALUATOR, "eve")) == 1
    with_cleo = SessionStarted("s2", client_id="cleo", resumed=True)
    assert relay.lose("e1") == [
        ("c1", PeerAway("s1", "eve")),
        ("e2", WITH_CARL),
        ("c1", PeerBack("s1", "eve")),
        ("c2", PeerAway("s2", "eve")),
        ("e2", with_cleo),
        ("c2", PeerBack("s2", "eve")),
    ]
    assert has_session(relay, "e2")


def test_of_several_later_sockets_that_are_there_the_last_one_inherits() -> None:
    relay = in_session()
    join(relay, c2="carl", c3="carl", c4="carl")
    assert relay.lose("c4") == []
    assert ("c3", WITH_EVE) in relay.lose("c1")
    assert ("c2", WITH_EVE) in relay.lose("c3")
    assert relay.lose("c2")[0] == ("e1", PeerAway("s1", "carl"))
    assert relay.noted == [CARL_AWAY]


def test_who_inherits_while_the_other_side_is_away_is_told_so() -> None:
    relay = in_session()
    relay.lose("e1")
    relay.register("c2", CLIENT, "carl")
    assert relay.lose("c1") == [("c2", WITH_EVE), ("c2", PeerAway("s1", "eve"))]
    assert relay.noted == [CARL_AWAY, CARL_BACK]


def test_sockets_that_were_there_from_the_start_go_before_a_later_one() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    relay.register("c3", CLIENT, "carl")
    assert relay.lose("c1") == []
    assert [socket for socket, _ in relay.signal("e1", "carl")] == ["c2"]
    assert ("c3", WITH_EVE) in relay.lose("c2")


def test_a_later_socket_inherits_from_whoever_has_spoken_meanwhile() -> None:
    relay = in_session()
    relay.register("c2", CLIENT, "carl")
    relay.signal("c1", "eve")
    assert ("c2", WITH_EVE) in relay.lose("c1")


# ── take ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "user", "target"), [("c1", "c2", "carl", "eve"), ("e1", "e2", "eve", "carl")]
)
def test_a_later_socket_takes_the_session_by_naming_it_in_a_signal(
    old: str, new: str, user: str, target: str
) -> None:
    relay = in_session()
    join(relay, **{new: user})
    outputs = relay.signal(new, target)
    assert refused(outputs, new, ErrorCode.NO_SESSION, "webrtc_signal")
    [claimed, (_, signal)] = relay.signal(new, target, sessionId="s1")
    assert claimed == (old, CLAIMED)
    assert signal == signal_from(user, "s1")
    assert relay.noted == []
    assert has_session(relay, *(("e1", new) if old == "c1" else (new, "c1")))
    outputs = relay.signal(old, target, sessionId="s1")
    assert refused(outputs, old, ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.lose(old) == []


def test_a_later_socket_takes_no_session_while_the_other_side_is_away() -> None:
    relay = in_session()
    relay.lose("e1")
    relay.register("c2", CLIENT, "carl")
    outputs = relay.signal("c2", "eve", sessionId="s1")
    assert refused(outputs, "c2", ErrorCode.NO_SESSION, "webrtc_signal")
    relay.register("e1", EVALUATOR, "eve")
    assert has_session(relay)


@pytest.mark.parametrize(
    ("old", "new", "user", "other"), [("c1", "c2", "carl", "e1"), ("e1", "e2", "eve", "c1")]
)
def test_a_later_socket_takes_the_session_by_ending_it_and_is_told_of_the_end(
    old: str, new: str, user: str, other: str
) -> None:
    relay = in_session()
    join(relay, **{new: user})
    outputs = relay.end(new, "s1")
    ended = SessionEndedEvent("s1", EndReason.ENDED, user)
    assert outputs[0] == (old, CLAIMED)
    assert {socket for socket, message in outputs if message == ended} == {new, other}
    assert relay.noted == [SessionOver("s1", EndReason.ENDED)]


def test_who_was_told_of_a_claim_does_not_inherit() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    assert relay.lose("c1") == [("e1", PeerAway("s1", "carl"))]
    assert relay.noted == [CARL_AWAY]
    outputs = relay.signal("c2", "eve", sessionId="s1")
    assert refused(outputs, "c2", ErrorCode.NO_SESSION, "webrtc_signal")
    assert refused(relay.end("c2", "s1"), "c2", ErrorCode.NO_SESSION, "end_session")
    # It is online all the while, so that presence has nothing to tell.
    assert relay.register("c3", CLIENT, "carl")[1:] == [
        ("c3", WITH_EVE),
        ("e1", PeerBack("s1", "carl")),
    ]


def test_when_the_grace_time_passes_a_socket_outside_the_session_makes_its_user_available() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    relay.lose("c1")
    assert relay.pass_grace() == [
        ("e1", SessionEndedEvent("s1", EndReason.PEER_GONE, "carl")),
        ("e1", Presence("carl", AVAILABLE, "carl")),
    ]


def test_who_took_the_session_and_lost_it_to_another_one_does_not_inherit() -> None:
    relay = in_session()
    join(relay, c2="carl", c3="carl")
    relay.signal("c2", "eve", sessionId="s1")
    assert relay.signal("c3", "eve", sessionId="s1")[0] == ("c2", CLAIMED)
    assert relay.lose("c3") == [("e1", PeerAway("s1", "carl"))]
    assert relay.noted == [CARL_AWAY]


# ── other windows ────────────────────────────────────────────────────────────────────────────────


def test_a_socket_that_was_opened_beside_one_that_is_alive_does_not_inherit() -> None:
    relay = in_session()
    relay.register("c2", CLIENT, "carl")
    assert relay.answer_probe("c1", "c2") == [("c2", CLAIMED)]
    outputs = relay.signal("c2", "eve", sessionId="s1")
    assert refused(outputs, "c2", ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.lose("c1") == [("e1", PeerAway("s1", "carl"))]
    assert relay.noted == [CARL_AWAY]
    assert ("c3", WITH_EVE) in relay.register("c3", CLIENT, "carl")
    assert has_session(relay, client="c3")


def test_who_has_answered_for_one_may_still_be_dead_when_the_next_is_opened() -> None:
    relay = in_session()
    join(relay, c2="carl", c3="carl")
    relay.answer_probe("c1", "c2")
    assert ("c3", WITH_EVE) in relay.lose("c1")


def test_what_a_socket_outside_the_session_answers_disinherits_nobody() -> None:
    relay = in_session()
    join(relay, c2="carl", c3="carl")
    assert relay.answer_probe("c2", "c3") == relay.answer_probe("nobody", "c3") == []
    relay.lose("c2")
    assert relay.answer_probe("c2", "c3") == []
    assert ("c3", WITH_EVE) in relay.lose("c1")


def test_an_heir_is_told_when_the_session_ends() -> None:
    relay = in_session()
    join(relay, c2="carl", e2="eve")
    relay.answer_probe("e1", "e2")
    ended = SessionEndedEvent("s1", EndReason.ENDED, "eve")
    outputs = relay.tell("e1", "end_session", sessionId="s1")
    assert [socket for socket, message in outputs if message == ended] == ["e1", "c1", "c2"]


# ── which of a client's windows has a session, after it was away ─────────────────────────────────


def test_a_session_whose_client_was_away_is_told_to_all_its_windows_until_one_speaks() -> None:
    relay = in_session()
    relay.lose("c1")
    assert ("c2", WITH_EVE) in relay.register("c2", CLIENT, "carl")
    assert ("c3", WITH_EVE) in relay.register("c3", CLIENT, "carl")
    assert relay.signal("c3", "eve", sessionId="s1") == [
        ("c2", CLAIMED),
        ("e1", signal_from("carl", "s1")),
    ]
    assert has_session(relay, client="c3")


def test_once_a_window_has_spoken_a_later_one_is_an_heir_again() -> None:
    relay = in_session()
    relay.lose("c1")
    relay.register("c2", CLIENT, "carl")
    relay.signal("c2", "eve", sessionId="s1")
    assert len(relay.register("c3", CLIENT, "carl")) == 1
    assert has_session(relay, client="c2")


def test_a_relay_that_was_restarted_tells_each_window_as_it_comes() -> None:
    relay = relay_with(e1="eve", c1="carl")
    assert ("c1", WITH_EVE) in relay.start("e1", "carl", session="s1")
    assert ("c2", WITH_EVE) in relay.register("c2", CLIENT, "carl")
    assert ("c1", CLAIMED) in relay.signal("c2", "eve", sessionId="s1")
