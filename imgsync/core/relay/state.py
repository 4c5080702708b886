"""RelayState: who is registered, which sessions live, who may signal whom.

A socket is any hashable token of the driver. Each input is one call that returns what is to be
done, in order; nothing here waits, so every call is atomic. `due` says when to call `tick`; times
are seconds on a clock that only goes forward.

    socket:   connected ── register ──▶ registered ── lost ──▶ forgotten
    session:  start_session ──▶ live ── end_session, replaced, a grace time passes ──▶ ended

What a session is to its two sides stands in `core.relay.session`. Laws, each held by a test over
random runs: a signal reaches nobody outside its session, and one that names a start goes to no
other than that has begun; its `fromUserId` is its sender; a client is in one session at most; what
is refused is answered with an `error`; a side that is away is waited for, and no other is; an
evaluator is told nothing of a client that its token does not let it see.
"""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import assert_never

from imgsync.core.codec.codec import MAX_FRAME, MAX_REGISTER, decode_to_relay
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.numbers import RELAY_FEATURES
from imgsync.core.protocol.signalling import (
    ClientEntry,
    EndSession,
    Enter,
    ErrorCode,
    ErrorEvent,
    IceServer,
    Register,
    Registered,
    RelayPing,
    RelayPong,
    Role,
    SendSignal,
    SessionEndedEvent,
    StartSession,
    ToRelay,
    Url,
    UserId,
)
from imgsync.core.relay.entering import Entering
from imgsync.core.relay.identity import Claims, Peer, ReadToken
from imgsync.core.relay.online import Online, Telling
from imgsync.core.relay.outputs import (
    Output,
    Send,
    SignalDropped,
    Socket,
)
from imgsync.core.relay.registry import MAX_SOCKETS_PER_USER, Admission, Registry, refuse
from imgsync.core.relay.renewals import ToldServers
from imgsync.core.relay.session import Session, Side
from imgsync.core.relay.sessions import Sessions


