"""The evaluator's side of the talk on the channel: what is current, and which images were acked.

    opened, ready ──▶ current image           ack ──▶ Acked
    show ──▶ image                            next image, not acked ──▶ Superseded
    renew ──▶ nothing, until it is sent again
    preload ──▶ preload, once on a channel      stage ──▶ Staged, identity ──▶ Identified
    drained ──▶ what was kept back            recording ──▶ Recorded, preloaded ──▶ Counted
    first without a URL ──▶ Share

The current image is the last one that was to be shown. A resend repeats the very same payload,
`sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. Only
the signature of its URL may have been renewed, or its URL added for a client that needs it (see
`sharing`). An image that has not been acked when its channel
goes, and is not the current one, will not be sent again: it is superseded. The client says its last
stages again on every channel; one with the same time is told once, and so is how the participant is
recorded.

Who asks may ask often, and read slowly: while much waits to be sent, copies and preloads are kept
back. What waits is told in bytes; `drained` has to follow on more than MAX_UNSENT.
"""

import math
from collections.abc import Iterable, Sequence

import attrs

from imgsync.core.channel.outputs import (
    Acked,
    Counted,
    Drop,
    Forgotten,
    Identified,
    NeverShown,
    PresenterOutput,
    Recorded,
    Share,
    Staged,
    Superseded,
    TooLarge,
    Transmit,
    Unsendable,
)
from imgsync.core.channel.preload import Upcoming
from imgsync.core.channel.sharing import ImageSource, Sharing
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Identity,
    Image,
    Preloaded,
    Ready,
    Recording,
    Stage,
    StageKind,
    TalkMessage,
)
from imgsync.core.protocol.errors import MessageTooLarge, NotSpoken
from imgsync.core.protocol.naming import newest_url
from imgsync.core.protocol.numbers import (
    EPSILON,
    FEATURE_PRELOAD,
    MAX_CHANNEL_MESSAGE,
    MAX_RECORDINGS,
    MAX_SETTLED,
    MAX_STAGES,
    MAX_UNACKED,
    MAX_UNSENT,
    TICK,
)
from imgsync.core.protocol.signalling import Features, Milliseconds

_Refused = Superseded | TooLarge | Unsendable | Forgotten


def _next_time(sent_at: Milliseconds) -> float:
    """The earliest that a showing after this one may have; another number, however large it is."""
    return sent_at + max(TICK, abs(sent_at) * EPSILON)


def _size_of(outputs: Sequence[Transmit | Share]) -> int:
    return sum(len(output.text) for output in outputs if isinstance(output, Transmit))


@attrs.define
class _Showing:
    source: ImageSource
    #: As it goes out, however often: a copy repeats the very same payload.
    image: Image
    text: str
    copies: int = 0
    told: set[tuple[StageKind, Milliseconds]] = attrs.field(factory=set)
    #: Whether it has gone out with its URL.
    keeps_url: bool = False
    is_identified: bool = False
    #: Whether it was shown, or never will be.
    is_over: bool = False

    def address(self, sharing: Sharing, limit: int) -> None:
        """Go out as the client on the open channel needs it.

        Raises NotSpoken and MessageTooLarge, and then it is as it was.
        """
        url = sharing.url_of(self.source, keeps_url=self.keeps_url)
        image = attrs.evolve(self.image, signed_url=url)
        self.text = encode_channel(image, limit)
        self.image = image

    def renew(self, images: Iterable[ImageSource], limit: int) -> None:
        """Have the newest URL; one that fits into no message of this size is left alone."""
        source = self.source
        known = ((one.image_url, one.signed_url) for one in images)
        newest = newest_url(source.image_url, source.signed_url, known)
        image = attrs.evolve(self.image, signed_url=newest)
        try:
            text = encode_channel(image, limit)
        except MessageTooLarge:
            return
        self.source = attrs.evolve(source, signed_url=newest)
        if self.image.signed_url is not None:
            self.image, self.text = image, text

    def is_passed_by(self, other: "_Showing") -> bool:
        """Whether the other came later, and this was never shown."""
        return not self.is_over and self.image.sent_at < other.image.sent_at


