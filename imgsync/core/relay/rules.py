"""Who is registered, which sessions live, who may signal whom: what each input makes of that.

Each input is one call that returns what is to be done, in order. Whoever holds these rules tells
evaluators, and windows before their door, of what is news by that: see `Noted`. What a session is
to its two sides stands in `core.relay.session`.

Laws, each held by a test over random runs: a signal reaches nobody outside its session, and one
that names a start goes to no other than that has begun; its `fromUserId` is its sender; a client is
in one session at most; what is refused is answered with an `error`; a side that is away is waited
for, and no other is; an evaluator is told nothing of a client that its token does not let it see.
"""

from collections.abc import Callable
from typing import assert_never

from imgsync.core.protocol.signalling import (
    EndSession,
    Enter,
    ErrorCode,
    ErrorEvent,
    Register,
    Role,
    SendSignal,
    SessionEndedEvent,
    StartSession,
    ToRelay,
)
from imgsync.core.relay.entering import Entering, Noted
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import Output, Send, SignalDropped, Socket
from imgsync.core.relay.registry import Admission, Registry, refuse
from imgsync.core.relay.session import Session, Side
from imgsync.core.relay.sessions import Sessions
from imgsync.core.relay.standings import Standings

FromPeer = StartSession | SendSignal | EndSession | Enter
"""What a peer that has registered says of sessions."""


class Rules:
    """See the module.

    :param new_id: makes the id of a session, one that can't be guessed.
    :param noted: is told where something may have changed.
    """

    def __init__(
        self,
        registry: Registry,
        sessions: Sessions,
        standings: Standings,
        admission: Admission,
        new_id: Callable[[], str],
        noted: Noted,
    ) -> None:
        self.registry = registry
        self.sessions = sessions
        self._standings = standings
        self._admission = admission
        self._new_id = new_id
        self._noted = noted
        self._entering = Entering(registry, sessions, noted)

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    def admit(self, socket: Socket, message: Register) -> tuple[Peer | None, list[Output]]:
        """Who this is from now on, and what others of its user are asked; None if it is refused."""
        return self._admission.admit(socket, message)

    def join(self, peer: Peer, now: float) -> list[Output]:
        """Somebody who was admitted takes part in what its user does."""
        outputs = self.sessions.join(peer, now)
        self._update_if_client(peer)
        return self.seen(outputs)

    def hear(self, peer: Peer, message: FromPeer, now: float) -> list[Output]:
        """Somebody has said something."""
        match message:
            case StartSession():
                outputs = self._start_session(peer, message, now)
            case SendSignal():
                outputs = self._signal(peer, message)
            case EndSession():
                outputs = self._end_session(peer, message)
            case Enter():
                outputs = self._entering.enter(peer, now)
            case _:
                assert_never(message)
        return self.seen(outputs)

    def leave(self, socket: Socket, now: float) -> list[Output]:
        """A socket is gone, registered or not."""
        peer = self.registry.remove(socket)
        if peer is None:
            return []
        outputs = self.sessions.leave(peer, now)
        self._update_if_client(peer)
        return self.seen(outputs)

    def alive(self, socket: Socket, successor: Socket) -> list[Output]:
        """A socket has answered a probe that was asked for when `successor` registered."""
        peer, newer = self.registry.peers.get(socket), self.registry.peers.get(successor)
        outputs = [] if peer is None or newer is None else self._entering.alive(peer, newer)
        return self.seen(outputs)

    def end(self, session: Session, ended: SessionEndedEvent) -> list[Output]:
        """End a session, whose client is free again."""
        over = self.sessions.end(session, ended)
        self._noted.update(session.client.user_id)
        return over

    def seen(self, outputs: list[Output]) -> list[Output]:
        """Whoever loses a session to another window by these does not take part any more."""
        self._entering.see(outputs)
        return outputs

    def _update_if_client(self, peer: Peer) -> None:
        if peer.role is Role.CLIENT:
            self._noted.update(peer.user_id)

    # ── sessions ─────────────────────────────────────────────────────────────────────────────────

    def _start_session(self, peer: Peer, message: StartSession, now: float) -> list[Output]:
        client_id = message.client_id
        if peer.role is not Role.EVALUATOR:
            return _not_an_evaluator(peer, message)
        old = self.sessions.of_client(client_id)
        is_own = old is not None and old.evaluator.user_id == peer.user_id
        if old is not None and is_own and old.id == message.session_id:
            if not old.admits(peer):
                return _unknown_client(peer, message)
            return self.sessions.take_up(old, peer, message.ref, now)
        if not self._standings.shows(client_id, peer):
            return _unknown_client(peer, message)
        if old is not None and not is_own:
            return _taken_client(peer, message, old)
        if not self.registry.entered(client_id):
            return _waiting_client(peer, message)
        over = [] if old is None else self.sessions.end(old, old.replaced)
        begun = self._begin(peer, message)
        self._noted.update(client_id)
        return [*over, *begun]

    def _begin(self, peer: Peer, message: StartSession) -> list[Output]:
        """A new session, or one that a relay before this one has known."""
        client_id, wanted = message.client_id, message.session_id
        resumed = wanted is not None and self.sessions.find(peer, wanted) is None
        windows = self.registry.entered(client_id)
        client = Side([w for w in windows if peer.sees(client_id, w.group)], owner_unknown=resumed)
        id = wanted if wanted is not None and resumed else self._new_id()
        return self.sessions.begin(id, Side([peer]), client, resumed=resumed, ref=message.ref)

    def _signal(self, peer: Peer, message: SendSignal) -> list[Output]:
        is_evaluator = peer.role is Role.EVALUATOR
        client_id = message.target_user_id if is_evaluator else peer.user_id
        return self.signal_in(self.sessions.of_client(client_id), peer, message)

    def signal_in(self, session: Session | None, peer: Peer, message: SendSignal) -> list[Output]:
        """Somebody has a signal; this is the session of the client that it concerns, if any."""
        if message.ref is not None and not (session and session.is_named_by(peer, message.ref)):
            return [SignalDropped()]  # the start's own answer has told why
        if session is not None and session.is_disowned(peer, message):
            over = self.end(session, session.gone(Role.CLIENT))
            return [*_no_session(peer.socket, message), *over]
        if (
            session is None
            or not session.may_speak(peer, message.session_id)
            or message.target_user_id != session.other(session.side(peer.role)).user_id
        ):
            return _no_session(peer.socket, message)
        side = session.side(peer.role)
        if not session.other(side).peers:
            return _other_away(peer.socket, message)
        return session.forward(side, peer, message.signal)

    def _end_session(self, peer: Peer, message: EndSession) -> list[Output]:
        session = self.sessions.find(peer, message.session_id)
        if session is None or not session.may_speak(peer, message.session_id):
            return _no_session(peer.socket, message)
        side = session.side(peer.role)
        outputs = [] if peer in side.peers else session.claim(side, peer)
        ended = SessionEndedEvent(session.id, message.reason, peer.user_id, message.detail)
        return [*outputs, *self.end(session, ended)]


