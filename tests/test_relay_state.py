"""The relay's decisions: rule by rule, and then random runs against a model of what each was told.

The model knows RelayState by its outputs alone. Sockets are small numbers here.
"""

import itertools
import json
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imgsync.core.messages import (
    ClientEntry,
    EndReason,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    Presence,
    PresenceState,
    RawJson,
    Registered,
    Role,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay import RelayState, Send, Socket

EVALUATOR, CLIENT = Role.EVALUATOR, Role.CLIENT
AVAILABLE, BUSY, OFFLINE = PresenceState.AVAILABLE, PresenceState.BUSY, PresenceState.OFFLINE


def frame(event: str, **data: Any) -> str:
    return json.dumps({"event": event, "data": data})


@attrs.define
class Relay:
    """A RelayState that numbers its sessions s1, s2, ...; outputs as (socket, message)."""

    state: RelayState = attrs.field(
        factory=lambda: RelayState(
            map("s{}".format, itertools.count(1)).__next__, [IceServer("stun:a")]
        )
    )

    def tell(self, socket: Socket, event: str, **data: Any) -> list[tuple[Socket, FromRelay]]:
        return unpacked(self.state.receive(socket, frame(event, **data)))

    def register(
        self, socket: Socket, role: Role, user: str, **more: str
    ) -> list[tuple[Socket, FromRelay]]:
        return self.tell(socket, "register", userId=user, role=role.value, package="webrtc", **more)

    def start(self, socket: Socket, client: str) -> list[tuple[Socket, FromRelay]]:
        return self.tell(socket, "start_session", clientId=client)

    def signal(
        self, socket: Socket, target: str, signal: Any = 1, **more: str
    ) -> list[tuple[Socket, FromRelay]]:
        return self.tell(socket, "webrtc_signal", targetUserId=target, signal=signal, **more)

    def lose(self, socket: Socket) -> list[tuple[Socket, FromRelay]]:
        return unpacked(self.state.lost(socket))


def unpacked(outputs: list[Send]) -> list[tuple[Socket, FromRelay]]:
    return [(output.socket, output.message) for output in outputs]


def relay_with(**sockets: str) -> Relay:
    """`relay_with(e1="eve", c2="carl")`: sockets "e1" and "c2", an evaluator's and a client's."""
    relay = Relay()
    for socket, user in sockets.items():
        relay.register(socket, EVALUATOR if socket.startswith("e") else CLIENT, user)
    return relay


def refused(
    outputs: list[tuple[Socket, FromRelay]], socket: Socket, code: ErrorCode, event: str | None
) -> bool:
    match outputs:
        case [(receiver, ErrorEvent(said, message, answered))]:
            is_sentence = message[-1] == "." and message != "."
            return (receiver, said, answered, is_sentence) == (socket, code, event, True)
    return False


def signal_from(user: str, session: str, signal: Any = 1) -> ForwardedSignal:
    return ForwardedSignal(user, RawJson(json.dumps(signal)), session)


# ── register ─────────────────────────────────────────────────────────────────────────────────────


def test_a_client_is_registered_and_told_the_ice_servers() -> None:
    relay = Relay()
    assert not relay.state.is_registered("c1")
    outputs = relay.register("c1", CLIENT, "carl", name="Carl")
    assert outputs == [("c1", Registered("carl", CLIENT, "Carl", (IceServer("stun:a"),)))]
    assert relay.state.is_registered("c1")


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
    )


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
        (frame("dance"), ErrorCode.UNKNOWN_EVENT, "dance"),
        (frame("registered", userId="u"), ErrorCode.UNKNOWN_EVENT, "registered"),
    ],
)
def test_what_is_no_message_is_answered_and_changes_nothing(
    text: str | bytes, code: ErrorCode, event: str | None
) -> None:
    relay = relay_with(e1="eve", c1="carl")
    for socket in ("new", "e1", "c1"):
        assert refused(unpacked(relay.state.receive(socket, text)), socket, code, event)
    assert not relay.state.is_registered("new")
    assert relay.state.is_registered("e1")


