"""Images, and what becomes of them at the client: acked, fetched, shown, hidden, failed."""

import logging
from collections import deque
from collections.abc import AsyncIterator

import attrs
import trio

from imgsync.core.channel.clocks import Bounded
from imgsync.core.handshake.outputs import Ended
from imgsync.core.protocol.channel import Ack, OnsetTiming, Stage, StageKind
from imgsync.core.protocol.errors import (
    ImageFailed,
    MessageTooLarge,
    NotSpoken,
    SessionEnded,
    Superseded,
)
from imgsync.core.protocol.numbers import FEATURE_STAGE, SUPERSEDED
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.images.ref import ImageRef
from imgsync.tasks import Bell, Pull

log = logging.getLogger(__name__)

MAX_REPORTS = 1000
"""Stages that are kept for whoever iterates over them."""


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
    """

    image: ImageRef
    sent_at: Milliseconds
    stage: StageKind
    at: Milliseconds
    latency: Bounded | None
    reason: str | None = None
    detail: str = ""
    timing: OnsetTiming | None = None


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
            self._showings.raise_if_silent()
            await self._showings.news.wait()
        await trio.lowlevel.checkpoint()
        return self.shown.at


class Showings:
    """What becomes of the images of one session."""

    def __init__(self) -> None:
        #: By `sent_at`, of those whose stages the core still listens for.
        self._showings: dict[Milliseconds, Showing] = {}
        self._reports: deque[StageReport] = deque(maxlen=MAX_REPORTS)
        #: Of all that ever came.
        self._count = 0
        self._speaks_stage = False
        self._end: Ended | None = None
        #: Of any change.
        self.news = Bell()

    def add(self, image: ImageRef, sent_at: Milliseconds) -> Showing:
        """An image is to be shown."""
        showing = self._showings[sent_at] = Showing(image, sent_at, self)
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
        )
        showing.reach(report)
        self._reports.append(report)
        self._count += 1
        self.news.ring()

    def give_up(self, sent_at: Milliseconds) -> None:
        """A later image was shown instead."""
        self._showings[sent_at].give_up(SUPERSEDED)
        self.news.ring()

    def forget(self, sent_at: Milliseconds) -> None:
        """Nothing that is said of this one will be listened to."""
        self.give_up(sent_at)
        del self._showings[sent_at]

    def peer_speaks(self, features: tuple[str, ...]) -> None:
        """The client says what it speaks; another one, that was started anew, may speak less."""
        self._speaks_stage = FEATURE_STAGE in features
        self.news.ring()

    def end(self, end: Ended) -> None:
        """The session is over."""
        self._end = end
        for showing in self._showings.values():
            showing.settled.set()
        self.news.ring()

    def raise_if_ended(self) -> None:
        """Raise SessionEnded if the session is over."""
        if self._end is not None:
            raise SessionEnded(self._end.reason, self._end.detail)

    def raise_if_silent(self) -> None:
        """Raise SessionEnded or NotSpoken where no stage will come."""
        self.raise_if_ended()
        if not self._speaks_stage:
            raise NotSpoken(FEATURE_STAGE)

    def reports(self) -> AsyncIterator[StageReport]:
        """Every stage that was told, from the first that is still kept; stops at the end."""
        position = 0

        async def next_report() -> StageReport | None:
            nonlocal position
            # Before the first look: what is read of the queue must not be older than what is taken.
            await trio.lowlevel.checkpoint()
            while position >= self._count:
                if self._end is not None:
                    return None
                await self.news.wait()
            oldest = self._count - len(self._reports)
            if position < oldest:
                missed = oldest - position
                log.warning("%d stages were missed, nobody asked for them in time", missed)
            position = max(position, oldest) + 1
            return self._reports[position - 1 - oldest]

        return Pull(next_report)


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

    async def shown(self) -> Milliseconds:
        """Wait until the image is on the screen; the onset, client's clock, ms since the epoch.

        A client without a screen may never say so, and nothing then ends the wait but another image
        that is shown, or the end: put a deadline around it.

        Raises ImageFailed where the client says that it can't show the image, or its time is over
        without a word; NotSpoken where the client never says what becomes of images; SessionEnded.
        """
        return await self._showing.wait_shown()
