"""Signalling of one peer: registered, and registered again whenever the relay was lost.

    CONNECTING ── registered ──▶ UP ── socket closed ──▶ DOWN ── backoff ──▶ CONNECTING ...

The first registration is part of opening, and its failure is the caller's. After that a lost relay
comes back by itself; sessions are told, and decide for themselves what it means to them. An
evaluator has the relay take its sessions up again, which a relay that was restarted has forgotten.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import attrs
import trio

from imgsync.backoff import backoff
from imgsync.core.codec.codec import decode_from_relay, encode_event
from imgsync.core.protocol.errors import (
    ConnectError,
    ConnectTimeout,
    InputError,
    RelayError,
    SignallingLost,
    SocketClosed,
    WireError,
)
from imgsync.core.protocol.numbers import DEFAULT_STUN, PROBE_DEADLINE, REGISTER_DEADLINE
from imgsync.core.protocol.signalling import (
    CloseCode,
    EndReason,
    EndSession,
    ErrorCode,
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
from imgsync.peer.route import EndCame, PeerCame, PeerWent, RelayBack, RelayLost, Route, SignalCame
from imgsync.peer.starting import Start
from imgsync.peer.token_source import TokenSource, read_token
from imgsync.seams import Network, Socket
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

DEFAULT_ICE_SERVERS: tuple[IceServer, ...] = (IceServer(DEFAULT_STUN),)
"""What a peer uses where the relay names no list; an empty list means none."""

MAX_INCOMING = 16
"""Sessions that may wait for a client to take them; it can be in one only."""

MAX_UNTOLD = 1000
"""Sessions whose end the relay is still to be told of. It does not ask about one that it has ended
by itself meanwhile, so that nothing else would ever remove that."""


class Signalling:
    """A peer's place at the relay. Made by `open_signalling`."""

    def __init__(self, register: Register, token: TokenSource) -> None:
        self._register = register
        #: Asked at each registration: a token expires, and another one takes its place.
        self._token = token
        self._socket: Socket | None = None
        self._routes: dict[str, Route] = {}
        #: Sessions that the relay may have forgotten, and what is set when it may be asked again.
        self._forgotten: set[str] = set()
        self._may_ask = trio.Event()
        #: Sessions that are over without the relay's having been told.
        self._untold: deque[str] = deque(maxlen=MAX_UNTOLD)
        #: The relay's errors don't name the client, so only one start is under way at a time.
        self._start_lock = trio.Lock()
        self._start: Start | None = None
        #: Sessions that evaluators have started with us.
        self._offer_route, self.incoming = trio.open_memory_channel[Route](MAX_INCOMING)
        #: What the relay says to use.
        self.ice_servers = DEFAULT_ICE_SERVERS
        #: Who is online, as evaluators are told.
        self.clients: dict[str, PresenceState] = {}
        #: Whether this process was registered before it lost the relay.
        self._was_here = False
        #: Of the next change of these.
        self._clients_changed = trio.Event()

    def post(self, message: ToRelay) -> None:
        """Send to the relay; never waits. Raises SignallingLost."""
        if self._socket is None:
            raise SignallingLost("there is no connection to the relay at this moment; try again")
        self._socket.post(encode_event(message))

    async def wait_available(self, user_id: str) -> None:
        """Wait until the relay is there, and a client online and free as far as it has said."""
        # While the relay is lost, what it has said last is of no use.
        while self._socket is None or self.clients.get(user_id) is not PresenceState.AVAILABLE:
            await self._clients_changed.wait()

    def _tell_clients(self) -> None:
        self._clients_changed.set()
        self._clients_changed = trio.Event()

    def probe(self) -> None:
        """Look whether the relay is still there, sooner than its heartbeat would."""
        if self._socket is not None:
            self._socket.probe(PROBE_DEADLINE)

    async def start_session(self, client_id: str) -> Route:
        """Ask for a session. Raises RelayError, SignallingLost and ConnectTimeout."""
        async with self._start_lock:
            self._start = start = Start(client_id)
            try:
                self.post(StartSession(client_id))
                return await start.wait()
            finally:
                self._start = None

    async def take_up_sessions(self) -> None:
        """Have the relay take up what it may have forgotten, until cancelled."""
        while True:
            self._may_ask = trio.Event()
            for session_id in sorted(self._forgotten):
                route = self._routes.get(session_id)
                if route is None:
                    self._forgotten.discard(session_id)
                elif self._socket is not None:
                    await self._take_up(route)
            await self._may_ask.wait()

    async def _take_up(self, route: Route) -> None:
        async with self._start_lock:
            self._start = start = Start(route.peer_id, route.session_id)
            try:
                self.post(StartSession(route.peer_id, route.session_id))
                await start.wait()
            except RelayError as exc:
                # What may pass is tried again when it has: presence tells of it.
                if not exc.code.may_pass:
                    self._forgotten.discard(route.session_id)
                    route.put(EndCame(EndReason.PEER_GONE))
            except (SignallingLost, ConnectTimeout) as exc:
                log.info("session %s was not taken up: %s", route.session_id, exc)
            finally:
                self._start = None

    def _ask_to_take_up(self, session_id: str) -> None:
        self._forgotten.add(session_id)
        self._may_ask.set()

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
                    await self._register_on(socket, register)
                    self._socket = socket
                    if is_first:
                        task_status.started()
                    self._was_here = not is_first
                    is_first, failures = False, 0
                    self._may_ask.set()
                    self._tell_clients()
                    await self._receive(socket)
            except (ConnectError, SocketClosed, RelayError, InputError) as exc:
                if is_first:
                    raise
                log.warning("the relay was lost and will be tried again: %s", exc)
            finally:
                self._lost()
            await trio.sleep(backoff(failures))
            failures += 1

    async def _register_on(self, socket: Socket, register: Register) -> None:
        socket.post(encode_event(register))
        with trio.move_on_after(REGISTER_DEADLINE):
            while True:
                match self._decode(await _receive_answer(socket, register)):
                    case Registered() as registered:
                        if registered.ice_servers is not None:
                            self.ice_servers = registered.ice_servers
                        entries = registered.clients or ()
                        self.clients = {entry.user_id: entry.state for entry in entries}
                        return
                    case ErrorEvent(code, message):
                        raise _refusal(code, message, register)
        raise ConnectTimeout(f"the relay did not answer register within {REGISTER_DEADLINE:g} s")

    async def _receive(self, socket: Socket) -> None:
        while True:
            message = self._decode(await socket.receive())
            if message is not None:
                self._handle(message)

    def _decode(self, frame: str | bytes) -> FromRelay | None:
        try:
            return decode_from_relay(frame)
        except WireError as exc:
            log.warning("ignoring a frame of the relay: %s", exc)
            return None

    def _lost(self) -> None:
        self._socket = None
        if self._start is not None:
            self._start.answer(SignallingLost("the relay was lost before it answered; try again"))
        for route in self._routes.values():
            route.put(RelayLost())
        if self._register.role is Role.EVALUATOR:
            self._forgotten |= self._routes.keys()

    # ── what the relay says ──────────────────────────────────────────────────────────────────────

    def _handle(self, message: FromRelay) -> None:
        match message:
            case SessionStarted():
                self._session_started(message)
            case ForwardedSignal():
                route = self._find(message)
                if route is not None:
                    route.put(SignalCame(message.signal))
            case SessionEndedEvent(session_id, reason):
                if session_id in self._routes:
                    self._routes[session_id].put(EndCame(reason))
            case PeerAway(session_id) | PeerBack(session_id):
                if session_id in self._routes:
                    went = isinstance(message, PeerAway)
                    self._routes[session_id].put(PeerWent() if went else PeerCame())
            case Presence(user_id, state):
                self.clients[user_id] = state
                if state is PresenceState.OFFLINE:
                    del self.clients[user_id]
                else:
                    self._may_ask.set()
                self._tell_clients()
            case ErrorEvent(code, text, event):
                if event == StartSession.EVENT and self._start is not None:
                    self._start.answer(RelayError(code, text))
                else:
                    log.info("the relay refused %s: %s", event, text)
            case Registered():
                log.info("the relay registered us twice")

    def _session_started(self, message: SessionStarted) -> None:
        session_id = message.session_id
        if session_id in self._routes:
            self._forgotten.discard(session_id)
            self._routes[session_id].put(RelayBack())
            if self._start is not None and self._start.session_id == session_id:
                self._start.answer(self._routes[session_id])
            return
        is_ours = self._register.role is Role.EVALUATOR
        peer_id = message.client_id if is_ours else message.evaluator_id
        is_awaited = self._start is not None and self._start.client_id == peer_id
        if session_id in self._untold or (is_ours and not is_awaited and not message.resumed):
            log.info("ending session %s, which nobody waits for any more", session_id)
            self._end(session_id)
            return
        if is_ours and message.resumed:
            # Of a process before this one, or of another one of the same user: not ours to touch.
            log.info("leaving session %s alone, which was not started here", session_id)
            return
        if not is_ours:
            # A client is in one session at most: those before are none of the relay's any more.
            for other in self._routes.values():
                other.put(EndCame(EndReason.PEER_GONE))
        route = Route(
            session_id,
            peer_id or "",
            message.evaluator_name or peer_id or "",
            resumed=message.resumed,
            # A process that was here before and is not in it was passed over when it began.
            is_disputed=message.resumed and self._was_here,
            post=self.post,
            end=self._end,
            take_up=self._ask_to_take_up,
            probe=self.probe,
            forget=self._forget,
        )
        self._routes[session_id] = route
        if self._start is not None:
            self._start.answer(route)
            return
        try:
            self._offer_route.send_nowait(route)
        except trio.WouldBlock:
            log.warning("refusing session %s: none of those before was taken", route.session_id)
            route.end()
            route.close()

    def _end(self, session_id: str) -> None:
        """Tell the relay; where it is lost, it is told when it takes the session up again."""
        if session_id not in self._untold:
            self._untold.append(session_id)
        self.post(EndSession(session_id))
        self._untold.remove(session_id)

    def end_sessions(self) -> None:
        """End those that nobody has entered, and will not any more."""
        for session_id in [*self._routes]:
            with suppress(SignallingLost):
                self._end(session_id)

    def _forget(self, session_id: str) -> None:
        self._routes.pop(session_id, None)

    def _find(self, message: ForwardedSignal) -> Route | None:
        """The session of a signal, by its id; a relay need not say it, then by the sender."""
        if message.session_id is not None:
            return self._routes.get(message.session_id)
        of_peer = [r for r in self._routes.values() if r.peer_id == message.from_user_id]
        return of_peer[-1] if of_peer else None


async def _receive_answer(socket: Socket, register: Register) -> str | bytes:
    try:
        return await socket.receive()
    except SocketClosed as exc:
        if exc.code != CloseCode.UNAUTHORIZED:
            raise
        # Of a relay that closes without an error event.
        message = f"{exc.reason or 'unauthorized'}; ask whoever runs it for a token"
        raise _refusal(ErrorCode.UNAUTHORIZED, message, register) from None


def _refusal(code: ErrorCode, message: str, register: Register) -> RelayError:
    """What the relay answers to our register, without the token, and how to send one."""
    if register.token is not None:
        message = message.replace(register.token, "(token)")
    elif code is ErrorCode.UNAUTHORIZED:
        message = message.removesuffix(".")
        message += " (it is given with --token-file, --token or IMGSYNC_TOKEN)"
    return RelayError(code, f"the relay refused to register us: {message}")


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