# ── start_session ────────────────────────────────────────────────────────────────────────────────


def test_a_session_starts_on_both_sides() -> None:
    relay = relay_with(c1="carl")
    relay.register("e1", EVALUATOR, "eve", name="Eve")
    assert relay.start("e1", "carl") == [
        ("c1", SessionStarted("s1", evaluator_id="eve", evaluator_name="Eve")),
        ("e1", SessionStarted("s1", client_id="carl")),
        ("e1", Presence("carl", BUSY, "carl")),
    ]


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
    outputs = relay.tell("e1", "end_session", sessionId="s3")
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


# ── webrtc_signal ────────────────────────────────────────────────────────────────────────────────


def test_a_signal_is_forwarded_to_the_letter_with_the_relays_word_for_the_sender() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    raw = r'{"b" : 1.50, "a":"\u00e9", "a":[1e5 ]}'
    text = (
        '{"event":"webrtc_signal","data":{"fromUserId":"mallory","targetUserId":"carl",'
        f'"signal":{raw}}}}}'
    )
    assert unpacked(relay.state.receive("e1", text)) == [
        ("c1", ForwardedSignal("eve", RawJson(raw), "s1"))
    ]


def test_signals_are_for_the_two_of_a_live_session_only() -> None:
    relay = relay_with(e1="eve", e2="ada", e3="eve", c1="carl", c2="cleo")
    relay.start("e1", "carl")
    relay.start("e2", "cleo")
    for socket, target in [
        ("e1", "cleo"),  # another's client
        ("e1", "eve"),
        ("e1", "ada"),
        ("e1", "nobody"),
        ("e2", "carl"),
        ("e3", "carl"),  # the same evaluator, but not the socket that has the session
        ("c1", "ada"),
        ("c1", "cleo"),
        ("c1", "carl"),
    ]:
        outputs = relay.signal(socket, target)
        assert refused(outputs, socket, ErrorCode.NO_SESSION, "webrtc_signal"), (socket, target)


