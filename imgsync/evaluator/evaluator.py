"""The evaluator's library API: `open_evaluator`, `open_session`, `show`, `preload`, `stages`."""

import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import assert_never

from imgsync.core.channel import outputs as channel
from imgsync.core.channel.outputs import (
    Acked,
    Counted,
    Displayed,
    Drop,
    Forgotten,
    Identified,
    NeverShown,
    PresenterOutput,
    Recorded,
    Responded,
    Share,
    Staged,
    TooLarge,
    Transmit,
    Unsendable,
)
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.handshake.outputs import Ended
from imgsync.core.pictures.facts import Facts
from imgsync.core.protocol.channel import (
    Display,
    Identity,
    Image,
    Preloaded,
    Ready,
    Recording,
    TalkMessage,
)
from imgsync.core.protocol.errors import InputError, MessageTooLarge, NotSpoken
from imgsync.core.protocol.lengths import fits
from imgsync.core.protocol.numbers import FEATURE_PICTURES, MAX_ID
from imgsync.core.protocol.signalling import EndReason, Features, Milliseconds, PresenceState, Role
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.core.transfer.budget import Budget
from imgsync.evaluator.delivery import (
    Delivery,
    PictureReport,
    ResponseReport,
    Showing,
    Showings,
    StageReport,
)
from imgsync.evaluator.latest import Latest
from imgsync.evaluator.marks import Mark
from imgsync.evaluator.reports import Reports
from imgsync.evaluator.sharing import PictureNotSent, Sharing
from imgsync.images.ref import ImageRef
from imgsync.journal.events import Order
from imgsync.peer.joining import IcePolicy, join_relay
from imgsync.peer.route import Route
from imgsync.peer.session import PeerSession, open_peer_session
from imgsync.peer.session_journal import Write
from imgsync.peer.signalling import Signalling
from imgsync.peer.token_source import TokenSource
from imgsync.seams import DataEvent, Network
from imgsync.tasks import open_background
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)


_NO_URL = (
    "use one that takes pictures over the connection, or have it fetch them by URL (auto or url)"
)


def _not_spoken(feature: str) -> NotSpoken:
    return NotSpoken(feature, _NO_URL) if feature == FEATURE_PICTURES else NotSpoken(feature)


def _source_of(image: ImageRef) -> ImageSource:
    is_own = image.picture is not None
    return ImageSource(image.image_url, image.signed_url, is_own, image.trial)


def _facts_of(identity: Identity) -> Facts:
    return Facts(
        sha256=identity.sha256,
        content_type=identity.content_type,
        bytes=identity.bytes,
        width=identity.width,
        height=identity.height,
    )


