"""The evaluator's library API: `open_evaluator`, `open_session`, `show`, `preload`, `stages`."""

import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import assert_never

import trio

from imgsync.core.channel import outputs as channel
from imgsync.core.channel.outputs import (
    Acked,
    Drop,
    Forgotten,
    NeverShown,
    PeerSpeaks,
    Pinged,
    Ponged,
    PresenterOutput,
    Staged,
    Transmit,
)
from imgsync.core.channel.presenter import Presenter
from imgsync.core.protocol.channel import Stage, UpcomingImage
from imgsync.core.protocol.errors import SessionEnded, Superseded
from imgsync.core.protocol.signalling import EndReason, Milliseconds, PresenceState, Role
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.evaluator.delivery import Delivery, Fate, StageBook, StageReport, Stages
from imgsync.images.ref import ImageRef
from imgsync.peer.account import Write
from imgsync.peer.changes import Changes
from imgsync.peer.joining import IcePolicy, join_relay
from imgsync.peer.session import PeerSession, open_peer_session
from imgsync.peer.signalling import Signalling
from imgsync.peer.talk import Talk
from imgsync.peer.token_source import TokenSource
from imgsync.seams import Network
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)


class _Waiter:
    """A showing whose ack is waited for."""

    def __init__(self, fate: Fate) -> None:
        self.fate = fate
        self.done = trio.Event()
        self.delivery: Delivery | None = None
        self.is_superseded = False


class EvaluatorSession:
    """A connected session with one client. Made by `Evaluator.open_session`."""

    def __init__(self, peer: PeerSession, presenter: Presenter) -> None:
        self._peer = peer
        self._account = peer.account
        self._presenter = presenter
        self._waiters: dict[Milliseconds, _Waiter] = {}
        self._book = StageBook()

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
        fate = self._book.add(image, message.sent_at)
        waiter = self._waiters[message.sent_at] = _Waiter(fate)
        try:
            self._perform(outputs)
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

    def preload(self, images: Sequence[ImageRef]) -> None:
        """Tell the client what will be shown soon, the next one first; never waits.

        It takes the place of what was announced before. A client that speaks `preload` is told,
        and told again when it comes back, of what has not been shown until then. Keep it to what is
        near: an image that is shown meanwhile waits behind it on the channel.

        Raises SessionEnded, and MessageTooLarge for URLs that don't fit into a message.
        """
        self.raise_if_ended()
        upcoming = [UpcomingImage(image.image_url, image.signed_url) for image in images]
        self._perform(self._presenter.preload(upcoming))

    def stages(self) -> AsyncIterator[StageReport]:
        """What becomes of the images, from the beginning, as the client tells it; stops at the end.

        A client that does not speak `stage` tells nothing. Who falls behind by more than a thousand
        reports misses some.
        """
        return Stages(self._book)

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

    # ── the talk ─────────────────────────────────────────────────────────────────────────────────

    def _opened(self) -> None:
        self._perform(self._presenter.opened())

    def _received(self, text: str | bytes, at: Milliseconds) -> None:
        self._perform(self._presenter.received(text), at)

    def _closed(self) -> None:
        self._perform(self._presenter.closed())

    def _ended(self) -> None:
        assert self._peer.end is not None
        for output in self._presenter.closed():
            if isinstance(output, channel.Superseded):
                self._account.superseded(output.image)
        for waiter in self._waiters.values():
            waiter.done.set()
        self._book.end(self._peer.end.reason, self._peer.end.detail)

    def _perform(self, outputs: Sequence[PresenterOutput], at: Milliseconds = 0) -> None:
        """Carry out what the core decides.

        :param at: when the message that led to it came in, where one did.
        """
        for output in outputs:
            match output:
                case Transmit(text, image, copy):
                    self._peer.send(text)
                    if image is not None:
                        self._account.sent(image, copy)
                case Acked():
                    self._acked(output, at)
                case channel.Superseded(image):
                    self._account.superseded(image)
                    waiter = self._waiters.get(image.sent_at)
                    if waiter is not None:
                        waiter.is_superseded = True
                        waiter.done.set()
                case Staged(image, stage, staged_at, reason):
                    said = Stage(image.image_index, image.sent_at, stage, staged_at, reason)
                    self._book.report(said, self._account.staged(said))
                case NeverShown(image):
                    self._book.give_up(image.sent_at)
                case Forgotten(image):
                    self._book.forget(image.sent_at)
                case Pinged() | Ponged():
                    self._peer.beat(output, at)
                case PeerSpeaks(features):
                    self._book.peer_speaks(features)
                    self._peer.beat(output, at)
                case Drop(why):
                    log.info("session %s: dropped a message: %s", self.id, why)
                case _:
                    assert_never(output)

    def _acked(self, acked: Acked, at: Milliseconds) -> None:
        image, received_at = acked.image, acked.received_at
        latency = self._account.acked(image, received_at, at)
        waiter = self._waiters.get(image.sent_at)
        if waiter is not None:
            about = (image.sent_at, received_at, at, acked.copies, latency)
            waiter.delivery = Delivery(waiter.fate.image, *about, waiter.fate)
            waiter.done.set()


class Evaluator:
    """An evaluator at a relay. Made by `open_evaluator`."""

    def __init__(self, signalling: Signalling, network: Network, write: Write) -> None:
        self._signalling = signalling
        self._network = network
        self._write = write

    @property
    def clients(self) -> dict[str, PresenceState]:
        """Who is online, as the relay has said last."""
        return dict(self._signalling.clients)

    async def wait_available(self, client_id: str) -> None:
        """Wait until a client is online and in no session; another evaluator may be quicker."""
        await self._signalling.wait_available(client_id)

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

        ways = (self._network, self._signalling.ice_servers)
        opening = open_peer_session(route, *ways, make_talk, self._write, offers=True)
        async with opening as peer:
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
    log_file: str | os.PathLike[str] | None = None,
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
    :param log_file: where the record of all sessions is written to; see `imgsync.journal`.
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
        log_file=log_file,
        network=network,
    ) as (signalling, over, write):
        yield Evaluator(signalling, over, write)
