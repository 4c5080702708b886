"""What of the showings is still of interest to the presenter, and what the client says of them."""

from collections.abc import Iterable

import attrs

from imgsync.core.channel.outputs import (
    Acked,
    Drop,
    Forgotten,
    Identified,
    NeverShown,
    Responded,
    Staged,
    Superseded,
    Transmit,
)
from imgsync.core.channel.responses import Heard
from imgsync.core.channel.sharing import ImageSource, Sharing
from imgsync.core.codec.codec import check_size, encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Identity,
    Image,
    Response,
    ResponseAck,
    Stage,
    StageKind,
)
from imgsync.core.protocol.errors import MessageTooLarge
from imgsync.core.protocol.naming import newest_url
from imgsync.core.protocol.numbers import MAX_SETTLED, MAX_STAGES, MAX_UNACKED
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.core.protocol.trials import Trial


@attrs.define
class Showing:
    """One time that an image is to be shown."""

    source: ImageSource
    #: As it goes out, however often: a copy repeats the very same payload.
    image: Image
    text: str
    copies: int = 0
    told: set[tuple[StageKind, Milliseconds]] = attrs.field(factory=set)
    answers: Heard = attrs.field(factory=Heard)
    #: Whether it has gone out with its URL.
    keeps_url: bool = False
    is_identified: bool = False
    #: Whether it was shown, or never will be.
    is_over: bool = False

    @classmethod
    def of(cls, index: int, source: ImageSource, sent_at: Milliseconds) -> "Showing":
        """A new one, not yet addressed to anybody."""
        trial = source.trial or Trial()
        asked = attrs.asdict(trial, recurse=False)
        return cls(source, Image(index, source.image_url, source.signed_url, sent_at, **asked), "")

    def address(self, sharing: Sharing, limit: int) -> None:
        """Go out as the client on the open channel needs it.

        Raises NotSpoken and MessageTooLarge, and then it is as it was.
        """
        url = sharing.url_of(self.source, keeps_url=self.keeps_url)
        if self.text and url == self.image.signed_url:
            check_size(self.text, limit)
            return
        image = self.image
        if url != image.signed_url:
            image = attrs.evolve(image, signed_url=url)
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

    def is_passed_by(self, other: "Showing") -> bool:
        """Whether the other came later, and this was never shown."""
        return not self.is_over and self.image.sent_at < other.image.sent_at


class Showings:
    """What of the showings is still of interest: no ack yet, or more may be told."""

    def __init__(self) -> None:
        self.unacked: dict[Milliseconds, Showing] = {}
        #: Those that were acked or superseded last, or could not be sent.
        self.settled: dict[Milliseconds, Showing] = {}
        #: What is on the client's screen, as it said last on the open channel.
        self.seen: Showing | None = None

    def _find(self, sent_at: Milliseconds, index: int) -> Showing | None:
        """The one that the client speaks of."""
        showing = self.unacked.get(sent_at) or self.settled.get(sent_at)
        return showing if showing and showing.image.image_index == index else None

    def settle(
        self, showing: Showing, *, is_superseded: bool = False
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

    def closed(self, current: Showing | None) -> list[Superseded | Forgotten]:
        """There is no open channel any more; the current one will be sent on the next."""
        self.seen = None
        return self.supersede(but=current)

    def supersede(
        self, but: Showing | None = None, *, is_open: bool = False
    ) -> list[Superseded | Forgotten]:
        """These will not be acked: there is no channel for that, or they were never sent."""
        others = [showing for showing in self.unacked.values() if showing is not but]
        gone = [showing for showing in others if not is_open or showing.copies == 0]
        return [output for showing in gone for output in self.settle(showing, is_superseded=True)]

    def limit(self) -> list[Superseded | Forgotten]:
        """Of those without an ack, so many are enough."""
        if len(self.unacked) <= MAX_UNACKED:
            return []
        return self.settle(next(iter(self.unacked.values())), is_superseded=True)

    # ── what the client says ─────────────────────────────────────────────────────────────────────

    def acked(self, ack: Ack) -> list[Acked | Superseded | Forgotten | Drop]:
        """It has an image."""
        showing = self.unacked.get(ack.sent_at)
        if showing is None:
            return [Drop("an ack of no image that waits for one")]
        if ack.image_index not in (None, showing.image.image_index):
            return [Drop("an ack whose imageIndex is not that of the image sent then")]
        return [Acked(showing.image, ack, showing.copies), *self.settle(showing)]

    def staged(self, said: Stage, *, is_open: bool) -> list[Staged | NeverShown | Drop]:
        """An image has come to a stage.

        :param is_open: whether a channel is open on which it can say that it is hidden.
        """
        showing = self._find(said.sent_at, said.image_index)
        if showing is None:
            return [Drop("a stage of no image that is remembered")]
        # One that was hidden may be shown again; that is another time.
        told = (said.stage, said.at)
        if told in showing.told or len(showing.told) >= MAX_STAGES:
            return [Drop("a stage that was told before, or one too many")]
        showing.told.add(told)
        showing.is_over = showing.is_over or said.stage is not StageKind.FETCHED
        staged = Staged(attrs.evolve(said, sent_at=showing.image.sent_at))
        if said.stage is StageKind.HIDDEN and self.seen is showing:
            self.seen = None
        if said.stage is not StageKind.SHOWN:
            return [staged]
        if is_open:
            self.seen = showing
        return [staged, *self._pass_by(showing)]

    def responded(self, said: Response) -> list[Transmit | Responded | Drop]:
        """The participant has answered an image."""
        ack = ResponseAck(said.image_index, said.sent_at, said.number)
        acknowledged = Transmit(encode_channel(ack))
        showing = self._find(said.sent_at, said.image_index)
        if showing is None or not showing.answers.is_news(said):
            why = "an answer to no image that is remembered, one that was told, or one too many"
            return [acknowledged, Drop(why)]
        said = attrs.evolve(said, sent_at=showing.image.sent_at)
        return [acknowledged, Responded(showing.image, said)]

    def identified(self, said: Identity) -> list[Identified | Drop]:
        """It has fetched an image by its URL."""
        showing = self._find(said.sent_at, said.image_index)
        if showing is None or showing.is_identified:
            return [Drop("an identity of no image that is remembered, or one that was told before")]
        showing.is_identified = True
        return [Identified(showing.image, attrs.evolve(said, sent_at=showing.image.sent_at))]

    def _pass_by(self, shown: Showing) -> list[NeverShown]:
        """There is one screen: what came before this and was not on it will not be."""
        passed = [other for other in self.settled.values() if other.is_passed_by(shown)]
        for other in passed:
            other.is_over = True
        return [NeverShown(other.image) for other in passed]
