"""The client's library API: `open_client`, `sessions`, `images`."""

import itertools
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import assert_never

import attrs
import trio

from imgsync.client.answers import Answers
from imgsync.core.channel.follower import Follower
from imgsync.core.channel.outputs import Announced, Deliver, Drop, Transmit
from imgsync.core.channel.prompt import Prompt
from imgsync.core.handshake.outputs import Ended
from imgsync.core.pictures.facts import Facts
from imgsync.core.protocol.channel import (
    Display,
    Drawn,
    Identity,
    Preloaded,
    Response,
    Stage,
    StageKind,
    TalkMessage,
    UpcomingImage,
)
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.lengths import fits
from imgsync.core.protocol.numbers import (
    FEATURE_EXPOSURE,
    FEATURE_PICTURES,
    FEATURE_RESPONSE,
    FEATURE_SIZE,
    FEATURE_TEXT,
    FEATURES,
    MAX_DETAIL,
    MAX_REASON,
    MAX_VALUE,
)
from imgsync.core.protocol.signalling import EndReason, Features, Milliseconds, Role
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.core.protocol.trials import Trial
from imgsync.core.protocol.urls import public_url
from imgsync.images.receiving import Receiving
from imgsync.peer.joining import IcePolicy, join_relay
from imgsync.peer.route import Route
from imgsync.peer.session import PeerSession, open_peer_session
from imgsync.peer.session_journal import Write
from imgsync.peer.signalling import Signalling
from imgsync.peer.token_source import TokenSource
from imgsync.seams import DataEvent, Network
from imgsync.tasks import Bell, Pull
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

_TRIALS = (FEATURE_EXPOSURE, FEATURE_RESPONSE, FEATURE_TEXT)
"""What is done for whoever says that all is."""

_ANY_TRIALS = (*_TRIALS, FEATURE_SIZE)
"""A size is named, as it takes a screen that is known."""

MAX_WAITING = 1000
"""Images that may wait for the application; an evaluator that sends more does not wait for acks,
and nothing on a data channel could slow it down."""

MAX_UPCOMING = 1000
"""Images that are known to be shown soon; the oldest are forgotten if nobody asks for them."""


def _check_reason(reason: str) -> None:
    if not (reason and reason.isprintable() and fits(reason, MAX_REASON)):
        raise ValueError(f"a reason has 1 to {MAX_REASON} printable characters: {reason!r:.200}")


@attrs.frozen
class ReceivedImage:
    """An image to show now, and the way to say what becomes of it.

    Each of `fetched`, `shown`, `hidden` and `failed` tells the evaluator; what makes no sense after
    the others is not said, so that each can be called where it happens. An image that was hidden
    may be shown again, and hidden again. What is told while there is no connection is said on the
    next one. Times are ms since the epoch, now by default.

    :param signed_url: where to fetch it; None for one that comes over the connection itself.
    :param sent_at: evaluator's clock, ms since the epoch.
    :param received_at: client's clock, ms since the epoch.
    :param trial: what is asked beside showing it: for how long, how large, which answers; or a text
        in its place, which comes only to a client that was opened with `trials`. Empty where
        nothing is.
    """

    index: int
    image_url: str = attrs.field(repr=public_url)
    signed_url: str | None = attrs.field(repr=False)
    sent_at: Milliseconds
    received_at: Milliseconds
    _tell: Callable[["ReceivedImage", Stage, Facts | None], None] = attrs.field(
        repr=False, eq=False
    )
    _answers: Answers = attrs.field(repr=False, eq=False)
    trial: Trial = attrs.field(factory=Trial)

    def fetched(self, at: Milliseconds | None = None, picture: Facts | None = None) -> None:
        """It has been fetched, and is an image.

        :param picture: which one it is, byte by byte, for the records of both sides.
        """
        self._say(StageKind.FETCHED, at, picture=picture)

    def shown(self, at: Milliseconds | None = None, drawn: Drawn | None = None) -> None:
        """It is on the screen, since this time of our clock.

        :param drawn: how large it is there.
        """
        at = now_ms() if at is None else at
        self._answers.shown(at)
        self._say(StageKind.SHOWN, at, drawn=drawn)

    def hidden(
        self,
        at: Milliseconds | None = None,
        *,
        reason: str | None = None,
        frames: int | None = None,
        dropped: int | None = None,
    ) -> None:
        """It is on the screen no more. Raises ValueError for a reason that can't be sent.

        :param reason: a short word for programs: "exposure_over" where it was up for as long as was
            asked, "answered" where the first answer has ended it.
        :param frames: for how many refreshes of the screen it was up, where that is known.
        :param dropped: how many of these were missed.
        """
        if reason is not None:
            _check_reason(reason)
        self._say(StageKind.HIDDEN, at, reason, counted=(frames, dropped))

    def respond(self, value: str, at: Milliseconds | None = None) -> None:
        """The participant has answered it; may be called as often as that happens.

        The reaction time is counted from the first `shown`. It is told until the evaluator has it;
        of more than 256 answers, that there are more. Raises ValueError for a value that can't be
        sent.

        :param value: what the answer is, 1 to 128 printable characters.
        :param at: of the event itself, our clock, ms since the epoch; now by default.
        """
        if not (value and value.isprintable() and fits(value, MAX_VALUE)):
            raise ValueError(f"an answer has 1 to {MAX_VALUE} printable characters: {value!r:.200}")
        self._answers.add(self.index, self.sent_at, value, now_ms() if at is None else at)

    def failed(self, reason: str, at: Milliseconds | None = None, detail: str = "") -> None:
        """It can't be shown. Raises ValueError for a reason or a detail that can't be sent.

        :param reason: a short word for programs, such as "http_403", "timeout" or "decode".
        :param detail: what else is known, for people; it may hold no address and no secret.
        """
        _check_reason(reason)
        if not (detail.isprintable() and fits(detail, MAX_DETAIL)):
            raise ValueError(
                f"a detail has at most {MAX_DETAIL} printable characters: {detail!r:.300}"
            )
        self._say(StageKind.FAILED, at, reason, detail)

    def _say(
        self,
        stage: StageKind,
        at: Milliseconds | None,
        reason: str | None = None,
        detail: str = "",
        picture: Facts | None = None,
        counted: tuple[int | None, int | None] = (None, None),
        drawn: Drawn | None = None,
    ) -> None:
        said = Stage(
            self.index,
            self.sent_at,
            stage,
            now_ms() if at is None else at,
            reason,
            detail=detail or None,
            frames=counted[0],
            dropped=counted[1],
            drawn=drawn,
        )
        self._tell(self, said, picture)