class _Presenting:
    """What is said on the channel, and what becomes of the images; see `imgsync.peer.talk`."""

    def __init__(self, peer: PeerSession, budget: Budget) -> None:
        self._peer = peer
        self._presenter = Presenter()
        self.sharing = Sharing(peer, budget)
        self.showings = Showings()
        self.recordings = Latest[Recording]()
        self.preloaded = Latest[Preloaded]()
        self.displays = Latest[Display]()
        self.marks = Reports[Mark]("marks")

    def show(self, image: ImageRef) -> Showing:
        """Show an image now. Raises MessageTooLarge."""
        message, outputs = self._presenter.show(image.index, _source_of(image), now_ms())
        self.sharing.offer([image])
        showing = self.showings.add(image, message.sent_at)
        self._perform(outputs)
        return showing

    def preload(self, images: Sequence[ImageRef]) -> None:
        """Tell what will be shown soon. Raises MessageTooLarge and InputError."""
        upcoming = [_source_of(image) for image in images]
        outputs = self._presenter.preload(upcoming, self._peer.waiting)
        self.sharing.offer(images)
        self._perform(outputs)

    def mark(self, score: float | None, text: str | None) -> Mark:
        """Note this of what is shown. Raises InputError."""
        current = self.showings.current
        image, sent_at = (None, None) if current is None else (current.image, current.sent_at)
        mark = Mark(image, sent_at, now_ms(), score, text)
        index = None if image is None else image.index
        self._peer.journal.marked((index, sent_at), mark.at, score=score, text=text)
        self.marks.tell(mark)
        return mark

    def renew(self, images: Sequence[ImageRef]) -> None:
        """These have been signed anew."""
        self._presenter.renew([_source_of(image) for image in images])

    @property
    def prompt(self) -> None:
        """See the protocol; an evaluator asks."""

    @property
    def is_seen(self) -> bool:
        """See the protocol."""
        return self._presenter.is_seen

    async def wait_unseen(self) -> None:
        """See the protocol."""
        while self._presenter.is_seen:
            await self.showings.news.wait()

    def opened(self) -> None:
        """See the protocol."""
        features = self._peer.route.features
        if features:
            self.showings.peer_speaks(features)
        self._perform(self._presenter.opened(features, self._peer.max_message))

    def unanswered(self) -> None:
        """See the protocol; an evaluator does not greet."""

    def heard(self, message: TalkMessage, at: Milliseconds) -> None:
        """See the protocol."""
        if isinstance(message, Ready):
            self.showings.peer_speaks(message.features)
        self._perform(self._presenter.receive(message, self._peer.waiting), at)

    def drained(self) -> None:
        """See the protocol."""
        self._perform(self._presenter.drained(self._peer.waiting))

    def shared(self, event: DataEvent) -> None:
        """See the protocol."""
        self.sharing.happened(event)

    def closed(self) -> None:
        """See the protocol."""
        self.sharing.closed()
        self._perform(self._presenter.closed())
        self.showings.news.ring()

    def ended(self, end: Ended) -> None:
        """See the protocol."""
        for output in self._presenter.closed():
            if isinstance(output, channel.Superseded):
                self._peer.journal.superseded(output.image)
        self.sharing.end()
        self.showings.end(end)
        self.recordings.end()
        self.preloaded.end()
        self.displays.end()
        self.marks.end()

    def _sent(self, image: Image, copy: int) -> None:
        shown = self.showings.image_of(image.sent_at)
        self._peer.journal.sent(image, copy, shown.extra)
        if copy == 1 and shown.picture is not None:
            self._identify(image, shown.picture.facts)

    def _identify(self, image: Image, picture: Facts) -> None:
        if self.showings.identify(image.sent_at, picture):
            self._peer.journal.identified(image.image_index, image.sent_at, picture)

    def _perform(self, outputs: Sequence[PresenterOutput], at: Milliseconds = 0) -> None:
        """Carry out what the core decides.

        :param at: when the message that led to it came in, where one did.
        """
        journal, showings = self._peer.journal, self.showings
        for output in outputs:
            match output:
                case Transmit(text, image, copy, upcoming):
                    self.sharing.serve(upcoming if image is None else [image])
                    self._peer.send(text)
                    if image is not None:
                        self._sent(image, copy)
                case Acked(image, ack, copies):
                    showings.ack(ack, at, copies, journal.acked(image, ack, at))
                case channel.Superseded(image):
                    journal.superseded(image)
                    showings.supersede(image.sent_at)
                case TooLarge(image, why):
                    journal.superseded(image)
                    showings.refuse(image.sent_at, MessageTooLarge(why))
                case Unsendable(image, feature):
                    journal.superseded(image)
                    showings.refuse(image.sent_at, _not_spoken(feature))
                case Share():
                    self.sharing.share()
                case Staged(said):
                    showings.report(said, journal.staged(said))
                case Identified(image, identity):
                    self._identify(image, _facts_of(identity))
                case Counted(counts):
                    self.preloaded.tell(counts)
                case Recorded(said):
                    journal.recorded(said)
                    self.recordings.tell(said)
                case Responded(image, said):
                    journal.responded(said)
                    showings.respond(said)
                case Displayed(said):
                    journal.displayed(said)
                    self.displays.tell(said)
                case NeverShown(image):
                    showings.give_up(image.sent_at)
                case Forgotten(image):
                    showings.forget(image.sent_at)
                case Drop(why):
                    log.info("session %s: dropped a message: %s", self._peer.route.session_id, why)
                case _:
                    assert_never(output)


