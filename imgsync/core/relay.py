"""RelayState: who is registered, which sessions live, who may signal whom.

A socket is any hashable token of the driver. Each input is one call that returns what is to be
done, in order; nothing here waits, so every call is atomic.

    socket:    connected ── register ──▶ registered ── lost ──▶ forgotten
    session:   start_session ──▶ offered to all sockets of the client
                 ── first signal of one of them ──▶ claimed by that socket
                 ── end_session, replaced, a side's last socket lost ──▶ ended

Laws, each held by a test over random runs: a signal reaches nobody outside its session; its
`fromUserId` is its sender; a client is in one session at most; what is refused is answered with
an `error`. What a session is, who is in it and how it ends stands in `_Session` and `_end` alone:
keeping one through an absence is a change to `lost`, not to its callers.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import assert_never

import attrs

from imgsync.core.codec import decode_to_relay
from imgsync.core.errors import WireError
from imgsync.core.messages import (
    ClientEntry,
    EndReason,
    EndSession,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    Presence,
    PresenceState,
    Register,
    Registered,
    Role,
    SendSignal,
    SessionEndedEvent,
    SessionStarted,
    StartSession,
    ToRelay,
)

Socket = Hashable


@attrs.frozen
class Send:
    """Put a message on a socket's outbox."""

    socket: Socket
    message: FromRelay


Output = Send


@attrs.frozen
class _Peer:
    socket: Socket
    user_id: str
    name: str
    role: Role


@attrs.define(eq=False)
class _Session:
    id: str
    evaluator: _Peer
    client_id: str
    #: Those of the client that are in it: all that were there at the start, until one claims.
    client_sockets: list[Socket]

    @property
    def sockets(self) -> list[Socket]:
        return [self.evaluator.socket, *self.client_sockets]


