"""RelayState: the rules of a relay, its clock, and what it tells of itself.

A socket is any hashable token of the driver. Each input is one call that returns what is to be
done, in order; nothing here waits, so every call is atomic. `due` says when to call `tick`; times
are seconds on a clock that only goes forward.

    socket:   connected ── register ──▶ registered ── lost ──▶ forgotten
    session:  start_session ──▶ live ── end_session, replaced, a grace time passes ──▶ ended
"""

from collections.abc import Callable
from functools import partial
from itertools import chain

from imgsync.core.codec.codec import MAX_REGISTER, decode_to_relay
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.numbers import RELAY_FEATURES
from imgsync.core.protocol.signalling import (
    ClientEntry,
    ErrorCode,
    ErrorEvent,
    IceServer,
    Register,
    Registered,
    RelayPing,
    RelayPong,
    Role,
    SessionEndedEvent,
    StartSession,
    ToRelay,
    Url,
)
from imgsync.core.relay.doors import Doors
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.online import Online
from imgsync.core.relay.outputs import Admitted, Output, Send, Socket
from imgsync.core.relay.registry import Admission, Registry, refuse
from imgsync.core.relay.renewals import ToldServers
from imgsync.core.relay.rules import Rules
from imgsync.core.relay.sessions import Sessions
from imgsync.core.relay.standings import Standings
from imgsync.core.relay.terms import Terms


class RelayState:
    """The relay's decisions.

    :param new_id: makes the id of a session, one that can't be guessed.
    :param terms: what holds for it.
    """

    def __init__(self, new_id: Callable[[], str], terms: Terms = Terms()) -> None:  # noqa: B008 -- it is frozen
        self._servers = ToldServers(terms.ice_servers, terms.ice_life)
        self._recording_url = terms.recording_url
        self._max_frame = terms.max_frame
        registry, self._sessions = Registry(), Sessions(terms.grace)
        standings = Standings(registry, self._sessions.is_busy)
        doors = Doors(partial(registry.peers_of, Role.CLIENT), standings.state_of)
        self._online = Online(standings.find, doors, terms.telling)
        admission = Admission(registry, terms.read_token, terms.until, terms.max_sockets_per_user)
        self._rules = Rules(registry, self._sessions, standings, admission, new_id, self._online)

    def peer_of(self, socket: Socket) -> Peer | None:
        """Who a socket has registered as."""
        return self._rules.registry.peers.get(socket)

    @property
    def due(self) -> float:
        """When to call `tick`; infinity where nothing ends by itself."""
        return min(self._sessions.due, self._servers.due, self._online.due)

    # ── inputs ───────────────────────────────────────────────────────────────────────────────────

    def receive(self, socket: Socket, frame: str | bytes, now: float) -> list[Output]:
        """A frame came in on a socket."""
        return self._told(self._receive(socket, frame, now), now)

    def _receive(self, socket: Socket, frame: str | bytes, now: float) -> list[Output]:
        peer = self.peer_of(socket)
        limit = self._max_frame if peer is not None else min(self._max_frame, MAX_REGISTER)
        try:
            message = decode_to_relay(frame, limit)
        except WireError as exc:
            return refuse(socket, exc.code, f"{exc}.", exc.event)
        match message:
            case Register():
                return self._register(socket, message, now)
            case _ if peer is None:
                return not_registered(socket, message)
            case RelayPing(id):
                return [Send(socket, RelayPong(id))]
            case _:
                return self._rules.hear(peer, message, now)

    def lost(self, socket: Socket, now: float) -> list[Output]:
        """A socket is gone, registered or not."""
        self._servers.gone(socket)
        self._online.gone(socket)
        return self._told(self._rules.leave(socket, now), now)

    def alive(self, socket: Socket, successor: Socket, now: float) -> list[Output]:
        """A socket has answered a probe that was asked for when `successor` registered."""
        return self._told(self._rules.alive(socket, successor), now)

    def drained(self, socket: Socket, now: float) -> list[Output]:
        """There is room on a socket of which `AwaitRoom` asked that."""
        self._online.drained(socket)
        return self._online.tell(now)

    def tick(self, now: float) -> list[Output]:
        """`due` has come: some were not back by then, or have what has expired, or soon will."""
        outputs = self._servers.renew_due(now)
        sessions = self._sessions
        while sessions.due <= now:
            session, side, reason = sessions.pop_due()
            outputs += self._rules.end(session, SessionEndedEvent(session.id, reason, side.user_id))
        return self._told(outputs, now)

    def renew(self, now: float) -> list[Output]:
        """The ICE servers are others from now on."""
        return self._servers.renew_all(now)

    def give_up_all(self, role: Role, now: float) -> list[Output]:
        """Wait no more for this side of any session; all are over thereby."""
        over = [self._rules.end(one, one.gone(role)) for one in self._sessions.all()]
        return self._told([*chain.from_iterable(over)], now)

    def _told(self, outputs: list[Output], now: float) -> list[Output]:
        """And what is news by that is told."""
        return [*outputs, *self._online.tell(now)]

    def _register(self, socket: Socket, message: Register, now: float) -> list[Output]:
        peer, asked = self._rules.admit(socket, message)
        if peer is None:
            return asked
        servers, clients = self._servers.registered(peer, now), self._online.list_for(peer, now)
        registered = registered_as(peer, servers, clients, self._recording_url)
        return [Send(socket, registered), *asked, *self._rules.join(peer, now), Admitted(socket)]


def registered_as(
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


def not_registered(socket: Socket, message: ToRelay) -> list[Output]:
    ref = message.ref if isinstance(message, StartSession) else None
    why = "Send register first."
    return [Send(socket, ErrorEvent(ErrorCode.NOT_REGISTERED, why, message.EVENT, ref))]
