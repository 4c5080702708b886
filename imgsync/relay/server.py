"""Drives a relay's state over real sockets: frames in, outputs onto outboxes.

    listeners ── one task per connection: reads, never awaits anything slow ──▶ RelayState
                 one writer per connection: drains its bounded outbox      ◀── outputs
                 one task for the clock: what is due                       ──▶ RelayState

A socket's reader never awaits anything slow: RelayState is synchronous, and posting to an outbox
never waits. One peer can neither stop the relay nor slow another.
"""

import itertools
import logging
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import attrs
import trio

from imgsync.core.protocol.errors import SocketClosed
from imgsync.core.protocol.numbers import PRESENCE_GATHER
from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorCode,
    ErrorEvent,
    IceServer,
    UserId,
)
from imgsync.core.relay.identity import Claims
from imgsync.core.relay.limits import MessageLimits, Verdict, cost_of, work_in
from imgsync.core.relay.nodes.node import NodeState
from imgsync.core.relay.online import Telling
from imgsync.core.relay.outputs import (
    Send,
)
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from imgsync.net.http import Request
from imgsync.net.ports import Listeners
from imgsync.net.queues import ROOM_PART
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.relay.admission import Admission
from imgsync.relay.answers import Answers, Health
from imgsync.relay.delivery import Connection, Delivery
from imgsync.relay.inviting import Inviting
from imgsync.relay.metrics import NodeMetrics
from imgsync.relay.observer import Observer, Visitor
from imgsync.relay.pages import pages_with
from imgsync.relay.settings import Settings, Shared
from imgsync.relay.turn import IceOffer
from imgsync.tasks import Bell, open_background

if TYPE_CHECKING:
    from imgsync.relay.nodes.driver import Node
    from imgsync.relay.nodes.store import Store

log = logging.getLogger(__name__)

DRAIN_DEADLINE = 4.0
"""Seconds for every peer to take its close frame; the whole drain has to stay under 5 s."""

PRESENCE_PORTION = 16
"""Evaluators that are told of clients in one turn of Trio's loop; it takes a millisecond."""

PRESENCE_PAUSE = 0.005
"""Seconds until the next ones are: between them others are heard."""

DRAIN_SPREAD = 2.0
"""Seconds over which peers are sent away to other nodes."""

_GOODBYE = (CloseCode.GOING_AWAY, "the relay is shutting down")
_BEGUN_AGAIN = (CloseCode.GOING_AWAY, "the relay has to begin again; connect again")