def _refuse_start(peer: Peer, code: ErrorCode, why: str, message: StartSession) -> list[Output]:
    return [Send(peer.socket, ErrorEvent(code, why, message.EVENT, message.ref))]


def _not_an_evaluator(peer: Peer, message: StartSession) -> list[Output]:
    why = "Only an evaluator can start a session."
    return _refuse_start(peer, ErrorCode.FORBIDDEN, why, message)


def _unknown_client(peer: Peer, message: StartSession) -> list[Output]:
    why = f"No client {message.client_id!r} is online; start it first, or check its user id."
    return _refuse_start(peer, ErrorCode.UNKNOWN_CLIENT, why, message)


def _taken_client(peer: Peer, message: StartSession, session: Session) -> list[Output]:
    """It is in a session with another evaluator, or with whoever was first to name this one."""
    who = f"Client {message.client_id!r}"
    if message.session_id == session.id and session.client.owner_unknown:
        why = f"{who} has yet to show with whom it is in this session; try again when it has."
        return _refuse_start(peer, ErrorCode.UNKNOWN_CLIENT, why, message)
    why = f"{who} is in a session with another evaluator; try again later."
    return _refuse_start(peer, ErrorCode.CLIENT_BUSY, why, message)


def _waiting_client(peer: Peer, message: StartSession) -> list[Output]:
    """Whether it is in the session that is named, it can't say yet."""
    code = ErrorCode.CLIENT_BUSY if message.session_id is None else ErrorCode.UNKNOWN_CLIENT
    why = (
        f'Client {message.client_id!r} has the page open, and has not touched "I am ready" yet;'
        " try again when it has."
    )
    return _refuse_start(peer, code, why, message)


def _other_away(socket: Socket, message: SendSignal) -> list[Output]:
    why = "The other side has lost the relay; say it again when peer_back tells of it."
    return refuse(socket, ErrorCode.NO_SESSION, why, message.EVENT)


def _no_session(socket: Socket, message: ToRelay) -> list[Output]:
    why = "There is no live session between the two; start one first."
    return refuse(socket, ErrorCode.NO_SESSION, why, message.EVENT)
