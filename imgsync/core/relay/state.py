"""RelayState: who is registered, which sessions live, who may signal whom.

A socket is any hashable token of the driver. Each input is one call that returns what is to be
done, in order; nothing here waits, so every call is atomic.

    socket:   connected ── register ──▶ registered ── lost ──▶ forgotten
    session:  start_session ──▶ live ── end_session, replaced, a grace time passes ──▶ ended

What a session is to its two sides stands in `core.relay.session`. Laws, each held by a test over
random runs: a signal reaches nobody outside its session; its `fromUserId` is its sender; a client
is in one session at most; what is refused is answered with an `error`; a side that is away has a
grace timer, and no other has.
"""

from collections.abc import Callable, Sequence
from typing import assert_never

import attrs

from imgsync.core.codec.codec import MAX_FRAME, MAX_REGISTER, decode_to_relay
from imgsync.core.protocol.errors import Unauthorized, WireError
from imgsync.core.protocol.signalling import (
    ClientEntry,
    CloseCode,
    EndReason,
    EndSession,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    IceServer,
    Presence,
    PresenceState,
    Register,
    Registered,
    Role,
    SendSignal,
    SessionEndedEvent,
    SessionId,
    StartSession,
    ToRelay,
    Url,
    UserId,
)
from imgsync.core.relay.identity import ReadToken, identify
from imgsync.core.relay.outputs import (
    Close,
    Output,
    Probe,
    Send,
    SessionAnswered,
    SessionBegan,
    SessionOver,
    Socket,
)
from imgsync.core.relay.session import Session, Side

MAX_SOCKETS_PER_USER = 8
"""A few tabs and devices, and the connections of a flapping network that nobody has closed yet."""


@attrs.frozen
class Peer:
    """A registered socket and who it is."""

    socket: Socket
    user_id: UserId
    name: str
    role: Role


