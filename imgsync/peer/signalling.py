"""Signalling of one peer: registered, and registered again whenever the relay was lost.

    CONNECTING ── registered ──▶ UP ── socket closed ──▶ DOWN ── backoff ──▶ CONNECTING ...

The first registration is part of opening, and its failure is the caller's, unless it may pass: a
relay that is `unavailable` is tried again from the first. After that a lost relay comes back by
itself; sessions are told, and decide for themselves what it means to them. An evaluator has the
relay take its sessions up again, which a relay that was restarted has forgotten. What a relay could
not carry out is said again some time later; signals are made up for by the handshake, as are those
that were lost on the way.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import TypeVar, assert_never

import attrs
import trio

from imgsync.backoff import backoff
from imgsync.core.codec.codec import decode_from_relay, encode_event
from imgsync.core.handshake.inputs import (
    EndCame,
    PeerCame,
    PeerTaken,
    PeerWent,
    RelayBack,
    RelayLost,
    RouteInput,
    SignalCame,
)
from imgsync.core.handshake.sessions import (
    Answered,
    Asked,
    Back,
    Begin,
    Disown,
    End,
    Gone,
    Invited,
    Leave,
    Named,
    Sessions,
    SessionsOutput,
    Speaks,
    Taken,
)
from imgsync.core.protocol.errors import (
    ConnectError,
    ConnectTimeout,
    InputError,
    RelayError,
    SignallingLost,
    SocketClosed,
    UpgradeRefused,
    WireError,
)
from imgsync.core.protocol.numbers import (
    DEFAULT_STUN,
    MAX_INCOMING,
    PROBE_DEADLINE,
    REGISTER_DEADLINE,
)
from imgsync.core.protocol.signalling import (
    ClientEntry,
    CloseCode,
    EndSession,
    ErrorCode,
    ErrorEvent,
    Features,
    ForwardedSignal,
    FromRelay,
    IceServer,
    IceServersChanged,
    PeerAway,
    PeerBack,
    Presence,
    Presences,
    PresenceState,
    Ref,
    Register,
    Registered,
    RelayPong,
    Role,
    SessionEndedEvent,
    SessionStarted,
    StartSession,
    ToRelay,
    Waiting,
)
from imgsync.peer.again import Again
from imgsync.peer.route import Route
from imgsync.peer.servers import NamedServers
from imgsync.peer.starting import OpenOn, Starting
from imgsync.peer.token_source import TokenSource, read_token
from imgsync.seams import Network, Socket
from imgsync.tasks import Bell, open_background

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_RETRY_AFTER = 60.0
"""Seconds: so long we wait, at most, because whoever refuses a connection says so."""

DEFAULT_ICE_SERVERS: tuple[IceServer, ...] = (IceServer(DEFAULT_STUN),)
"""What a peer uses where the relay names no list; an empty list means none."""


# ── registering ──


async def register_on(socket: Socket, register: Register) -> Registered:
    """Register, and wait for the answer. Raises RelayError, ConnectTimeout and SocketClosed."""
    socket.post(encode_event(register))
    with trio.move_on_after(REGISTER_DEADLINE):
        while True:
            try:
                message = await receive_message(socket)
            except SocketClosed as exc:
                if exc.code != CloseCode.UNAUTHORIZED:
                    raise
                # Of a relay that closes without an error event.
                why = f"{exc.reason or 'unauthorized'}; ask whoever runs it for a token"
                raise _refusal(ErrorCode.UNAUTHORIZED, why, register) from None
            match message:
                case Registered():
                    return message
                case ErrorEvent(code, why):
                    raise _refusal(code, why, register)
    raise ConnectTimeout(f"the relay did not answer register within {REGISTER_DEADLINE:g} s")


def _refusal(code: ErrorCode, message: str, register: Register) -> RelayError:
    """What the relay answers to our register, without the token, and how to send one."""
    if register.token is not None:
        message = message.replace(register.token, "(token)")
    elif code is ErrorCode.UNAUTHORIZED:
        message = message.removesuffix(".")
        message += " (it is given with --token-file, --token or IMGSYNC_TOKEN)"
    return RelayError(code, f"the relay refused to register us: {message}")


async def receive_message(socket: Socket) -> FromRelay:
    """The next message of the relay that can be read. Raises SocketClosed."""
    while True:
        frame = await socket.receive()
        try:
            return decode_from_relay(frame)
        except WireError as exc:
            log.warning("ignoring a frame of the relay: %s", exc)


# ── who is online, and the sessions ──


class Online:
    """The clients that are at the relay, and waiting for one."""

    def __init__(self) -> None:
        self.clients: dict[str, PresenceState] = {}
        self._has_relay = False
        self._changed = Bell()

    def registered(self, entries: Iterable[ClientEntry]) -> None:
        """The relay is there, and says who else is."""
        self.clients = {entry.user_id: entry.state for entry in entries}
        self._has_relay = True
        self._changed.ring()

    def relay_lost(self) -> None:
        """What it has said last is of no use until it is back."""
        self._has_relay = False

    def changed(self, presence: Presence | ClientEntry) -> None:
        """A client came, went, became busy or free again."""
        if presence.state is PresenceState.OFFLINE:
            self.clients.pop(presence.user_id, None)
        else:
            self.clients[presence.user_id] = presence.state
        self._changed.ring()

    async def wait_state(self, user_id: str, state: PresenceState) -> None:
        """Wait until the relay is there, and a client in this state as far as it has said."""
        while not self._has_relay or self.clients.get(user_id) is not state:
            await self._changed.wait()


class Routes:
    """One for each session that somebody here has use for.

    :param starts: whether this is an evaluator, who asks for sessions.
    :param post: sends to the relay; raises SignallingLost.
    :param probe: looks whether the relay is still there.
    :param reconnect: it does not answer: register at it anew.
    """

    def __init__(
        self,
        *,
        starts: bool,
        post: Callable[[ToRelay], None],
        probe: Callable[[], None],
        reconnect: Callable[[], None],
    ) -> None:
        self._post = post
        self._open_route = partial(
            Route, post=post, take_up=self._take_up, probe=probe, forget=self._forget
        )
        self._routes: dict[str, Route] = {}
        self._sessions = Sessions(starts=starts)
        self._starting = Starting(
            self._sessions, self._perform, self._make_early, post, probe, reconnect
        )
        #: Sessions that evaluators have started with us.
        self._invite, self.incoming = trio.open_memory_channel[Route](MAX_INCOMING)

    # ── what is wanted of the relay ──────────────────────────────────────────────────────────────

    def open_session(self, client_id: str, open_on: OpenOn[T]) -> AbstractAsyncContextManager[T]:
        """Ask for a session, and open it. Raises RelayError, SignallingLost and ConnectTimeout."""
        return self._starting.open_session(client_id, open_on)

    async def take_up_sessions(self) -> None:
        """Have the relay take up what it may have forgotten, until cancelled."""
        await self._starting.take_up_sessions()

    def end_all(self) -> None:
        """End those that nobody has entered, and will not any more."""
        for session_id in [*self._routes]:
            with suppress(SignallingLost):
                self._end(EndSession(session_id))

    # ── what the relay says ──────────────────────────────────────────────────────────────────────

    def registered(
        self, features: Features = (), clients: Iterable[tuple[str, Features]] = ()
    ) -> None:
        """The relay is there, or there again; it speaks this, and so do the clients."""
        self._sessions.registered(features, clients)
        self._starting.registered()
        self._starting.ask()

    def relay_lost(self) -> None:
        """There is no relay, until it is registered at again."""
        self._sessions.relay_lost()
        self._starting.answer(SignallingLost("the relay was lost before it answered; try again"))
        for route in self._routes.values():
            route.put(RelayLost())

    def started(self, message: SessionStarted) -> None:
        """We are in a session."""
        self._perform(self._sessions.started(message))

    def refused(self, error: RelayError, ref: Ref | None = None) -> bool:
        """No session is started, of the question of this name. Returns whether that is open."""
        return self._sessions.is_refusal(ref) and self._starting.answer(error)

    def client_speaks(self, client_id: str, features: Features) -> None:
        """What a client speaks, which may have been started again."""
        self._perform(self._sessions.speaks(client_id, features))

    def client_went(self, client_id: str) -> None:
        """A client is not there; who comes in its place may speak something else."""
        self._sessions.early.speaks(client_id, ())

    def may_ask(self) -> None:
        """What was refused before may be taken up by now."""
        self._sessions.may_ask()
        self._starting.ask()

    def say_again(self) -> None:
        """What the relay could not carry out may be possible by now."""
        self._starting.say_again()

    def signal_came(self, message: ForwardedSignal) -> None:
        """The other side of one says something."""
        session_id = message.session_id or self._sessions.last_with(message.from_user_id)
        if session_id is not None:
            self.heard(session_id, SignalCame(message.signal))

    def ended(self, session_id: str, end: EndCame) -> None:
        """The relay has ended one."""
        self._sessions.told(session_id)
        self.heard(session_id, end)

    def heard(self, session_id: str, item: RouteInput) -> None:
        """The relay says something of one, if it means the one that is known by this id."""
        if self._sessions.hears(session_id):
            self.put(session_id, item)

    def put(self, session_id: str, item: RouteInput) -> None:
        """Hand it to a session, if that is known."""
        if session_id in self._routes:
            self._routes[session_id].put(item)

    # ── what is decided ──────────────────────────────────────────────────────────────────────────

    def _perform(self, outputs: Sequence[SessionsOutput]) -> None:
        for output in outputs:
            match output:
                case Begin(session_id):
                    self._routes[session_id] = self._make_route(output)
                case Named(_, session_id):
                    route = self._starting.name(output)
                    if route is not None and not output.is_over:
                        self._routes[session_id] = route
                case Invited(session_id):
                    self._offer(self._routes[session_id])
                case Answered(session_id):
                    self._starting.answer(None if session_id is None else self._routes[session_id])
                case Back(session_id, features):
                    self._routes[session_id].features = features
                    self.put(session_id, RelayBack())
                case Speaks(session_id, features):
                    self._routes[session_id].features = features
                case Gone(session_id, reason):
                    self.put(session_id, EndCame(reason))
                case Taken(session_id):
                    self.put(session_id, PeerTaken())
                case End(message):
                    log.info("ending session %s, which is over here", message.session_id)
                    self._end(message)
                case Disown(message):
                    id, peer_id = message.session_id, message.target_user_id
                    log.info("session %s is with %s, whatever the relay says", id, peer_id)
                    self._post(message)
                case Leave(session_id):
                    log.info("leaving session %s alone, which was not started here", session_id)
                case _:
                    assert_never(output)

    def _make_route(self, begin: Begin) -> Route:
        return self._open_route(
            begin.session_id,
            begin.peer_id,
            begin.peer_name,
            resumed=begin.resumed,
            owner_unknown=begin.owner_unknown,
            features=begin.features,
            end=self._end,
        )

    def _make_early(self, asked: Asked) -> Route:
        """Of a session whose id is not known: the question's name stands for it."""
        ref, client_id = asked.ref, asked.client_id
        assert ref is not None

        def end(message: EndSession) -> None:
            if message.session_id:
                self._end(message)
            else:
                self._sessions.early.over(ref, message)

        return self._open_route(
            "",
            client_id,
            client_id,
            resumed=False,
            owner_unknown=False,
            ref=ref,
            end=end,
        )

    def _offer(self, route: Route) -> None:
        try:
            self._invite.send_nowait(route)
        except trio.WouldBlock:
            log.warning("refusing session %s: none of those before was taken", route.session_id)
            route.end()
            route.close()

    def _end(self, message: EndSession) -> None:
        """Tell the relay; it may ask about the session until it says the same."""
        self._sessions.over(message)
        self._post(message)

    def _take_up(self, session_id: str) -> None:
        self._sessions.take_up(session_id)
        self._starting.ask()

    def _forget(self, session_id: str) -> None:
        self._sessions.forget(session_id)
        self._routes.pop(session_id, None)