class _Showings:
    """What of the showings is still of interest: no ack yet, or more may be told."""

    def __init__(self) -> None:
        self.unacked: dict[Milliseconds, _Showing] = {}
        #: Those that were acked or superseded last, or could not be sent.
        self.settled: dict[Milliseconds, _Showing] = {}

    def find(self, sent_at: Milliseconds, index: int) -> _Showing | None:
        """The one that the client speaks of."""
        showing = self.unacked.get(sent_at) or self.settled.get(sent_at)
        return showing if showing and showing.image.image_index == index else None

    def settle(
        self, showing: _Showing, *, is_superseded: bool = False
    ) -> list[Superseded | Forgotten]:
        """No ack of it is waited for any more, but what becomes of it may still be told."""
        self.unacked.pop(showing.image.sent_at, None)
        self.settled[showing.image.sent_at] = showing
        showing.is_over = showing.is_over or is_superseded
        outputs: list[Superseded | Forgotten] = []
        if is_superseded:
            outputs.append(Superseded(showing.image))
        if len(self.settled) > MAX_SETTLED:
            outputs.append(Forgotten(self.settled.pop(next(iter(self.settled))).image))
        return outputs

    def supersede(self, but: _Showing | None = None) -> list[Superseded | Forgotten]:
        """No channel is there any more on which they could be acked."""
        gone = [showing for showing in self.unacked.values() if showing is not but]
        return [output for showing in gone for output in self.settle(showing, is_superseded=True)]

    def limit(self) -> list[Superseded | Forgotten]:
        """Of those without an ack, so many are enough."""
        if len(self.unacked) <= MAX_UNACKED:
            return []
        return self.settle(next(iter(self.unacked.values())), is_superseded=True)

    def pass_by(self, shown: _Showing) -> list[NeverShown]:
        """There is one screen: what came before this and was not on it will not be."""
        passed = [other for other in self.settled.values() if other.is_passed_by(shown)]
        for other in passed:
            other.is_over = True
        return [NeverShown(other.image) for other in passed]


class _Recordings:
    """What the client has said of the recording of its participant."""

    def __init__(self) -> None:
        self._last: Recording | None = None
        self._count = 0

    def take(self, said: Recording) -> list[PresenterOutput]:
        """It says this."""
        if said == self._last or self._count >= MAX_RECORDINGS:
            return [Drop("a recording that was told before, or one change too many")]
        self._last = said
        self._count += 1
        return [Recorded(said)]