class Relay:
    """One relay: its state and the sockets that it talks to. Made by `open_relay`.

    :param store: what it shares with others, of which it is one; None where it is alone.
    """

    def __init__(self, settings: Settings, store: "Store | None" = None) -> None:
        self._settings = settings
        self._connections: dict[Hashable, Connection] = {}
        self._observer = Observer()
        #: Rung when something may be due sooner than before, and when the last one has gone.
        self._sooner = Bell()
        self._all_gone = Bell()
        self._delivery = Delivery(self._connections, self._observer, self._sooner)
        terms = _terms_of(settings, self._servers_for, self._connections, is_alone=store is None)
        self.node: Node | None = None
        if store is None:
            self._delivery.state = RelayState(_new_id, terms)
        else:
            # What is alone has no use for it.
            from imgsync.relay.nodes import driver

            make = partial(NodeState, new_id=_new_id, terms=terms)
            metrics = self._observer.metrics.node = NodeMetrics()
            self.node = driver.Node(store, make, self._delivery.perform, self._close_all, metrics)
            self._delivery.state, self._delivery.beyond = self.node.state, self.node.take
        self._admission = _admission_of(settings)
        self._numbers = itertools.count(1)
        self._is_draining = False
        answers = Answers(
            self._admission,
            self._observer,
            pages_with(settings.texts),
            Inviting(settings.read_token, settings.sign_claims),
            self._health,
        )
        #: What the relay's port offers.
        self.site = Site(
            http=answers.answer,
            sockets={"/ws": self._serve_peer},
            may_upgrade=answers.refuse_upgrade,
            limits=settings.net,
            on_refused=self._observer.metrics.connect_refused,
            is_proxy=self._admission.is_proxy,
            on_turned_away=self._observer.turned_away,
            on_shed=self._observer.metrics.connection_shed,
        )

    async def run_clock(self) -> None:
        """Tell the state when something is due, until cancelled."""
        while True:
            with trio.move_on_at(self._delivery.state.due):
                await self._sooner.wait()
            now = trio.current_time()
            while (due := self._delivery.state.due) <= now:
                try:
                    # Not all at once: what fails takes nothing from the others.
                    self._delivery.perform(self._delivery.state.tick(due))
                except Exception:
                    log.exception("a session failed; the others go on")

    def _servers_for(self, user_id: UserId) -> Sequence[IceServer]:
        return self._settings.ice.servers_for(user_id, time.time())

    def _health(self) -> Health:
        if self._is_draining:
            return Health.DRAINING
        is_away = self.node is not None and self.node.state.is_away
        return Health.DEGRADED if is_away else Health.OK

    def offer(self, ice: IceOffer) -> None:
        """Name other ICE servers from now on, which expire when the ones before did, or never."""
        self._settings = attrs.evolve(self._settings, ice=ice)
        self._delivery.perform(self._delivery.state.renew(trio.current_time()))

    async def drain(self) -> None:
        """Tell every peer that the relay goes away; returns when all have gone, or after 4 s.

        Where there are others to go to, not all at once: these take them in one by one.
        """
        self._is_draining = True
        # Alone, all leave, and are told so.
        self._delivery.is_over = self.node is None
        log.info("draining: %d peers are told that the relay goes away", len(self._connections))
        with trio.move_on_after(DRAIN_DEADLINE):
            await self._send_away()
            while self._connections:
                await self._all_gone.wait()
        if self.node is not None:
            await self.node.leave()

    async def _send_away(self) -> None:
        connections = [*self._connections.values()]
        pause = 0.0 if self.node is None else DRAIN_SPREAD / (len(connections) or 1)
        for connection in connections:
            connection.is_closing = True
            connection.socket.close(*_GOODBYE)
            if pause:
                await trio.sleep(pause)

    def _close_all(self) -> None:
        """This node has lost what it knew of its peers, which come back by themselves."""
        for connection in self._connections.values():
            self._delivery.close(connection, *_BEGUN_AGAIN)

    # ── one peer ─────────────────────────────────────────────────────────────────────────────────

    async def _serve_peer(self, socket: WebSocket, request: Request) -> None:
        remote = self._admission.address_of(request)
        if self._is_draining:
            self._observer.refused_while_draining()
            socket.close(*_GOODBYE)
            return
        refusal = self._admission.admit(remote, len(self._connections), trio.current_time())
        if refusal is not None:
            self._observer.refused(refusal, remote)
            socket.close(refusal.code, refusal.why)
            return
        visitor = Visitor(next(self._numbers), remote)
        connection = Connection(visitor, socket, self._admission.limit_of(remote))
        self._connections[visitor.number] = connection
        self._observer.opened()
        try:
            await self._receive(connection)
        except SocketClosed as exc:
            if not connection.is_closing:  # else that has been told already
                peer = self._delivery.state.peer_of(visitor.number)
                self._observer.closed(visitor, peer, exc.code, exc.reason)
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        self._observer.gone(self._delivery.state.peer_of(connection.number))
        del self._connections[connection.number]
        outputs = self._delivery.state.lost(connection.number, trio.current_time())
        self._delivery.perform(outputs)
        if not self._connections:
            self._all_gone.ring()

    async def _receive(self, connection: Connection) -> None:
        """Hand the relay's state what a socket says. Raises SocketClosed."""
        deadline = self._settings.register_deadline
        with trio.move_on_after(deadline) as connection.registering:
            await self._receive_all(connection)
        why = f"no register within {deadline:g} s"
        self._delivery.close(connection, CloseCode.REGISTER_TIMEOUT, why)
        await self._receive_all(connection)

    async def _receive_all(self, connection: Connection) -> None:
        while True:
            # In one turn of Trio's loop, so that what comes of it goes out in one write.
            self._take(connection, await connection.socket.receive_all())

    def _take(self, connection: Connection, frames: list[str | bytes]) -> None:
        for frame in frames:
            if not connection.is_closing:
                self._judge(connection, frame)

    def _judge(self, connection: Connection, frame: str | bytes) -> None:
        now = trio.current_time()
        match connection.limit.judge(now, cost_of(frame)):
            case Verdict.PASS:
                outputs = self._delivery.state.receive(connection.number, frame, now)
                connection.limit.charge(work_in(outputs), now)
                self._delivery.perform(outputs)
            case Verdict.REFUSE | Verdict.REFUSE_ADDRESS as verdict:
                why = connection.limit.explain(verdict, now)
                self._delivery.perform(
                    [Send(connection.number, ErrorEvent(ErrorCode.RATE_LIMITED, why))]
                )
            case Verdict.CLOSE:
                self._delivery.close(
                    connection, CloseCode.RATE_LIMITED, "too many messages for too long"
                )


