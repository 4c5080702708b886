"""The relay's decisions, rule by rule: who registers, who starts a session, and presence."""

from typing import Any

import pytest

from imgsync.core.codec.codec import MAX_REGISTER
from imgsync.core.protocol.numbers import RELAY_FEATURES
from imgsync.core.protocol.signalling import (
    ClientEntry,
    EndReason,
    ErrorCode,
    IceServer,
    Presence,
    PresenceState,
    Registered,
    RelayPong,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import SessionBegan, SessionOver
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from tests.kit.relay_states import (
    AVAILABLE,
    BUSY,
    CLIENT,
    EVALUATOR,
    OFFLINE,
    Relay,
    Said,
    frame,
    numbered,
    refused,
    relay_with,
    signal_from,
)

# ── register ─────────────────────────────────────────────────────────────────────────────────────


def test_a_client_is_registered_and_told_the_ice_servers() -> None:
    relay = Relay()
    assert relay.state.peer_of("c1") is None
    outputs = relay.register("c1", CLIENT, "carl", name="Carl")
    servers = (IceServer("stun:a"),)
    assert outputs == [("c1", Registered("carl", CLIENT, "Carl", servers, features=RELAY_FEATURES))]
    assert relay.state.peer_of("c1") == Peer("c1", "carl", "Carl", CLIENT)


def test_an_evaluator_is_told_the_clients_with_their_state() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.register("c2", CLIENT, "cleo", name="Cleo")
    relay.start("e1", "cleo")
    [(socket, registered)] = relay.register("e2", EVALUATOR, "eve")
    assert socket == "e2"
    assert registered == Registered(
        "eve",
        EVALUATOR,
        "eve",
        (IceServer("stun:a"),),
        (ClientEntry("carl", AVAILABLE, "carl"), ClientEntry("cleo", BUSY, "Cleo")),
        features=RELAY_FEATURES,
    )


def test_a_ping_is_answered_with_its_id_and_nobody_else_hears_of_it() -> None:
    relay = relay_with(e1="eve", c1="carl")
    for socket in ("c1", "e1"):
        for id in (1, 0, -7, 2**53 - 1):
            assert relay.tell(socket, "ping", id=id) == [(socket, RelayPong(id))]


def test_a_socket_registers_once() -> None:
    relay = relay_with(c1="carl")
    outputs = relay.register("c1", EVALUATOR, "eve")
    assert refused(outputs, "c1", ErrorCode.ALREADY_REGISTERED, "register")
    assert refused(relay.start("c1", "carl"), "c1", ErrorCode.FORBIDDEN, "start_session")


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("start_session", {"clientId": "carl"}),
        ("webrtc_signal", {"targetUserId": "carl", "signal": 1}),
        ("end_session", {"sessionId": "s1"}),
    ],
)
def test_nothing_goes_before_register(event: str, data: dict[str, Any]) -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    assert refused(relay.tell("new", event, **data), "new", ErrorCode.NOT_REGISTERED, event)


@pytest.mark.parametrize(
    ("text", "code", "event"),
    [
        ("{", ErrorCode.BAD_MESSAGE, None),
        (b"{}", ErrorCode.BAD_MESSAGE, None),
        ("[]", ErrorCode.BAD_MESSAGE, None),
        ('{"event":1}', ErrorCode.BAD_MESSAGE, None),
        (frame("register", userId="u"), ErrorCode.BAD_MESSAGE, "register"),
        (frame("end_session", sessionId=1), ErrorCode.BAD_MESSAGE, "end_session"),
        (frame("end_session", sessionId=""), ErrorCode.BAD_MESSAGE, "end_session"),
        (frame("dance"), ErrorCode.UNKNOWN_EVENT, "dance"),
        (frame("registered", userId="u"), ErrorCode.UNKNOWN_EVENT, "registered"),
    ],
)
def test_what_is_no_message_is_answered_and_changes_nothing(
    text: str | bytes, code: ErrorCode, event: str | None
) -> None:
    relay = relay_with(e1="eve", c1="carl")
    for socket in ("new", "e1", "c1"):
        assert refused(relay.receive(socket, text), socket, code, event)
        assert relay.noted == []
    assert relay.state.peer_of("new") is None
    assert relay.state.peer_of("e1") == Peer("e1", "eve", "eve", EVALUATOR)


def test_how_long_a_frame_may_be_is_the_operators_choice() -> None:
    text = frame("register", userId="carl", role="client", package="webrtc")
    relay = Relay(RelayState(numbered("s{}"), Terms(max_frame=len(text))))
    assert refused(relay.receive("c1", text + " "), "c1", ErrorCode.BAD_MESSAGE, None)
    assert isinstance(relay.receive("c1", text)[0][1], Registered)


def test_who_has_not_registered_is_not_listened_to_for_long() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    text = frame("webrtc_signal", targetUserId="carl", signal="x" * MAX_REGISTER)
    assert refused(relay.receive("stranger", text), "stranger", ErrorCode.BAD_MESSAGE, None)
    assert [socket for socket, _ in relay.receive("e1", text)] == ["c1"]


# ── start_session ────────────────────────────────────────────────────────────────────────────────


