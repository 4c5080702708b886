"""The evaluator's side of the talk on the channel: what is current, and which images were acked.

    opened, ready ──▶ current image           ack ──▶ Acked
    show ──▶ image                            next image, not acked ──▶ Superseded
    preload ──▶ preload, on each of both        stage ──▶ Staged

The current image is the last one that was to be shown. A resend repeats the very same payload,
`sentAt` included, which is what ties ack and image together; so `sentAt` is never used twice. An
image that has not been acked when its channel goes, and is not the current one, will not be sent
again: it is superseded. The client says its last stages again on every channel; one with the same
time is told once.
"""

from collections.abc import Sequence

import attrs

from imgsync.core.channel.outputs import (
    Acked,
    Drop,
    Forgotten,
    NeverShown,
    PresenterOutput,
    Staged,
    Superseded,
    Transmit,
)
from imgsync.core.channel.preload import split_preload
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Image,
    Preload,
    Ready,
    Stage,
    StageKind,
    TalkMessage,
    UpcomingImage,
)
from imgsync.core.protocol.numbers import (
    EPSILON,
    FEATURE_PRELOAD,
    MAX_SETTLED,
    MAX_STAGES,
    MAX_UNACKED,
    TICK,
)
from imgsync.core.protocol.signalling import Features, Milliseconds


def _next_time(sent_at: Milliseconds) -> float:
    """The earliest that a showing after this one may have; another number, however large it is."""
    return sent_at + max(TICK, abs(sent_at) * EPSILON)


@attrs.define
class _Showing:
    image: Image
    #: As it goes out, however often: a copy repeats the very same payload.
    text: str
    copies: int = 0
    told: set[tuple[StageKind, Milliseconds]] = attrs.field(factory=set)
    #: Whether it was shown, or never will be.
    is_over: bool = False

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
        #: What was announced and has not been shown yet.
        self._upcoming: list[UpcomingImage] = []
        #: Whether the client on the open channel wants to be told of it.
        self._wants_preload = False
        self._open = False

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
        text = encode_channel(image)
        # Without a channel, whatever waits for its ack has nothing to come on any more.
        superseded = [] if self._open else self._supersede()
        self._current = self._unacked[now] = _Showing(image, text)
        self._upcoming = [other for other in self._upcoming if other.image_url != image_url]
        if len(self._unacked) > MAX_UNACKED:
            superseded += self._settle(next(iter(self._unacked.values())), is_superseded=True)
        return image, [*superseded, *self._send_current()]

    def preload(self, images: Sequence[UpcomingImage]) -> list[Transmit]:
        """Announce what will be shown soon, in the place of what was announced before.

        It is sent to a client that names `preload`, once that is known. Raises MessageTooLarge.
        """
        messages = split_preload(images)
        self._upcoming = list(images)
        return self._send_upcoming(messages)

    def opened(self, features: Features = ()) -> list[Transmit]:
        """A channel is open; the client speaks this, as far as the relay knows."""
        self._open = True
        return self._begin_talk(features)

    def closed(self) -> list[Superseded | Forgotten]:
        """There is no open channel any more."""
        self._open = self._wants_preload = False
        return self._supersede(but=self._current)

    def receive(self, message: TalkMessage) -> list[PresenterOutput]:
        """The client says something."""
        match message:
            case Ready(features):
                return [*self._begin_talk(features)]
            case Ack():
                return self._acked(message)
            case Stage():
                return self._staged(message)
            case _:
                return [Drop("not a message for an evaluator")]

    def _begin_talk(self, features: Features) -> list[Transmit]:
        self._wants_preload = self._open and FEATURE_PRELOAD in features
        upcoming = self._send_upcoming(split_preload(self._upcoming))
        # First what is to be seen now: the channel is ordered, and preloads can be long.
        return [*self._send_current(), *upcoming]

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
        staged = Staged(attrs.evolve(said, sent_at=showing.image.sent_at))
        if said.stage is not StageKind.SHOWN:
            return [staged]
        # There is one screen: what came before this and was not on it will not be.
        passed = [other for other in self._settled.values() if other.is_passed_by(showing)]
        for other in passed:
            other.is_over = True
        return [staged, *(NeverShown(other.image) for other in passed)]

    def _send_upcoming(self, messages: Sequence[Preload]) -> list[Transmit]:
        if not self._wants_preload:
            return []
        return [Transmit(encode_channel(message)) for message in messages]

    def _send_current(self) -> list[Transmit]:
        if not self._open or self._current is None:
            return []
        self._current.copies += 1
        return [Transmit(self._current.text, self._current.image, self._current.copies)]