def test_a_session_id_that_is_named_has_to_be_the_live_one() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="cleo")
    relay.start("e1", "carl")
    relay.start("e1", "carl")
    relay.start("e1", "cleo")
    for session in ("s1", "s3", "s9", ""):
        for socket, target in (("e1", "carl"), ("c1", "eve")):
            outputs = relay.signal(socket, target, sessionId=session)
            assert refused(outputs, socket, ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.signal("e1", "carl", sessionId="s2") == [("c1", signal_from("eve", "s2"))]
    assert relay.signal("c1", "eve", sessionId="s2") == [("e1", signal_from("carl", "s2"))]


def test_after_the_end_there_is_no_session_to_signal_in() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    relay.tell("c1", "end_session", sessionId="s1")
    for socket, target in (("e1", "carl"), ("c1", "eve")):
        outputs = relay.signal(socket, target)
        assert refused(outputs, socket, ErrorCode.NO_SESSION, "webrtc_signal")


# ── several sockets of one client ────────────────────────────────────────────────────────────────


def claimed_by_c2() -> Relay:
    relay = relay_with(e1="eve", c1="carl", c2="carl", c3="carl")
    relay.start("e1", "carl")
    relay.signal("c2", "eve")
    return relay


def test_all_sockets_of_a_client_are_in_the_session_until_one_claims_it() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl", c3="carl")
    started = SessionStarted("s1", evaluator_id="eve", evaluator_name="eve")
    outputs = relay.start("e1", "carl")
    assert outputs[:3] == [("c1", started), ("c2", started), ("c3", started)]
    signal = signal_from("eve", "s1")
    assert relay.signal("e1", "carl") == [("c1", signal), ("c2", signal), ("c3", signal)]
    claimed = SessionEndedEvent("s1", EndReason.CLAIMED_ELSEWHERE)
    assert relay.signal("c2", "eve") == [
        ("c1", claimed),
        ("c3", claimed),
        ("e1", signal_from("carl", "s1")),
    ]
    assert relay.signal("e1", "carl") == [("c2", signal)]
    assert relay.signal("c2", "eve") == [("e1", signal_from("carl", "s1"))]


def test_a_refused_signal_claims_nothing() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    relay.signal("c1", "eve", sessionId="s9")
    relay.signal("c1", "ada")
    assert [socket for socket, _ in relay.signal("e1", "carl")] == ["c1", "c2"]


def test_who_lost_the_claim_is_out_of_the_session() -> None:
    relay = claimed_by_c2()
    outputs = relay.signal("c1", "eve", sessionId="s1")
    assert refused(outputs, "c1", ErrorCode.NO_SESSION, "webrtc_signal")
    outputs = relay.tell("c1", "end_session", sessionId="s1")
    assert refused(outputs, "c1", ErrorCode.NO_SESSION, "end_session")
    assert relay.lose("c1") == []
    assert relay.signal("e1", "carl") == [("c2", signal_from("eve", "s1"))]


def test_a_socket_that_comes_later_is_not_in_the_session() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    relay.register("c2", CLIENT, "carl")
    assert [socket for socket, _ in relay.signal("e1", "carl")] == ["c1"]
    outputs = relay.signal("c2", "eve")
    assert refused(outputs, "c2", ErrorCode.NO_SESSION, "webrtc_signal")


def test_a_new_session_is_offered_to_all_sockets_again() -> None:
    relay = claimed_by_c2()
    outputs = relay.start("e1", "carl")
    ended = [s for s, message in outputs if isinstance(message, SessionEndedEvent)]
    started = [s for s, message in outputs if isinstance(message, SessionStarted)]
    assert ended == ["e1", "c2"]
    assert started == ["c1", "c2", "c3", "e1"]


# ── end_session and lost ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("socket", "user"), [("e1", "eve"), ("c1", "carl")])
def test_either_side_ends_the_session_for_both(socket: str, user: str) -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    ended = SessionEndedEvent("s1", EndReason.ENDED, user)
    assert relay.tell(socket, "end_session", sessionId="s1") == [
        ("e1", ended),
        ("c1", ended),
        ("e1", Presence("carl", AVAILABLE, "carl")),
    ]
    outputs = relay.tell(socket, "end_session", sessionId="s1")
    assert refused(outputs, socket, ErrorCode.NO_SESSION, "end_session")


def test_nobody_else_ends_a_session() -> None:
    relay = relay_with(e1="eve", e2="ada", e3="eve", c1="carl", c2="cleo")
    relay.start("e1", "carl")
    for socket in ("e2", "e3", "c2"):
        outputs = relay.tell(socket, "end_session", sessionId="s1")
        assert refused(outputs, socket, ErrorCode.NO_SESSION, "end_session")
    assert relay.signal("e1", "carl") == [("c1", signal_from("eve", "s1"))]


def test_a_socket_that_never_registered_is_lost_without_a_word() -> None:
    relay = relay_with(e1="eve", c1="carl")
    assert relay.lose("new") == []
    assert relay.lose("c1") != []
    assert relay.lose("c1") == []


def test_a_lost_evaluator_ends_its_sessions_and_frees_its_clients() -> None:
    relay = relay_with(e1="eve", e2="ada", c1="carl", c2="cleo")
    relay.start("e1", "carl")
    relay.start("e1", "cleo")
    assert relay.lose("e1") == [
        ("c1", SessionEndedEvent("s1", EndReason.PEER_GONE, "eve")),
        ("e2", Presence("carl", AVAILABLE, "carl")),
        ("c2", SessionEndedEvent("s2", EndReason.PEER_GONE, "eve")),
        ("e2", Presence("cleo", AVAILABLE, "cleo")),
    ]
    assert not relay.state.is_registered("e1")
    assert len(relay.start("e2", "carl")) == 3


def test_a_lost_client_ends_its_session() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    assert relay.lose("c1") == [
        ("e1", SessionEndedEvent("s1", EndReason.PEER_GONE, "carl")),
        ("e1", Presence("carl", OFFLINE, "carl")),
    ]


def test_of_several_sockets_the_last_one_that_is_lost_ends_the_session() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    assert relay.lose("c1") == []
    assert relay.signal("e1", "carl") == [("c2", signal_from("eve", "s1"))]
    assert relay.lose("c2")[0] == ("e1", SessionEndedEvent("s1", EndReason.PEER_GONE, "carl"))


def test_the_loss_of_the_socket_that_claimed_ends_the_session_though_others_are_there() -> None:
    relay = claimed_by_c2()
    assert relay.lose("c2") == [
        ("e1", SessionEndedEvent("s1", EndReason.PEER_GONE, "carl")),
        ("e1", Presence("carl", AVAILABLE, "carl")),
    ]


# ── presence ─────────────────────────────────────────────────────────────────────────────────────


def test_presence_is_told_to_all_evaluators_at_each_change_and_not_otherwise() -> None:
    relay = relay_with(e1="eve", e2="ada", c0="other")

    def said(outputs: list[tuple[Socket, FromRelay]]) -> list[PresenceState]:
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
    assert said(relay.tell("c1", "end_session", sessionId="s2")) == [AVAILABLE]
    assert said(relay.start("e1", "carl")) == [BUSY]
    assert said(relay.lose("c1")) == [OFFLINE]
    assert said(relay.register("c1", CLIENT, "carl", name="Carl")) == [AVAILABLE]


def test_clients_are_told_nothing_of_presence() -> None:
    relay = relay_with(c1="carl")
    assert [socket for socket, _ in relay.register("c2", CLIENT, "cleo")] == ["c2"]
    assert relay.lose("c2") == []


# ── random runs ──────────────────────────────────────────────────────────────────────────────────

USERS = ["sam", "kim", "lou"]  # each may be an evaluator and a client, on several sockets
PICK = st.integers(0, 11)


@attrs.define
class Peer:
    """A socket, and what the relay has told it until now."""

    role: Role
    user: str
    #: Sessions that it was told of and that have not ended for it: the user on the other side.
    sessions: dict[str, str] = attrs.field(factory=dict)
    #: Clients that are not offline, for an evaluator.
    presence: dict[str, PresenceState] = attrs.field(factory=dict)


class RandomRelay(RuleBasedStateMachine):
    """Holds what the relay says of itself, whatever a few users do on many sockets."""

    @initialize()
    def begin(self) -> None:
        self.relay = Relay()
        self.peers: dict[int, Peer] = {}
        self.next_socket = 0
        self.sessions: list[str] = []
        self.signals = 0

    # ── what may be asked ──

    @rule(role=st.sampled_from(Role), user=st.sampled_from(USERS))
    def register(self, role: Role, user: str) -> None:
        self.next_socket += 1
        socket = self.next_socket
        outputs = self.relay.register(socket, role, user)
        assert outputs[0][0] == socket
        registered = outputs[0][1]
        assert isinstance(registered, Registered)
        assert (registered.user_id, registered.role) == (user, role)
        clients = registered.clients or ()
        assert (registered.clients is None) == (role is CLIENT)
        presence = {entry.user_id: entry.state for entry in clients}
        assert len(presence) == len(clients)
        self.peers[socket] = Peer(role, user, presence=presence)
        self.take(outputs[1:], allowed=(Presence,))

    @precondition(lambda self: self.peers)
    @rule(pick=PICK)
    def register_again(self, pick: int) -> None:
        socket = self.pick(pick)
        outputs = self.relay.register(socket, CLIENT, "sam")
        assert refused(outputs, socket, ErrorCode.ALREADY_REGISTERED, "register")

    @precondition(lambda self: self.peers)
    @rule(pick=PICK)
    def lose(self, pick: int) -> None:
        socket = self.pick(pick)
        gone = self.peers.pop(socket)
        outputs = self.relay.lose(socket)
        self.take(outputs, allowed=(SessionEndedEvent, Presence))
        for _, message in outputs:
            if isinstance(message, SessionEndedEvent):
                assert message.session_id in gone.sessions
                assert message.reason is EndReason.PEER_GONE
                assert message.by_user_id == gone.user
        assert self.relay.lose(socket) == []

    @precondition(lambda self: self.peers)
    @rule(pick=PICK, client=st.sampled_from(USERS), by_evaluator=st.booleans())
    def start_session(self, pick: int, client: str, by_evaluator: bool) -> None:
        socket = self.pick(pick, EVALUATOR if by_evaluator else None)
        peer = self.peers[socket]
        online = [
            s for s, other in self.peers.items() if (other.role, other.user) == (CLIENT, client)
        ]
        old = {session: by for s in online for session, by in self.peers[s].sessions.items()}
        members = {s: list(other.sessions) for s, other in self.peers.items()}
        outputs = self.relay.start(socket, client)
        if peer.role is CLIENT:
            assert refused(outputs, socket, ErrorCode.FORBIDDEN, "start_session")
        elif not online:
            assert refused(outputs, socket, ErrorCode.UNKNOWN_CLIENT, "start_session")
        elif old and peer.user not in old.values():
            assert refused(outputs, socket, ErrorCode.CLIENT_BUSY, "start_session")
        else:
            self.take(outputs, allowed=(SessionEndedEvent, SessionStarted, Presence))
            ended = {s for s, message in outputs if isinstance(message, SessionEndedEvent)}
            started = [s for s, message in outputs if isinstance(message, SessionStarted)]
            [session] = {m.session_id for _, m in outputs if isinstance(m, SessionStarted)}
            assert session not in self.sessions
            self.sessions.append(session)
            assert sorted(map(repr, started)) == sorted(map(repr, [socket, *online]))
            assert ended == {s for s, inside in members.items() if old.keys() & set(inside)}

    @precondition(lambda self: self.peers)
    @rule(
        pick=PICK,
        other=st.sampled_from(USERS),
        session=st.none() | PICK,
        in_session=st.sampled_from([True, True, True, False]),
    )
    def signal(self, pick: int, other: str, session: int | None, in_session: bool) -> None:
        socket = self.pick(pick, in_session=in_session)
        sender = self.peers[socket]
        if in_session and sender.sessions:
            other = [*sender.sessions.values()][pick % len(sender.sessions)]
        live = [found for found, user in sender.sessions.items() if user == other]
        assert len(live) <= 1
        named = {} if session is None else {"sessionId": self.some_session(session)}
        self.signals += 1
        outputs = self.relay.signal(socket, other, self.signals, **named)
        if not live or (named and named["sessionId"] != live[0]):
            assert refused(outputs, socket, ErrorCode.NO_SESSION, "webrtc_signal")
            return
        forwarded = signal_from(sender.user, live[0], self.signals)
        receivers = [s for s, message in outputs if message == forwarded]
        others = [s for s, peer in self.peers.items() if s != socket and live[0] in peer.sessions]
        if sender.role is EVALUATOR:
            assert (receivers, len(outputs)) == (others, len(others))
            return
        claimed = SessionEndedEvent(live[0], EndReason.CLAIMED_ELSEWHERE)
        losers = [s for s in others if self.peers[s].role is CLIENT]
        evaluators = [s for s in others if self.peers[s].role is EVALUATOR]
        assert (receivers, len(receivers)) == (evaluators, 1)
        assert [s for s, message in outputs if message == claimed] == losers
        assert len(outputs) == 1 + len(losers)
        self.take(outputs, allowed=(SessionEndedEvent, ForwardedSignal))

    @precondition(lambda self: self.peers and self.sessions)
    @rule(pick=PICK, session=PICK)
    def end_session(self, pick: int, session: int) -> None:
        socket, name = self.pick(pick), self.some_session(session)
        members = [s for s, peer in self.peers.items() if name in peer.sessions]
        outputs = self.relay.tell(socket, "end_session", sessionId=name)
        if socket not in members:
            assert refused(outputs, socket, ErrorCode.NO_SESSION, "end_session")
            return
        ended = SessionEndedEvent(name, EndReason.ENDED, self.peers[socket].user)
        assert {s for s, message in outputs if message == ended} == set(members)
        self.take(outputs, allowed=(SessionEndedEvent, Presence))

    @rule(pick=PICK, text=st.sampled_from(["", "{}", frame("dance"), frame("start_session")]))
    def talk_nonsense(self, pick: int, text: str) -> None:
        socket = self.pick(pick) if self.peers else 0
        [(receiver, message)] = unpacked(self.relay.state.receive(socket, text))
        assert receiver == socket
        assert isinstance(message, ErrorEvent)

    @rule(event=st.sampled_from(["start_session", "webrtc_signal", "end_session"]))
    def talk_as_a_stranger(self, event: str) -> None:
        everything = {"clientId": "sam", "targetUserId": "sam", "signal": 1}
        outputs = self.relay.tell(0, event, sessionId=self.some_session(0), **everything)
        assert refused(outputs, 0, ErrorCode.NOT_REGISTERED, event)

    # ── what was told ──

    def take(
        self, outputs: list[tuple[Socket, FromRelay]], allowed: tuple[type[FromRelay], ...]
    ) -> None:
        """Give each socket what it was sent, and see that it makes sense to it."""
        for socket, message in outputs:
            assert isinstance(message, allowed)
            assert isinstance(socket, int)
            peer = self.peers[socket]
            match message:
                case SessionStarted(session, evaluator, _, client):
                    assert session not in peer.sessions
                    assert (evaluator is None) == (peer.role is EVALUATOR)
                    assert (client is None) == (peer.role is CLIENT)
                    other = evaluator or client
                    assert other is not None
                    peer.sessions[session] = other
                case SessionEndedEvent(session):
                    assert session in peer.sessions
                    del peer.sessions[session]
                case ForwardedSignal(sender, _, session):
                    assert session in peer.sessions
                    assert peer.sessions[session] == sender
                case Presence(user, state):
                    assert peer.role is EVALUATOR
                    assert peer.presence.get(user, OFFLINE) is not state
                    peer.presence[user] = state
                case _:
                    pytest.fail(f"unexpected: {message}")

    def pick(self, number: int, role: Role | None = None, *, in_session: bool = False) -> int:
        """One of the sockets, by preference one of this role, or one that is in a session."""
        preferred = [
            socket
            for socket, peer in self.peers.items()
            if role in (None, peer.role) and (peer.sessions or not in_session)
        ]
        choice = preferred or [*self.peers]
        return choice[number % len(choice)]

    def some_session(self, number: int) -> str:
        """One of the last few sessions that there were."""
        return self.sessions[-1 - number % min(3, len(self.sessions))] if self.sessions else "s0"

    def members(self) -> dict[str, list[Peer]]:
        found: dict[str, list[Peer]] = {}
        for peer in self.peers.values():
            for session in peer.sessions:
                found.setdefault(session, []).append(peer)
        return found

    @invariant()
    def whoever_is_in_a_session_is_there_with_its_other_side(self) -> None:
        for peers in self.members().values():
            evaluators = [peer.user for peer in peers if peer.role is EVALUATOR]
            clients = [peer.user for peer in peers if peer.role is CLIENT]
            assert len(evaluators) == 1
            assert len(set(clients)) == 1

    @invariant()
    def a_client_is_in_one_session_at_most(self) -> None:
        clients = [
            (peer.user, session)
            for peer in self.peers.values()
            if peer.role is CLIENT
            for session in peer.sessions
        ]
        users = [user for user, _ in set(clients)]
        assert len(users) == len(set(users))

    @invariant()
    def presence_as_told_is_what_is(self) -> None:
        clients = [peer for peer in self.peers.values() if peer.role is CLIENT]
        busy = {peer.user for peer in clients if peer.sessions}
        real = {peer.user: BUSY if peer.user in busy else AVAILABLE for peer in clients}
        for peer in self.peers.values():
            if peer.role is EVALUATOR:
                told = {user: is_ for user, is_ in peer.presence.items() if is_ is not OFFLINE}
                assert told == real

    @invariant()
    def only_those_who_are_there_are_registered(self) -> None:
        for socket in range(self.next_socket + 1):
            assert self.relay.state.is_registered(socket) == (socket in self.peers)


RandomRelay.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
test_whatever_the_users_do_the_laws_of_the_relay_hold = RandomRelay.TestCase
