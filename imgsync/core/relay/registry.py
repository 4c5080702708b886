"""Who is registered, through which sockets, and who may.

A page of a participant may wait before its door. Until somebody has touched it, it takes part in
nothing, and does not count where others of its user do: neither as one that is online nor by what
it speaks, nor among those of which there may be no more.
"""

from collections.abc import Callable, Iterable, Sequence

import attrs

from imgsync.core.protocol.errors import Unauthorized
from imgsync.core.protocol.signalling import (
    CloseCode,
    Door,
    ErrorCode,
    ErrorEvent,
    Register,
    Role,
    UserId,
)
from imgsync.core.relay.identity import Claims, Peer, ReadToken, identify
from imgsync.core.relay.outputs import Close, Output, Probe, Send, Socket

MAX_SOCKETS_PER_USER = 8
"""A few tabs and devices, and the connections of a flapping network that nobody has closed yet; and
as many again that wait before their door, as what looks at links opens them, too."""


class Registry:
    """Who is registered, through which sockets."""

    def __init__(self) -> None:
        self.peers: dict[Socket, Peer] = {}
        #: In the order in which they registered, or entered, by user.
        self._peers_of: dict[tuple[Role, UserId], list[Peer]] = {}

    def add(self, peer: Peer) -> None:
        """A socket has registered."""
        self.peers[peer.socket] = peer
        self._peers_of.setdefault((peer.role, peer.user_id), []).append(peer)

    def remove(self, socket: Socket) -> Peer | None:
        """A socket is gone. Returns who it was, if it was anybody."""
        peer = self.peers.pop(socket, None)
        if peer is None:
            return None
        key = (peer.role, peer.user_id)
        self._peers_of[key].remove(peer)
        if not self._peers_of[key]:
            del self._peers_of[key]
        return peer

    def put(self, role: Role, user_id: UserId, peers: Iterable[Peer]) -> None:
        """These, and no others, are those of a user."""
        for peer in [*self.peers_of(role, user_id)]:
            self.remove(peer.socket)
        for peer in peers:
            self.add(peer)

    def move(self, peer: Peer, door: Door) -> Peer:
        """A socket has entered, or waits before its door again. Returns who it is from now on."""
        self.remove(peer.socket)
        moved = attrs.evolve(peer, door=door)
        self.add(moved)
        return moved

    def peers_of(self, role: Role, user_id: UserId) -> Sequence[Peer]:
        """Those of a user, the oldest first; none where it is not online."""
        return self._peers_of.get((role, user_id), ())

    def entered(self, client_id: UserId) -> list[Peer]:
        """Those of a client that do not wait."""
        return [peer for peer in self.peers_of(Role.CLIENT, client_id) if not peer.is_waiting]


class Admission:
    """Who may register.

    :param read_token: takes tokens apart; None where everybody is believed.
    :param until: when what a token says no longer carries a session.
    :param most: sockets of one user, and as many that wait.
    """

    def __init__(
        self,
        registry: Registry,
        read_token: ReadToken | None,
        until: Callable[[Claims], float],
        most: int,
    ) -> None:
        self._registry = registry
        self._read_token = read_token
        self._until = until
        self._most = most

    def admit(self, socket: Socket, message: Register) -> tuple[Peer | None, list[Output]]:
        """Who this is from now on, and what others of its user are asked; None if it is refused."""
        if socket in self._registry.peers:
            return None, already_registered(socket, message)
        try:
            claims = identify(message, self._read_token)
        except Unauthorized as exc:
            return None, _unauthorized(socket, exc, message)
        peer = Peer.of(socket, claims, message, self._until(claims))
        others = self._registry.peers_of(claims.role, claims.user_id)
        # Those that are dead give way to whoever tries again.
        probes: list[Output] = [Probe(other.socket, socket) for other in others]
        count = sum(other.is_waiting is peer.is_waiting for other in others)
        if count >= self._most:
            return None, _too_many(socket, count, probes, message.EVENT)
        self._registry.add(peer)
        return peer, probes


def already_registered(socket: Socket, message: Register) -> list[Output]:
    """Refuse one that has registered before."""
    why = "This connection is registered already; open another one for another user."
    return refuse(socket, ErrorCode.ALREADY_REGISTERED, why, message.EVENT)


def _unauthorized(socket: Socket, why: Unauthorized, message: Register) -> list[Output]:
    refusal = refuse(socket, ErrorCode.UNAUTHORIZED, f"{why}.", message.EVENT)
    return [*refusal, Close(socket, CloseCode.UNAUTHORIZED, "unauthorized")]


def _too_many(socket: Socket, count: int, probes: Iterable[Output], event: str) -> list[Output]:
    why = f"This user has {count} connections already; close one of them first."
    refusal = refuse(socket, ErrorCode.RATE_LIMITED, why, event)
    return [*refusal, *probes, Close(socket, CloseCode.RATE_LIMITED, "too many connections")]


def refuse(socket: Socket, code: ErrorCode, message: str, event: str | None) -> list[Output]:
    """Answer with an error."""
    return [Send(socket, ErrorEvent(code, message, event))]