class _Following:
    """What is said on the channel, and what has come in; see `imgsync.peer.talk`."""

    def __init__(self, peer: PeerSession, features: Features) -> None:
        self._peer = peer
        self._follower = Follower((*FEATURES, *features))
        self.receiving = Receiving(peer.send_data, peer.carry)
        self.prompt = Prompt()
        #: With whether each was acked already.
        self._waiting: deque[tuple[Deliver, bool]] = deque()
        self._upcoming: deque[UpcomingImage] = deque(maxlen=MAX_UPCOMING)
        self._news = Bell()
        self._numbers = itertools.count(1)

    async def next_preload(self) -> UpcomingImage | None:
        """The next that was announced and not handed out before; None when the session is over."""
        # Before the first look: another task may take what is there meanwhile.
        await trio.lowlevel.checkpoint()
        while not self._upcoming:
            if self._peer.history.end is not None:
                return None
            await self._news.wait()
        return self._upcoming.popleft()

    async def next_image(self) -> ReceivedImage | None:
        """The next image that was not handed out before; None when the session is over."""
        await trio.lowlevel.checkpoint()
        while True:
            while self._waiting:
                delivery, is_acked = self._waiting.popleft()
                if is_acked:
                    is_new = self._follower.take(delivery)
                else:
                    is_new, ack = self._follower.taken(delivery)
                    self._peer.send(ack.text)
                if is_new:
                    return self._hand_out(delivery)
            if self._peer.history.end is not None:
                return None
            self.prompt.permit()
            try:
                await self._news.wait()
            finally:
                self.prompt.withdraw()

    def _hand_out(self, delivery: Deliver) -> ReceivedImage:
        image, received_at = delivery.image, delivery.received_at
        self._peer.journal.received(image, received_at)
        return ReceivedImage(
            index=image.image_index,
            image_url=image.image_url,
            signed_url=image.signed_url,
            sent_at=image.sent_at,
            received_at=received_at,
            tell=self._tell_stage,
            answers=Answers(self._tell_response, self._numbers),
            trial=image.trial,
        )

    def _tell_response(self, said: Response) -> None:
        for output in self._follower.responded(said):
            self._peer.journal.responded(said)
            self._peer.send(output.text)

    def _tell_stage(self, image: ReceivedImage, said: Stage, picture: Facts | None) -> None:
        for output in self._follower.staged(said):
            self._peer.journal.staged(said)
            self._peer.send(output.text)
            if picture is not None:
                self._identify(image, picture)

    def _identify(self, image: ReceivedImage, picture: Facts) -> None:
        self._peer.journal.identified(image.index, image.sent_at, picture)
        if image.signed_url is None:
            return  # what came over the connection is known to who has sent it
        identity = Identity(
            image.index,
            image.sent_at,
            sha256=picture.sha256,
            content_type=picture.content_type,
            bytes=picture.bytes,
            width=picture.width,
            height=picture.height,
        )
        for output in self._follower.identified(identity):
            self._peer.send(output.text)

    @property
    def is_seen(self) -> bool:
        """See the protocol; an evaluator has no screen."""
        return False

    async def wait_unseen(self) -> None:
        """See the protocol."""

    def tell_preloaded(self, counts: Preloaded) -> None:
        """How many of the images that were announced are here."""
        self._peer.send(self._follower.preloaded(counts).text)

    def tell_display(self, display: Display) -> None:
        """What images are shown on."""
        self._peer.send(self._follower.displayed(display).text)

    def opened(self) -> None:
        """See the protocol."""
        for output in self._follower.opened():
            self._peer.send(output.text)

    def unanswered(self) -> None:
        """See the protocol; stages that went out beside a `ready` that was lost are lost too."""
        self.opened()

    def heard(self, message: TalkMessage, at: Milliseconds) -> None:
        """See the protocol."""
        is_acked = self.prompt.was_acked(message)
        for output in self._follower.receive(message, at):
            match output:
                case Transmit(text):
                    if not is_acked:
                        self._peer.send(text)
                case Deliver():
                    self._put(output, is_acked=is_acked)
                case Announced(images):
                    self._upcoming += images
                    self._news.ring()
                case Drop(why):
                    session_id = self._peer.route.session_id
                    log.info("session %s: dropped a message: %s", session_id, why)
                case _:
                    assert_never(output)

    def drained(self) -> None:
        """See the protocol; nothing of a client's is kept back."""

    def _put(self, delivery: Deliver, *, is_acked: bool) -> None:
        if len(self._waiting) >= MAX_WAITING and not is_acked:
            # Not acked, so the evaluator knows.
            session_id = self._peer.route.session_id
            log.warning("session %s: dropping an image, %d wait", session_id, MAX_WAITING)
            return
        self._waiting.append((delivery, is_acked))
        if not is_acked:
            self.prompt.withdraw()  # it is what is waited for, and acked when it is taken
        self._news.ring()

    def shared(self, event: DataEvent) -> None:
        """See the protocol."""
        self.receiving.happened(event)

    def closed(self) -> None:
        """What has come in is still handed out, and acked on the next channel as a copy."""
        self.receiving.closed()

    def ended(self, end: Ended) -> None:
        """See the protocol."""
        self.receiving.end()
        self._news.ring()


