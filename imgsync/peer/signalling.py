"""Signalling of one peer: registered, and registered again whenever the relay was lost.

    CONNECTING ── registered ──▶ UP ── socket closed ──▶ DOWN ── backoff ──▶ CONNECTING ...

The first registration is part of opening, and its failure is the caller's. After that a lost relay
comes back by itself; sessions are told, and decide for themselves what it means to them. An
evaluator has the relay take its sessions up again, which a relay that was restarted has forgotten.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never

import attrs
import trio

from imgsync.backoff import backoff
from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.errors import (
    ConnectError,
    InputError,
    RelayError,
    SignallingLost,
    SocketClosed,
)
from imgsync.core.protocol.numbers import DEFAULT_STUN, PROBE_DEADLINE
from imgsync.core.protocol.signalling import (
    ErrorEvent,
    ForwardedSignal,
    FromRelay,
    IceServer,
    PeerAway,
    PeerBack,
    Presence,
    PresenceState,
    Register,
    Registered,
    Role,
    SessionEndedEvent,
    SessionStarted,
    StartSession,
    ToRelay,
)
from imgsync.peer.online import Online
from imgsync.peer.registering import receive_message, register_on
from imgsync.peer.route import EndCame, PeerCame, PeerWent, Route
from imgsync.peer.routes import Routes
from imgsync.peer.token_source import TokenSource, read_token
from imgsync.seams import Network, Socket
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

DEFAULT_ICE_SERVERS: tuple[IceServer, ...] = (IceServer(DEFAULT_STUN),)
"""What a peer uses where the relay names no list; an empty list means none."""


class Signalling:
    """A peer's place at the relay. Made by `open_signalling`."""

    def __init__(self, register: Register, token: TokenSource) -> None:
        self._register = register
        #: Asked at each registration: a token expires, and another one takes its place.
        self._token = token
        self._socket: Socket | None = None
        is_evaluator = register.role is Role.EVALUATOR
        self._routes = Routes(starts=is_evaluator, post=self.post, probe=self.probe)
        self._online = Online()
        #: What the relay says to use.
        self.ice_servers = DEFAULT_ICE_SERVERS

    # ── what evaluators and clients want of it ───────────────────────────────────────────────────

    @property
    def incoming(self) -> trio.MemoryReceiveChannel[Route]:
        """Sessions that evaluators have started with us."""
        return self._routes.incoming

    @property
    def clients(self) -> dict[str, PresenceState]:
        """Who is online, as evaluators are told."""
        return self._online.clients

    async def wait_available(self, user_id: str) -> None:
        """Wait until the relay is there, and a client online and free as far as it has said."""
        await self._online.wait_available(user_id)

    async def start_session(self, client_id: str) -> Route:
        """Ask for a session. Raises RelayError, SignallingLost and ConnectTimeout."""
        return await self._routes.start_session(client_id)

    async def take_up_sessions(self) -> None:
        """Have the relay take up what it may have forgotten, until cancelled."""
        await self._routes.take_up_sessions()

    def post(self, message: ToRelay) -> None:
        """Send to the relay; never waits. Raises SignallingLost."""
        if self._socket is None:
            raise SignallingLost("there is no connection to the relay at this moment; try again")
        self._socket.post(encode_event(message))

    def probe(self) -> None:
        """Look whether the relay is still there, sooner than its heartbeat would."""
        if self._socket is not None:
            self._socket.probe(PROBE_DEADLINE)

    def end_sessions(self) -> None:
        """End those that nobody has entered, and will not any more."""
        self._routes.end_all()

    # ── the connection ───────────────────────────────────────────────────────────────────────────

    async def run(
        self,
        network: Network,
        url: str,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Stay registered until cancelled; raises only where the first attempt fails."""
        is_first = True
        failures = 0
        while True:
            try:
                register = attrs.evolve(self._register, token=read_token(self._token))
                async with network.open_socket(url) as socket:
                    self._registered(socket, await register_on(socket, register))
                    if is_first:
                        task_status.started()
                    is_first, failures = False, 0
                    while True:
                        self._handle(await receive_message(socket))
            except (ConnectError, SocketClosed, RelayError, InputError) as exc:
                if is_first:
                    raise
                log.warning("the relay was lost and will be tried again: %s", exc)
            finally:
                self._lost()
            await trio.sleep(backoff(failures))
            failures += 1

    def _registered(self, socket: Socket, registered: Registered) -> None:
        self._socket = socket
        self.ice_servers = DEFAULT_ICE_SERVERS
        if registered.ice_servers is not None:
            self.ice_servers = registered.ice_servers
        self._online.registered(registered.clients or ())
        self._routes.registered()

    def _lost(self) -> None:
        self._socket = None
        self._online.relay_lost()
        self._routes.relay_lost()

    # ── what the relay says ──────────────────────────────────────────────────────────────────────

    def _handle(self, message: FromRelay) -> None:
        match message:
            case SessionStarted():
                self._routes.started(message)
            case ForwardedSignal():
                self._routes.signal_came(message)
            case SessionEndedEvent(session_id, reason):
                self._routes.put(session_id, EndCame(reason))
            case PeerAway(session_id):
                self._routes.put(session_id, PeerWent())
            case PeerBack(session_id):
                self._routes.put(session_id, PeerCame())
            case Presence(_, state):
                self._online.changed(message)
                if state is not PresenceState.OFFLINE:
                    self._routes.may_ask()
            case ErrorEvent(code, text, event):
                is_start = event == StartSession.EVENT
                if not is_start or not self._routes.refused(RelayError(code, text)):
                    log.info("the relay refused %s: %s", event, text)
            case Registered():
                log.info("the relay registered us twice")
            case _:
                assert_never(message)


@asynccontextmanager
async def open_signalling(
    network: Network, url: str, register: Register, token: TokenSource = None
) -> AsyncIterator[Signalling]:
    """Register at a relay and stay registered, with what is the token at that moment.

    Raises ConnectError, RelayError, SocketClosed and InputError where the first attempt fails.
    """
    signalling = Signalling(register, token)
    async with open_background() as nursery:
        await nursery.start(signalling.run, network, url)
        nursery.start_soon(signalling.take_up_sessions)
        try:
            yield signalling
        finally:
            signalling.end_sessions()
