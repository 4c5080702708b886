"""What the images of a series ask of the client, and when each of them is over, for `--auto`."""

from collections.abc import Sequence

import attrs
import trio

from imgsync.commands.events import NotSpoken
from imgsync.commands.output import Output
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.core.protocol.trials import Trial
from imgsync.core.study.displays import ScreenNeeds
from imgsync.core.study.running import Entry, ends_by_itself, needs_of
from imgsync.core.study.study import Study
from imgsync.evaluator.delivery import ResponseReport, StageReport
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.images.ref import ImageRef
from imgsync.journal.events import Order
from imgsync.tasks import Bell

MAX_NAMED = 8
"""Images, in a line for people."""


@attrs.frozen
class Asked:
    """Of a whole series.

    :param needs: the extensions that a client has to speak.
    :param screen: what has to be there beside that.
    """

    needs: tuple[str, ...] = ()
    screen: ScreenNeeds = attrs.field(factory=ScreenNeeds)

    @classmethod
    def of(cls, images: Sequence[ImageRef]) -> "Asked":
        """All that its images ask."""
        trials = [image.trial for image in images]
        return cls(tuple(needs_of(trials)), ScreenNeeds.of(trials))


NOTHING = Asked()


def refuse_endless(images: Sequence[ImageRef]) -> None:
    """Raise InputError, by name, for what would never end by itself."""
    endless = [image for image in images if not ends_by_itself(image.trial)]
    if not endless:
        return
    names = ", ".join(f"{image.index} ({image.name})" for image in endless[:MAX_NAMED])
    more = f" and {len(endless) - MAX_NAMED} more" if endless[MAX_NAMED:] else ""
    raise InputError(
        "with --auto, each image needs showFor, frames, or a respond with an answer that ends it;"
        f" these would never end: {names}{more}"
    )


def record_study(session: EvaluatorSession, study: Study) -> None:
    """Have the record name the study, and the order that it is shown in."""
    order: Order = "given" if study.seed is None else "shuffled"
    session.record_study(name=study.name, order=order, seed=study.seed, trials=study.entries)


def _now() -> float:
    """Milliseconds on a clock that is never set."""
    return trio.current_time() * 1000


class Course:
    """How far the image that is shown has come with what is asked."""

    def __init__(self, session: EvaluatorSession, asked: Asked) -> None:
        self._session = session
        self.asked = asked
        self._image: ImageRef | None = None
        self._asked_at: Milliseconds = 0
        #: None until the client says something of it: then it is known what the client speaks.
        self._entry: Entry | None = None
        self._is_told = False
        self._news = Bell()

    def begin(self, image: ImageRef, asked_at: Milliseconds) -> None:
        """An image is to be shown, with a `sentAt` that is not earlier than this."""
        self._image, self._asked_at, self._entry = image, asked_at, None
        self._news.ring()

    def staged(self, report: StageReport) -> None:
        """The client tells a stage."""
        if (entry := self._entry_of(report)) is not None:
            entry.staged(report.stage, report.reason, _now())
            self._news.ring()

    def responded(self, report: ResponseReport) -> None:
        """The participant answers."""
        if (entry := self._entry_of(report)) is not None:
            entry.responded()
            self._news.ring()

    def acked(self, image: ImageRef) -> None:
        """The client has this one."""
        if image is self._image:
            self._begun()
            self._news.ring()

    def refused(self, image: ImageRef) -> None:
        """This one can't be sent to this client."""
        if image is self._image:
            self._begun().refused()
            self._news.ring()

    def tell_unspoken(self, output: Output) -> None:
        """Once the client has said what it speaks: what is asked and will not be heeded."""
        if self._is_told:
            return
        self._is_told = True
        for feature in self.asked.needs:
            if feature not in self._session.features:
                output.write(NotSpoken(feature))

    async def wait_over(self) -> None:
        """Wait until what is shown last is over."""
        while self._entry is None or not self._entry.is_over:
            entry = self._entry
            seconds = float("inf") if entry is None else (entry.due - _now()) / 1000
            with trio.move_on_after(max(0, seconds)) as scope:
                await self._news.wait()
            if scope.cancelled_caught and entry is not None:
                entry.tick(_now())

    def _entry_of(self, report: StageReport | ResponseReport) -> Entry | None:
        if self._image is None or report.image.index != self._image.index:
            return None
        return self._begun() if report.sent_at >= self._asked_at else None

    def _begun(self) -> Entry:
        if self._entry is None:
            assert self._image is not None
            trial = self._image.trial or Trial()
            self._entry = Entry(trial, self._session.features, _now())
        return self._entry
