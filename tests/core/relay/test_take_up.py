"""The relay's decisions on start_session with a sessionId: a session is taken up again."""

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
from imgsync.core.relay.outputs import (
    SessionAnswered,
    SessionBegan,
    SessionOver,
    SideAway,
    SideBack,
)
from tests.kit.relay_states import (
    AVAILABLE,
    BUSY,
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

CLAIMED = SessionEndedEvent("s1", EndReason.CLAIMED_ELSEWHERE)

# ── a session of a relay before this one ─────────────────────────────────────────────────────────


def test_after_a_restart_the_relay_takes_over_the_id_that_the_evaluator_names() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    assert relay.start("e1", "carl", "old") == [
        ("c1", SessionStarted("old", evaluator_id="eve", evaluator_name="eve", resumed=True)),
        ("c2", SessionStarted("old", evaluator_id="eve", evaluator_name="eve", resumed=True)),
        ("e1", SessionStarted("old", client_id="carl", resumed=True)),
        ("e1", Presence("carl", BUSY, "carl")),
    ]
    assert relay.noted == [SessionBegan("old", "eve", "carl", resumed=True)]
    signal = signal_from("eve", "old")
    assert relay.signal("e1", "carl", sessionId="old") == [("c1", signal), ("c2", signal)]


def test_when_the_client_has_first_answered_is_not_known_of_a_session_of_another_relay() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl", "old")
    relay.signal("c1", "eve")
    assert relay.noted == []
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    assert relay.noted == [SessionAnswered("s1")]


def test_after_a_restart_the_client_has_to_be_there_first() -> None:
    relay = relay_with(e1="eve")
    outputs = relay.start("e1", "carl", "old")
    assert refused(outputs, "e1", ErrorCode.UNKNOWN_CLIENT, "start_session")
    relay.register("c1", CLIENT, "carl")
    assert relay.start("e1", "carl", "old")[1][1] == SessionStarted(
        "old", client_id="carl", resumed=True
    )


def test_after_a_restart_another_evaluator_may_have_been_faster() -> None:
    relay = relay_with(e1="eve", e2="ada", c1="carl")
    relay.start("e2", "carl")
    outputs = relay.start("e1", "carl", "old")
    assert refused(outputs, "e1", ErrorCode.CLIENT_BUSY, "start_session")
    assert relay.noted == []


def test_a_session_whose_grace_time_has_passed_can_be_taken_up_again() -> None:
    relay = in_session()
    relay.lose("c1")
    relay.pass_grace()
    relay.register("c2", CLIENT, "carl")
    assert relay.start("e1", "carl", "s1")[:2] == [("c2", WITH_EVE), ("e1", WITH_CARL)]
    assert relay.noted == [SessionBegan("s1", "eve", "carl", resumed=True)]
    assert has_session(relay, client="c2")


def test_an_older_id_replaces_the_session_that_lives() -> None:
    relay = in_session()
    ended = SessionEndedEvent("s1", EndReason.REPLACED, "eve")
    outputs = relay.start("e1", "carl", "old")
    assert outputs[:2] == [("e1", ended), ("c1", ended)]
    assert [message.session_id for _, message in outputs[2:]] == ["old", "old"]  # type: ignore[union-attr]
    assert relay.noted == [
        SessionOver("s1", EndReason.REPLACED),
        SessionBegan("old", "eve", "carl", resumed=True),
    ]


@pytest.mark.parametrize("session", ["", "x" * 129, "a\nb"])
def test_an_id_that_no_relay_has_made_is_a_bad_message(session: str) -> None:
    relay = relay_with(e1="eve", c1="carl")
    outputs = relay.start("e1", "carl", session)
    assert refused(outputs, "e1", ErrorCode.BAD_MESSAGE, "start_session")
    assert relay.noted == []


def test_a_client_takes_up_nothing() -> None:
    relay = in_session()
    for target in ("carl", "eve"):
        outputs = relay.start("c1", target, "s1")
        assert refused(outputs, "c1", ErrorCode.FORBIDDEN, "start_session")
    assert has_session(relay)


# ── the session lives ────────────────────────────────────────────────────────────────────────────


def test_on_the_same_socket_both_sides_are_told_that_it_goes_on() -> None:
    relay = in_session()
    assert relay.start("e1", "carl", "s1") == [("c1", WITH_EVE), ("e1", WITH_CARL)]
    assert relay.noted == []
    assert has_session(relay)


@pytest.mark.parametrize("comes", ["before", "later"])
def test_another_socket_of_the_evaluator_takes_it_from_the_first(comes: str) -> None:
    relay = in_session(**({"e2": "eve"} if comes == "before" else {}))
    if comes == "later":
        join(relay, e2="eve")
    assert relay.start("e2", "carl", "s1") == [
        ("e1", CLAIMED),
        ("c1", WITH_EVE),
        ("e2", WITH_CARL),
    ]
    assert relay.noted == []
    assert has_session(relay, "e2")
    outputs = relay.signal("e1", "carl", sessionId="s1")
    assert refused(outputs, "e1", ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.lose("e1") == []


def test_an_evaluator_that_was_away_is_back_by_it() -> None:
    relay = in_session(e2="eve")
    relay.lose("e1")
    assert relay.start("e2", "carl", "s1") == [
        ("c1", PeerBack("s1", "eve")),
        ("c1", WITH_EVE),
        ("e2", WITH_CARL),
    ]
    assert relay.noted == [SideBack("s1", EVALUATOR, "eve")]
    assert has_session(relay, "e2")


def test_who_was_told_of_a_claim_gets_it_back_by_asking_and_not_otherwise() -> None:
    relay = in_session(e2="eve")
    relay.start("e2", "carl", "s1")
    assert relay.lose("e2") == [("c1", PeerAway("s1", "eve"))]
    assert relay.noted == [SideAway("s1", EVALUATOR, "eve")]
    outputs = relay.signal("e1", "carl", sessionId="s1")
    assert refused(outputs, "e1", ErrorCode.NO_SESSION, "webrtc_signal")
    assert ("e1", WITH_CARL) in relay.start("e1", "carl", "s1")
    assert has_session(relay)


def test_while_the_client_is_away_the_evaluator_is_told_so_again() -> None:
    relay = in_session()
    relay.lose("c1")
    join(relay, e2="eve")
    assert relay.start("e2", "carl", "s1") == [
        ("e1", CLAIMED),
        ("e2", WITH_CARL),
        ("e2", PeerAway("s1", "carl")),
    ]
    assert relay.noted == []
    assert relay.register("c2", CLIENT, "carl")[1:3] == [
        ("c2", WITH_EVE),
        ("e2", PeerBack("s1", "carl")),
    ]
    assert has_session(relay, "e2", "c2")


def test_it_is_answered_once_however_often_it_is_taken_up() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    relay.start("e1", "carl", "s1")
    relay.signal("c1", "eve")
    assert relay.noted == [SessionAnswered("s1")]
    relay.lose("c1")
    relay.register("c1", CLIENT, "carl")
    relay.start("e1", "carl", "s1")
    relay.signal("c1", "eve")
    assert relay.noted == []


# ── the session of somebody else ─────────────────────────────────────────────────────────────────


def test_the_id_of_a_session_of_others_is_as_any_other_and_leaves_theirs_untouched() -> None:
    relay = in_session(e2="ada", c2="cleo")
    assert relay.start("e2", "cleo", "s1") == [
        ("c2", SessionStarted("s1", evaluator_id="ada", evaluator_name="ada", resumed=True)),
        ("e2", SessionStarted("s1", client_id="cleo", resumed=True)),
        ("e1", Presence("cleo", BUSY, "cleo")),
        ("e2", Presence("cleo", BUSY, "cleo")),
    ]
    assert relay.noted == [SessionBegan("s1", "ada", "cleo", resumed=True)]
    assert has_session(relay)
    assert relay.signal("e2", "cleo") == [("c2", signal_from("ada", "s1"))]


def test_the_id_of_a_session_of_others_takes_nobody_out_of_it() -> None:
    relay = in_session(e2="ada")
    outputs = relay.start("e2", "carl", "s1")
    assert refused(outputs, "e2", ErrorCode.CLIENT_BUSY, "start_session")
    relay.lose("e1")
    outputs = relay.start("e2", "carl", "s1")
    assert refused(outputs, "e2", ErrorCode.CLIENT_BUSY, "start_session")
    assert refused(relay.end("e2", "s1"), "e2", ErrorCode.NO_SESSION, "end_session")
    relay.register("e1", EVALUATOR, "eve")
    assert has_session(relay)


def test_the_refusals_are_the_same_whether_a_session_of_others_lives_or_not() -> None:
    relay = in_session(e2="ada")
    assert relay.start("e2", "carl", "s1") == relay.start("e2", "carl", "s9")
    assert relay.end("e2", "s1") == relay.end("e2", "s9")
    named = [relay.signal("e2", "carl", sessionId=session) for session in ("s1", "s9")]
    assert named[0] == named[1]
    relay.lose("c1")
    assert relay.start("e2", "carl", "s1") == relay.start("e2", "carl", "s9")


def test_an_evaluators_own_session_with_another_client_is_not_moved() -> None:
    relay = in_session(c2="cleo")
    outputs = relay.start("e1", "cleo", "s1")
    assert outputs[:2] == [
        ("c2", SessionStarted("s2", evaluator_id="eve", evaluator_name="eve")),
        ("e1", SessionStarted("s2", client_id="cleo")),
    ]
    assert relay.signal("e1", "carl") == [("c1", signal_from("eve", "s1"))]
    assert relay.end("e1", "s2")[-1] == ("e1", Presence("cleo", AVAILABLE, "cleo"))
    assert has_session(relay)


def test_a_window_that_knows_that_the_other_side_is_away_is_not_told_again() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl", "old")
    relay.lose("e1")
    outputs = relay.register("c2", CLIENT, "carl")
    assert [socket for socket, message in outputs if isinstance(message, PeerAway)] == ["c2"]