class EvaluatorSession:
    """A connected session with one client. Made by `Evaluator.open_session`."""

    def __init__(self, peer: PeerSession, presenting: _Presenting) -> None:
        self._peer = peer
        self._presenting = presenting

    @property
    def id(self) -> str:
        """The relay's id of this session."""
        return self._peer.route.session_id

    @property
    def client_id(self) -> str:
        """Whom it is with."""
        return self._peer.route.peer_id

    @property
    def features(self) -> Features:
        """The extensions that the client has said that it speaks; empty before it has."""
        return self._presenting.showings.spoken

    async def show(self, image: ImageRef) -> Delivery:
        """Show an image now and wait for its ack.

        It becomes the current image at once, which is what a client that comes back is sent; while
        the session is interrupted, that is all that happens until it is repaired. Cancelling gives
        up the wait, not the showing. Trio starts tasks in any order: to show without waiting for
        acks, begin each with `nursery.start`, or send from one task.

        Raises Superseded, where the session was interrupted and another image was shown meanwhile,
        SessionEnded, MessageTooLarge for URLs that don't fit into a message that this client takes,
        and NotSpoken for a picture without a URL, which comes over the connection, where this
        client does not take those; also where either is known only once the session is repaired.
        """
        self.raise_if_ended()
        return await self._presenting.show(image).wait_acked()

    def preload(self, images: Sequence[ImageRef]) -> None:
        """Tell the client what will be shown soon, the next one first; never waits.

        It takes the place of what was announced before. A client that speaks `preload` is told,
        and told again when it comes back, of what has not been shown until then. Keep it to what is
        near: an image that is shown meanwhile waits behind it on the channel.

        Raises SessionEnded, MessageTooLarge for URLs that don't fit into a message, and InputError
        for two of one `image_url` whose signed URLs differ in more than the signature.
        """
        self.raise_if_ended()
        self._presenting.preload(images)

    def renew(self, images: Sequence[ImageRef]) -> None:
        """The signed URLs of before have expired, or will; never waits.

        A client that comes back is sent the current image with the URL that it has here. Show an
        image again that was refused, and announce anew what is to come.
        """
        self._presenting.renew(images)

    def stages(self) -> AsyncIterator[StageReport]:
        """What becomes of the images, from the beginning, as the client tells it; stops at the end.

        A client that does not speak `stage` tells nothing. Who falls behind by more than a thousand
        reports misses some.
        """
        return self._presenting.showings.stages.all()

    def pictures(self) -> AsyncIterator[PictureReport]:
        """Which picture each image was, byte by byte, from the beginning; stops at the end.

        One comes for each showing: of a file of ours when it is sent, and else when the client has
        it and says so, which not every client does. Another one of the same showing says that the
        client has got something else. Who falls behind by more than a thousand misses some.
        """
        return self._presenting.showings.pictures.all()

    def responses(self) -> AsyncIterator[ResponseReport]:
        """How the participant answers, from the beginning, each answer once; stops at the end.

        Only what an image asks for in its `trial` is an answer. A client that does not speak
        `response` tells nothing. Who falls behind by more than a thousand misses some.
        """
        return self._presenting.showings.responses.all()

    def displays(self) -> AsyncIterator[Display]:
        """What the client shows images on, at each change; stops at the end.

        First comes what was told last; a change that another one follows before it is asked for is
        passed over. A client without a screen tells nothing.
        """
        return self._presenting.displays.changes()

    def mark(self, text: str | None = None, *, score: float | None = None) -> Mark:
        """Note something of what was to be shown last, for the record; never waits.

        Also before the first image, and after the session, while the evaluator is open. Raises
        InputError for a mark that says nothing, a text that is longer than 1024 characters, and a
        score that is no number.
        """
        return self._presenting.mark(score, text)

    def marks(self) -> AsyncIterator[Mark]:
        """What was noted, from the beginning; stops at the end.

        Who falls behind by more than a thousand misses some.
        """
        return self._presenting.marks.all()

    def record_study(self, *, name: str, order: Order, seed: int | None, trials: int) -> None:
        """Have the record say that what is shown in this session is a study; never waits.

        Raises InputError for a name that is empty, or longer than 128 characters.

        :param order: "given", or "shuffled", by `seed`.
        :param trials: how many it has.
        """
        if not (name and fits(name, MAX_ID)):
            raise InputError(f"the name of a study has 1 to {MAX_ID} characters")
        self._peer.journal.study_began(name, order, seed, trials)

    def preloaded(self) -> AsyncIterator[Preloaded]:
        """How many of the images that were announced, and not shown yet, are at the client.

        What was told last, and each time that it is something else, about once in a second; stops
        at the end. A client that does not speak `preloaded` tells nothing.
        """
        return self._presenting.preloaded.changes()

    def not_sent(self) -> AsyncIterator[PictureNotSent]:
        """Pictures of our own that could not be sent over the connection; stops at the end.

        Their files have changed, or are gone. Of one that was shown the client tells the same, as a
        stage.
        """
        return self._presenting.sharing.not_sent.all()

    @property
    def bytes_sent(self) -> int:
        """Of pictures of our own, over the connection so far; stands still where none is taken."""
        return self._presenting.sharing.bytes_sent

    def recordings(self) -> AsyncIterator[Recording]:
        """How the participant is recorded by the client's page, at each change; stops at the end.

        First comes what was told last; a change that another one follows before it is asked for is
        passed over. A client that records nothing tells nothing.
        """
        return self._presenting.recordings.changes()

    async def wait_ended(self) -> EndReason:
        """Wait until the session is over, whoever ended it."""
        return await self._peer.history.wait_ended()

    def raise_if_ended(self) -> None:
        """Raise SessionEnded if the session is over."""
        self._peer.history.raise_if_ended()

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._peer.history.state

    def changes(self) -> AsyncIterator[StateChange]:
        """Every change of state from the beginning, as it comes; stops at the end."""
        return self._peer.history.changes()


