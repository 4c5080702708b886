"""NodeState: a relay that is one of several, as RelayState is one by itself.

It has the same inputs, and more: what has become of its transactions, what stands in its inbox,
where the clients of all nodes stand. What it decides by rules that are those of RelayState, and may
be known to one node only when it happens, is carried out by whatever keeps the records of all.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from imgsync.core.codec.codec import MAX_REGISTER, decode_to_relay
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.signalling import (
    ErrorCode,
    Register,
    RelayPing,
    RelayPong,
    Role,
    SendSignal,
    UserId,
)
from imgsync.core.relay.doors import Doors
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.life import Life
from imgsync.core.relay.nodes.outputs import AskStandings, NodeOutput
from imgsync.core.relay.nodes.presences import Presences
from imgsync.core.relay.nodes.refusals import refuse_message, turn_away, unavailable
from imgsync.core.relay.nodes.store import Answer, Boot, Entry, Hint, Key, Renewal
from imgsync.core.relay.online import Online
from imgsync.core.relay.outputs import Admitted, Send, Sooner
from imgsync.core.relay.registry import already_registered, refuse
from imgsync.core.relay.renewals import ToldServers
from imgsync.core.relay.state import not_registered, registered_as
from imgsync.core.relay.terms import Terms

ALL_BACK_S = 10.0
"""Seconds until all nodes have found that they have to begin again, and have done so: each finds
it when it renews its lease, if not before."""

MAX_WAITING = 256
"""Frames of one socket that may wait to be decided; a peer says no more within a second."""


class NodeState:
    """See the module; what is not told of here is as in RelayState.

    :param boot: by which the other nodes know this one.
    :param terms: as there, but `until` in seconds since the Unix epoch.
    """

    def __init__(self, boot: Boot, new_id: Callable[[], str], terms: Terms) -> None:
        self._terms = terms
        self._servers = ToldServers(terms.ice_servers, terms.ice_life)
        self._presences = Presences()
        doors = Doors(
            lambda client_id: self._life.sockets.windows_of(client_id),
            lambda client_id: self._life.desk.standings.state_of(client_id),
        )
        self._online = Online(self._presences.find, doors, terms.telling)
        self._make_life = partial(
            Life, new_id=new_id, terms=terms, presences=self._presences, online=self._online
        )
        self._life = self._make_life(boot)
        self._inbox = self._life.make_inbox(self._greet)

    def begin_again(self, boot: Boot, now: float, *, is_lost: bool) -> list[NodeOutput]:
        """The boot is lost, and this is the next one, under which all sockets come back.

        :param is_lost: whether all that was shared is lost, too, and has to be written back.
        """
        before = self._life
        self._live_anew(self._make_life(boot, before=before), now)
        return self._told([*self._life.take_over(before, is_lost=is_lost), Sooner()], now)

    def start_over(self, boot: Boot, now: float) -> list[NodeOutput]:
        """The same, where what is known may be half done: no socket is kept. It is away then."""
        self._live_anew(self._make_life(boot), now)
        return [*self.away(now), Sooner()]

    def _live_anew(self, life: Life, now: float) -> None:
        self._life, self._inbox = life, life.make_inbox(self._greet)
        self._presences.begin_again(now + ALL_BACK_S)

    def peer_of(self, number: int) -> Peer | None:
        """Who a socket has registered as."""
        return self._life.sockets.peer_of(number)

    @property
    def due(self) -> float:
        """When to call `tick`; what is waited for in sessions is due at the store."""
        return min(self._servers.due, self._online.due, self._presences.due)

    @property
    def is_away(self) -> bool:
        """Whether the store does not answer."""
        return self._life.clerk.is_away

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is to be carried out, or nothing can be."""
        return self.is_away or self._life.clerk.is_at_rest

    @property
    def sessions(self) -> int:
        """How many live whose evaluator is at this node, or was last; summed over all nodes, each
        counts once."""
        return self._life.sockets.count_begun_here(self._life.desk.sessions.all())

    # ── what sockets do ──────────────────────────────────────────────────────────────────────────

    def receive(self, number: int, frame: str | bytes, now: float) -> list[NodeOutput]:
        """A frame came in on a socket."""
        return self._told(self._receive(number, frame), now)

    def _receive(self, number: int, frame: str | bytes) -> Sequence[NodeOutput]:
        waiting = self._life.clerk.turns.length(number)
        is_known = waiting > 0 or self.peer_of(number) is not None
        limit = self._terms.max_frame if is_known else min(self._terms.max_frame, MAX_REGISTER)
        try:
            message = decode_to_relay(frame, limit)
        except WireError as exc:
            return refuse(number, exc.code, f"{exc}.", exc.event)
        match message:
            case RelayPing(id) if is_known:
                return [Send(number, RelayPong(id))]
            case Register():
                return self._register(number, message)
            case _ if not is_known or isinstance(message, RelayPing):
                return not_registered(number, message)
        if waiting >= MAX_WAITING:
            why = "Too much waits to be decided; say it again later."
            return refuse_message(number, message, ErrorCode.RATE_LIMITED, why)
        name = self._life.sockets.name_of(number)
        if isinstance(message, SendSignal):
            passed_on = self._life.signals.pass_on(number, name, message)
            if passed_on is not None:
                return passed_on
        return self._life.clerk.submit(
            self._life.tasks.hear(number, name, self.peer_of(number), message, unavailable)
        )

    def _register(self, number: int, message: Register) -> Sequence[NodeOutput]:
        if self.peer_of(number) is not None:
            return already_registered(number, message)
        name = self._life.sockets.open(number, message)
        away = partial(turn_away, number, message)
        return self._life.clerk.submit(self._life.tasks.register(number, name, message, away))

    def lost(self, number: int, now: float) -> list[NodeOutput]:
        """A socket is gone, registered or not."""
        self._servers.gone(number)
        self._online.gone(number)
        gone = self._life.sockets.close(number)
        if gone is None:
            return []
        return self._told(self._life.clerk.submit(self._life.tasks.leave(number, *gone)), now)

    def alive(self, number: int, successor: str, now: float) -> list[NodeOutput]:
        """A socket has answered a probe that was asked for when `successor` registered."""
        peer = self.peer_of(number)
        if peer is None:
            return []
        name = self._life.sockets.name_of(number)
        task = self._life.tasks.alive(name, successor, peer.role, peer.user_id)
        return self._told(self._life.clerk.submit(task), now)

    def drained(self, number: int, now: float) -> list[NodeOutput]:
        """There is room on a socket of which `AwaitRoom` asked that."""
        self._online.drained(number)
        return [*self._online.tell(now)]

    def tick(self, now: float) -> list[NodeOutput]:
        """`due` has come."""
        outputs: list[NodeOutput] = [*self._servers.renew_due(now)]
        if self._presences.due <= now:
            self._presences.due = math.inf
            outputs.append(AskStandings())
        return self._told(outputs, now)

    def renew(self, now: float) -> list[NodeOutput]:
        """The ICE servers are others from now on."""
        return [*self._servers.renew_all(now)]

    # ── what the store says ──────────────────────────────────────────────────────────────────────

    def taken(self) -> None:
        """All that was asked to be carried out is under way, and is not added to any more."""
        self._life.clerk.taken()

    def answered(self, ticket: int, answer: Answer, now: float) -> list[NodeOutput]:
        """What has become of a transaction."""
        return self._told(self._life.clerk.answered(ticket, answer), now)

    def heard(self, entry: Entry, now: float) -> list[NodeOutput]:
        """This stands in the inbox."""
        return self._told(self._inbox.read(entry, now), now)

    def _greet(self, peer: Peer, now: float) -> Sequence[NodeOutput]:
        """A socket has registered."""
        servers, clients = self._servers.registered(peer, now), self._online.list_for(peer, now)
        if peer.role is Role.CLIENT:
            self._online.update(peer.user_id)
        registered = registered_as(peer, servers, clients, self._terms.recording_url)
        return [Admitted(peer.socket), Send(peer.socket, registered)]

    def away(self, now: float) -> list[NodeOutput]:
        """The store does not answer."""
        return self._told(self._life.clerk.go_away(), now)

    def back(self, now: float) -> list[NodeOutput]:
        """It does again."""
        return self._told(self._life.clerk.come_back(), now)

    def renewed(self, renewal: Renewal, now: float) -> list[NodeOutput]:
        """The lease of this node was renewed; this is to be done."""
        outputs = self._life.clerk.try_again()
        for boot in renewal.dead:
            outputs += self._life.clerk.burials.bury(boot)
        for deadline in renewal.due:
            outputs += self._life.clerk.submit(self._life.tasks.run_out(deadline))
        if self._presences.misses_some(renewal.standings):
            outputs.append(AskStandings())
        return self._told(outputs, now)

    def swept(self, boot: Boot, keys: Sequence[Key], now: float) -> list[NodeOutput]:
        """The records in which a boot that is dead had sockets."""
        return self._told(self._life.sweep(boot, keys), now)

    def hinted(self, hint: Hint, now: float) -> list[NodeOutput]:
        """A client stands elsewhere."""
        self._life.lookout.hinted(hint)
        return self._told([], now)

    def placed(
        self, version: int, standings: Mapping[UserId, tuple[int, str]], now: float
    ) -> list[NodeOutput]:
        """Where all clients stood, by this version."""
        self._life.lookout.placed(version, standings)
        return self._told([], now)

    def _told(self, outputs: Sequence[NodeOutput], now: float) -> list[NodeOutput]:
        """And what is news by that is told."""
        return [*outputs, *self._online.tell(now)]