class Presenter:
    """The evaluator's side: what is current, and which images were acked."""

    def __init__(self) -> None:
        self._current: _Showing | None = None
        self._showings = _Showings()
        self._sharing = Sharing()
        self._upcoming = Upcoming(self._sharing)
        self._recordings = _Recordings()
        self._open = False
        #: Bytes of a message that the client on the open channel takes.
        self._limit = MAX_CHANNEL_MESSAGE
        #: Whether it is to be sent the current image when there is room.
        self._owes_copy = False
        #: What is on its screen, as it said last on the open channel.
        self._seen: _Showing | None = None
        self._last_sent_at: Milliseconds = -math.inf

    @property
    def is_seen(self) -> bool:
        """Whether an image is on the screen of a client that can still say that it is hidden."""
        return self._seen is not None

    def show(
        self, index: int, source: ImageSource, now: float
    ) -> tuple[Image, list[Transmit | Share | _Refused]]:
        """Make an image the current one and send it if the channel is open.

        Raises MessageTooLarge, and then the current image stays what it was. It does so, too, where
        the image can't be sent to this client.

        :param now: milliseconds since the epoch; moved on a little where it was used before.
        """
        now = max(now, _next_time(self._last_sent_at))
        image = Image(index, source.image_url, source.signed_url, now)
        showing = _Showing(source, image, "")
        try:
            showing.address(self._sharing, self._limit)
        except NotSpoken:
            self._last_sent_at = now
            return image, [*self._refuse(showing, Unsendable(image))]
        self._last_sent_at = now
        # Without a channel, whatever waits for its ack has nothing to come on any more.
        superseded = [] if self._open else self._showings.supersede()
        self._current = self._showings.unacked[now] = showing
        self._upcoming.shown(source.image_url)
        superseded += self._showings.limit()
        return showing.image, [*superseded, *self._send_current()]

    def preload(self, images: Sequence[ImageSource], waiting: int = 0) -> list[Transmit | Share]:
        """Announce what will be shown soon, in the place of what was announced before.

        It is sent to a client that names `preload`, once that is known. Raises MessageTooLarge, and
        InputError for two different images of one `image_url`.
        """
        self._upcoming.announce(images)
        return self._send_upcoming(waiting)

    def renew(self, images: Iterable[ImageSource]) -> None:
        """These have been signed anew: the current image goes out with its newest URL from now on.

        Nothing is sent: who has it needs no other URL, and who asks or comes back gets that one.
        """
        if self._current is not None:
            self._current.renew(images, self._limit)

    def opened(
        self, features: Features = (), limit: int = MAX_CHANNEL_MESSAGE
    ) -> list[Transmit | Share | _Refused]:
        """A channel is open; the client speaks this, as far as the relay knows.

        :param limit: bytes of a message that it takes.
        """
        self._open, self._limit = True, limit
        self._sharing.opened(features)
        self._upcoming.opened(limit)
        return self._begin_talk(features, 0)

    def closed(self) -> list[Superseded | Forgotten]:
        """There is no open channel any more."""
        self._open = self._owes_copy = False
        self._seen = None
        self._limit = MAX_CHANNEL_MESSAGE
        self._sharing.closed()
        self._upcoming.closed()
        return self._showings.supersede(but=self._current)

    def drained(self, waiting: int = 0) -> list[Transmit | Share]:
        """Of what waited to be sent, little is left."""
        copy = self._copy_current(waiting) if self._owes_copy else []
        return [*copy, *self._send_upcoming(waiting + _size_of(copy))]

    def receive(self, message: TalkMessage, waiting: int = 0) -> list[PresenterOutput]:
        """The client says something."""
        match message:
            case Ready(features):
                return [*self._greeted(features, waiting)]
            case Ack():
                return self._acked(message)
            case Stage():
                return self._staged(message)
            case Identity():
                return self._identified(message)
            case Preloaded():
                return [Counted(message)]
            case Recording():
                return self._recordings.take(message)
            case _:
                return [Drop("not a message for an evaluator")]

    def _greeted(self, features: Features, waiting: int) -> list[Transmit | Share | _Refused]:
        if not self._open:
            return []
        if self._sharing.greeted(features):
            self._upcoming.tell_anew()
        return self._begin_talk(features, waiting)

    def _begin_talk(self, features: Features, waiting: int) -> list[Transmit | Share | _Refused]:
        self._upcoming.is_wanted = FEATURE_PRELOAD in features
        refused = self._address_current()
        # First what is to be seen now: the channel is ordered, and preloads can be long.
        copy = self._copy_current(waiting)
        return [*refused, *copy, *self._send_upcoming(waiting + _size_of(copy))]

    # ── whether it can be sent, and how ──────────────────────────────────────────────────────────

    def _address_current(self) -> list[_Refused]:
        current = self._current
        if current is None:
            return []
        try:
            current.address(self._sharing, self._limit)
            return []
        except NotSpoken:
            why: TooLarge | Unsendable = Unsendable(current.image)
        except MessageTooLarge as exc:
            why = TooLarge(current.image, str(exc))
        self._current = None
        is_unacked = current.image.sent_at in self._showings.unacked
        return self._refuse(current, why) if is_unacked else []

    def _refuse(self, showing: _Showing, why: TooLarge | Unsendable) -> list[_Refused]:
        showing.is_over = True
        return [why, *self._showings.settle(showing)]

    # ── what the client says ─────────────────────────────────────────────────────────────────────

    def _acked(self, ack: Ack) -> list[PresenterOutput]:
        showing = self._showings.unacked.get(ack.sent_at)
        if showing is None:
            return [Drop("an ack of no image that waits for one")]
        if ack.image_index not in (None, showing.image.image_index):
            return [Drop("an ack whose imageIndex is not that of the image sent then")]
        return [Acked(showing.image, ack, showing.copies), *self._showings.settle(showing)]

    def _staged(self, said: Stage) -> list[PresenterOutput]:
        showing = self._showings.find(said.sent_at, said.image_index)
        if showing is None:
            return [Drop("a stage of no image that is remembered")]
        # One that was hidden may be shown again; that is another time.
        told = (said.stage, said.at)
        if told in showing.told or len(showing.told) >= MAX_STAGES:
            return [Drop("a stage that was told before, or one too many")]
        showing.told.add(told)
        showing.is_over = showing.is_over or said.stage is not StageKind.FETCHED
        self._look(showing, said.stage)
        staged = Staged(attrs.evolve(said, sent_at=showing.image.sent_at))
        is_shown = said.stage is StageKind.SHOWN
        return [staged, *(self._showings.pass_by(showing) if is_shown else [])]

    def _identified(self, said: Identity) -> list[PresenterOutput]:
        showing = self._showings.find(said.sent_at, said.image_index)
        if showing is None or showing.is_identified:
            return [Drop("an identity of no image that is remembered, or one that was told before")]
        showing.is_identified = True
        said = attrs.evolve(said, sent_at=showing.image.sent_at)
        return [Identified(showing.image, said)]

    def _look(self, showing: _Showing, stage: StageKind) -> None:
        if stage is StageKind.SHOWN and self._open:
            self._seen = showing
        elif stage is StageKind.HIDDEN and self._seen is showing:
            self._seen = None

    # ── what goes out ────────────────────────────────────────────────────────────────────────────

    def _send_upcoming(self, waiting: int) -> list[Transmit | Share]:
        preloads = self._upcoming.take(waiting)
        is_shared = any(one.signed_url is None for message in preloads for one in message.images)
        share = self._sharing.begin() if is_shared else []
        return [*share, *(Transmit(encode_channel(message)) for message in preloads)]

    def _copy_current(self, waiting: int) -> list[Transmit | Share]:
        """For who asks, once there is room; who asks again until then has asked once."""
        self._owes_copy = waiting > MAX_UNSENT
        return [] if self._owes_copy else self._send_current()

    def _send_current(self) -> list[Transmit | Share]:
        current = self._current
        if current is None or self._sharing.is_undecided(current.source):
            return []
        current.copies += 1
        current.keeps_url = current.image.signed_url is not None
        share = [] if current.keeps_url else self._sharing.begin()
        return [*share, Transmit(current.text, current.image, current.copies)]
