"""Drives RelayState over real sockets: frames in, outputs onto outboxes.

    listeners ── one task per connection: reads, never awaits anything slow ──▶ RelayState
                 one writer per connection: drains its bounded outbox      ◀── outputs
                 one task per session: its grace timers                    ◀── outputs

A socket's reader never awaits anything slow: RelayState is synchronous, and posting to an outbox
never waits. One peer can neither stop the relay nor slow another.
"""

import itertools
import logging
import math
import secrets
import time
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.errors import MissingExtra, SocketClosed
from imgsync.core.protocol.signalling import (
    CloseCode,
    ErrorCode,
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    Role,
)
from imgsync.core.relay.limits import MessageLimit, Verdict
from imgsync.core.relay.outputs import (
    Close,
    GraceBegan,
    GraceEnded,
    Output,
    Probe,
    Send,
    SessionAnswered,
    SessionBegan,
    SessionOver,
)
from imgsync.core.relay.state import RelayState
from imgsync.net.http import Request, Response, refuse
from imgsync.net.server import Listeners, Site, is_loopback, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.relay.admission import Admission
from imgsync.relay.lifetime import SessionLifetime
from imgsync.relay.logs import about
from imgsync.relay.metrics import CONTENT_TYPE, Metrics, drop_reason
from imgsync.relay.pages import load_pages
from imgsync.relay.settings import Settings
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

DRAIN_DEADLINE = 4.0
"""Seconds for every peer to take its close frame; the whole drain has to stay under 5 s."""

ALIVE_DEADLINE = 2.0
"""Seconds for a user's older connection to answer when he opens a new one. A phone that has changed
from one network to another leaves one behind that is dead without a word."""

_GOOD_ENDS = (CloseCode.NORMAL, CloseCode.GOING_AWAY, CloseCode.NO_STATUS)
"""Of a peer that leaves; a browser says 1001 when its page is left."""

_GOODBYE = (CloseCode.GOING_AWAY, "the relay is shutting down")


@attrs.define(eq=False)
class _Connection:
    """A WebSocket and what is known of it; its number is its name in RelayState and in the log."""

    number: int
    socket: WebSocket
    remote: str
    limit: MessageLimit
    #: Whether we have closed it: what still comes in counts for nothing.
    is_closing: bool = False


