"""Who is registered, and who is online and free, as each evaluator that may see it has been told.

A change is told at once where nothing was for a while, and else with all others of a short time,
so that a crowd that comes and goes costs each evaluator a few frames a second and no more: what
counts is where a client stands when it is told, and not on which way it got there. What waits to be
told is kept by evaluator, once for each client. An evaluator that has much to read already is told
later; so one that reads slowly, or has a list to get that is longer than its outbox, gets it by and
by, and is not closed for it.
"""

import math
from collections.abc import Callable, Sequence

import attrs

from imgsync.core.codec.codec import encode_entry
from imgsync.core.protocol.numbers import FEATURE_PRESENCES
from imgsync.core.protocol.signalling import (
    ClientEntry,
    FromRelay,
    Group,
    Presence,
    Presences,
    PresenceState,
    Role,
    UserId,
)
from imgsync.core.relay.identity import Peer, common_features
from imgsync.core.relay.outputs import Output, Send, Socket, Sooner


class Registry:
    """Who is registered, through which sockets."""

    def __init__(self) -> None:
        self.peers: dict[Socket, Peer] = {}
        self.evaluators: dict[Socket, Peer] = {}
        #: In the order in which they registered, by user.
        self._peers_of: dict[tuple[Role, UserId], list[Peer]] = {}

    def add(self, peer: Peer) -> None:
        """A socket has registered."""
        self.peers[peer.socket] = peer
        if peer.role is Role.EVALUATOR:
            self.evaluators[peer.socket] = peer
        self._peers_of.setdefault((peer.role, peer.user_id), []).append(peer)

    def remove(self, socket: Socket) -> Peer | None:
        """A socket is gone. Returns who it was, if it was anybody."""
        peer = self.peers.pop(socket, None)
        if peer is None:
            return None
        self.evaluators.pop(socket, None)
        key = (peer.role, peer.user_id)
        self._peers_of[key].remove(peer)
        if not self._peers_of[key]:
            del self._peers_of[key]
        return peer

    def peers_of(self, role: Role, user_id: UserId) -> Sequence[Peer]:
        """Those of a user, the oldest first; none where it is not online."""
        return self._peers_of.get((role, user_id), ())


@attrs.frozen(cache_hash=True)
class _Standing:
    """Where a client that is online stands, and the group that its newest token says."""

    entry: ClientEntry
    group: Group | None

    def is_seen_by(self, evaluator: Peer) -> bool:
        """Whether that one may be told."""
        return evaluator.sees(self.entry.user_id, self.group)


@attrs.frozen
class Telling:
    """How evaluators are told of changes.

    :param gather: seconds between two times at which that is done; 0 tells each at once.
    :param page: bytes that one is told at such a time; a list has twice as many in `registered`.
    :param has_room: whether a socket takes so much more now.
    """

    gather: float = 0.0
    page: float = math.inf
    has_room: Callable[[Socket], bool] = lambda socket: True


_Changes = dict[UserId, ClientEntry | None]
"""What an evaluator does not know yet: clients, by what it was told of each last, if anything."""


