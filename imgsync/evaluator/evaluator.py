"""The evaluator's library API: `open_evaluator`, `open_session`, `show`."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs
import trio

from imgsync.core import channel
from imgsync.core.channel import Acked, Drop, PeerSpeaks, Pinged, Ponged, Presenter, Transmit
from imgsync.core.errors import SessionEnded, Superseded
from imgsync.core.messages import EndReason, Milliseconds, PresenceState, Role
from imgsync.core.states import SessionState, StateChange
from imgsync.peer.changes import Changes
from imgsync.peer.joining import IcePolicy, join_relay
from imgsync.peer.session import PeerSession, open_peer_session
from imgsync.peer.signalling import Signalling
from imgsync.peer.talk import Talk
from imgsync.peer.token_source import TokenSource
from imgsync.seams import Network
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)


@attrs.frozen
class ImageRef:
    """An image that can be shown.

    :param index: its place in the series, from 0; the client sees it as `imageIndex`.
    :param image_url: what names it; never secret.
    :param signed_url: where the client fetches it. Kept out of every repr.
    :param name: for people.
    """

    index: int
    image_url: str
    signed_url: str = attrs.field(repr=False)
    name: str = ""


@attrs.frozen
class Delivery:
    """An image that the client has acked.

    :param image: what was shown.
    :param sent_at: when it was to be shown; evaluator's clock, ms since the epoch.
    :param received_at: when it came in at the client; client's clock, ms since the epoch.
    :param acked_at: when the ack came back; evaluator's clock, ms since the epoch.
    :param copies: how often it was sent until then; more than 1 after a repair.
    """

    image: ImageRef
    sent_at: Milliseconds
    received_at: Milliseconds
    acked_at: Milliseconds
    copies: int

    @property
    def round_trip(self) -> float:
        """Milliseconds from the showing to its ack, on one clock."""
        return float(self.acked_at - self.sent_at)


class _Waiter:
    """A showing whose ack is waited for."""

    def __init__(self, image: ImageRef) -> None:
        self.image = image
        self.done = trio.Event()
        self.delivery: Delivery | None = None
        self.is_superseded = False


class EvaluatorSession:
    """A connected session with one client. Made by `Evaluator.open_session`."""

    def __init__(self, peer: PeerSession, presenter: Presenter) -> None:
        self._peer = peer
        self._presenter = presenter
        self._waiters: dict[Milliseconds, _Waiter] = {}

    @property
    def id(self) -> str:
        """The relay's id of this session."""
        return self._peer.route.session_id

    @property
    def client_id(self) -> str:
        """Whom it is with."""
        return self._peer.route.peer_id

    async def show(self, image: ImageRef) -> Delivery:
        """Show an image now and wait for its ack.

        It becomes the current image at once, which is what a client that comes back is sent; while
        the session is interrupted, that is all that happens until it is repaired. Cancelling gives
        up the wait, not the showing. Trio starts tasks in any order: to show without waiting for
        acks, begin each with `nursery.start`, or send from one task.

        Raises Superseded, where the session was interrupted and another image was shown meanwhile,
        SessionEnded, and MessageTooLarge for URLs that don't fit into a message.
        """
        self.raise_if_ended()
        message, outputs = self._presenter.show(
            image.index, image.image_url, image.signed_url, now_ms()
        )
        waiter = self._waiters[message.sent_at] = _Waiter(image)
        try:
            self._transmit(outputs)
            await waiter.done.wait()
        finally:
            del self._waiters[message.sent_at]
        if waiter.is_superseded:
            raise Superseded(
                f"image {image.index} may not have reached the client: the connection was"
                " interrupted, and another image was to be shown meanwhile"
            )
        if waiter.delivery is None:
            self.raise_if_ended()
        assert waiter.delivery is not None
        return waiter.delivery

    async def wait_ended(self) -> EndReason:
        """Wait until the session is over, whoever ended it."""
        return await self._peer.wait_ended()

    def raise_if_ended(self) -> None:
        """Raise SessionEnded if the session is over."""
        if self._peer.end is not None:
            raise SessionEnded(self._peer.end.reason, self._peer.end.detail)

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._peer.state

    def changes(self) -> AsyncIterator[StateChange]:
        """Every change of state from the beginning, as it comes; stops at the end."""
        return Changes(self._peer)

    def _transmit(self, outputs: Sequence[Transmit | channel.Superseded]) -> None:
        for output in outputs:
            match output:
                case Transmit(text):
                    self._peer.send(text)
                case channel.Superseded(image):
                    waiter = self._waiters.get(image.sent_at)
                    if waiter is not None:
                        waiter.is_superseded = True
                        waiter.done.set()

    # ── the talk ─────────────────────────────────────────────────────────────────────────────────

    def _opened(self) -> None:
        self._transmit(self._presenter.opened())

    def _received(self, text: str | bytes, at: Milliseconds) -> None:
        for output in self._presenter.received(text):
            match output:
                case Transmit(copy):
                    self._peer.send(copy)
                case Acked(image, received_at, copies):
                    waiter = self._waiters.get(image.sent_at)
                    if waiter is not None:
                        waiter.delivery = Delivery(
                            waiter.image, image.sent_at, received_at, at, copies
                        )
                        waiter.done.set()
                case PeerSpeaks() | Pinged() | Ponged():
                    self._peer.beat(output, at)
                case Drop(why):
                    log.info("session %s: dropped a message: %s", self.id, why)

    def _closed(self) -> None:
        self._transmit(self._presenter.closed())

    def _ended(self) -> None:
        self._presenter.closed()
        for waiter in self._waiters.values():
            waiter.done.set()


