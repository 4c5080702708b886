"""The client's side of the talk on the channel: each image once, an ack for every copy.

    opened ──▶ ready                          stages ──▶ stage, and again on each new channel
    image ──▶ to the application ──▶ ack      copy of the last image ──▶ ack alone
    preload ──▶ Announced                     how many are there ──▶ preloaded, and again likewise
                                              what was fetched ──▶ identity, and again likewise
    response_ack ──▶ not told again           an answer ──▶ response, and again until acknowledged
                                              what images are shown on ──▶ display, and again

A stage has no ack, so the last ones are said again on every channel.
"""

from collections import deque
from collections.abc import Sequence

from imgsync.core.channel.outputs import (
    Announced,
    Deliver,
    Drop,
    FollowerOutput,
    Transmit,
)
from imgsync.core.channel.responses import Unacknowledged
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    ChannelMessage,
    Display,
    Identity,
    Image,
    Preload,
    Preloaded,
    Ready,
    Response,
    ResponseAck,
    Stage,
    StageKind,
    TalkMessage,
)
from imgsync.core.protocol.numbers import FEATURES, HIDDEN_TAB, MAX_IDENTITIES, MAX_STAGES
from imgsync.core.protocol.signalling import Features, Milliseconds


def _may_follow(said: Sequence[Stage], stage: StageKind) -> bool:
    """Whether a stage makes sense after what was said of the showing.

    There is one screen: an image is shown, and hidden, and may be shown again. What has failed is
    not, unless it was only that nobody looked. What is hidden without having been shown had no time
    at all.
    """
    kinds = [one.stage for one in said]
    sights = [kind for kind in kinds if kind in (StageKind.SHOWN, StageKind.HIDDEN)]
    is_up = sights[-1:] == [StageKind.SHOWN]
    failures = [one.reason for one in said if one.stage is StageKind.FAILED]
    match stage:
        case StageKind.FETCHED | StageKind.FAILED:
            return stage not in kinds  # fetching may take longer than showing
        case StageKind.SHOWN:
            is_final = any(reason != HIDDEN_TAB for reason in failures)
            return not is_up and not is_final and (not sights or StageKind.SHOWN in kinds)
        case StageKind.HIDDEN:
            return is_up or not (sights or failures)


class Follower:
    """The client's side: each image once to the application, an ack for every copy.

    :param features: what the client speaks.
    """

    def __init__(self, features: Features = FEATURES) -> None:
        self._features = features
        self._last: Image | None = None
        self._stages: deque[Stage] = deque(maxlen=MAX_STAGES)
        self._identities: deque[Identity] = deque(maxlen=MAX_IDENTITIES)
        #: As it was told last.
        self._preloaded: list[Preloaded] = []
        self._displayed: list[Display] = []
        self._responses = Unacknowledged()

    def opened(self) -> list[Transmit]:
        """A channel is open."""
        messages: list[ChannelMessage] = [Ready(self._features), *self._stages]
        messages += [*self._identities, *self._preloaded]
        messages += [*self._displayed, *self._responses.kept]
        return [Transmit(encode_channel(message)) for message in messages]

    def staged(self, stage: Stage) -> list[Transmit]:
        """An image has come to a stage; what makes no sense after its other stages is not said."""
        key = (stage.sent_at, stage.image_index)
        said = [one for one in self._stages if (one.sent_at, one.image_index) == key]
        if not _may_follow(said, stage.stage):
            return []
        self._stages.append(stage)
        return [Transmit(encode_channel(stage))]

    def identified(self, identity: Identity) -> list[Transmit]:
        """What was fetched by the URL of a showing; of each that is said once."""
        key = (identity.sent_at, identity.image_index)
        if key in [(one.sent_at, one.image_index) for one in self._identities]:
            return []
        self._identities.append(identity)
        return [Transmit(encode_channel(identity))]

    def preloaded(self, counts: Preloaded) -> Transmit:
        """So many of the images that were announced are there by now."""
        self._preloaded = [counts]
        return Transmit(encode_channel(counts))

    def responded(self, response: Response) -> list[Transmit]:
        """The participant has answered an image; of too many answers to one that is said once."""
        return [Transmit(encode_channel(one)) for one in self._responses.add(response)]

    def displayed(self, display: Display) -> Transmit:
        """Images are shown on this from now on."""
        self._displayed = [display]
        return Transmit(encode_channel(display))

    def receive(self, message: TalkMessage, at: Milliseconds) -> list[FollowerOutput]:
        """The evaluator says something, which came in at this time of ours."""
        match message:
            case Image():
                is_copy = self._is_copy(message)
                return [self._ack(message, at) if is_copy else Deliver(message, at)]
            case Preload(images):
                return [Announced(images)]
            case ResponseAck():
                self._responses.acknowledged(message)
                return []
            case _:
                return [Drop("not a message for a client")]

    def take(self, delivery: Deliver) -> bool:
        """What is delivered has its turn. Returns whether it is handed out, and no copy."""
        is_new = not self._is_copy(delivery.image)
        self._last = delivery.image
        return is_new

    def taken(self, delivery: Deliver) -> tuple[bool, Transmit]:
        """The application asks for the next image and would get this one.

        Returns whether it is a new showing (a copy may have come while the first one waited), and
        the ack to send.
        """
        return self.take(delivery), self._ack(delivery.image, delivery.received_at)

    def _is_copy(self, image: Image) -> bool:
        last = self._last
        return last is not None and (image.sent_at, image.image_index) == (
            last.sent_at,
            last.image_index,
        )

    def _ack(self, image: Image, at: Milliseconds) -> Transmit:
        return Transmit(encode_channel(Ack(image.sent_at, at, image.image_index)))
