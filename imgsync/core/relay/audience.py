"""Evaluators that may see the same clients, and what each of them has been told of these.

Who has been told the same shares a feed, so that a change, and the news of many, cost one for all
of them, or for some dozen. One that has to wait until it has read, or for the rest of a list, has a
feed of its own until it knows what others know.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence

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
    UserId,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import Output, Send, Socket
from imgsync.core.relay.standings import Standing

Changes = dict[UserId, ClientEntry | None]
"""What is not known yet: clients, by what was told of each last, if anything."""


@attrs.define(eq=False)
class Feed:
    """Evaluators of one audience that have been told the same.

    :param not_before: when they may be told more; infinity until there is room for it.
    """

    audience: "Audience"
    readers: dict[Socket, Peer]
    changes: Changes = attrs.field(factory=dict)
    not_before: float = -math.inf

    @property
    def is_level(self) -> bool:
        """Whether they know all."""
        return not self.changes and not self.lacks_room

    @property
    def lacks_room(self) -> bool:
        """Whether they are told nothing until they have read."""
        return self.not_before == math.inf

    def pop_page(self, size: float) -> list[ClientEntry]:
        """What is news to them, as far as it has place in so many bytes; the rest stays."""
        changes, news = self.changes, list[ClientEntry]()
        for client_id, knew in changes.items():
            knows = self.audience.seen.get(client_id)
            if knows is not None and knows != knew:
                news.append(knows)
            elif knows is None and knew is not None:
                news.append(ClientEntry(client_id, PresenceState.OFFLINE, knew.name))
        fits = _count_fitting(news, size)
        self.changes = {entry.user_id: changes[entry.user_id] for entry in news[fits:]}
        return news[:fits]

    def tell(self, news: Sequence[ClientEntry]) -> list[Output]:
        """Tell them, each as it wants it; what is the same for many stands together."""
        told: list[tuple[FromRelay, bool]] = [(Presences(tuple(news)), True)] if news else []
        told += [(Presence(*attrs.astuple(one, recurse=False)), False) for one in news]
        together = {
            socket: FEATURE_PRESENCES in reader.features for socket, reader in self.readers.items()
        }
        return [
            Send(socket, message)
            for message, is_page in told
            for socket, wants_pages in together.items()
            if wants_pages is is_page
        ]


class Audience:
    """Evaluators that may see the same clients.

    :param key: stands for whom they see.
    :param sees: whether that is a client that is in this group.
    :param knows_waiting: whether they know of clients that wait; these are busy to others.
    """

    def __init__(
        self,
        key: Hashable,
        sees: Callable[[UserId, Group | None], bool],
        standings: Mapping[UserId, Standing],
        *,
        knows_waiting: bool,
    ) -> None:
        self.key = key
        self._sees = sees
        self._knows_waiting = knows_waiting
        #: Those that are online.
        self.seen: dict[UserId, ClientEntry] = {}
        for client_id, standing in standings.items():
            self._put(client_id, self._view(client_id, standing))
        self.feeds: list[Feed] = []
        #: What who registers now is told at once, and of whom later.
        self._listing: tuple[tuple[ClientEntry, ...], tuple[UserId, ...]] | None = None

    def update(self, client_id: UserId, standing: Standing | None) -> bool:
        """A client stands elsewhere now. Returns whether that is a change for them."""
        knew, knows = self.seen.get(client_id), self._view(client_id, standing)
        if knew == knows:
            return False
        self._put(client_id, knows)
        self._listing = None
        for feed in self.feeds:
            feed.changes.setdefault(client_id, knew)
        return True

    def _view(self, client_id: UserId, standing: Standing | None) -> ClientEntry | None:
        if standing is None or not self._sees(client_id, standing.group):
            return None
        entry = standing.entry
        if entry.state is PresenceState.WAITING and not self._knows_waiting:
            return attrs.evolve(entry, state=PresenceState.BUSY)
        return entry

    def _put(self, client_id: UserId, entry: ClientEntry | None) -> None:
        # At the end, however often it has changed: what changes is of the last part of a list.
        self.seen.pop(client_id, None)
        if entry is not None:
            self.seen[client_id] = entry

    def listing(self, size: float) -> tuple[tuple[ClientEntry, ...], tuple[UserId, ...]]:
        """Those that are online: what of it has place in so many bytes, and of whom the rest is.

        The same tuples while nothing has changed.
        """
        if self._listing is None:
            entries = tuple(self.seen.values())
            fits = _count_fitting(entries, size)
            self._listing = entries[:fits], tuple(entry.user_id for entry in entries[fits:])
        return self._listing

    def find_level(self, most: float) -> Feed | None:
        """A feed of those that know all, and are no more than this."""
        return next((one for one in self.feeds if one.is_level and len(one.readers) <= most), None)


def _count_fitting(entries: Sequence[ClientEntry], room: float) -> int:
    """How many of the first ones have place in so many bytes; one has in any case."""
    for count, entry in enumerate(entries):
        room -= len(encode_entry(entry)) + 1
        if room < 0 and count:
            return count
    return len(entries)
