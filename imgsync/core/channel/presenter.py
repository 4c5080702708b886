"""The evaluator's side of the talk on the channel: what is current, and which images were acked.

    opened, ready ──▶ current image           ack ──▶ Acked
    show ──▶ image                            next image, not acked ──▶ Superseded
    renew ──▶ nothing, until it is sent again
    preload ──▶ preload, once on a channel      stage ──▶ Staged
    drained ──▶ what was kept back            recording ──▶ Recorded, preloaded ──▶ Counted

The current image is the last one that was to be shown. A resend repeats the very same payload,
`sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. Only
the signature of its URL may have been renewed. An image that has not been acked when its channel
goes, and is not the current one, will not be sent again: it is superseded. The client says its last
stages again on every channel; one with the same time is told once, and so is how the participant is
recorded.

Who asks may ask often, and read slowly: while much waits to be sent, copies and preloads are kept
back. What waits is told in bytes; `drained` has to follow on more than MAX_UNSENT.
"""

from collections.abc import Iterable, Sequence

import attrs

from imgsync.core.channel.outputs import (
    Acked,
    Counted,
    Drop,
    Forgotten,
    NeverShown,
    PresenterOutput,
    Recorded,
    Staged,
    Superseded,
    TooLarge,
    Transmit,
)
from imgsync.core.channel.preload import Upcoming
from imgsync.core.codec.codec import check_size, encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Image,
    Preloaded,
    Ready,
    Recording,
    Stage,
    StageKind,
    TalkMessage,
    UpcomingImage,
)
from imgsync.core.protocol.errors import MessageTooLarge
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


def _next_time(sent_at: Milliseconds) -> float:
    """The earliest that a showing after this one may have; another number, however large it is."""
    return sent_at + max(TICK, abs(sent_at) * EPSILON)


def _size_of(outputs: Sequence[Transmit]) -> int:
    return sum(len(output.text) for output in outputs)


@attrs.define
class _Showing:
    image: Image
    #: As it goes out, however often: a copy repeats the very same payload.
    text: str
    copies: int = 0
    told: set[tuple[StageKind, Milliseconds]] = attrs.field(factory=set)
    #: Whether it was shown, or never will be.
    is_over: bool = False

    def renew(self, images: Iterable[UpcomingImage], limit: int) -> None:
        """Have the newest URL; one that fits into no message of this size is left alone."""
        known = ((one.image_url, one.signed_url) for one in images)
        newest = newest_url(self.image.image_url, self.image.signed_url, known)
        image = attrs.evolve(self.image, signed_url=newest)
        try:
            self.text = encode_channel(image, limit)
        except MessageTooLarge:
            return
        self.image = image

    def is_passed_by(self, other: "_Showing") -> bool:
        """Whether the other came later, and this was never shown."""
        return not self.is_over and self.image.sent_at < other.image.sent_at


