"""Images, and what becomes of them at the client: acked, fetched, shown, hidden, failed."""

import attrs
import trio

from imgsync.core.channel.clocks import Bounded
from imgsync.core.handshake.outputs import Ended
from imgsync.core.pictures.facts import Facts
from imgsync.core.protocol.channel import (
    Ack,
    Drawn,
    OnsetTiming,
    Response,
    ResponseKind,
    Stage,
    StageKind,
)
from imgsync.core.protocol.errors import (
    ImageFailed,
    MessageTooLarge,
    NotSpoken,
    SessionEnded,
    Superseded,
)
from imgsync.core.protocol.numbers import FEATURE_RESPONSE, FEATURE_STAGE, HIDDEN_TAB, SUPERSEDED
from imgsync.core.protocol.signalling import Features, Milliseconds
from imgsync.evaluator.reports import Reports
from imgsync.images.ref import ImageRef
from imgsync.tasks import Bell


@attrs.frozen
class StageReport:
    """What the client says has become of an image.

    :param image: what was to be shown.
    :param sent_at: of that showing; evaluator's clock, ms since the epoch.
    :param at: when it came to this stage; client's clock, ms since the epoch.
    :param latency: ms from the showing to that, with its bound; None where nothing is known of the
        client's clock.
    :param reason: why it failed: a short word, such as "http_403".
    :param detail: what else is known of that, for people.
    :param timing: of one that is shown, whether `at` is when it was presented or only the frame
        that put it up, where the client says it; what that leaves open is in the bound.
    :param frames: of one that is hidden, for how many refreshes of the client's screen it was up,
        where the client says it.
    :param dropped: how many of these the client missed.
    :param drawn: of one that is shown, how large it is on the client's screen, where the client
        says it.
    """

    image: ImageRef
    sent_at: Milliseconds
    stage: StageKind
    at: Milliseconds
    latency: Bounded | None
    reason: str | None = None
    detail: str = ""
    timing: OnsetTiming | None = None
    frames: int | None = None
    dropped: int | None = None
    drawn: Drawn | None = None


@attrs.frozen
class ResponseReport:
    """An answer of the participant's to an image.

    :param image: what was to be shown.
    :param sent_at: of that showing; evaluator's clock, ms since the epoch.
    :param number: counts from 1, of all answers that this page or process has told.
    :param at: of the event itself; client's clock, ms since the epoch.
    :param value: the name of a key, what a button stands for, or of a tap whether it was on the
        "picture" or "beside" it; "" where more came for this showing than are told.
    :param reaction_time: ms from the onset, by the client's clock alone; None where it has none.
    :param within: how wrong that can be, ms.
    :param x: of a tap on the picture, in its own pixels, from the left; `y` from the top.
    """

    image: ImageRef
    sent_at: Milliseconds
    number: int
    at: Milliseconds
    kind: ResponseKind
    value: str
    reaction_time: float | None = None
    within: float | None = None
    x: float | None = None
    y: float | None = None


@attrs.frozen
class PictureReport:
    """Which picture an image was, byte by byte.

    :param image: what was to be shown.
    :param sent_at: of that showing; evaluator's clock, ms since the epoch.
    :param picture: what the client has got, as it says; of a file of the evaluator's own, what that
        is, until the client says something else.
    """

    image: ImageRef
    sent_at: Milliseconds
    picture: Facts