class Online:
    """Who is online and free, as each evaluator that may see it has been told.

    :param is_busy: whether a client is in a session.
    """

    def __init__(
        self, registry: Registry, is_busy: Callable[[UserId], bool], telling: Telling
    ) -> None:
        self._registry = registry
        self._is_busy = is_busy
        self._telling = telling
        self._standings: dict[UserId, _Standing] = {}
        self._untold: dict[Socket, _Changes] = {}
        #: From when on those that got the first part of a list may be told the next.
        self._not_before: dict[Socket, float] = {}
        #: When the next changes are told.
        self._next = -math.inf
        #: Whether whoever keeps the time knows that something waits.
        self._is_awaited = False

    @property
    def due(self) -> float:
        """When what waits is told; infinity where nothing does."""
        return self._next if self._untold else math.inf

    # ── what changes ─────────────────────────────────────────────────────────────────────────────

    def update(self, client_id: UserId) -> None:
        """Look where a client stands now: whom that is news is told of it in time."""
        before = self._standings.pop(client_id, None)
        after = self._standing_of(client_id)
        if after is not None:
            self._standings[client_id] = after
        if after == before:
            return
        for socket, evaluator in self._registry.evaluators.items():
            knew, knows = _view(before, evaluator), _view(after, evaluator)
            if knew != knows:
                self._untold.setdefault(socket, {}).setdefault(client_id, knew)

    def update_if_client(self, peer: Peer) -> None:
        """The same, where it is one that has come or gone."""
        if peer.role is Role.CLIENT:
            self.update(peer.user_id)

    def list_for(self, evaluator: Peer, now: float) -> tuple[ClientEntry, ...] | None:
        """Where the clients stand that are online and that it may see; what is too long for one
        frame is told later. None for a client."""
        if evaluator.role is not Role.EVALUATOR:
            return None
        seen = [one.entry for one in self._standings.values() if one.is_seen_by(evaluator)]
        fits = _count_fitting(seen, 2 * self._telling.page)
        if fits < len(seen):
            # Not in the same breath: whether there is room is seen when the list is posted. That
            # holds for this one alone, so that who registers often holds up nobody else.
            self._not_before[evaluator.socket] = now + self._telling.gather
            self._untold[evaluator.socket] = {entry.user_id: None for entry in seen[fits:]}
        return tuple(seen[:fits])

    def gone(self, socket: Socket) -> None:
        """Nothing more is to be told to a socket."""
        self._untold.pop(socket, None)
        self._not_before.pop(socket, None)

    def shows(self, client_id: UserId, evaluator: Peer) -> bool:
        """Whether a client is online, as far as this evaluator may know."""
        return _view(self._standings.get(client_id), evaluator) is not None

    # ── what is told ─────────────────────────────────────────────────────────────────────────────

    def tell(self, now: float) -> list[Output]:
        """Tell what waits, if it is time for it; else only that it does."""
        if not self._untold:
            self._is_awaited = False
            return []
        if now < self._next:
            return self._await()
        self._next = now + self._telling.gather
        told: dict[FromRelay, list[Socket]] = {}
        for socket in list(self._untold):
            if self._may_be_told(socket, now):
                for message in self._news_for(self._registry.evaluators[socket]):
                    told.setdefault(message, []).append(socket)
        # By message, so that each is written once for all that get it.
        outputs: list[Output] = [Send(one, message) for message in told for one in told[message]]
        if self._untold:
            return [*outputs, *self._await()]
        self._is_awaited = False
        return outputs

    def _await(self) -> list[Output]:
        """Once is enough: what waits is told no sooner than that was to be."""
        was_awaited, self._is_awaited = self._is_awaited, True
        return [] if was_awaited else [Sooner()]

    def _may_be_told(self, socket: Socket, now: float) -> bool:
        return self._not_before.get(socket, now) <= now and self._telling.has_room(socket)

    def _news_for(self, evaluator: Peer) -> list[FromRelay]:
        """A page of what is news to it; the rest goes on waiting."""
        changes = self._untold.pop(evaluator.socket)
        news: list[ClientEntry] = []
        for client_id, knew in changes.items():
            knows = _view(self._standings.get(client_id), evaluator)
            if knows is not None and knows != knew:
                news.append(knows)
            elif knows is None and knew is not None:
                news.append(ClientEntry(client_id, PresenceState.OFFLINE, knew.name))
        fits = _count_fitting(news, self._telling.page)
        if fits < len(news):
            rest = (entry.user_id for entry in news[fits:])
            self._untold[evaluator.socket] = {user_id: changes[user_id] for user_id in rest}
        page = tuple(news[:fits])
        if FEATURE_PRESENCES in evaluator.features:
            return [Presences(page)] if page else []
        return [Presence(*attrs.astuple(entry, recurse=False)) for entry in page]

    def _standing_of(self, client_id: UserId) -> _Standing | None:
        peers = self._registry.peers_of(Role.CLIENT, client_id)
        if not peers:
            return None
        state = PresenceState.BUSY if self._is_busy(client_id) else PresenceState.AVAILABLE
        newest = peers[-1]
        entry = ClientEntry(client_id, state, newest.name, common_features(peers))
        return _Standing(entry, newest.group)


def _view(standing: _Standing | None, evaluator: Peer) -> ClientEntry | None:
    """A client as an evaluator may see it; None where that is not at all."""
    return standing.entry if standing is not None and standing.is_seen_by(evaluator) else None


def _count_fitting(entries: Sequence[ClientEntry], room: float) -> int:
    """How many of the first ones have place in so many bytes; one has in any case."""
    for count, entry in enumerate(entries):
        room -= len(encode_entry(entry)) + 1
        if room < 0 and count:
            return count
    return len(entries)