# ── all of it ──


class Signalling:
    """A peer's place at the relay. Made by `open_signalling`."""

    def __init__(self, register: Register, token: TokenSource) -> None:
        self._register = register
        #: Asked at each registration: a token expires, and another one takes its place.
        self._token = token
        self._socket: Socket | None = None
        is_evaluator = register.role is Role.EVALUATOR
        self._routes = Routes(
            starts=is_evaluator, post=self.post, probe=self.probe, reconnect=self._reconnect
        )
        self._again = Again(self._routes.say_again)
        self._online = Online()
        #: Cancelled to register anew.
        self._stay = trio.CancelScope()
        #: What the relay says to use.
        self.servers = NamedServers(DEFAULT_ICE_SERVERS, lambda: self._stay.cancel())

    # ── what evaluators and clients want of it ───────────────────────────────────────────────────

    @property
    def incoming(self) -> trio.MemoryReceiveChannel[Route]:
        """Sessions that evaluators have started with us."""
        return self._routes.incoming

    @property
    def ice_servers(self) -> Sequence[IceServer]:
        """What the relay has named last."""
        return self.servers.current

    @property
    def clients(self) -> dict[str, PresenceState]:
        """Who is online, as evaluators are told."""
        return self._online.clients

    async def wait_state(self, user_id: str, state: PresenceState) -> None:
        """Wait until the relay is there, and a client in this state as far as it has said."""
        await self._online.wait_state(user_id, state)

    def open_session(self, client_id: str, open_on: OpenOn[T]) -> AbstractAsyncContextManager[T]:
        """Ask for a session, and open it. Raises RelayError, SignallingLost and ConnectTimeout.

        :param open_on: is given the way to it, which may be there before the relay has answered.
        """
        return self._routes.open_session(client_id, open_on)

    async def take_up_sessions(self) -> None:
        """Have the relay take up what it may have forgotten, until cancelled."""
        await self._routes.take_up_sessions()

    async def say_again(self) -> None:
        """Say again what the relay could not carry out, until cancelled."""
        await self._again.run()

    def post(self, message: ToRelay) -> None:
        """Send to the relay; never waits. Raises SignallingLost."""
        if self._socket is None:
            raise SignallingLost("there is no connection to the relay at this moment; try again")
        self._socket.post(encode_event(message))

    def probe(self) -> None:
        """Look whether the relay is still there, sooner than its heartbeat would."""
        if self._socket is not None:
            self._socket.probe(PROBE_DEADLINE)

    def _reconnect(self) -> None:
        if self._socket is not None:
            self._socket.probe(0)

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
        """Stay registered until cancelled; raises only where the first attempt fails for good."""
        is_first = True
        failures = 0
        while True:
            asked_for = 0.0
            try:
                register = attrs.evolve(self._register, token=read_token(self._token))
                async with network.open_socket(url) as socket:
                    self._registered(socket, await register_on(socket, register))
                    if is_first:
                        task_status.started()
                    is_first, failures = False, 0
                    with trio.CancelScope() as self._stay:
                        while True:
                            self._handle(await receive_message(socket))
            except (ConnectError, SocketClosed, RelayError, InputError) as exc:
                if is_first and not (isinstance(exc, RelayError) and exc.code.is_outage):
                    raise
                what = "does not take us yet" if is_first else "was lost"
                log.warning("the relay %s and will be tried again: %s", what, exc)
                if isinstance(exc, UpgradeRefused):
                    asked_for = exc.retry_after
            finally:
                self._lost()
            await trio.sleep(max(backoff(failures), min(asked_for, MAX_RETRY_AFTER)))
            failures += 1

    def _registered(self, socket: Socket, registered: Registered) -> None:
        self._socket = socket
        self.servers.named(registered.ice_servers)
        self._online.registered(registered.clients or ())
        clients = [(entry.user_id, entry.features) for entry in registered.clients or ()]
        self._routes.registered(registered.features, clients)

    def _lost(self) -> None:
        self._socket = None
        self._online.relay_lost()
        self._routes.relay_lost()

    # ── what the relay says ──────────────────────────────────────────────────────────────────────

    def _handle(self, message: FromRelay) -> None:
        match message:
            case IceServersChanged(servers):
                self.servers.named(servers)
            case SessionStarted():
                self._routes.started(message)
            case ForwardedSignal():
                self._routes.signal_came(message)
            case SessionEndedEvent(session_id, reason, _, detail):
                self._routes.ended(session_id, EndCame(reason, detail or ""))
            case PeerAway(session_id):
                self._routes.heard(session_id, PeerWent())
            case PeerBack(session_id):
                self._routes.heard(session_id, PeerCame())
            case Presence():
                self._changed(message)
            case Presences(clients):
                for client in clients:
                    self._changed(client)
            case ErrorEvent(code, text, event, ref):
                if code.is_outage:
                    self._again.later()
                is_start = event == StartSession.EVENT
                if not is_start or not self._routes.refused(RelayError(code, text), ref):
                    level = logging.WARNING if code.is_outage else logging.INFO
                    log.log(level, "the relay refused %s: %s", event, text)
            case Registered():
                log.info("the relay registered us twice")
            case RelayPong() | Waiting():
                pass  # of whom asks by an event, or has a door: that is pages
            case _:
                assert_never(message)

    def _changed(self, client: Presence | ClientEntry) -> None:
        self._online.changed(client)
        if client.state is PresenceState.OFFLINE:
            self._routes.client_went(client.user_id)
        else:
            self._routes.client_speaks(client.user_id, client.features)
            self._routes.may_ask()


@asynccontextmanager
async def open_signalling(
    network: Network, url: str, register: Register, token: TokenSource = None
) -> AsyncIterator[Signalling]:
    """Register at a relay and stay registered, with what is the token at that moment.

    Raises ConnectError, RelayError, SocketClosed and InputError where the first attempt fails; one
    that the relay can't carry out now (`unavailable`) is made again.
    """
    signalling = Signalling(register, token)
    async with open_background() as nursery:
        await nursery.start(signalling.run, network, url)
        nursery.start_soon(signalling.take_up_sessions)
        nursery.start_soon(signalling.say_again)
        try:
            yield signalling
        finally:
            signalling.end_sessions()
