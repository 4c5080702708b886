"""Images, and what becomes of them at the client: acked, fetched, shown, hidden, failed."""

import logging
from collections import deque

import attrs
import trio

from imgsync.core.channel.clocks import Bounded
from imgsync.core.protocol.channel import Stage, StageKind
from imgsync.core.protocol.errors import ImageFailed, NotSpoken, SessionEnded
from imgsync.core.protocol.numbers import FEATURE_STAGE
from imgsync.core.protocol.signalling import EndReason, Milliseconds
from imgsync.images.ref import ImageRef

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
    """

    image: ImageRef
    sent_at: Milliseconds
    stage: StageKind
    at: Milliseconds
    latency: Bounded | None
    reason: str | None = None


class Fate:
    """What is known of one showing, for whoever waits for it to be on the screen."""

    def __init__(self, image: ImageRef, book: "StageBook") -> None:
        self.image = image
        self._book = book
        #: What was said of it when it was on the screen.
        self.shown: StageReport | None = None
        self._failure: str | None = None

    def take(self, report: StageReport) -> None:
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

    async def wait_shown(self) -> Milliseconds:
        """The onset. Raises ImageFailed, NotSpoken and SessionEnded."""
        while self.shown is None:
            if self._failure is not None:
                raise ImageFailed(self.image.index, self._failure)
            self._book.raise_if_silent()
            await self._book.wait_news()
        await trio.lowlevel.checkpoint()
        return self.shown.at


class StageBook:
    """What becomes of the images of one session."""

    def __init__(self) -> None:
        #: By `sent_at`, of those showings whose stages the core still listens for.
        self._fates: dict[Milliseconds, Fate] = {}
        self._reports: deque[StageReport] = deque(maxlen=MAX_REPORTS)
        #: Of all that ever came.
        self._count = 0
        self._speaks_stage = False
        self._end: tuple[EndReason, str] | None = None
        self._news = trio.Event()

    def add(self, image: ImageRef, sent_at: Milliseconds) -> Fate:
        """An image is to be shown."""
        fate = self._fates[sent_at] = Fate(image, self)
        return fate

    def report(self, said: Stage, latency: Bounded | None) -> None:
        """The client tells a stage, which came so long after the showing."""
        fate = self._fates[said.sent_at]
        about = (said.sent_at, said.stage, said.at, latency, said.reason)
        report = StageReport(fate.image, *about)
        fate.take(report)
        self._reports.append(report)
        self._count += 1
        self._tell()

    def give_up(self, sent_at: Milliseconds) -> None:
        """A later image was shown instead."""
        self._fates[sent_at].give_up("superseded")
        self._tell()

    def forget(self, sent_at: Milliseconds) -> None:
        """Nothing that is said of this one will be listened to."""
        self.give_up(sent_at)
        del self._fates[sent_at]

    def peer_speaks(self, features: tuple[str, ...]) -> None:
        """The client says what it speaks; another one, that was started anew, may speak less."""
        self._speaks_stage = FEATURE_STAGE in features
        self._tell()

    def end(self, reason: EndReason, detail: str) -> None:
        """The session is over."""
        self._end = (reason, detail)
        self._tell()

    def raise_if_silent(self) -> None:
        """Raise SessionEnded or NotSpoken where no stage will come."""
        if self._end is not None:
            raise SessionEnded(*self._end)
        if not self._speaks_stage:
            raise NotSpoken(FEATURE_STAGE)

    async def wait_news(self) -> None:
        """Wait until there is anything new."""
        await self._news.wait()

    async def next_report(self, number: int) -> tuple[int, StageReport] | None:
        """The report of this number, or the next one that is still kept, and its number.

        None where there will be no such one.
        """
        while number >= self._count:
            if self._end is not None:
                return None
            await self._news.wait()
        oldest = self._count - len(self._reports)
        if number < oldest:
            log.warning("%d stages were missed, nobody asked for them in time", oldest - number)
            number = oldest
        await trio.lowlevel.checkpoint()
        return number, self._reports[number - oldest]

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()


class Stages:
    """Iterates over all stages of a session; left half-way, it needs no closing."""

    def __init__(self, book: StageBook) -> None:
        self._book = book
        self._next = 0

    def __aiter__(self) -> "Stages":
        return self

    async def __anext__(self) -> StageReport:
        found = await self._book.next_report(self._next)
        if found is None:
            raise StopAsyncIteration
        number, report = found
        self._next = number + 1
        return report


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
    _fate: Fate = attrs.field(repr=False, eq=False)

    @property
    def round_trip(self) -> float:
        """Milliseconds from the showing to its ack, on one clock."""
        return float(self.acked_at - self.sent_at)

    @property
    def onset_latency(self) -> Bounded | None:
        """Milliseconds from `sent_at` to the onset, with its bound; None before `shown` returns."""
        return None if self._fate.shown is None else self._fate.shown.latency

    async def shown(self) -> Milliseconds:
        """Wait until the image is on the screen; the onset, client's clock, ms since the epoch.

        A client without a screen may never say so, and nothing then ends the wait but another image
        that is shown, or the end: put a deadline around it.

        Raises ImageFailed where the client says that it can't show the image, or its time is over
        without a word; NotSpoken where the client never says what becomes of images; SessionEnded.
        """
        return await self._fate.wait_shown()
