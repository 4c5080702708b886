"""The sessions that live on a relay, by who takes part in them, and what is waited for in each."""

import math
from collections.abc import Sequence

from imgsync.core.protocol.signalling import (
    EndReason,
    Ref,
    Role,
    SessionEndedEvent,
    SessionId,
    UserId,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import Output, Send, SessionBegan, SessionOver, SideAway, SideBack
from imgsync.core.relay.session import Session, Side


class Sessions:
    """Which sessions live, and until when: a side that is away is waited for, a token expires.

    :param grace: seconds that a side may be away.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        #: By their evaluator and their id: whoever names an id takes it from nobody else.
        self._sessions: dict[tuple[UserId, SessionId], Session] = {}
        #: By who takes part; of a client there is one at most.
        self._sessions_of: dict[tuple[Role, UserId], list[Session]] = {}
        #: In order of time, as all are waited for equally long.
        self._until: dict[tuple[Session, Role], float] = {}
        #: Those that end with a token; none where sessions outlive them.
        self._expiring: set[Session] = set()

    def find(self, peer: Peer, session_id: SessionId) -> Session | None:
        """The session of this id that a user takes part in, if it lives."""
        if peer.role is Role.EVALUATOR:
            return self._sessions.get((peer.user_id, session_id))
        session = self.of_client(peer.user_id)
        return session if session is not None and session.id == session_id else None

    def all(self) -> list[Session]:
        """Those that live."""
        return [*self._sessions.values()]

    def of(self, role: Role, user_id: UserId) -> Sequence[Session]:
        """Those that a user takes part in."""
        return self._sessions_of.get((role, user_id), ())

    def of_client(self, client_id: UserId) -> Session | None:
        """The one that a client is in."""
        return next(iter(self.of(Role.CLIENT, client_id)), None)

    def is_busy(self, client_id: UserId) -> bool:
        """Whether a client is in one."""
        return self.of_client(client_id) is not None

    def begin(
        self,
        id: SessionId,
        evaluator: Side,
        client: Side,
        *,
        resumed: bool,
        ref: Ref | None = None,
    ) -> list[Output]:
        """A session lives from now on, or again; tell its two sides.

        :param ref: names the question that the evaluator has asked for it.
        """
        # When the client has first spoken in a session of another relay, nobody here knows.
        session = Session(
            id, evaluator, client, is_answered=resumed, started_by=(evaluator.newest, ref)
        )
        self.add(session)
        return [
            SessionBegan(id, evaluator.user_id, client.user_id, resumed),
            *session.tell_started(client, resumed=resumed),
            *session.tell_started(evaluator, resumed=resumed, ref=ref),
        ]

    def end(self, session: Session, ended: SessionEndedEvent) -> list[Output]:
        """It lives no more, and is waited for no more; tell all that are in it."""
        self.remove(session)
        over = SessionOver(session.id, ended.reason)
        return [over, *(Send(peer.socket, ended) for peer in session.concerned)]

    def add(self, session: Session) -> None:
        """It lives."""
        self._sessions[session.evaluator.user_id, session.id] = session
        for side in (session.evaluator, session.client):
            self._sessions_of.setdefault((side.role, side.user_id), []).append(session)
        if session.until < math.inf:
            self._expiring.add(session)

    def remove(self, session: Session) -> None:
        """It lives no more, or not here, and nothing is waited for in it."""
        named = (session.evaluator.user_id, session.id)
        if self._sessions.get(named) is session:
            del self._sessions[named]
        self._expiring.discard(session)
        for side in (session.evaluator, session.client):
            key = (side.role, side.user_id)
            self._sessions_of[key].remove(session)
            if not self._sessions_of[key]:
                del self._sessions_of[key]
            self._until.pop((session, side.role), None)

    def leave(self, peer: Peer, now: float) -> list[Output]:
        """A socket is gone from all sessions of its user."""
        outputs: list[Output] = []
        for session in self.of(peer.role, peer.user_id):
            outputs += self._note(session, session.leave(session.side(peer.role), peer), now)
        return outputs

    def join(self, peer: Peer, now: float) -> list[Output]:
        """A socket is new to all sessions of its user, unless it waits before its door."""
        outputs: list[Output] = []
        if peer.is_waiting:
            return outputs
        for session in self.of(peer.role, peer.user_id):
            outputs += self.bring_back(session, peer, now)
        return outputs

    def bring_back(self, session: Session, peer: Peer, now: float) -> list[Output]:
        """A socket is new to this one of them."""
        return self._note(session, session.join(session.side(peer.role), peer), now)

    def enter(self, peer: Peer, now: float) -> list[Output]:
        """Somebody is before this socket of a client: it has the session of its user, if any."""
        session = self.of_client(peer.user_id)
        return [] if session is None else self._note(session, session.enter(peer), now)

    def has(self, peer: Peer) -> bool:
        """Whether a socket is in one."""
        sessions = self.of(peer.role, peer.user_id)
        return any(peer in session.side(peer.role).peers for session in sessions)

    def give_up(self, peer: Peer) -> None:
        """A socket that is in none is not to have one when others are lost, either."""
        for session in self.of(peer.role, peer.user_id):
            successors = session.side(peer.role).successors
            if peer in successors:
                successors.remove(peer)

    def alive(self, peer: Peer, successor: Peer) -> list[Output]:
        """A socket has answered a probe that was asked for when another one of it registered."""
        outputs: list[Output] = []
        for session in self.of(peer.role, peer.user_id):
            outputs += session.alive(session.side(peer.role), peer, successor)
        return outputs

    def take_up(self, session: Session, peer: Peer, ref: Ref | None, now: float) -> list[Output]:
        """The evaluator starts the very session that lives."""
        return self._note(session, session.take_up(peer, ref), now)

    def _note(self, session: Session, outputs: list[Output], now: float) -> list[Output]:
        """Sides have gone, or have come back."""
        for output in outputs:
            match output:
                case SideAway(role=role):
                    self._until[session, role] = now + self._grace
                case SideBack(role=role):
                    self._until.pop((session, role), None)
                case _:
                    pass
        return outputs

    @property
    def due(self) -> float:
        """When the first of them is over, if nothing happens; infinity where none will be."""
        first_away = next(iter(self._until.values()), math.inf)
        return min(first_away, min((session.until for session in self._expiring), default=math.inf))

    def pop_due(self) -> tuple[Session, Side, EndReason]:
        """Which is over first, where any will be, by which side; it is waited for no more."""
        if self.due == next(iter(self._until.values()), None):
            session, role = next(iter(self._until))
            del self._until[session, role]
            return session, session.side(role), EndReason.PEER_GONE
        session = min(self._expiring, key=lambda session: session.until)
        self._expiring.remove(session)
        side = min(session.evaluator, session.client, key=lambda side: side.until)
        return session, side, EndReason.TOKEN_EXPIRED
