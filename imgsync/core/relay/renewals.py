"""Who knows of which ICE servers, and is told new ones before half of their life is over.

So whoever is registered has credentials at any time that outlive the wait for a session, and the
session by as much again.
"""

import math
from collections.abc import Callable, Sequence
from itertools import takewhile

import attrs

from imgsync.core.protocol.signalling import IceServer, IceServersChanged, UserId
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import Output, Send, Socket

RENEWED_AFTER = 0.4
"""Of the life of credentials: more than half of it is left, for a peer that was asleep when it was
told, or a relay that was."""


@attrs.define
class _Told:
    peer: Peer
    due: float


class ToldServers:
    """The peers that want to be told, and what each is told.

    :param servers_for: what a user is told to use.
    :param life: seconds that the credentials in it are good for; infinity where none expires.
    """

    def __init__(self, servers_for: Callable[[UserId], Sequence[IceServer]], life: float) -> None:
        self._servers_for = servers_for
        self._pause = life * RENEWED_AFTER
        #: As all wait equally long, the first in it is the first to be due.
        self._told: dict[Socket, _Told] = {}

    @property
    def due(self) -> float:
        """When the first one is to be told; infinity where none is."""
        return next((told.due for told in self._told.values()), math.inf)

    def registered(self, peer: Peer, now: float) -> tuple[IceServer, ...]:
        """What a peer is told that has registered."""
        if peer.is_told_servers:
            self._told[peer.socket] = _Told(peer, now + self._pause)
        return tuple(self._servers_for(peer.user_id))

    def gone(self, socket: Socket) -> None:
        """Nothing can be told to it any more."""
        self._told.pop(socket, None)

    def renew_due(self, now: float) -> list[Output]:
        """Tell those whose time has come."""
        due = takewhile(lambda told: told.due <= now, self._told.values())
        return [self._renew(told, now) for told in [*due]]

    def renew_all(self, now: float) -> list[Output]:
        """Tell all: the servers are others from now on."""
        return [self._renew(told, now) for told in [*self._told.values()]]

    def _renew(self, told: _Told, now: float) -> Output:
        del self._told[told.peer.socket]
        servers = self.registered(told.peer, now)
        return Send(told.peer.socket, IceServersChanged(servers))
