"""NodeState: a relay that is one of several, as RelayState is one by itself.

It has the same inputs, and more: what has become of its transactions, what stands in its inbox,
where the clients of all nodes stand. What it decides by rules that are those of RelayState, and may
be known to one node only when it happens, is carried out by whatever keeps the records of all.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from imgsync.core.codec.codec import MAX_FRAME, MAX_REGISTER, decode_to_relay
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorCode,
    ErrorEvent,
    IceServer,
    Register,
    RelayPing,
    RelayPong,
    Role,
    SendSignal,
    StartSession,
    ToRelay,
    Url,
    UserId,
)
from imgsync.core.relay.doors import Doors
from imgsync.core.relay.identity import Claims, Peer, ReadToken
from imgsync.core.relay.nodes.clerk import Clerk
from imgsync.core.relay.nodes.custody import Custody
from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.inbox import Inbox
from imgsync.core.relay.nodes.lookout import Lookout
from imgsync.core.relay.nodes.outputs import AskStandings, NodeOutput, Retire
from imgsync.core.relay.nodes.presences import Presences
from imgsync.core.relay.nodes.signals import Signals
from imgsync.core.relay.nodes.sockets import LocalSockets
from imgsync.core.relay.nodes.store import Answer, Boot, Entry, Hint, Key, Renewal
from imgsync.core.relay.nodes.tasks import Tasks
from imgsync.core.relay.online import Online, Telling
from imgsync.core.relay.outputs import Admitted, Close, Send
from imgsync.core.relay.registry import MAX_SOCKETS_PER_USER, Admission, refuse
from imgsync.core.relay.renewals import ToldServers
from imgsync.core.relay.rules import Rules
from imgsync.core.relay.state import not_registered, registered_as


class Unnoted:
    """Nothing is told of what is decided until it has been carried out."""

    def update(self, client_id: UserId) -> None:
        """It may still come to nothing."""

    def sent_back(self, peer: Peer) -> None:
        """The same."""


MAX_WAITING = 256
"""Frames of one socket that may wait to be decided; a peer says no more within a second."""


class NodeState:
    """See the module; what is not told of here is as in RelayState.

    :param boot: by which the other nodes know this one.
    :param until: as there, but in seconds since the Unix epoch.
    """

    def __init__(
        self,
        boot: Boot,
        new_id: Callable[[], str],
        *,
        grace: float,
        ice_servers: Callable[[UserId], Sequence[IceServer]] = lambda user_id: (),
        ice_life: float = math.inf,
        recording_url: Url | None = None,
        read_token: ReadToken | None = None,
        until: Callable[[Claims], float] = lambda claims: math.inf,
        max_sockets_per_user: int = MAX_SOCKETS_PER_USER,
        max_frame: int = MAX_FRAME,
        telling: Telling = Telling(),  # noqa: B008 -- it is frozen
    ) -> None:
        self._servers = ToldServers(ice_servers, ice_life)
        self._recording_url = recording_url
        self._max_frame = max_frame
        self._presences = Presences()
        desk = Desk(grace)
        self._sessions = desk.sessions
        self._sockets = LocalSockets(boot, desk.registry)
        doors = Doors(self._sockets.windows_of, desk.standings.state_of)
        self._online = Online(self._presences.find, doors, telling)
        admission = Admission(desk.registry, read_token, until, max_sockets_per_user)
        # What is news by a decision is seen when it has been carried out.
        rules = Rules(desk.registry, desk.sessions, desk.standings, admission, new_id, Unnoted())
        self._tasks = Tasks(desk, rules, not_registered)
        self._lookout = Lookout(desk, self._sockets, self._presences, self._online)
        custody = Custody(desk, boot, self._lookout.laid_out)
        self._clerk = Clerk(desk, boot, custody)
        self._signals = Signals(desk, custody, self._clerk, self._sockets, self._tasks)
        self._inbox = Inbox(custody, self._clerk, self._tasks, self._sockets, self._greet)

    def peer_of(self, number: int) -> Peer | None:
        """Who a socket has registered as."""
        return self._sockets.peer_of(number)

    @property
    def due(self) -> float:
        """When to call `tick`; what is waited for in sessions is due at the store."""
        return min(self._servers.due, self._online.due)

    @property
    def is_away(self) -> bool:
        """Whether the store does not answer."""
        return self._clerk.is_away

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is to be carried out, or nothing can be."""
        return self.is_away or self._clerk.is_at_rest

    @property
    def sessions(self) -> int:
        """How many live whose evaluator is at this node, or was last; summed over all nodes, each
        counts once."""
        return self._sockets.count_begun_here(self._sessions.all())

    # ── what sockets do ──────────────────────────────────────────────────────────────────────────

    def receive(self, number: int, frame: str | bytes, now: float) -> list[NodeOutput]:
        """A frame came in on a socket."""
        return self._told(self._receive(number, frame), now)

    def _receive(self, number: int, frame: str | bytes) -> Sequence[NodeOutput]:
        waiting = self._clerk.turns.length(number)
        is_known = waiting > 0 or self.peer_of(number) is not None
        limit = self._max_frame if is_known else min(self._max_frame, MAX_REGISTER)
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
            return _refuse(number, message, ErrorCode.RATE_LIMITED, why)
        name = self._sockets.name_of(number)
        if isinstance(message, SendSignal):
            passed_on = self._signals.pass_on(number, name, message)
            if passed_on is not None:
                return passed_on
        return self._clerk.submit(self._tasks.hear(number, name, message, _unavailable))

    def _register(self, number: int, message: Register) -> list[NodeOutput]:
        name = self._sockets.open(number, message)
        turn_away = partial(_turn_away, number, message)
        return self._clerk.submit(self._tasks.register(number, name, message, turn_away))

    def lost(self, number: int, now: float) -> list[NodeOutput]:
        """A socket is gone, registered or not."""
        self._servers.gone(number)
        self._online.gone(number)
        gone = self._sockets.close(number)
        if gone is None:
            return []
        return self._told(self._clerk.submit(self._tasks.leave(number, *gone)), now)

    def alive(self, number: int, successor: str, now: float) -> list[NodeOutput]:
        """A socket has answered a probe that was asked for when `successor` registered."""
        peer = self.peer_of(number)
        if peer is None:
            return []
        name = self._sockets.name_of(number)
        task = self._tasks.alive(name, successor, peer.role, peer.user_id)
        return self._told(self._clerk.submit(task), now)

    def drained(self, number: int, now: float) -> list[NodeOutput]:
        """There is room on a socket of which `AwaitRoom` asked that."""
        self._online.drained(number)
        return [*self._online.tell(now)]

    def tick(self, now: float) -> list[NodeOutput]:
        """`due` has come."""
        return self._told(self._servers.renew_due(now), now)

    def renew(self, now: float) -> list[NodeOutput]:
        """The ICE servers are others from now on."""
        return [*self._servers.renew_all(now)]

    # ── what the store says ──────────────────────────────────────────────────────────────────────

    def taken(self) -> None:
        """All that was asked to be carried out is under way, and is not added to any more."""
        self._clerk.taken()

    def answered(self, ticket: int, answer: Answer, now: float) -> list[NodeOutput]:
        """What has become of a transaction."""
        return self._told(self._clerk.answered(ticket, answer), now)

    def heard(self, entry: Entry, now: float) -> list[NodeOutput]:
        """This stands in the inbox."""
        return self._told(self._inbox.read(entry, now), now)

    def _greet(self, peer: Peer, now: float) -> Sequence[NodeOutput]:
        """A socket has registered."""
        servers, clients = self._servers.registered(peer, now), self._online.list_for(peer, now)
        if peer.role is Role.CLIENT:
            self._online.update(peer.user_id)
        registered = registered_as(peer, servers, clients, self._recording_url)
        return [Admitted(peer.socket), Send(peer.socket, registered)]

    def away(self, now: float) -> list[NodeOutput]:
        """The store does not answer."""
        return self._told(self._clerk.go_away(), now)

    def back(self, now: float) -> list[NodeOutput]:
        """It does again."""
        return self._told(self._clerk.come_back(), now)

    def renewed(self, renewal: Renewal, now: float) -> list[NodeOutput]:
        """The lease of this node was renewed; this is to be done."""
        outputs = self._clerk.try_again()
        for boot in renewal.dead:
            outputs += self._clerk.burials.bury(boot)
        for deadline in renewal.due:
            outputs += self._clerk.submit(self._tasks.run_out(deadline))
        if self._presences.misses_some(renewal.standings):
            outputs.append(AskStandings())
        return self._told(outputs, now)

    def swept(self, boot: Boot, keys: Sequence[Key], now: float) -> list[NodeOutput]:
        """The records in which a boot that is dead had sockets."""

        def end() -> list[NodeOutput]:
            return [Retire(boot), *self._clerk.wake(self._clerk.burials.end(boot))]

        tasks = self._tasks.sweep(boot, keys, end)
        outputs = [output for task in tasks for output in self._clerk.submit(task)]
        return self._told(outputs if keys else end(), now)

    def hinted(self, hint: Hint, now: float) -> list[NodeOutput]:
        """A client stands elsewhere."""
        self._lookout.hinted(hint)
        return self._told([], now)

    def placed(
        self, version: int, standings: Mapping[UserId, tuple[int, str]], now: float
    ) -> list[NodeOutput]:
        """Where all clients stood, by this version."""
        self._lookout.placed(version, standings)
        return self._told([], now)

    def _told(self, outputs: Sequence[NodeOutput], now: float) -> list[NodeOutput]:
        """And what is news by that is told."""
        return [*outputs, *self._online.tell(now)]


def _refuse(number: int, message: ToRelay, code: ErrorCode, why: str) -> list[NodeOutput]:
    ref = message.ref if isinstance(message, StartSession) else None
    return [Send(number, ErrorEvent(code, why, message.EVENT, ref))]


def _unavailable(number: int, message: ToRelay) -> list[NodeOutput]:
    why = "The relay can't reach what it shares with others; try again."
    return _refuse(number, message, ErrorCode.UNAVAILABLE, why)


def _turn_away(number: int, message: Register) -> list[NodeOutput]:
    why = "the relay can't reach what it shares with others"
    return [*_unavailable(number, message), Close(number, CloseCode.RELAY_FULL, why)]
