"""Who is online and free, as each evaluator that may see it has been told.

A change is told at once where nothing was for a while, and else with all others of a short time,
so that a crowd that comes and goes costs each evaluator a few frames a second and no more: what
counts is where a client stands when it is told, and not on which way it got there. What waits to be
told is kept once for all evaluators that know the same, and once for each client. An evaluator that
has much to read already is told later, when whoever drives this says that it has read: no clock is
needed for that. So one that reads slowly, or has a list to get that is longer than its outbox, gets
it by and by, and is not closed for it. And not all are told in one breath: to write to hundreds
takes its time, in which nobody else is heard.
"""

import itertools
import math
from collections.abc import Callable, Hashable

import attrs

from imgsync.core.protocol.numbers import FEATURE_WAITING
from imgsync.core.protocol.signalling import ClientEntry, Role, UserId
from imgsync.core.relay.audience import Audience, Feed
from imgsync.core.relay.doors import Doors
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import AwaitRoom, Output, Socket, Sooner
from imgsync.core.relay.standings import Standing


@attrs.frozen
class Telling:
    """How evaluators are told of changes.

    :param gather: seconds between two times at which one is told all that it does not know; 0
        tells each change at once.
    :param page: bytes that one is told at once; a list has twice as many in `registered`.
    :param has_room: whether a socket takes so much more now.
    :param portion: evaluators that are told in one breath.
    :param pause: seconds between two portions, and between two pages.
    """

    gather: float = 0.0
    page: float = math.inf
    has_room: Callable[[Socket], bool] = lambda socket: True
    portion: float = math.inf
    pause: float = 0.0