class RelayState:
    """The relay's decisions.

    :param new_id: makes the id of a session, one that can't be guessed.
    :param grace: seconds that a session waits for a side that has lost the relay.
    :param ice_servers: what a user is told to use.
    :param ice_life: seconds that the credentials in it are good for.
    :param recording_url: where clients are told to post what they record; None for nowhere.
    :param read_token: takes tokens apart; None where everybody is believed.
    :param until: when what a token says no longer carries a session; by default it outlives that.
    :param max_frame: characters of one frame.
    :param telling: how evaluators are told of clients that come and go.
    """

    def __init__(
        self,
        new_id: Callable[[], str],
        *,
        grace: float = math.inf,
        ice_servers: Callable[[UserId], Sequence[IceServer]] = lambda user_id: (),
        ice_life: float = math.inf,
        recording_url: Url | None = None,
        read_token: ReadToken | None = None,
        until: Callable[[Claims], float] = lambda claims: math.inf,
        max_sockets_per_user: int = MAX_SOCKETS_PER_USER,
        max_frame: int = MAX_FRAME,
        telling: Telling = Telling(),  # noqa: B008 -- it is frozen
    ) -> None:
        self._new_id = new_id
        self._servers = ToldServers(ice_servers, ice_life)
        self._recording_url = recording_url
        self._max_frame = max_frame
        self._registry = Registry()
        self._admission = Admission(self._registry, read_token, until, max_sockets_per_user)
        self._sessions = Sessions(grace)
        self._online = Online(self._registry, self._sessions.is_busy, telling)
        self._entering = Entering(self._registry, self._sessions, self._online)

    def peer_of(self, socket: Socket) -> Peer | None:
        """Who a socket has registered as."""
        return self._registry.peers.get(socket)

    @property
    def due(self) -> float:
        """When to call `tick`; infinity where nothing ends by itself."""
        return min(self._sessions.due, self._servers.due, self._online.due)

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    def receive(self, socket: Socket, frame: str | bytes, now: float) -> list[Output]:
        """A frame came in on a socket."""
        return self._told(self._receive(socket, frame, now), now)

    def _receive(self, socket: Socket, frame: str | bytes, now: float) -> list[Output]:
        peer = self._registry.peers.get(socket)
        limit = self._max_frame if peer is not None else min(self._max_frame, MAX_REGISTER)
        try:
            message = decode_to_relay(frame, limit)
        except WireError as exc:
            return refuse(socket, exc.code, f"{exc}.", exc.event)
        if isinstance(message, Register):
            return self._register(socket, message, now)
        if peer is None:
            return _not_registered(socket, message)
        match message:
            case StartSession():
                return self._start_session(peer, message, now)
            case SendSignal():
                return self._signal(peer, message)
            case EndSession():
                return self._end_session(peer, message)
            case Enter():
                return self._entering.enter(peer, now)
            case RelayPing(id):
                return [Send(socket, RelayPong(id))]
            case _:
                assert_never(message)

    def lost(self, socket: Socket, now: float) -> list[Output]:
        """A socket is gone, registered or not."""
        peer = self._registry.remove(socket)
        self._servers.gone(socket)
        self._online.gone(socket)
        if peer is None:
            return []
        outputs = self._sessions.leave(peer, now)
        self._online.update_if_client(peer)
        return self._told(outputs, now)

    def alive(self, socket: Socket, successor: Socket, now: float) -> list[Output]:
        """A socket has answered a probe that was asked for when `successor` registered."""
        peer, newer = self.peer_of(socket), self.peer_of(successor)
        outputs = [] if peer is None or newer is None else self._entering.alive(peer, newer)
        return self._told(outputs, now)

    def drained(self, socket: Socket, now: float) -> list[Output]:
        """There is room on a socket of which `AwaitRoom` asked that."""
        self._online.drained(socket)
        return self._online.tell(now)

    def tick(self, now: float) -> list[Output]:
        """`due` has come: some were not back by then, or have what has expired, or soon will."""
        outputs = self._servers.renew_due(now)
        while self._sessions.due <= now:
            session, side, reason = self._sessions.pop_due()
            outputs += self._end(session, SessionEndedEvent(session.id, reason, side.user_id))
        return self._told(outputs, now)

    def renew(self, now: float) -> list[Output]:
        """The ICE servers are others from now on."""
        return self._servers.renew_all(now)

    def give_up_all(self, role: Role, now: float) -> list[Output]:
        """Wait no more for this side of any session; all are over thereby."""
        over = [self._end(session, session.gone(role)) for session in self._sessions.all()]
        return self._told([*chain.from_iterable(over)], now)

    def _told(self, outputs: list[Output], now: float) -> list[Output]:
        """And what is news by that is told."""
        self._entering.see(outputs)
        return [*outputs, *self._online.tell(now)]

    # ── events ───────────────────────────────────────────────────────────────────────────────────

    def _register(self, socket: Socket, message: Register, now: float) -> list[Output]:
        peer, asked = self._admission.admit(socket, message)
        if peer is None:
            return asked
        servers, clients = self._servers.registered(peer, now), self._online.list_for(peer, now)
        registered = _registered(peer, servers, clients, self._recording_url)
        outputs: list[Output] = [Send(socket, registered), *asked]
        outputs += self._sessions.join(peer, now)
        self._online.update_if_client(peer)
        return outputs

    def _start_session(self, peer: Peer, message: StartSession, now: float) -> list[Output]:
        client_id = message.client_id
        if peer.role is not Role.EVALUATOR:
            return _not_an_evaluator(peer, message)
        old = self._sessions.of_client(client_id)
        is_own = old is not None and old.evaluator.user_id == peer.user_id
        if old is not None and is_own and old.id == message.session_id:
            if not old.admits(peer):
                return _unknown_client(peer, message)
            return self._sessions.take_up(old, peer, message.ref, now)
        if not self._online.shows(client_id, peer):
            return _unknown_client(peer, message)
        if old is not None and not is_own:
            return _taken_client(peer, message, old)
        if not self._registry.entered(client_id):
            return _waiting_client(peer, message)
        over = [] if old is None else self._sessions.end(old, old.replaced)
        begun = self._begin(peer, message)
        self._online.update(client_id)
        return [*over, *begun]

    def _begin(self, peer: Peer, message: StartSession) -> list[Output]:
        """A new session, or one that a relay before this one has known."""
        client_id, wanted = message.client_id, message.session_id
        resumed = wanted is not None and self._sessions.find(peer, wanted) is None
        windows = self._registry.entered(client_id)
        client = Side([w for w in windows if peer.sees(client_id, w.group)], owner_unknown=resumed)
        id = wanted if wanted is not None and resumed else self._new_id()
        return self._sessions.begin(id, Side([peer]), client, resumed=resumed, ref=message.ref)

    def _signal(self, peer: Peer, message: SendSignal) -> list[Output]:
        is_evaluator = peer.role is Role.EVALUATOR
        session = self._sessions.of_client(message.target_user_id if is_evaluator else peer.user_id)
        if message.ref is not None and not (session and session.is_named_by(peer, message.ref)):
            return [SignalDropped()]  # the start's own answer has told why
        if session is not None and session.is_disowned(peer, message):
            over = self._end(session, session.gone(Role.CLIENT))
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
        session = self._sessions.find(peer, message.session_id)
        if session is None or not session.may_speak(peer, message.session_id):
            return _no_session(peer.socket, message)
        side = session.side(peer.role)
        outputs = [] if peer in side.peers else session.claim(side, peer)
        ended = SessionEndedEvent(session.id, message.reason, peer.user_id, message.detail)
        return [*outputs, *self._end(session, ended)]

    def _end(self, session: Session, ended: SessionEndedEvent) -> list[Output]:
        """End a session, whose client is free again."""
        over = self._sessions.end(session, ended)
        self._online.update(session.client.user_id)
        return over


def _registered(
    peer: Peer,
    servers: tuple[IceServer, ...],
    clients: tuple[ClientEntry, ...] | None,
    recording_url: Url | None,
) -> Registered:
    return Registered(
        user_id=peer.user_id,
        role=peer.role,
        name=peer.name,
        ice_servers=servers,
        clients=clients,
        recording_url=recording_url if peer.role is Role.CLIENT else None,
        features=RELAY_FEATURES,
    )


def _not_registered(socket: Socket, message: ToRelay) -> list[Output]:
    ref = message.ref if isinstance(message, StartSession) else None
    why = "Send register first."
    return [Send(socket, ErrorEvent(ErrorCode.NOT_REGISTERED, why, message.EVENT, ref))]


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