class Evaluator:
    """An evaluator at a relay. Made by `open_evaluator`."""

    def __init__(self, signalling: Signalling, network: Network, write: Write) -> None:
        self._signalling = signalling
        self._network = network
        self._write = write
        self._budget = Budget()

    @property
    def clients(self) -> dict[str, PresenceState]:
        """Who is online, as the relay has said last."""
        return dict(self._signalling.clients)

    async def wait_available(self, client_id: str) -> None:
        """Wait until a client is online and in no session; another evaluator may be quicker."""
        await self.wait_state(client_id, PresenceState.AVAILABLE)

    async def wait_state(self, client_id: str, state: PresenceState) -> None:
        """Wait until the relay says that a client is in this state.

        `WAITING` is one whose page is open, and that has not touched "I am ready" there yet.
        """
        await self._signalling.wait_state(client_id, state)

    @asynccontextmanager
    async def open_session(self, client_id: str) -> AsyncIterator[EvaluatorSession]:
        """A connected session with a client; leaving the block ends it in good order.

        Raises RelayError (the client is unknown or busy, or the relay unavailable), SignallingLost,
        and SessionEnded where no connection comes about.
        """
        async with self._signalling.open_session(client_id, self._open_on) as (peer, presenting):
            await peer.history.wait_connected()
            yield EvaluatorSession(peer, presenting)

    @asynccontextmanager
    async def _open_on(self, route: Route) -> AsyncIterator[tuple[PeerSession, _Presenting]]:
        """A session that connects, on the way that there is to it."""
        peer = PeerSession(route, self._write)
        presenting = _Presenting(peer, self._budget)
        ways = (self._network, self._signalling.servers)
        async with (
            open_peer_session(peer, presenting, *ways, offers=True),
            open_background() as nursery,
        ):
            nursery.start_soon(presenting.sharing.run)
            yield peer, presenting


@asynccontextmanager
async def open_evaluator(
    url: str,
    *,
    user_id: str,
    name: str | None = None,
    token: TokenSource = None,
    ice_addresses: Sequence[str] = (),
    ice_policy: IcePolicy = "all",
    snap: bool = True,
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
    :param snap: whether SCTP may be set up by the descriptions (SNAP) where the other side can do
        that, too; it saves a round trip.
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
        snap=snap,
        log_file=log_file,
        network=network,
    ) as (signalling, over, write):
        yield Evaluator(signalling, over, write)
