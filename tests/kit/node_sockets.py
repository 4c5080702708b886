"""What sockets at several nodes have said, and have been told: whatever it is has to make sense.

Unlike in `relay_model.py`, nothing is known here of when anything is decided: each socket is a
story of its own. Sockets are numbers; a signal is the number of its sender, with how many it has
sent by then.
"""

import json

import attrs

from imgsync.core.protocol.signalling import (
    Door,
    ErrorCode,
    ErrorEvent,
    Features,
    ForwardedSignal,
    FromRelay,
    PeerAway,
    PeerBack,
    Presence,
    PresenceState,
    Registered,
    Role,
    SessionEndedEvent,
    SessionStarted,
    Waiting,
)
from tests.kit.relay_states import CLIENT, EVALUATOR, OFFLINE, Grant

Signal = tuple[int, int]
"""Who has sent it, and how many by then."""

NO_ANSWER = frozenset({ErrorCode.UNAVAILABLE, ErrorCode.RATE_LIMITED})
"""What is answered where nobody knows what becomes of it, and may be told once more of that."""


@attrs.define
class ToldSocket:
    """One socket."""

    number: int
    role: Role
    user: str
    grant: Grant
    features: Features
    door: Door | None
    is_registered: bool = False
    #: Whether the relay closes it, or has: it is told nothing any more.
    is_closed: bool = False
    #: Sessions that it was told of, and that have not ended for it: the other user.
    sessions: dict[str, str] = attrs.field(factory=dict)
    away: set[str] = attrs.field(factory=set)
    #: Clients that are not offline, for an evaluator, and what they speak.
    presence: dict[str, tuple[PresenceState, Features]] = attrs.field(factory=dict)
    #: Where its user stands by the others, while it waits.
    others: PresenceState | None = None
    #: What it has asked, by the names of that, and how often it was answered.
    starts: dict[str, list[str]] = attrs.field(factory=dict)
    #: Of the sessions that it has asked to end: whether it was told of the end of one.
    ends: list[tuple[str, bool]] = attrs.field(factory=list)
    #: How many signals it has sent, and how many were answered by an error.
    signals: int = 0
    unsent: int = 0
    enters: int = 0
    #: Whether nobody knew what had become of one.
    may_have_entered: bool = False
    #: The last signal of each sender.
    heard: dict[int, int] = attrs.field(factory=dict)

    @property
    def is_waiting(self) -> bool:
        return self.door is Door.WAITING

    def sees(self, user: str, group: str | None) -> bool:
        wanted, clients, _ = attrs.astuple(self.grant, recurse=False)
        return (wanted is None or wanted == group) and (clients is None or user in clients)

    # ── what it is told ──

    def take(self, message: FromRelay) -> None:
        if self.is_closed:
            return
        if isinstance(message, ErrorEvent):
            self._take_error(message)
            return
        if isinstance(message, Registered):
            self._take_registered(message)
            return
        assert self.is_registered, message
        match message:
            case SessionStarted():
                self._take_started(message)
            case SessionEndedEvent(session):
                self.sessions.pop(session, None)
                self.away.discard(session)
                self.ends = [(one, is_told or one == session) for one, is_told in self.ends]
            case PeerAway(session, user):
                assert self.sessions[session] == user
                assert session not in self.away
                self.away.add(session)
            case PeerBack(session, user):
                assert self.sessions[session] == user
                self.away.remove(session)
            case ForwardedSignal():
                self._take_signal(message)
            case Presence(user, state, _, features):
                assert self.role is EVALUATOR
                assert self.presence.get(user, (OFFLINE, ())) != (state, features)
                self.presence[user] = (state, features)
                if state is OFFLINE:
                    del self.presence[user]
            case Waiting(others, again):
                assert again or self.others is not others
                # What it is told may cross with what it says.
                is_crossed = self.enters > 0
                assert again is not self.is_waiting or is_crossed or self.may_have_entered
                if again:
                    assert self.door is Door.ENTERED or is_crossed
                    assert not self.sessions
                    self.door = Door.WAITING
                self.others = others
            case _:
                raise AssertionError(message)

    def _take_registered(self, message: Registered) -> None:
        assert not self.is_registered
        assert (message.user_id, message.role) == (self.user, self.role)
        assert (message.clients is None) == (self.role is CLIENT)
        self.is_registered = True
        for entry in message.clients or ():
            assert entry.user_id not in self.presence
            self.presence[entry.user_id] = (entry.state, entry.features)

    def _take_started(self, message: SessionStarted) -> None:
        session = message.session_id
        assert (message.evaluator_id is None) == (self.role is EVALUATOR)
        assert session not in self.sessions or message.resumed
        other = message.evaluator_id or message.client_id or ""
        assert self.sessions.setdefault(session, other) == other
        assert self.role is EVALUATOR or len(self.sessions) == 1
        if self.door is Door.WAITING:
            # It was sent back before it said that it was touched once more.
            assert self.enters > 0 or self.may_have_entered
            self.door = Door.ENTERED
        self.away.discard(session)
        if message.ref is not None:
            self.starts[message.ref].append("begun")

    def _take_signal(self, message: ForwardedSignal) -> None:
        assert message.session_id is not None
        assert self.sessions[message.session_id] == message.from_user_id
        assert message.session_id not in self.away
        sender, count = json.loads(message.signal)
        assert self.heard.get(sender, 0) < count
        self.heard[sender] = count

    def _take_error(self, message: ErrorEvent) -> None:
        assert not self.is_registered or message.code is not ErrorCode.NOT_REGISTERED
        match message.event:
            case "register":
                assert not self.is_registered
            case "start_session":
                assert message.ref is not None
                self.starts[message.ref].append(
                    "unknown" if message.code in NO_ANSWER else "refused"
                )
            case "webrtc_signal":
                self.unsent += 1
                assert self.unsent <= self.signals
            case "end_session":
                self.ends.remove(next((one for one in self.ends if not one[1]), self.ends[0]))
            case "enter":
                self.enters -= 1
                assert self.enters >= 0
                self.may_have_entered |= message.code in NO_ANSWER
            case _:
                raise AssertionError(message)

    # ── what it has been told by the end ──

    def check_answers(self) -> None:
        """Whatever it has asked was answered, and once: by what became of it, or by why nothing
        did. Where nobody knew, it may have become something after all."""
        for answers in self.starts.values():
            assert answers in (["begun"], ["refused"], ["unknown"], ["unknown", "begun"]), answers
        assert all(is_told for _, is_told in self.ends)
