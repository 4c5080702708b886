"""The client's side of the talk on the channel: each image once, an ack for every copy.

    opened ──▶ ready                          stages ──▶ stage, and again on each new channel
    image ──▶ to the application ──▶ ack      copy of the last image ──▶ ack alone
    preload ──▶ Announced

A stage has no ack, so the last ones are said again on every channel. Pings and pongs are handed on
to whoever keeps the heartbeat.
"""

from collections import deque

from imgsync.core.channel.outputs import Announced, Deliver, Drop, Pinged, Ponged, Transmit
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import (
    FEATURE_PING,
    FEATURE_PRELOAD,
    FEATURE_STAGE,
    Ack,
    ChannelMessage,
    Image,
    Ping,
    Pong,
    Preload,
    Ready,
    Stage,
    StageKind,
)
from imgsync.core.protocol.errors import WireError
from imgsync.core.protocol.signalling import Milliseconds

MAX_STAGES = 256
"""Stages that are said again on a new channel: those of more images than can be under way when a
connection goes silent."""


FEATURES = (FEATURE_PING, FEATURE_STAGE, FEATURE_PRELOAD)
"""What our client speaks."""


def _may_follow(stage: StageKind, said: set[StageKind]) -> bool:
    match stage:
        case StageKind.SHOWN:
            return not said & {StageKind.FAILED, StageKind.HIDDEN}
        case StageKind.HIDDEN:
            return StageKind.FAILED not in said or StageKind.SHOWN in said
        case StageKind.FETCHED | StageKind.FAILED:
            return True  # fetching may take longer than showing


class Follower:
    """The client's side: each image once to the application, an ack for every copy."""

    def __init__(self) -> None:
        self._last: Image | None = None
        self._stages: deque[Stage] = deque(maxlen=MAX_STAGES)

    def opened(self) -> list[Transmit]:
        """A channel is open."""
        messages: list[ChannelMessage] = [Ready(FEATURES), *self._stages]
        return [Transmit(encode_channel(message)) for message in messages]

    def staged(self, stage: Stage) -> list[Transmit]:
        """An image has come to a stage; what makes no sense after its other stages is not said.

        Each stage comes once. What has failed, or is hidden, is not shown any more, and what failed
        before it was shown needs no hiding.
        """
        key = (stage.sent_at, stage.image_index)
        said = {one.stage for one in self._stages if (one.sent_at, one.image_index) == key}
        if stage.stage in said or not _may_follow(stage.stage, said):
            return []
        self._stages.append(stage)
        return [Transmit(encode_channel(stage))]

    def received(
        self, text: str | bytes, at: Milliseconds
    ) -> list[Transmit | Deliver | Announced | Pinged | Ponged | Drop]:
        """A message came in at this time of ours."""
        try:
            message = decode_channel(text)
        except WireError as exc:
            return [Drop(str(exc))]
        match message:
            case Image():
                is_copy = self._is_copy(message)
                return [self._ack(message, at) if is_copy else Deliver(message, at)]
            case Preload(images):
                return [Announced(images)]
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