class Relay:
    """One relay: its state and the sockets that it talks to. Made by `open_relay`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = RelayState(
            partial(secrets.token_urlsafe, 12),
            ice_servers=lambda user_id: settings.ice.servers_for(user_id, time.time()),
            recording_url=settings.recording_url,
            read_token=settings.read_token,
            max_sockets_per_user=settings.max_sockets_per_user,
            max_frame=settings.net.max_message,
        )
        self._admission = Admission(
            origins=settings.origins,
            asks_for_tokens=settings.read_token is not None,
            proxies=settings.proxies,
            connect_rate=settings.connect_rate,
            max_connections=settings.max_connections,
        )
        self._metrics = Metrics()
        self._pages = load_pages()
        self._connections: dict[Hashable, _Connection] = {}
        self._numbers = itertools.count(1)
        self._lifetimes: dict[str, SessionLifetime] = {}
        # Unbounded: a client is in one session at most, and the connections are bounded.
        self._begun, self._to_run = trio.open_memory_channel[tuple[str, SessionLifetime]](math.inf)
        self._all_gone = trio.Event()
        self._is_draining = False
        #: What the relay's port offers.
        self.site = Site(
            http=self._answer,
            sockets={"/ws": self._serve_peer},
            may_upgrade=self._may_upgrade,
            limits=settings.net,
            on_refused=self._metrics.connect_refused,
            is_proxy=self._admission.is_proxy,
        )

    async def run_sessions(self) -> None:
        """Give each session a task of its own, until cancelled."""
        async with trio.open_nursery() as nursery:
            async for session_id, lifetime in self._to_run:
                nursery.start_soon(lifetime.run, partial(self._grace_over, session_id))

    async def drain(self) -> None:
        """Tell every peer that the relay goes away; returns when all have gone, or after 4 s."""
        self._is_draining = True
        log.info("draining: %d peers are told that the relay goes away", len(self._connections))
        for connection in self._connections.values():
            connection.is_closing = True
            connection.socket.close(*_GOODBYE)
        with trio.move_on_after(DRAIN_DEADLINE):
            while self._connections:
                self._all_gone = trio.Event()
                await self._all_gone.wait()

    # ── HTTP ─────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, request: Request) -> Response:
        match request.path:
            case "/health" if self._is_draining:
                return Response(503, b"draining\n")
            case "/health":
                return Response(200, b"ok\n")
            case "/metrics" if not _is_local(request):
                return refuse(403, "Metrics are for this machine alone.")
            case "/metrics":
                try:
                    return Response(200, await self._render(), CONTENT_TYPE)
                except MissingExtra as exc:
                    return refuse(501, str(exc))
        return self._pages.answer(request)

    async def _render(self) -> bytes:
        # In a thread: the first time, it loads a library.
        return await trio.to_thread.run_sync(self._metrics.render)

    def _may_upgrade(self, request: Request) -> Response | None:
        refusal = self._admission.refuse_upgrade(request)
        if refusal is not None:
            self._metrics.connect_refused("origin")
            remote = self._admission.address_of(request)
            log.debug("a page of another origin was refused", extra=about(remote=remote))
        return refusal

    # ── one peer ─────────────────────────────────────────────────────────────────────────────────

    async def _serve_peer(self, socket: WebSocket, request: Request) -> None:
        remote = self._admission.address_of(request)
        if self._is_draining:
            self._metrics.connect_refused("draining")
            socket.close(*_GOODBYE)
            return
        refusal = self._admission.admit(remote, len(self._connections), trio.current_time())
        if refusal is not None:
            self._metrics.connect_refused(refusal.label)
            log.debug("refused: %s", refusal.why, extra=about(remote=remote, code=refusal.code))
            socket.close(refusal.code, refusal.why)
            return
        number = next(self._numbers)
        connection = _Connection(number, socket, remote, MessageLimit(self._settings.rate_limit))
        self._connections[number] = connection
        self._metrics.connection_opened()
        try:
            await self._receive(connection)
        except SocketClosed as exc:
            self._tell_closed(connection, exc)
        finally:
            self._forget(connection)

    def _forget(self, connection: _Connection) -> None:
        self._metrics.connection_closed()
        peer = self._state.peer_of(connection.number)
        if peer is not None:
            self._metrics.unregistered(peer.role)
        del self._connections[connection.number]
        outputs = self._state.lost(connection.number)
        if not self._is_draining:  # then everybody leaves, and is told so
            self._perform(outputs)
        if not self._connections:
            self._all_gone.set()

    async def _receive(self, connection: _Connection) -> None:
        """Hand the relay's state what a socket says. Raises SocketClosed."""
        deadline = self._settings.register_deadline
        with trio.move_on_after(deadline) as registering:
            while self._state.peer_of(connection.number) is None:
                self._take(connection, await connection.socket.receive())
        if registering.cancelled_caught:
            why = f"no register within {deadline:g} s"
            self._close(connection, CloseCode.REGISTER_TIMEOUT, why)
        else:
            self._tell_registered(connection)
        while True:
            self._take(connection, await connection.socket.receive())

    def _take(self, connection: _Connection, frame: str | bytes) -> None:
        if connection.is_closing:
            return
        match connection.limit.judge(trio.current_time()):
            case Verdict.PASS:
                outputs = self._state.receive(connection.number, frame)
                connection.limit.charge(len(outputs))
                self._perform(outputs)
            case Verdict.REFUSE:
                why = f"More than {self._settings.rate_limit:g} messages a second; slow down."
                error = ErrorEvent(ErrorCode.RATE_LIMITED, why)
                self._perform([Send(connection.number, error)])
            case Verdict.CLOSE:
                why = "too many messages for too long"
                self._close(connection, CloseCode.RATE_LIMITED, why)

    def _close(self, connection: _Connection, code: CloseCode, why: str) -> None:
        """Close a socket that has earned it; what it says from now on counts for nothing."""
        if connection.is_closing:
            return
        connection.is_closing = True
        connection.socket.close(code, why)
        self._metrics.drop(drop_reason(code))
        self._log_closed(connection, code, why)

    def _tell_registered(self, connection: _Connection) -> None:
        peer = self._state.peer_of(connection.number)
        assert peer is not None
        self._metrics.registered(peer.role)
        remote = connection.remote
        extra = about(user=peer.user_id, role=peer.role, socket=connection.number, remote=remote)
        log.info("registered", extra=extra)

    def _tell_closed(self, connection: _Connection, exc: SocketClosed) -> None:
        if connection.is_closing:
            return  # that has been told already
        if exc.code not in _GOOD_ENDS:
            self._metrics.drop(drop_reason(exc.code))
        self._log_closed(connection, exc.code, exc.reason)

    def _log_closed(self, connection: _Connection, code: int, why: str) -> None:
        peer = self._state.peer_of(connection.number)
        extra = about(
            user=None if peer is None else peer.user_id,
            socket=connection.number,
            remote=connection.remote,
            code=code,
            reason=why,
        )
        log.info("socket closed", extra=extra)

    # ── outputs ──────────────────────────────────────────────────────────────────────────────────

    def _perform(self, outputs: list[Output]) -> None:
        last: FromRelay | None = None
        text = ""
        for output in outputs:
            match output:
                case Send(id, message):
                    # One message often goes to many, one after the other.
                    if message is not last:
                        last, text = message, encode_event(message)
                        self._count(message)
                    self._connections[id].socket.post(text)
                case Close(id, code, why):
                    self._close(self._connections[id], code, why)
                case Probe(id, heir):
                    answered = partial(self._alive, id, heir)
                    self._connections[id].socket.probe(ALIVE_DEADLINE, answered)
                case _:
                    self._perform_on_session(output)

    def _perform_on_session(
        self, output: SessionBegan | SessionAnswered | GraceBegan | GraceEnded | SessionOver
    ) -> None:
        id = output.session_id
        match output:
            case SessionBegan(_, evaluator_id, client_id, resumed):
                lifetime = self._lifetimes[id] = SessionLifetime(self._settings.grace)
                self._begun.send_nowait((id, lifetime))
                self._metrics.session_started()
                if resumed:
                    self._metrics.session_resumed()
                what = "session resumed" if resumed else "session started"
                log.info(what, extra=about(session=id, user=evaluator_id, peer=client_id))
            case SessionAnswered():
                self._metrics.handshake(trio.current_time() - self._lifetimes[id].began)
            case GraceBegan(_, role, user_id):
                self._lifetimes[id].begin_grace(role)
                log.info("away", extra=about(session=id, user=user_id, role=role))
            case GraceEnded(_, role, user_id):
                self._lifetimes[id].end_grace(role)
                log.info("back", extra=about(session=id, user=user_id, role=role))
            case SessionOver(_, reason):
                self._lifetimes.pop(id).end()
                self._metrics.session_ended(reason)
                log.info("session ended", extra=about(session=id, reason=reason))

    def _alive(self, socket: Hashable, heir: Hashable) -> None:
        if not self._is_draining:
            self._perform(self._state.alive(socket, heir))

    def _grace_over(self, session_id: str, role: Role) -> None:
        try:
            self._perform(self._state.grace_over(session_id, role))
        except Exception:
            log.exception("a session failed; the others go on", extra=about(session=session_id))

    def _count(self, message: FromRelay) -> None:
        match message:
            case ForwardedSignal():
                self._metrics.signal_forwarded()
            case ErrorEvent(code):
                self._metrics.error(code)
            case _:
                pass


def _is_local(request: Request) -> bool:
    """Whether nobody from elsewhere asks, not even through a proxy."""
    return is_loopback(request.remote) and "x-forwarded-for" not in request.headers


@asynccontextmanager
async def open_relay(
    listeners: Listeners, settings: Settings | None = None
) -> AsyncIterator[Relay]:
    """Own a relay that serves on these listeners; leaving the block drains it."""
    relay = Relay(settings or Settings())
    async with open_background() as nursery:
        nursery.start_soon(relay.run_sessions)
        await nursery.start(serve_site, relay.site, listeners)
        try:
            yield relay
        finally:
            with trio.CancelScope(shield=True):
                await relay.drain()