def _new_id() -> str:
    return secrets.token_urlsafe(12)


def _terms_of(
    settings: Settings,
    ice_servers: Callable[[UserId], Sequence[IceServer]],
    connections: Mapping[Hashable, Connection],
    *,
    is_alone: bool,
) -> Terms:
    # What a token says is by the store's clock where there is one, and that is nobody's here.
    until = _on_our_clock if is_alone else _as_it_says
    return Terms(
        grace=settings.grace,
        ice_servers=ice_servers,
        ice_life=settings.ice.expires_after,
        recording_url=settings.recording_url,
        read_token=settings.read_token,
        until=until if settings.end_at_expiry else _for_ever,
        max_sockets_per_user=settings.max_sockets_per_user,
        max_frame=settings.net.max_message,
        telling=_telling(settings, connections),
    )


def _admission_of(settings: Settings) -> Admission:
    return Admission(
        origins=settings.origins,
        asks_for_tokens=settings.read_token is not None,
        proxies=settings.proxies,
        connect_rate=settings.connect_rate,
        max_connections=settings.max_connections,
        messages=MessageLimits(settings.rate_limit, settings.address_rate),
    )


def _telling(settings: Settings, connections: Mapping[Hashable, Connection]) -> Telling:
    """An evaluator that has read most of what it was sent is told as much again."""
    page = settings.net.outbox_size // ROOM_PART
    return Telling(
        PRESENCE_GATHER,
        page,
        lambda id: connections[id].socket.has_room,
        PRESENCE_PORTION,
        PRESENCE_PAUSE,
    )


def _on_our_clock(claims: Claims) -> float:
    """When a token expires: a wall clock that is set later does not move that."""
    return trio.current_time() + claims.expires_at - time.time()


def _as_it_says(claims: Claims) -> float:
    return claims.expires_at


def _for_ever(_: Claims) -> float:
    return math.inf


@asynccontextmanager
async def open_relay(
    listeners: Listeners, settings: Settings | None = None
) -> AsyncIterator[Relay]:
    """Own a relay that serves on these listeners; leaving the block drains it.

    Raises InputError and MissingExtra where it is to share what it knows, and can't.
    """
    settings = settings or Settings()
    async with AsyncExitStack() as stack:
        store = None
        if settings.shared is not None:
            store = await stack.enter_async_context(_open_store(settings.shared))
        relay = Relay(settings, store)
        nursery = await stack.enter_async_context(open_background())
        nursery.start_soon(relay.run_clock)
        if relay.node is not None:
            await nursery.start(relay.node.run)
        await nursery.start(serve_site, relay.site, listeners)
        try:
            yield relay
        finally:
            with trio.CancelScope(shield=True):
                await relay.drain()


def _open_store(shared: Shared) -> "AbstractAsyncContextManager[Store]":
    from imgsync.relay.nodes.store import open_store

    return open_store(shared.url, prefix=shared.prefix, password=shared.password)