class Showing:
    """One time that an image is to be shown, for whoever waits for what becomes of it."""

    def __init__(self, image: ImageRef, sent_at: Milliseconds, showings: "Showings") -> None:
        self.image = image
        #: As we have said it; a client may repeat 5.0 as 5.
        self.sent_at = sent_at
        self._showings = showings
        #: Set when it is known whether it was acked.
        self.settled = trio.Event()
        self.delivery: Delivery | None = None
        self.is_superseded = False
        #: Why it can't be sent to this client.
        self.refusal: MessageTooLarge | NotSpoken | None = None
        #: What was said of it when it was on the screen.
        self.shown: StageReport | None = None
        #: The first answer.
        self.answer: ResponseReport | None = None
        #: Another image has taken its place, or was on the screen since.
        self.is_passed = False
        #: Which picture it is, as far as that is known.
        self.picture: Facts | None = None
        self._failure: str | None = None

    def reach(self, report: StageReport) -> None:
        """The client tells a stage of it."""
        match report.stage:
            case StageKind.SHOWN:
                # Later ones are of an image that was hidden, and is seen again.
                self.shown = self.shown or report
            case StageKind.FAILED:
                self.give_up(report.reason or "failed")
            case StageKind.HIDDEN:
                self.give_up("hidden")
            case StageKind.FETCHED:
                pass

    def give_up(self, why: str) -> None:
        """It will not be told of as shown, unless it was before."""
        self._failure = self._failure or why
        self.is_passed = self.is_passed or why == SUPERSEDED

    async def wait_acked(self) -> "Delivery":
        """The client has it. Raises Superseded, MessageTooLarge, NotSpoken and SessionEnded."""
        await self.settled.wait()
        if self.refusal is not None:
            raise self.refusal
        if self.is_superseded:
            raise Superseded(
                f"image {self.image.index} may not have reached the client: the connection was"
                " interrupted, and another image was to be shown meanwhile"
            )
        if self.delivery is None:
            self._showings.raise_if_ended()
        assert self.delivery is not None
        return self.delivery

    async def wait_shown(self) -> Milliseconds:
        """The onset. Raises ImageFailed, NotSpoken and SessionEnded."""
        while self.shown is None:
            if self._failure is not None:
                raise ImageFailed(self.image.index, self._failure)
            self._showings.raise_if_silent(FEATURE_STAGE)
            await self._showings.news.wait()
        await trio.lowlevel.checkpoint()
        return self.shown.at

    async def wait_responded(self) -> ResponseReport:
        """The first answer. Raises Superseded, ImageFailed, NotSpoken and SessionEnded."""
        while self.answer is None:
            if self.is_passed:
                raise Superseded(
                    f"image {self.image.index} was not answered: another image was shown since"
                )
            # What is hidden may still be answered, and what failed for want of eyes may be seen.
            if self._failure not in (None, "hidden", HIDDEN_TAB):
                raise ImageFailed(self.image.index, self._failure)
            self._showings.raise_if_silent(FEATURE_RESPONSE)
            await self._showings.news.wait()
        await trio.lowlevel.checkpoint()
        return self.answer


class Showings:
    """What becomes of the images of one session."""

    def __init__(self) -> None:
        #: By `sent_at`, of those whose stages the core still listens for.
        self._showings: dict[Milliseconds, Showing] = {}
        self.stages = Reports[StageReport]("stages")
        self.pictures = Reports[PictureReport]("pictures")
        self.responses = Reports[ResponseReport]("responses")
        #: What was to be shown last.
        self.current: Showing | None = None
        self._seen: Showing | None = None
        #: What the client has said that it speaks.
        self.spoken: Features = ()
        self._end: Ended | None = None
        #: Of any change.
        self.news = Bell()

    def add(self, image: ImageRef, sent_at: Milliseconds) -> Showing:
        """An image is to be shown."""
        showing = self.current = self._showings[sent_at] = Showing(image, sent_at, self)
        return showing

    def image_of(self, sent_at: Milliseconds) -> ImageRef:
        """What is to be shown."""
        return self._showings[sent_at].image

    def ack(self, ack: Ack, at: Milliseconds, copies: int, latency: Bounded) -> None:
        """The client has an image, as it says in an ack that came in at this time of ours."""
        showing = self._showings[ack.sent_at]
        showing.delivery = Delivery(
            showing.image,
            sent_at=showing.sent_at,
            received_at=ack.received_at,
            acked_at=at,
            copies=copies,
            latency=latency,
            showing=showing,
        )
        showing.settled.set()

    def supersede(self, sent_at: Milliseconds) -> None:
        """An image may not have arrived, and is not sent again."""
        self._showings[sent_at].is_superseded = True
        self._showings[sent_at].settled.set()

    def refuse(self, sent_at: Milliseconds, why: MessageTooLarge | NotSpoken) -> None:
        """An image can't be sent to this client."""
        self._showings[sent_at].refusal = why
        self._showings[sent_at].settled.set()

    def report(self, said: Stage, latency: Bounded | None) -> None:
        """The client tells a stage, which came so long after the showing."""
        showing = self._showings[said.sent_at]
        report = StageReport(
            showing.image,
            sent_at=said.sent_at,
            stage=said.stage,
            at=said.at,
            latency=latency,
            reason=said.reason,
            detail=said.detail or "",
            timing=said.timing,
            frames=said.frames,
            dropped=said.dropped,
            drawn=said.drawn,
        )
        showing.reach(report)
        if said.stage is StageKind.SHOWN:
            self._see(showing)
        self.stages.tell(report)
        self.news.ring()

    def _see(self, showing: Showing) -> None:
        """There is one screen: no answer is to be awaited to what was on it before."""
        if self._seen is not None and self._seen.sent_at < showing.sent_at:
            self._seen.is_passed = True
        self._seen = showing

    def respond(self, said: Response) -> None:
        """The participant has answered an image."""
        showing = self._showings[said.sent_at]
        report = ResponseReport(
            showing.image,
            sent_at=said.sent_at,
            number=said.number,
            at=said.at,
            kind=said.kind,
            value=said.value,
            reaction_time=said.reaction_time,
            within=said.within,
            x=said.x,
            y=said.y,
        )
        showing.answer = showing.answer or report
        self.responses.tell(report)
        self.news.ring()

    def identify(self, sent_at: Milliseconds, picture: Facts) -> bool:
        """Which picture an image is: returns whether that is news."""
        showing = self._showings[sent_at]
        if showing.picture is not None and showing.picture.sha256 == picture.sha256:
            return False
        showing.picture = picture
        self.pictures.tell(PictureReport(showing.image, showing.sent_at, picture))
        return True

    def give_up(self, sent_at: Milliseconds) -> None:
        """A later image was shown instead."""
        self._showings[sent_at].give_up(SUPERSEDED)
        self.news.ring()

    def forget(self, sent_at: Milliseconds) -> None:
        """Nothing that is said of this one will be listened to."""
        self.give_up(sent_at)
        del self._showings[sent_at]

    def peer_speaks(self, features: Features) -> None:
        """The client says what it speaks; another one, that was started anew, may speak less."""
        self.spoken = features
        self.news.ring()

    def end(self, end: Ended) -> None:
        """The session is over."""
        self._end = end
        for showing in self._showings.values():
            showing.settled.set()
        self.stages.end()
        self.pictures.end()
        self.responses.end()
        self.news.ring()

    def raise_if_ended(self) -> None:
        """Raise SessionEnded if the session is over."""
        if self._end is not None:
            raise SessionEnded(self._end.reason, self._end.detail)

    def raise_if_silent(self, feature: str) -> None:
        """Raise SessionEnded or NotSpoken where nothing of the kind will come."""
        self.raise_if_ended()
        if feature not in self.spoken:
            raise NotSpoken(feature)