def test_a_session_starts_on_both_sides() -> None:
    relay = relay_with(c1="carl")
    relay.register("e1", EVALUATOR, "eve", name="Eve")
    assert relay.start("e1", "carl") == [
        ("c1", SessionStarted("s1", evaluator_id="eve", evaluator_name="Eve")),
        ("e1", SessionStarted("s1", client_id="carl")),
        ("e1", Presence("carl", BUSY, "carl")),
    ]
    assert relay.noted == [SessionBegan("s1", "eve", "carl", resumed=False)]


def test_only_an_evaluator_starts_a_session() -> None:
    relay = relay_with(c1="carl", c2="cleo")
    assert refused(relay.start("c1", "cleo"), "c1", ErrorCode.FORBIDDEN, "start_session")


def test_a_client_has_to_be_online() -> None:
    relay = relay_with(e1="eve", e2="ada", c1="carl")
    relay.lose("c1")
    for user in ("carl", "nobody", "ada"):
        outputs = relay.start("e1", user)
        assert refused(outputs, "e1", ErrorCode.UNKNOWN_CLIENT, "start_session")


def test_a_client_of_another_evaluator_is_busy() -> None:
    relay = relay_with(e1="eve", e2="ada", c1="carl")
    relay.start("e1", "carl")
    assert refused(relay.start("e2", "carl"), "e2", ErrorCode.CLIENT_BUSY, "start_session")
    assert relay.signal("e1", "carl") == [("c1", signal_from("eve", "s1"))]


@pytest.mark.parametrize("again", ["e1", "e2"])
def test_the_same_evaluator_replaces_its_session_without_a_word_of_presence(again: str) -> None:
    relay = relay_with(e1="eve", e2="eve", c1="carl")
    relay.start("e1", "carl")
    ended = SessionEndedEvent("s1", EndReason.REPLACED, "eve")
    assert relay.start(again, "carl") == [
        ("e1", ended),
        ("c1", ended),
        ("c1", SessionStarted("s2", evaluator_id="eve", evaluator_name="eve")),
        (again, SessionStarted("s2", client_id="carl")),
    ]
    assert relay.noted == [
        SessionOver("s1", EndReason.REPLACED),
        SessionBegan("s2", "eve", "carl", resumed=False),
    ]
    assert relay.signal(again, "carl") == [("c1", signal_from("eve", "s2"))]


def test_an_evaluator_runs_sessions_with_many_clients_at_once() -> None:
    clients = {f"c{number}": f"client{number}" for number in range(5)}
    relay = relay_with(e1="eve", **clients)
    for number, user in enumerate(clients.values(), 1):
        assert ("e1", SessionStarted(f"s{number}", client_id=user)) in relay.start("e1", user)
    for number, (socket, user) in enumerate(clients.items(), 1):
        session = f"s{number}"
        assert relay.signal("e1", user, user) == [(socket, signal_from("eve", session, user))]
        assert relay.signal(socket, "eve") == [("e1", signal_from(user, session))]
    outputs = relay.end("e1", "s3")
    assert [socket for socket, message in outputs if isinstance(message, SessionEndedEvent)] == [
        "e1",
        "c2",
    ]
    assert relay.signal("e1", "client3") == [("c3", signal_from("eve", "s4"))]


def test_one_user_id_may_be_an_evaluator_and_a_client_at_once() -> None:
    relay = relay_with(e1="sam", c1="sam")
    relay.start("e1", "sam")
    assert relay.signal("e1", "sam", "down") == [("c1", signal_from("sam", "s1", "down"))]
    assert relay.signal("c1", "sam", "up") == [("e1", signal_from("sam", "s1", "up"))]


# ── presence ─────────────────────────────────────────────────────────────────────────────────────


def test_presence_is_told_to_all_evaluators_at_each_change_and_not_otherwise() -> None:
    relay = relay_with(e1="eve", e2="ada", c0="other")

    def said(outputs: Said) -> list[PresenceState]:
        told = [(s, message) for s, message in outputs if isinstance(message, Presence)]
        assert all(message.user_id == "carl" for _, message in told)
        assert all(message.name == "Carl" for _, message in told)
        ours = [message.state for s, message in told if s == "e1"]
        assert ours == [message.state for s, message in told if s == "e2"]
        assert len(told) == 2 * len(ours)
        return ours

    assert said(relay.register("c1", CLIENT, "carl", name="Carl")) == [AVAILABLE]
    assert said(relay.register("c2", CLIENT, "carl", name="Carl")) == []
    assert said(relay.start("e1", "carl")) == [BUSY]
    assert said(relay.signal("e1", "carl")) == []
    assert said(relay.signal("c1", "eve")) == []
    assert said(relay.start("e1", "carl")) == []
    assert said(relay.start("e2", "carl")) == []
    assert said(relay.lose("c2")) == []
    assert said(relay.end("c1", "s2")) == [AVAILABLE]
    assert said(relay.start("e1", "carl")) == [BUSY]
    assert said(relay.lose("c1")) == [OFFLINE]
    assert said(relay.register("c1", CLIENT, "carl", name="Carl")) == [BUSY]
    assert said(relay.lose("c1")) == [OFFLINE]
    assert said(relay.pass_grace()) == []
    assert said(relay.register("c1", CLIENT, "carl", name="Carl")) == [AVAILABLE]


def test_clients_are_told_nothing_of_presence() -> None:
    relay = relay_with(c1="carl")
    assert [socket for socket, _ in relay.register("c2", CLIENT, "cleo")] == ["c2"]
    assert relay.lose("c2") == []