class RelayState:
    """The relay's decisions.

    :param new_id: makes the id of a session, one that can't be guessed.
    :param ice_servers: what a user is told to use.
    :param recording_url: where clients are told to post what they record; None for nowhere.
    :param read_token: takes tokens apart; None where everybody is believed.
    :param max_frame: characters of one frame.
    """

    def __init__(
        self,
        new_id: Callable[[], str],
        *,
        ice_servers: Callable[[UserId], Sequence[IceServer]] = lambda user_id: (),
        recording_url: Url | None = None,
        read_token: ReadToken | None = None,
        max_sockets_per_user: int = MAX_SOCKETS_PER_USER,
        max_frame: int = MAX_FRAME,
    ) -> None:
        self._new_id = new_id
        self._ice_servers = ice_servers
        self._recording_url = recording_url
        self._read_token = read_token
        self._max_sockets_per_user = max_sockets_per_user
        self._max_frame = max_frame
        self._peers: dict[Socket, Peer] = {}
        self._evaluators: dict[Socket, Peer] = {}
        #: Sockets in the order in which they registered, by who uses them.
        self._sockets: dict[tuple[Role, UserId], list[Socket]] = {}
        self._sessions: dict[SessionId, Session] = {}
        #: By who takes part; of a client there is one at most.
        self._sessions_of: dict[tuple[Role, UserId], list[Session]] = {}

    def peer_of(self, socket: Socket) -> Peer | None:
        """Who a socket has registered as."""
        return self._peers.get(socket)

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    def receive(self, socket: Socket, frame: str | bytes) -> list[Output]:
        """A frame came in on a socket."""
        limit = self._max_frame
        if socket not in self._peers:
            limit = min(limit, MAX_REGISTER)
        try:
            message = decode_to_relay(frame, limit)
        except WireError as exc:
            return _refuse(socket, exc.code, f"{exc}.", exc.event)
        if isinstance(message, Register):
            return self._register(socket, message)
        peer = self._peers.get(socket)
        if peer is None:
            return _refuse(socket, ErrorCode.NOT_REGISTERED, "Send register first.", message.EVENT)
        match message:
            case StartSession():
                return self._start_session(peer, message)
            case SendSignal():
                return self._signal(peer, message)
            case EndSession():
                return self._end_session(peer, message)
            case _:
                assert_never(message)

    def lost(self, socket: Socket) -> list[Output]:
        """A socket is gone, registered or not."""
        peer = self._peers.pop(socket, None)
        if peer is None:
            return []
        self._evaluators.pop(socket, None)
        key = (peer.role, peer.user_id)
        self._sockets[key].remove(socket)
        if not self._sockets[key]:
            del self._sockets[key]
        outputs: list[Output] = []
        for session in self._sessions_of.get(key, ()):
            outputs += session.leave(session.side(peer.role), socket)
        if peer.role is Role.CLIENT and key not in self._sockets:
            outputs += self._announce(peer.user_id, peer.name)
        return outputs

    def alive(self, socket: Socket, heir: Socket) -> list[Output]:
        """A socket has answered a probe that was asked for when `heir` registered."""
        peer = self._peers.get(socket)
        outputs: list[Output] = []
        if peer is not None:
            for session in self._sessions_of.get((peer.role, peer.user_id), ()):
                outputs += session.alive(session.side(peer.role), socket, heir)
        return outputs

    def grace_over(self, session_id: SessionId, role: Role) -> list[Output]:
        """The grace time of a side has passed without its coming back."""
        session = self._sessions[session_id]
        return self._end(session, EndReason.PEER_GONE, session.side(role).user_id)

    # ── events ───────────────────────────────────────────────────────────────────────────────────

    def _register(self, socket: Socket, message: Register) -> list[Output]:
        if socket in self._peers:
            why = "This connection is registered already; open another one for another user."
            return _refuse(socket, ErrorCode.ALREADY_REGISTERED, why, message.EVENT)
        try:
            claims = identify(message, self._read_token)
        except Unauthorized as exc:
            why = str(exc)
            refusal = _refuse(socket, ErrorCode.UNAUTHORIZED, f"{why}.", message.EVENT)
            return [*refusal, Close(socket, CloseCode.UNAUTHORIZED, "unauthorized")]
        key = (claims.role, claims.user_id)
        others = self._sockets.get(key, [])
        if len(others) >= self._max_sockets_per_user:
            why = f"This user has {len(others)} connections already; close one of them first."
            refusal = _refuse(socket, ErrorCode.RATE_LIMITED, why, message.EVENT)
            # Those that are dead give way to who tries again.
            probes = (Probe(other, socket) for other in others)
            close = Close(socket, CloseCode.RATE_LIMITED, "too many connections")
            return [*refusal, *probes, close]
        peer = Peer(socket, claims.user_id, claims.name or claims.user_id, claims.role)
        self._peers[socket] = peer
        self._sockets[key] = [*others, socket]
        if peer.role is Role.EVALUATOR:
            self._evaluators[socket] = peer
        outputs: list[Output] = [Send(socket, self._registered(peer))]
        outputs += [Probe(other, socket) for other in others]
        for session in self._sessions_of.get(key, ()):
            outputs += session.join(session.side(peer.role), socket)
        if peer.role is Role.CLIENT and not others:
            outputs += self._announce(peer.user_id, peer.name)
        return outputs

    def _registered(self, peer: Peer) -> Registered:
        return Registered(
            user_id=peer.user_id,
            role=peer.role,
            name=peer.name,
            ice_servers=tuple(self._ice_servers(peer.user_id)),
            clients=self._clients() if peer.role is Role.EVALUATOR else None,
            recording_url=self._recording_url if peer.role is Role.CLIENT else None,
        )

    def _start_session(self, peer: Peer, message: StartSession) -> list[Output]:
        client_id = message.client_id
        if peer.role is not Role.EVALUATOR:
            why = "Only an evaluator can start a session."
            return _refuse(peer.socket, ErrorCode.FORBIDDEN, why, message.EVENT)
        old = self._session_of_client(client_id)
        is_own = old is not None and old.evaluator.user_id == peer.user_id
        if old is not None and is_own and old.id == message.session_id:
            return old.take_up(peer.socket)
        sockets = self._sockets.get((Role.CLIENT, client_id))
        if sockets is None:
            why = f"No client {client_id!r} is online; start it first, or check its user id."
            return _refuse(peer.socket, ErrorCode.UNKNOWN_CLIENT, why, message.EVENT)
        if old is not None and not is_own:
            why = f"Client {client_id!r} is in a session with another evaluator; try again later."
            return _refuse(peer.socket, ErrorCode.CLIENT_BUSY, why, message.EVENT)
        outputs: list[Output] = []
        if old is not None:
            outputs += self._end(old, EndReason.REPLACED, peer.user_id, announce=False)
        outputs += self._begin(peer, client_id, sockets, message.session_id)
        if old is None:
            outputs += self._announce(client_id, self._name_of_client(client_id))
        return outputs

    def _begin(
        self, peer: Peer, client_id: UserId, sockets: list[Socket], wanted: SessionId | None
    ) -> list[Output]:
        """A new session, or one that a relay before this one has known."""
        resumed = wanted is not None and wanted not in self._sessions
        evaluator = Side(Role.EVALUATOR, peer.user_id, peer.name, [peer.socket])
        client = Side(Role.CLIENT, client_id, self._name_of_client(client_id), list(sockets))
        client.is_disputed = resumed
        id = wanted if wanted is not None and resumed else self._new_id()
        # When the client has first spoken in a session of another relay, nobody here knows.
        session = self._sessions[id] = Session(id, evaluator, client, is_answered=resumed)
        for side in (evaluator, client):
            self._sessions_of.setdefault((side.role, side.user_id), []).append(session)
        return [
            SessionBegan(id, peer.user_id, client_id, resumed),
            *session.tell_started(client, resumed=resumed),
            *session.tell_started(evaluator, resumed=resumed),
        ]

    def _signal(self, peer: Peer, message: SendSignal) -> list[Output]:
        is_evaluator = peer.role is Role.EVALUATOR
        session = self._session_of_client(message.target_user_id if is_evaluator else peer.user_id)
        if (
            session is None
            or not session.may_speak(peer.role, peer.socket, message.session_id)
            or message.target_user_id != session.other(session.side(peer.role)).user_id
        ):
            return _no_session(peer.socket, message)
        side = session.side(peer.role)
        receivers = session.other(side).sockets
        if not receivers:
            why = "The other side has lost the relay; say it again when peer_back tells of it."
            return _refuse(peer.socket, ErrorCode.NO_SESSION, why, message.EVENT)
        outputs = session.take(side, peer.socket)
        if not is_evaluator and not session.is_answered:
            session.is_answered = True
            outputs.append(SessionAnswered(session.id))
        forwarded = ForwardedSignal(peer.user_id, message.signal, session.id)
        return [*outputs, *(Send(socket, forwarded) for socket in receivers)]

    def _end_session(self, peer: Peer, message: EndSession) -> list[Output]:
        session = self._sessions.get(message.session_id)
        if session is None or not session.may_speak(peer.role, peer.socket, message.session_id):
            return _no_session(peer.socket, message)
        side = session.side(peer.role)
        outputs = [] if peer.socket in side.sockets else session.take(side, peer.socket)
        return [*outputs, *self._end(session, EndReason.ENDED, peer.user_id)]

    def _end(
        self, session: Session, reason: EndReason, by: UserId, *, announce: bool = True
    ) -> list[Output]:
        """Forget a session and tell those that are in it."""
        del self._sessions[session.id]
        for side in (session.evaluator, session.client):
            key = (side.role, side.user_id)
            self._sessions_of[key].remove(session)
            if not self._sessions_of[key]:
                del self._sessions_of[key]
        ended = SessionEndedEvent(session.id, reason, by)
        outputs: list[Output] = [SessionOver(session.id, reason)]
        outputs += [Send(socket, ended) for socket in session.concerned]
        client_id = session.client.user_id
        if announce and (Role.CLIENT, client_id) in self._sockets:
            outputs += self._announce(client_id, self._name_of_client(client_id))
        return outputs

    def _session_of_client(self, client_id: UserId) -> Session | None:
        return next(iter(self._sessions_of.get((Role.CLIENT, client_id), ())), None)

    # ── presence ─────────────────────────────────────────────────────────────────────────────────

    def _announce(self, client_id: UserId, name: str) -> list[Output]:
        presence = Presence(client_id, self._presence(client_id), name)
        return [Send(socket, presence) for socket in self._evaluators]

    def _presence(self, client_id: UserId) -> PresenceState:
        if (Role.CLIENT, client_id) not in self._sockets:
            return PresenceState.OFFLINE
        busy = self._session_of_client(client_id) is not None
        return PresenceState.BUSY if busy else PresenceState.AVAILABLE

    def _name_of_client(self, client_id: UserId) -> str:
        return self._peers[self._sockets[(Role.CLIENT, client_id)][-1]].name

    def _clients(self) -> tuple[ClientEntry, ...]:
        return tuple(
            ClientEntry(user_id, self._presence(user_id), self._name_of_client(user_id))
            for role, user_id in self._sockets
            if role is Role.CLIENT
        )


def _refuse(socket: Socket, code: ErrorCode, message: str, event: str | None) -> list[Output]:
    return [Send(socket, ErrorEvent(code, message, event))]


def _no_session(socket: Socket, message: ToRelay) -> list[Output]:
    why = "There is no live session between the two; start one first."
    return _refuse(socket, ErrorCode.NO_SESSION, why, message.EVENT)