@attrs.frozen
class Delivery:
    """An image that the client has acked.

    :param image: what was shown.
    :param sent_at: when it was to be shown; evaluator's clock, ms since the epoch.
    :param received_at: when it came in at the client; client's clock, ms since the epoch.
    :param acked_at: when the ack came back; evaluator's clock, ms since the epoch.
    :param copies: how often it was sent until then; more than 1 after a repair.
    :param latency: one way, from `sent_at` to `received_at`, in ms; it has a `bound`, how wrong it
        can be, as the two times are of two clocks.
    """

    image: ImageRef
    sent_at: Milliseconds
    received_at: Milliseconds
    acked_at: Milliseconds
    copies: int
    latency: Bounded
    _showing: Showing = attrs.field(repr=False, eq=False)

    @property
    def round_trip(self) -> float:
        """Milliseconds from the showing to its ack, on one clock."""
        return float(self.acked_at - self.sent_at)

    @property
    def onset_latency(self) -> Bounded | None:
        """Milliseconds from `sent_at` to the onset; None before `shown` returns.

        The bound holds what is not known of the client's clock, and of when the image was presented
        where the client could only tell the frame that put it up.
        """
        return None if self._showing.shown is None else self._showing.shown.latency

    @property
    def picture(self) -> Facts | None:
        """Which picture it is, byte by byte; None while that is not known.

        Of a file of ours, what was sent. Of one that the client has fetched from a URL, what it has
        got, as it says behind `fetched`; not every client does.
        """
        return self._showing.picture

    async def shown(self) -> Milliseconds:
        """Wait until the image is on the screen; the onset, client's clock, ms since the epoch.

        A client without a screen may never say so, and nothing then ends the wait but another image
        that is shown, or the end: put a deadline around it.

        Raises ImageFailed where the client says that it can't show the image, or its time is over
        without a word; NotSpoken where the client never says what becomes of images; SessionEnded.
        """
        return await self._showing.wait_shown()

    async def responded(self) -> ResponseReport:
        """Wait for the first answer to this showing, also once the image is hidden again.

        Nothing but another image that is on the screen, or the end, ends the wait for who does not
        answer: put a deadline around it. Each answer is among `EvaluatorSession.responses`, too,
        and there alone where it comes later than that other image.

        Raises Superseded where another image was on the screen since; ImageFailed where the client
        says that it can't show the image; NotSpoken where the client tells of no answers;
        SessionEnded.
        """
        return await self._showing.wait_responded()