class ClientSession:
    """A session that an evaluator has started; enter it to take part.

    A session that fails does not raise: another one can always follow. `end_reason` and
    `end_detail` tell how it ended.
    """

    def __init__(
        self,
        route: Route,
        network: Network,
        signalling: Signalling,
        write: Write,
        features: Features,
    ) -> None:
        self.id = route.session_id
        self.evaluator_id = route.peer_id
        self.evaluator_name = route.peer_name
        self._peer = PeerSession(route, write)
        #: Whether the time that an image is asked to be up is kept here.
        self.keeps_exposures = FEATURE_EXPOSURE in features
        self._following = _Following(self._peer, features)
        self._block: AbstractAsyncContextManager[None] = open_peer_session(
            self._peer, self._following, network, signalling.servers, offers=False
        )

    async def __aenter__(self) -> "ClientSession":
        await self._block.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """End the session in good order, if it has not ended yet."""
        return await self._block.__aexit__(kind, exc, traceback)

    @property
    def end_reason(self) -> EndReason | None:
        """Why it ended; None while it lives."""
        end = self._peer.history.end
        return None if end is None else end.reason

    @property
    def end_detail(self) -> str:
        """The same in words; empty while it lives."""
        end = self._peer.history.end
        return "" if end is None else end.reason.in_words(end.detail)

    @property
    def was_connected(self) -> bool:
        """Whether there is a channel, or was one."""
        return self._peer.history.was_connected

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._peer.history.state

    def changes(self) -> AsyncIterator[StateChange]:
        """Every change of state from the beginning, as it comes; stops at the end."""
        return self._peer.history.changes()

    def images(self) -> AsyncIterator[ReceivedImage]:
        """Each image once, in order, as it comes; stops when the session is over.

        An image is acked as it is handed out, or as it comes in where that is waited for, with the
        time at which it came in.
        """
        return Pull(self.next_image)

    def preloads(self) -> AsyncIterator[UpcomingImage]:
        """What will be shown soon, each as often as the evaluator says so; stops with the session.

        An image that is shown later has the same `image_url`, but may have another signature.
        """
        return Pull(self.next_preload)

    def tell_preloaded(self, counts: Preloaded) -> None:
        """Tell how many of the images that were announced, and not shown yet, are here.

        It is said again when the session is repaired; say it about once in a second, and not of
        each byte.
        """
        self._following.tell_preloaded(counts)

    def tell_display(self, display: Display) -> None:
        """Tell what images are shown on: once it is known, and when it is something else.

        It is said again when the session is repaired.
        """
        self._following.tell_display(display)

    @property
    def receiving(self) -> Receiving:
        """Pictures that come over the connection, for a gallery.

        They come to a client that was opened with `pictures=True`; their `signed_url` is None.
        """
        return self._following.receiving

    async def next_preload(self) -> UpcomingImage | None:
        """The next that was announced and not handed out before; None when the session is over."""
        return await self._following.next_preload()

    async def next_image(self) -> ReceivedImage | None:
        """The next image that was not handed out before; None when the session is over."""
        return await self._following.next_image()