class Evaluator:
    """An evaluator at a relay. Made by `open_evaluator`."""

    def __init__(self, signalling: Signalling, network: Network) -> None:
        self._signalling = signalling
        self._network = network

    @property
    def clients(self) -> dict[str, PresenceState]:
        """Who is online, as the relay has said last."""
        return dict(self._signalling.clients)

    @asynccontextmanager
    async def open_session(self, client_id: str) -> AsyncIterator[EvaluatorSession]:
        """A connected session with a client; leaving the block ends it in good order.

        Raises RelayError (the client is unknown or busy), SignallingLost, and SessionEnded where
        no connection comes about.
        """
        route = await self._signalling.start_session(client_id)
        session: EvaluatorSession | None = None

        def make_talk(peer: PeerSession) -> Talk:
            nonlocal session
            session = EvaluatorSession(peer, Presenter())
            return Talk(session._opened, session._received, session._closed, session._ended)

        servers = self._signalling.ice_servers
        async with open_peer_session(route, self._network, servers, make_talk, offers=True) as peer:
            await peer.wait_connected()
            assert session is not None
            yield session


@asynccontextmanager
async def open_evaluator(
    url: str,
    *,
    user_id: str,
    name: str | None = None,
    token: TokenSource = None,
    ice_addresses: Sequence[str] = (),
    ice_policy: IcePolicy = "all",
    network: Network | None = None,
) -> AsyncIterator[Evaluator]:
    """Register at a relay as an evaluator, and stay registered.

    Raises ConnectError, RelayError, SocketClosed and InputError.

    :param url: the relay's, ws:// or wss://.
    :param name: what clients are shown; the user id by default.
    :param token: for a relay that asks for one; a function is called at each registration, on
        Trio's thread.
    :param ice_addresses: the only local addresses to use for WebRTC; all but loopback by default.
    :param ice_policy: "relay" lets WebRTC go through a TURN server of the relay's alone, and tell
        the other side no address but its.
    :param network: stands in for the real one, in tests.
    """
    async with join_relay(
        url,
        Role.EVALUATOR,
        user_id=user_id,
        name=name,
        token=token,
        ice_addresses=ice_addresses,
        ice_policy=ice_policy,
        network=network,
    ) as (signalling, over):
        yield Evaluator(signalling, over)
