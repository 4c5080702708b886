"""The talk on the data channel, one class for each side.

    Presenter (evaluator)                    Follower (client)
        opened, ready ──▶ current image         opened ──▶ ready
        show ──▶ image                          image ──▶ to the application ──▶ ack
        ack ──▶ Acked                           copy of the last image ──▶ ack alone
        next image, not acked ──▶ Superseded

The current image is the last one that was to be shown. A resend repeats the very same payload,
`sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. An
image that has not been acked when its channel goes, and is not the current one, will not be sent
again: it is superseded. Pings and pongs are handed on to whoever keeps the heartbeat.
"""

import math

import attrs

from imgsync.core.codec import decode_channel, encode_channel
from imgsync.core.errors import WireError
from imgsync.core.messages import FEATURE_PING, Ack, Image, Milliseconds, Ping, Pong, Ready

MAX_UNACKED = 256
"""Images that may wait for their ack. A peer that acks nothing must not make us grow."""


@attrs.frozen
class Transmit:
    """Send this text on the channel. It may hold a signed URL."""

    text: str = attrs.field(repr=False)


@attrs.frozen
class Acked:
    """The first ack of an image came in.

    :param copies: how often the image was sent until then.
    """

    image: Image
    received_at: Milliseconds
    copies: int


@attrs.frozen
class Superseded:
    """Another image took this one's place before it was acked; it will not be sent again."""

    image: Image


@attrs.frozen
class PeerSpeaks:
    """The other side has named the extensions that it speaks."""

    features: tuple[str, ...]


@attrs.frozen
class Pinged:
    """A ping came in."""

    ping: Ping


@attrs.frozen
class Ponged:
    """A pong came in."""

    pong: Pong


@attrs.frozen
class Deliver:
    """Hand this image to the application, then call `taken`."""

    image: Image
    received_at: Milliseconds


@attrs.frozen
class Drop:
    """A message was ignored, and why: for the log."""

    why: str


@attrs.define
class _Pending:
    image: Image
    copies: int = 0


class Presenter:
    """The evaluator's side: what is current, and which images were acked."""

    def __init__(self) -> None:
        self._current: _Pending | None = None
        self._unacked: dict[Milliseconds, _Pending] = {}
        self._open = False

    def show(
        self, index: int, image_url: str, signed_url: str, now: float
    ) -> tuple[Image, list[Transmit | Superseded]]:
        """Make an image the current one and send it if the channel is open.

        Raises MessageTooLarge, and then the current image stays what it was.

        :param now: milliseconds since the epoch; moved on a little where it was used before.
        """
        if self._current is not None and now <= self._current.image.sent_at:
            now = math.nextafter(self._current.image.sent_at, math.inf)
        image = Image(image_index=index, image_url=image_url, signed_url=signed_url, sent_at=now)
        encode_channel(image)
        # Without a channel, whatever waits for its ack has nothing to come on any more.
        superseded = [] if self._open else self._supersede()
        self._current = self._unacked[now] = _Pending(image)
        if len(self._unacked) > MAX_UNACKED:
            superseded.append(Superseded(self._unacked.pop(next(iter(self._unacked))).image))
        return image, [*superseded, *self._send_current()]

    def opened(self) -> list[Transmit]:
        """A channel is open."""
        self._open = True
        return self._send_current()

    def closed(self) -> list[Superseded]:
        """There is no open channel any more."""
        self._open = False
        return self._supersede(but=self._current)

    def received(
        self, text: str | bytes
    ) -> list[Transmit | Acked | PeerSpeaks | Pinged | Ponged | Drop]:
        """A message came in."""
        try:
            message = decode_channel(text)
        except WireError as exc:
            return [Drop(str(exc))]
        match message:
            case Ready(features):
                return [PeerSpeaks(features), *self._send_current()]
            case Ack():
                return [self._acked(message)]
            case Ping():
                return [Pinged(message)]
            case Pong():
                return [Ponged(message)]
            case _:
                return [Drop("not a message for an evaluator")]

    def _supersede(self, but: _Pending | None = None) -> list[Superseded]:
        gone = [pending for pending in self._unacked.values() if pending is not but]
        for pending in gone:
            del self._unacked[pending.image.sent_at]
        return [Superseded(pending.image) for pending in gone]

    def _acked(self, ack: Ack) -> Acked | Drop:
        pending = self._unacked.get(ack.sent_at)
        if pending is None:
            return Drop("an ack of no image that waits for one")
        if ack.image_index not in (None, pending.image.image_index):
            return Drop("an ack whose imageIndex is not that of the image sent then")
        del self._unacked[ack.sent_at]
        return Acked(pending.image, ack.received_at, pending.copies)

    def _send_current(self) -> list[Transmit]:
        if not self._open or self._current is None:
            return []
        self._current.copies += 1
        return [Transmit(encode_channel(self._current.image))]


class Follower:
    """The client's side: each image once to the application, an ack for every copy."""

    def __init__(self) -> None:
        self._last: Image | None = None

    def opened(self) -> list[Transmit]:
        """A channel is open."""
        return [Transmit(encode_channel(Ready((FEATURE_PING,))))]

    def received(
        self, text: str | bytes, at: Milliseconds
    ) -> list[Transmit | Deliver | Pinged | Ponged | Drop]:
        """A message came in at this time of ours."""
        try:
            message = decode_channel(text)
        except WireError as exc:
            return [Drop(str(exc))]
        match message:
            case Image():
                is_copy = self._is_copy(message)
                return [self._ack(message, at) if is_copy else Deliver(message, at)]
            case Ping():
                return [Pinged(message)]
            case Pong():
                return [Ponged(message)]
            case _:
                return [Drop("not a message for a client")]

    def taken(self, delivery: Deliver) -> tuple[bool, Transmit]:
        """The application asks for the next image and would get this one.

        Returns whether it is a new showing (a copy may have come while the first one waited), and
        the ack to send.
        """
        is_new = not self._is_copy(delivery.image)
        self._last = delivery.image
        return is_new, self._ack(delivery.image, delivery.received_at)

    def _is_copy(self, image: Image) -> bool:
        last = self._last
        return last is not None and (image.sent_at, image.image_index) == (
            last.sent_at,
            last.image_index,
        )

    def _ack(self, image: Image, at: Milliseconds) -> Transmit:
        return Transmit(encode_channel(Ack(image.sent_at, at, image.image_index)))
