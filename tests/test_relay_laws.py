"""The relay's decisions: random runs against a model of what each socket was told.

The model knows RelayState by its outputs alone. Sockets are small numbers here.
"""

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imgsync.core.messages import (
    EndReason,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    Presence,
    PresenceState,
    Registered,
    Role,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay import Socket
from tests.relay_states import (
    AVAILABLE,
    BUSY,
    CLIENT,
    EVALUATOR,
    OFFLINE,
    Relay,
    frame,
    refused,
    signal_from,
    unpacked,
)

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