class Client:
    """A client at a relay. Made by `open_client`."""

    def __init__(
        self, signalling: Signalling, network: Network, write: Write, features: Features
    ) -> None:
        self._signalling = signalling
        self._network = network
        self._write = write
        self._features = features

    def sessions(self) -> AsyncIterator[ClientSession]:
        """Sessions as evaluators start them, one after the other; never ends by itself."""
        return Pull(self.next_session)

    async def next_session(self) -> ClientSession:
        """Wait for an evaluator to start a session with us."""
        route = await self._signalling.incoming.receive()
        return ClientSession(route, self._network, self._signalling, self._write, self._features)


def _features(*, pictures: bool, trials: bool | Collection[str]) -> Features:
    """What is spoken beside what all our clients do. Raises InputError."""
    spoken = _TRIALS if trials is True else tuple(trials or ())
    if unknown := set(spoken) - set(_ANY_TRIALS):
        raise InputError(
            f"trials are {', '.join(_ANY_TRIALS)}, and not {', '.join(sorted(unknown))}"
        )
    return (*((FEATURE_PICTURES,) if pictures else ()), *spoken)


@asynccontextmanager
async def open_client(
    url: str,
    *,
    user_id: str,
    name: str | None = None,
    token: TokenSource = None,
    ice_addresses: Sequence[str] = (),
    ice_policy: IcePolicy = "all",
    snap: bool = True,
    log_file: str | os.PathLike[str] | None = None,
    pictures: bool = False,
    trials: bool | Collection[str] = False,
    network: Network | None = None,
) -> AsyncIterator[Client]:
    """Register at a relay as a client, and stay registered.

    Raises ConnectError, RelayError, SocketClosed and InputError.

    :param url: the relay's, ws:// or wss://.
    :param name: what evaluators are shown; the user id by default.
    :param token: for a relay that asks for one; a function is called at each registration, on
        Trio's thread.
    :param ice_addresses: the only local addresses to use for WebRTC; all but loopback by default.
    :param ice_policy: "relay" lets WebRTC go through a TURN server of the relay's alone, and tell
        the other side no address but its.
    :param snap: whether SCTP may be set up by the descriptions (SNAP) where the other side can do
        that, too; it saves a round trip.
    :param log_file: where the record of all sessions is written to; see `imgsync.journal`.
    :param pictures: whether somebody here takes pictures that come over the connection itself, as
        `ClientSession.receiving` gives them to a gallery. Without that, each has a URL.
    :param trials: whether somebody here does what `ReceivedImage.trial` asks: keeps to the time of
        an image ("exposure"), asks for answers ("response"), shows texts ("text"); or which of
        these, and "size" for who knows the screen and draws images in the size that is asked.
        Without "text" no text comes; what the others ask comes in any case, and evaluators know
        that nobody heeds it.
    :param network: stands in for the real one, in tests.
    """
    features = _features(pictures=pictures, trials=trials)
    async with join_relay(
        url,
        Role.CLIENT,
        features=features,
        user_id=user_id,
        name=name,
        token=token,
        ice_addresses=ice_addresses,
        ice_policy=ice_policy,
        snap=snap,
        log_file=log_file,
        network=network,
    ) as (signalling, over, write):
        yield Client(signalling, over, write, features)
