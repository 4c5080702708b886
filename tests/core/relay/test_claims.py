"""The relay's decisions on ids that others name: after a restart it believes whoever is first."""

import pytest

from imgsync.core.protocol.signalling import (
    EndReason,
    ErrorCode,
    ErrorEvent,
    Presence,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.outputs import SessionBegan, SessionOver, SideAway
from tests.kit.relay_states import (
    AVAILABLE,
    BUSY,
    CLIENT,
    EVALUATOR,
    Relay,
    Said,
    refused,
    relay_with,
    signal_from,
)

GONE = SessionEndedEvent("old", EndReason.PEER_GONE, "carl")


def named_by_a_stranger() -> Relay:
    """Eve and Carl live in a session of which this relay knows nothing; Mallory has named it."""
    relay = relay_with(e1="eve", e2="mallory", c1="carl")
    assert ("c1", theirs("mallory")) in relay.start("e2", "carl", "old")
    return relay


def theirs(evaluator: str) -> SessionStarted:
    return SessionStarted("old", evaluator_id=evaluator, evaluator_name=evaluator, resumed=True)


def own_word(relay: Relay, socket: str = "c1") -> Said:
    """Carl's, of whom the session is with."""
    return relay.signal(socket, "eve", None, sessionId="old")


def test_a_client_says_with_whom_it_is_and_the_other_one_is_told_that_it_is_not_there() -> None:
    relay = named_by_a_stranger()
    error, *others = own_word(relay)
    assert refused([error], "c1", ErrorCode.NO_SESSION, "webrtc_signal")
    free = Presence("carl", AVAILABLE, "carl")
    assert others == [("e2", GONE), ("c1", GONE), ("e1", free), ("e2", free)]
    assert relay.noted == [SessionOver("old", EndReason.PEER_GONE)]


def test_its_evaluator_gets_it_then_and_nobody_else_once_the_client_has_spoken() -> None:
    relay = named_by_a_stranger()
    own_word(relay)
    assert relay.start("e1", "carl", "old")[:2] == [
        ("c1", theirs("eve")),
        ("e1", SessionStarted("old", client_id="carl", resumed=True)),
    ]
    assert own_word(relay) == [("e1", signal_from("carl", "old", None))]
    said = relay.start("e2", "carl", "old")
    assert refused(said, "e2", ErrorCode.CLIENT_BUSY, "start_session")


def test_until_the_client_has_spoken_its_evaluator_is_told_to_ask_again() -> None:
    relay = named_by_a_stranger()
    said = relay.start("e1", "carl", "old")
    assert refused(said, "e1", ErrorCode.UNKNOWN_CLIENT, "start_session")
    [(_, error)] = said
    assert isinstance(error, ErrorEvent)
    assert error.code.may_pass
    assert not error.code.is_taken
    # Whoever does not name it is told what it is told of any client.
    for session in (None, "another"):
        said = relay.start("e1", "carl", session)
        assert refused(said, "e1", ErrorCode.CLIENT_BUSY, "start_session")


def test_a_client_that_has_taken_it_with_the_other_one_does_not_say_otherwise() -> None:
    relay = named_by_a_stranger()
    assert relay.signal("c1", "mallory", sessionId="old") == [("e2", signal_from("carl", "old"))]
    assert refused(own_word(relay), "c1", ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.noted == []
    said = relay.start("e1", "carl", "old")
    assert refused(said, "e1", ErrorCode.CLIENT_BUSY, "start_session")


@pytest.mark.parametrize(
    ("socket", "target", "session"),
    [("c1", "eve", "other"), ("c2", "eve", "old"), ("e1", "carl", "old"), ("c1", "eve", None)],
)
def test_nobody_but_one_who_is_in_it_and_names_it_says_so(
    socket: str, target: str, session: str | None
) -> None:
    relay = named_by_a_stranger()
    relay.register("c2", CLIENT, "cleo")
    named = {} if session is None else {"sessionId": session}
    said = relay.signal(socket, target, **named)
    assert refused(said, socket, ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.noted == []


# ── with another client ──────────────────────────────────────────────────────────────────────────


def two_of_one_id() -> Relay:
    """Mallory has named the session of Eve and Carl for one with a client of his own."""
    relay = relay_with(e1="eve", e2="mallory", c1="carl", c2="chum")
    relay.start("e2", "chum", "old")
    relay.signal("c2", "mallory", sessionId="old")
    assert relay.start("e1", "carl", "old") == [
        ("c1", theirs("eve")),
        ("e1", SessionStarted("old", client_id="carl", resumed=True)),
        ("e1", Presence("carl", BUSY, "carl")),
        ("e2", Presence("carl", BUSY, "carl")),
    ]
    assert relay.noted == [SessionBegan("old", "eve", "carl", resumed=True)]
    return relay


def test_an_id_that_others_have_named_is_taken_from_nobody() -> None:
    relay = two_of_one_id()
    for sender, whom, receiver, user in (
        ("e1", "carl", "c1", "eve"),
        ("c1", "eve", "e1", "carl"),
        ("e2", "chum", "c2", "mallory"),
        ("c2", "mallory", "e2", "chum"),
    ):
        said = relay.signal(sender, whom, sessionId="old")
        assert said == [(receiver, signal_from(user, "old"))]


def test_each_of_two_sessions_of_one_id_ends_alone() -> None:
    relay = two_of_one_id()
    ended = SessionEndedEvent("old", EndReason.ENDED, "mallory")
    assert relay.end("e2", "old")[:2] == [("e2", ended), ("c2", ended)]
    assert relay.signal("e1", "carl") == [("c1", signal_from("eve", "old"))]
    ended = SessionEndedEvent("old", EndReason.ENDED, "carl")
    assert relay.end("c1", "old")[:2] == [("e1", ended), ("c1", ended)]


def test_each_of_two_sessions_of_one_id_waits_for_its_own_sides() -> None:
    relay = two_of_one_id()
    relay.lose("e2")
    assert relay.noted == [SideAway("old", EVALUATOR, "mallory")]
    relay.now += 1
    relay.lose("e1")
    relay.register("e2", EVALUATOR, "mallory")
    said = relay.pass_grace()
    assert said[0] == ("c1", SessionEndedEvent("old", EndReason.PEER_GONE, "eve"))
    assert relay.signal("e2", "chum") == [("c2", signal_from("mallory", "old"))]


def test_an_evaluator_has_each_id_once() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="cleo")
    relay.start("e1", "carl", "old")
    _, (_, started), *_ = relay.start("e1", "cleo", "old")
    assert started == SessionStarted("s1", client_id="cleo")
