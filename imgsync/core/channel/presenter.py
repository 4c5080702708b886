"""The evaluator's side of the talk on the channel: what is current, and which images were acked.

    opened, ready ──▶ current image           ack ──▶ Acked
    show ──▶ image                            next image, not acked ──▶ Superseded
    renew ──▶ nothing, until it is sent again
    preload ──▶ preload, once on a channel      stage ──▶ Staged, identity ──▶ Identified
    drained ──▶ what was kept back            recording ──▶ Recorded, preloaded ──▶ Counted
    first without a URL ──▶ Share             response ──▶ response_ack, and Responded once
                                              display ──▶ Displayed

The current image is the last one that was to be shown. A resend repeats the very same payload,
`sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. Only
the signature of its URL may have been renewed, or its URL added for a client that needs it (see
`sharing`). An image that has not been acked when its channel
goes, and is not the current one, will not be sent again: it is superseded. The client says its last
stages again on every channel; one with the same time is told once, and so is how the participant is
recorded, and what the client shows images on. An answer is acknowledged however often it comes, and
also where it is none that counts: the client would tell it for ever.

Who asks may ask often, and read slowly: while much waits to be sent, copies and preloads are kept
back. What waits is told in bytes; `drained` has to follow on more than MAX_UNSENT.
"""

import math
from collections.abc import Iterable, Sequence

from imgsync.core.channel.about import About
from imgsync.core.channel.outputs import (
    Drop,
    Forgotten,
    PresenterOutput,
    Share,
    Superseded,
    TooLarge,
    Transmit,
    Unsendable,
)
from imgsync.core.channel.preload import Upcoming
from imgsync.core.channel.sharing import ImageSource, Sharing
from imgsync.core.channel.showings import Showing, Showings
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Display,
    Identity,
    Image,
    Preloaded,
    Ready,
    Recording,
    Response,
    Stage,
    TalkMessage,
)
from imgsync.core.protocol.errors import MessageTooLarge, NotSpoken
from imgsync.core.protocol.numbers import (
    EPSILON,
    FEATURE_PRELOAD,
    MAX_CHANNEL_MESSAGE,
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


class Presenter:
    """The evaluator's side: what is current, and which images were acked."""

    def __init__(self) -> None:
        self._current: Showing | None = None
        self._showings = Showings()
        self._sharing = Sharing()
        self._upcoming = Upcoming(self._sharing)
        self._about = About()
        self._open = False
        #: Bytes of a message that the client on the open channel takes.
        self._limit = MAX_CHANNEL_MESSAGE
        #: Whether it is to be sent the current image when there is room.
        self._owes_copy = False
        self._last_sent_at: Milliseconds = -math.inf

    @property
    def is_seen(self) -> bool:
        """Whether an image is on the screen of a client that can still say that it is hidden."""
        return self._showings.seen is not None

    def show(
        self, index: int, source: ImageSource, now: float
    ) -> tuple[Image, list[Transmit | Share | _Refused]]:
        """Make an image the current one and send it if the channel is open.

        Raises MessageTooLarge, and then the current image stays what it was. It does so, too, where
        the image can't be sent to this client.

        :param now: milliseconds since the epoch; moved on a little where it was used before.
        """
        now = max(now, _next_time(self._last_sent_at))
        showing = Showing.of(index, source, now)
        try:
            showing.address(self._sharing, self._limit)
        except NotSpoken as exc:
            self._last_sent_at = now
            return showing.image, [*self._refuse(showing, Unsendable(showing.image, exc.feature))]
        self._last_sent_at = now
        # Without a channel, whatever waits for its ack has nothing to come on any more.
        superseded = self._showings.supersede(is_open=self._open)
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
        self._limit = MAX_CHANNEL_MESSAGE
        self._sharing.closed()
        self._upcoming.closed()
        return self._showings.closed(self._current)

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
                return [*self._showings.acked(message)]
            case Stage():
                return [*self._showings.staged(message, is_open=self._open)]
            case Response():
                return [*self._showings.responded(message)]
            case Identity():
                return [*self._showings.identified(message)]
            case Preloaded() | Recording() | Display():
                return [self._about.heard(message)]
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
        except NotSpoken as exc:
            why: TooLarge | Unsendable = Unsendable(current.image, exc.feature)
        except MessageTooLarge as exc:
            why = TooLarge(current.image, str(exc))
        self._current = None
        is_unacked = current.image.sent_at in self._showings.unacked
        return self._refuse(current, why) if is_unacked else []

    def _refuse(self, showing: Showing, why: TooLarge | Unsendable) -> list[_Refused]:
        showing.is_over = True
        return [why, *self._showings.settle(showing)]

    # ── what goes out ────────────────────────────────────────────────────────────────────────────

    def _send_upcoming(self, waiting: int) -> list[Transmit | Share]:
        preloads = self._upcoming.take(waiting)
        is_shared = any(one.signed_url is None for message in preloads for one in message.images)
        share = self._sharing.begin() if is_shared else []
        return [*share, *(Transmit(encode_channel(one), upcoming=one.images) for one in preloads)]

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
        is_shared = not current.keeps_url and not current.source.is_text
        share = self._sharing.begin() if is_shared else []
        return [*share, Transmit(current.text, current.image, current.copies)]