class RelayState:
    """The relay's decisions.

    :param new_id: makes the id of a session, one that can't be guessed.
    :param ice_servers: what every peer is told to use.
    """

    def __init__(self, new_id: Callable[[], str], ice_servers: Iterable[IceServer] = ()) -> None:
        self._new_id = new_id
        self._ice_servers = tuple(ice_servers)
        self._peers: dict[Socket, _Peer] = {}
        #: Sockets in the order in which they registered, by who uses them.
        self._sockets: dict[tuple[Role, str], list[Socket]] = {}
        self._sessions: dict[str, _Session] = {}
        #: At most one session for each client; this index is what makes it so.
        self._session_of_client: dict[str, _Session] = {}

    def is_registered(self, socket: Socket) -> bool:
        """Whether a socket has said who it is."""
        return socket in self._peers

    def receive(self, socket: Socket, frame: str | bytes) -> list[Output]:
        """A frame came in on a socket."""
        try:
            message = decode_to_relay(frame)
        except WireError as exc:
            return _refuse(socket, exc.code, f"{exc}.", exc.event)
        if isinstance(message, Register):
            return self._register(socket, message)
        peer = self._peers.get(socket)
        if peer is None:
            return _refuse(socket, ErrorCode.NOT_REGISTERED, "Send register first.", message.EVENT)
        return self._handle(peer, message)

    def lost(self, socket: Socket) -> list[Output]:
        """A socket is gone, registered or not."""
        peer = self._peers.pop(socket, None)
        if peer is None:
            return []
        key = (peer.role, peer.user_id)
        self._sockets[key].remove(socket)
        if not self._sockets[key]:
            del self._sockets[key]
        outputs: list[Output] = []
        for session in [s for s in self._sessions.values() if socket in s.sockets]:
            if socket in session.client_sockets:
                session.client_sockets.remove(socket)
            if socket == session.evaluator.socket or not session.client_sockets:
                outputs += self._end(session, EndReason.PEER_GONE, peer)
        if peer.role is Role.CLIENT and key not in self._sockets:
            outputs += self._announce(peer.user_id, peer.name)
        return outputs

    # ── events ───────────────────────────────────────────────────────────────────────────────────

    def _handle(self, peer: _Peer, message: StartSession | SendSignal | EndSession) -> list[Output]:
        match message:
            case StartSession():
                return self._start_session(peer, message)
            case SendSignal():
                return self._signal(peer, message)
            case EndSession():
                return self._end_session(peer, message)
            case _:
                assert_never(message)

    def _register(self, socket: Socket, message: Register) -> list[Output]:
        if socket in self._peers:
            why = "This connection is registered already; open another one for another user."
            return _refuse(socket, ErrorCode.ALREADY_REGISTERED, why, message.EVENT)
        name = message.name or message.user_id
        peer = _Peer(socket, message.user_id, name, message.role)
        self._peers[socket] = peer
        sockets = self._sockets.setdefault((peer.role, peer.user_id), [])
        sockets.append(socket)
        is_evaluator = peer.role is Role.EVALUATOR
        answer = Registered(
            user_id=peer.user_id,
            role=peer.role,
            name=name,
            ice_servers=self._ice_servers,
            clients=self._clients() if is_evaluator else None,
        )
        first = not is_evaluator and len(sockets) == 1
        return [Send(socket, answer), *(self._announce(peer.user_id, name) if first else [])]

    def _start_session(self, peer: _Peer, message: StartSession) -> list[Output]:
        client_id = message.client_id
        if peer.role is not Role.EVALUATOR:
            why = "Only an evaluator can start a session."
            return _refuse(peer.socket, ErrorCode.FORBIDDEN, why, message.EVENT)
        sockets = self._sockets.get((Role.CLIENT, client_id))
        if sockets is None:
            why = f"No client {client_id!r} is online; start it first, or check its user id."
            return _refuse(peer.socket, ErrorCode.UNKNOWN_CLIENT, why, message.EVENT)
        old = self._session_of_client.get(client_id)
        if old is not None and old.evaluator.user_id != peer.user_id:
            why = f"Client {client_id!r} is in a session with another evaluator; try again later."
            return _refuse(peer.socket, ErrorCode.CLIENT_BUSY, why, message.EVENT)
        outputs = [] if old is None else self._end(old, EndReason.REPLACED, peer, announce=False)
        session = _Session(self._new_id(), peer, client_id, list(sockets))
        self._sessions[session.id] = session
        self._session_of_client[client_id] = session
        to_client = SessionStarted(session.id, evaluator_id=peer.user_id, evaluator_name=peer.name)
        outputs += [Send(socket, to_client) for socket in sockets]
        outputs.append(Send(peer.socket, SessionStarted(session.id, client_id=client_id)))
        if old is None:
            outputs += self._announce(client_id, self._name_of_client(client_id))
        return outputs

    def _signal(self, peer: _Peer, message: SendSignal) -> list[Output]:
        is_evaluator = peer.role is Role.EVALUATOR
        client_id = message.target_user_id if is_evaluator else peer.user_id
        session = self._session_of_client.get(client_id)
        if (
            session is None
            or peer.socket not in session.sockets
            or message.session_id not in (None, session.id)
            or (not is_evaluator and message.target_user_id != session.evaluator.user_id)
        ):
            return _no_session(peer.socket, message)
        outputs = [] if is_evaluator else self._claim(session, peer.socket)
        forwarded = ForwardedSignal(peer.user_id, message.signal, session.id)
        receivers = session.client_sockets if is_evaluator else [session.evaluator.socket]
        return [*outputs, *(Send(socket, forwarded) for socket in receivers)]

    def _end_session(self, peer: _Peer, message: EndSession) -> list[Output]:
        session = self._sessions.get(message.session_id)
        if session is None or peer.socket not in session.sockets:
            return _no_session(peer.socket, message)
        return self._end(session, EndReason.ENDED, peer)

    # ── sessions ─────────────────────────────────────────────────────────────────────────────────

    def _claim(self, session: _Session, socket: Socket) -> list[Output]:
        others = [other for other in session.client_sockets if other != socket]
        session.client_sockets = [socket]
        ended = SessionEndedEvent(session.id, EndReason.CLAIMED_ELSEWHERE)
        return [Send(other, ended) for other in others]

    def _end(
        self, session: _Session, reason: EndReason, by: _Peer, *, announce: bool = True
    ) -> list[Output]:
        """Forget a session and tell those of its sockets that are still there."""
        del self._sessions[session.id]
        del self._session_of_client[session.client_id]
        ended = SessionEndedEvent(session.id, reason, by.user_id)
        outputs: list[Output] = [
            Send(socket, ended) for socket in session.sockets if socket in self._peers
        ]
        if announce and (Role.CLIENT, session.client_id) in self._sockets:
            outputs += self._announce(session.client_id, self._name_of_client(session.client_id))
        return outputs

    # ── presence ─────────────────────────────────────────────────────────────────────────────────

    def _announce(self, client_id: str, name: str) -> list[Output]:
        presence = Presence(client_id, self._presence(client_id), name)
        return [
            Send(socket, presence)
            for socket, peer in self._peers.items()
            if peer.role is Role.EVALUATOR
        ]

    def _presence(self, client_id: str) -> PresenceState:
        if (Role.CLIENT, client_id) not in self._sockets:
            return PresenceState.OFFLINE
        busy = client_id in self._session_of_client
        return PresenceState.BUSY if busy else PresenceState.AVAILABLE

    def _name_of_client(self, client_id: str) -> str:
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