class Presenter:
    """The evaluator's side: what is current, and which images were acked."""

    def __init__(self) -> None:
        self._current: _Showing | None = None
        self._unacked: dict[Milliseconds, _Showing] = {}
        #: Those that were acked or superseded last.
        self._settled: dict[Milliseconds, _Showing] = {}
        self._upcoming = Upcoming()
        #: As it was told last, and how often it has changed.
        self._recording: Recording | None = None
        self._recordings = 0
        self._open = False
        #: Bytes of a message that the client on the open channel takes.
        self._limit = MAX_CHANNEL_MESSAGE
        #: Whether it is to be sent the current image when there is room.
        self._owes_copy = False
        #: What is on its screen, as it said last on the open channel.
        self._seen: _Showing | None = None

    @property
    def is_seen(self) -> bool:
        """Whether an image is on the screen of a client that can still say that it is hidden."""
        return self._seen is not None

    def show(
        self, index: int, image_url: str, signed_url: str, now: float
    ) -> tuple[Image, list[Transmit | Superseded | Forgotten]]:
        """Make an image the current one and send it if the channel is open.

        Raises MessageTooLarge, and then the current image stays what it was.

        :param now: milliseconds since the epoch; moved on a little where it was used before.
        """
        if self._current is not None:
            now = max(now, _next_time(self._current.image.sent_at))
        image = Image(image_index=index, image_url=image_url, signed_url=signed_url, sent_at=now)
        text = encode_channel(image, self._limit)
        # Without a channel, whatever waits for its ack has nothing to come on any more.
        superseded = [] if self._open else self._supersede()
        self._current = self._unacked[now] = _Showing(image, text)
        self._upcoming.shown(image_url)
        if len(self._unacked) > MAX_UNACKED:
            superseded += self._settle(next(iter(self._unacked.values())), is_superseded=True)
        return image, [*superseded, *self._send_current()]

    def preload(self, images: Sequence[UpcomingImage], waiting: int = 0) -> list[Transmit]:
        """Announce what will be shown soon, in the place of what was announced before.

        It is sent to a client that names `preload`, once that is known. Raises MessageTooLarge, and
        InputError for two different images of one `image_url`.
        """
        self._upcoming.announce(images)
        return self._send_upcoming(waiting)

    def renew(self, images: Iterable[UpcomingImage]) -> None:
        """These have been signed anew: the current image goes out with its newest URL from now on.

        Nothing is sent: who has it needs no other URL, and who asks or comes back gets that one.
        """
        if self._current is not None:
            self._current.renew(images, self._limit)

    def opened(
        self, features: Features = (), limit: int = MAX_CHANNEL_MESSAGE
    ) -> list[Transmit | Superseded | TooLarge | Forgotten]:
        """A channel is open; the client speaks this, as far as the relay knows.

        :param limit: bytes of a message that it takes.
        """
        self._open, self._limit = True, limit
        self._upcoming.opened(limit)
        return [*self._drop_too_large(), *self._begin_talk(features, 0)]

    def closed(self) -> list[Superseded | Forgotten]:
        """There is no open channel any more."""
        self._open = self._owes_copy = False
        self._seen = None
        self._limit = MAX_CHANNEL_MESSAGE
        self._upcoming.closed()
        return self._supersede(but=self._current)

    def drained(self, waiting: int = 0) -> list[Transmit]:
        """Of what waited to be sent, little is left."""
        copy = self._copy_current(waiting) if self._owes_copy else []
        return [*copy, *self._send_upcoming(waiting + _size_of(copy))]

    def receive(self, message: TalkMessage, waiting: int = 0) -> list[PresenterOutput]:
        """The client says something."""
        match message:
            case Ready(features):
                return [*self._begin_talk(features, waiting)]
            case Ack():
                return self._acked(message)
            case Stage():
                return self._staged(message)
            case Preloaded():
                return [Counted(message)]
            case Recording():
                return self._recorded(message)
            case _:
                return [Drop("not a message for an evaluator")]

    def _begin_talk(self, features: Features, waiting: int) -> list[Transmit]:
        self._upcoming.is_wanted = self._open and FEATURE_PRELOAD in features
        # First what is to be seen now: the channel is ordered, and preloads can be long.
        copy = self._copy_current(waiting)
        return [*copy, *self._send_upcoming(waiting + _size_of(copy))]

    def _drop_too_large(self) -> list[Superseded | TooLarge | Forgotten]:
        current = self._current
        try:
            if current is not None:
                check_size(current.text, self._limit)
        except MessageTooLarge as exc:
            assert current is not None
            self._current = None
            if current.image.sent_at in self._unacked:
                current.is_over = True
                return [TooLarge(current.image, str(exc)), *self._settle(current)]
        return []

    def _supersede(self, but: _Showing | None = None) -> list[Superseded | Forgotten]:
        gone = [showing for showing in self._unacked.values() if showing is not but]
        return [output for showing in gone for output in self._settle(showing, is_superseded=True)]

    def _settle(
        self, showing: _Showing, *, is_superseded: bool = False
    ) -> list[Superseded | Forgotten]:
        """No ack of it is waited for any more, but what becomes of it may still be told."""
        del self._unacked[showing.image.sent_at]
        self._settled[showing.image.sent_at] = showing
        showing.is_over = showing.is_over or is_superseded
        outputs: list[Superseded | Forgotten] = []
        if is_superseded:
            outputs.append(Superseded(showing.image))
        if len(self._settled) > MAX_SETTLED:
            outputs.append(Forgotten(self._settled.pop(next(iter(self._settled))).image))
        return outputs

    def _acked(self, ack: Ack) -> list[PresenterOutput]:
        showing = self._unacked.get(ack.sent_at)
        if showing is None:
            return [Drop("an ack of no image that waits for one")]
        if ack.image_index not in (None, showing.image.image_index):
            return [Drop("an ack whose imageIndex is not that of the image sent then")]
        return [Acked(showing.image, ack, showing.copies), *self._settle(showing)]

    def _staged(self, said: Stage) -> list[PresenterOutput]:
        showing = self._unacked.get(said.sent_at) or self._settled.get(said.sent_at)
        if showing is None or showing.image.image_index != said.image_index:
            return [Drop("a stage of no image that is remembered")]
        # One that was hidden may be shown again; that is another time.
        told = (said.stage, said.at)
        if told in showing.told or len(showing.told) >= MAX_STAGES:
            return [Drop("a stage that was told before, or one too many")]
        showing.told.add(told)
        showing.is_over = showing.is_over or said.stage is not StageKind.FETCHED
        self._look(showing, said.stage)
        staged = Staged(attrs.evolve(said, sent_at=showing.image.sent_at))
        if said.stage is not StageKind.SHOWN:
            return [staged]
        # There is one screen: what came before this and was not on it will not be.
        passed = [other for other in self._settled.values() if other.is_passed_by(showing)]
        for other in passed:
            other.is_over = True
        return [staged, *(NeverShown(other.image) for other in passed)]

    def _look(self, showing: _Showing, stage: StageKind) -> None:
        if stage is StageKind.SHOWN and self._open:
            self._seen = showing
        elif stage is StageKind.HIDDEN and self._seen is showing:
            self._seen = None

    def _recorded(self, said: Recording) -> list[PresenterOutput]:
        if said == self._recording or self._recordings >= MAX_RECORDINGS:
            return [Drop("a recording that was told before, or one change too many")]
        self._recording = said
        self._recordings += 1
        return [Recorded(said)]

    def _send_upcoming(self, waiting: int) -> list[Transmit]:
        return [Transmit(encode_channel(message)) for message in self._upcoming.take(waiting)]

    def _copy_current(self, waiting: int) -> list[Transmit]:
        """For who asks, once there is room; who asks again until then has asked once."""
        self._owes_copy = waiting > MAX_UNSENT
        return [] if self._owes_copy else self._send_current()

    def _send_current(self) -> list[Transmit]:
        if not self._open or self._current is None:
            return []
        self._current.copies += 1
        return [Transmit(self._current.text, self._current.image, self._current.copies)]