class Online:
    """Who is online and free, as each evaluator that may see it has been told.

    :param find: where a client stands now; None where it is not online.
    """

    def __init__(
        self, find: Callable[[UserId], Standing | None], doors: Doors, telling: Telling
    ) -> None:
        self._find = find
        self._doors = doors
        self._telling = telling
        self._standings: dict[UserId, Standing] = {}
        self._audiences: dict[Hashable, Audience] = {}
        self._feeds: dict[Socket, Feed] = {}
        #: Those to which something is to be told; in order, as a set is not.
        self._behind: dict[Feed, None] = {}
        #: From when on the next portion may be told.
        self._next = -math.inf
        #: Whether whoever keeps the time knows that something waits.
        self._is_awaited = False

    @property
    def due(self) -> float:
        """When what waits is told; infinity where nothing does, or all that waits for room."""
        return max(self._next, min((one.not_before for one in self._behind), default=math.inf))

    # ── what changes ─────────────────────────────────────────────────────────────────────────────

    def update(self, client_id: UserId) -> None:
        """Look where a client stands now: whom that is news is told of it in time."""
        self._doors.update(client_id)
        before = self._standings.pop(client_id, None)
        after = self._find(client_id)
        if after is not None:
            self._standings[client_id] = after
        if after == before:
            return
        for audience in self._audiences.values():
            if audience.update(client_id, after):
                self._behind |= {feed: None for feed in audience.feeds if not feed.lacks_room}

    def sent_back(self, peer: Peer) -> None:
        """The same, where one that had entered waits again."""
        self._doors.sent_back(peer.socket)
        self.update(peer.user_id)

    def list_for(self, evaluator: Peer, now: float) -> tuple[ClientEntry, ...] | None:
        """Where the clients stand that are online and that it may see; what is too long for one
        frame is told later. None for a client."""
        if evaluator.role is not Role.EVALUATOR:
            return None
        knows_waiting = FEATURE_WAITING in evaluator.features
        key = (evaluator.group, evaluator.clients, knows_waiting)
        audience = self._audiences.get(key)
        if audience is None:
            audience = self._audiences[key] = Audience(
                key, evaluator.sees, self._standings, knows_waiting=knows_waiting
            )
        listed, rest = audience.listing(2 * self._telling.page)
        # Not in the same breath: whether there is room is seen when the list is posted. That holds
        # for this one alone, so that who registers often holds up nobody else.
        not_before = now + self._telling.gather if rest else -math.inf
        self._place(Feed(audience, {evaluator.socket: evaluator}, dict.fromkeys(rest), not_before))
        return listed

    def drained(self, socket: Socket) -> None:
        """There is room again on a socket that had none."""
        feed = self._feeds.get(socket)
        if feed is not None and feed.lacks_room:
            readers = {socket: feed.readers.pop(socket)}
            if not feed.readers:
                self._drop(feed)
            self._place(Feed(feed.audience, readers, {**feed.changes}))

    def gone(self, socket: Socket) -> None:
        """Nothing more is to be told to a socket."""
        self._doors.gone(socket)
        feed = self._feeds.pop(socket, None)
        if feed is None:
            return
        del feed.readers[socket]
        if not feed.readers:
            self._drop(feed)
            if not feed.audience.feeds:
                del self._audiences[feed.audience.key]

    # ── what is told ─────────────────────────────────────────────────────────────────────────────

    def tell(self, now: float) -> list[Output]:
        """Tell what waits, if it is time for it; else only that it does."""
        outputs = self._doors.tell()
        if not self._behind:
            self._is_awaited = False
            return outputs
        if now < self.due:
            return [*outputs, *self._await()]
        self._next = now + self._telling.pause
        for feed in self._next_portion(now):
            outputs += self._tell(feed, now)
        if self._behind:
            return [*outputs, *self._await()]
        self._is_awaited = False
        return outputs

    def _next_portion(self, now: float) -> list[Feed]:
        """Those that have waited longest, of those that may be told now."""
        ready = [feed for feed in self._behind if feed.not_before <= now]
        if sum(len(feed.readers) for feed in ready) <= self._telling.portion:
            return ready
        ready.sort(key=lambda feed: feed.not_before)
        readers = itertools.accumulate(len(feed.readers) for feed in ready)
        fitting = sum(1 for count in readers if count <= self._telling.portion)
        return ready[: max(1, fitting)]

    def _await(self) -> list[Output]:
        """Once is enough: what waits is told soon after that was to be, if not then."""
        was_awaited, self._is_awaited = self._is_awaited, True
        return [] if was_awaited else [Sooner()]

    def _tell(self, feed: Feed, now: float) -> list[Output]:
        """A page of what is news to those that have room; the rest goes on waiting."""
        self._drop(feed)
        full = {
            socket: reader
            for socket, reader in feed.readers.items()
            if not self._telling.has_room(socket)
        }
        if full:
            self._place(Feed(feed.audience, full, {**feed.changes}, math.inf))
        awaited: list[Output] = [AwaitRoom(socket) for socket in full]
        if len(full) == len(feed.readers):
            return awaited
        ready = {one: reader for one, reader in feed.readers.items() if one not in full}
        told = Feed(feed.audience, ready, feed.changes)
        news = told.pop_page(self._telling.page)
        # The rest of a list is waited for; changes can be gathered.
        told.not_before = now + (self._telling.pause if told.changes else self._telling.gather)
        self._place(told)
        return [*told.tell(news), *awaited]

    def _place(self, feed: Feed) -> None:
        """Have its readers wait in it; those that know all are together, up to a portion."""
        level = None
        if feed.is_level:
            level = feed.audience.find_level(self._telling.portion - len(feed.readers))
        if level is None:
            level = feed
            feed.audience.feeds.append(feed)
        else:
            level.readers |= feed.readers
            level.not_before = max(level.not_before, feed.not_before)
        self._feeds |= dict.fromkeys(feed.readers, level)
        if feed.changes and not feed.lacks_room:
            self._behind[feed] = None

    def _drop(self, feed: Feed) -> None:
        feed.audience.feeds.remove(feed)
        self._behind.pop(feed, None)
