"""Show a series of images in a session, by the clock or by a person, and keep the score."""

import logging
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

import trio

from imgsync.commands.evaluator.course import NOTHING, Asked, Course
from imgsync.commands.evaluator.obeying import obey_lines, obey_to_the_end
from imgsync.commands.evaluator.refused import RefusedImages
from imgsync.commands.evaluator.score import Score, Showing
from imgsync.commands.evaluator.telling import (
    stage_event,
    write_all,
    write_mark,
    write_preloaded,
)
from imgsync.commands.events import (
    Acked,
    CommandRefused,
    NotAcked,
    SeriesSummary,
    Spread,
    write_states,
)
from imgsync.commands.output import Output
from imgsync.core.channel.preload import Announcements
from imgsync.core.protocol.errors import (
    ImageFailed,
    MessageTooLarge,
    NotSpoken,
    SessionEnded,
    Superseded,
)
from imgsync.core.protocol.numbers import SUPERSEDED
from imgsync.evaluator.delivery import Delivery, StageReport
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.images.ref import ImageRef
from imgsync.tasks import open_background
from imgsync.wallclock import now_ms

log = logging.getLogger(__name__)

ACK_DEADLINE = 30.0
"""Seconds after which an image counts as not acked; a session lives on through shorter silences."""

LAST_STAGES_DEADLINE = 4.0
"""Seconds for the client to say what became of the last images; it may try more than once. They
begin anew as long as it is being sent pictures, which end with the session."""

_LOOK = 0.5
"""Seconds after which it is looked at whether that is so."""

ONSET_DEADLINE = 0.5
"""Seconds for the last image to be told as shown, once it is fetched; not every client has a
screen. A page tells it when it was presented, some frames later."""


class Series:
    """A series of images in a session: what was shown, what was acked.

    :param asked: what the images ask of the client.
    """

    def __init__(
        self,
        session: EvaluatorSession,
        images: Sequence[ImageRef],
        output: Output,
        asked: Asked = NOTHING,
    ) -> None:
        self._session = session
        self._images = images
        self._output = output
        self.score = Score()
        self.deliveries: list[Delivery] = []
        #: How often each stage was reported; empty where the client does not speak `stage`.
        self.stages: Counter[str] = Counter()
        self._announcements = Announcements()
        self._reports = session.stages()
        #: Not acked, and not written yet.
        self._missed: list[tuple[Showing, NotAcked]] = []
        #: The place of what is shown; None before the first.
        self.current: int | None = None
        self._refused = RefusedImages(session, images)
        self._course = Course(session, asked)

    @property
    def summary(self) -> SeriesSummary:
        """How it went so far."""
        return _summary(self.score, self.deliveries, self.stages)

    async def show_every(self, seconds: float) -> None:
        """Show all in order, one each so many seconds, whenever their acks come.

        The last image has its time, too. Raises SessionEnded.
        """
        begin = trio.current_time()
        async with self._open_watch(), trio.open_nursery() as showing:
            for index in range(len(self._images)):
                await trio.sleep_until(begin + index * seconds)
                await self.begin(index, showing)
            await trio.sleep_until(begin + len(self._images) * seconds)

    async def obey(self, lines: AsyncIterator[str]) -> None:
        """Show what is asked for until the end is. Raises SessionEnded."""
        async with self._open_watch(), trio.open_nursery() as showing:
            await obey_lines(self, lines, showing)

    async def go_on_by_itself(self, lines: AsyncIterator[str]) -> None:
        """Show all in order, each when the one before is over, and what is asked for meanwhile.

        Raises SessionEnded.
        """
        async with self._open_watch(), trio.open_nursery() as showing, open_background() as typing:
            with trio.CancelScope() as going:
                typing.start_soon(obey_to_the_end, self, lines, showing, going)
                while (index := 0 if self.current is None else self.current + 1) < self.count:
                    await self.begin(index, showing)
                    await self._course.wait_over()

    async def begin(self, index: int, showing: trio.Nursery) -> None:
        """Show this image now, and have the next ones announced; its ack is waited for there."""
        await showing.start(self._show, index)
        self._announce()

    def note(self, score: float | None, text: str | None) -> None:
        """Note this of what is shown."""
        write_mark(self._session, score, text, self._output)

    def refuse(self, why: str) -> None:
        """What was typed can't be done."""
        self._output.write(CommandRefused(why))

    @property
    def count(self) -> int:
        """Images in the series."""
        return len(self._images)

    @asynccontextmanager
    async def _open_watch(self) -> AsyncIterator[None]:
        """Write what happens to the session while the block lasts; raises SessionEnded into it."""
        async with open_background() as watching:
            watching.start_soon(self._raise_when_ended)
            watching.start_soon(write_states, self._session.changes(), self._output)
            watching.start_soon(self._write_stages)
            watching.start_soon(write_preloaded, self, self._session, self._output)
            watching.start_soon(write_all, self._session, self._course, self._output)
            self._announce()
            yield

    def _announce(self) -> None:
        """Let the client know what will be shown soon, unless it knows most of it."""
        places = self._announcements.next(len(self._images), self.current)
        if places is None:
            return
        # It is only a hint; what is wrong comes out when an image is shown.
        with suppress(SessionEnded, MessageTooLarge):
            self._session.preload([self._images[place] for place in places])

    async def hear_out(self) -> None:
        """Let the client say what became of what it acked last: failures take their time."""
        if await _speaks_stage(self.deliveries):
            await self._hear_all()
            with trio.move_on_after(ONSET_DEADLINE):
                await self._hear_until(lambda: self.score.showings[-1].is_settled)

    async def _hear_all(self) -> None:
        """Until something was said of all, or nothing moves any more."""
        sent, still = self._session.bytes_sent, 0.0
        while still < LAST_STAGES_DEADLINE and not self.score.is_all_told:
            with trio.move_on_after(_LOOK):
                await self._hear_until(lambda: self.score.is_all_told)
            still = still + _LOOK if self._session.bytes_sent == sent else 0.0
            sent = self._session.bytes_sent

    async def _hear_until(self, is_enough: Callable[[], bool]) -> None:
        while not is_enough():
            report = await anext(self._reports, None)
            if report is None:  # the session is over
                return
            self._write_stage(report)

    async def _write_stages(self) -> None:
        async with trio.open_nursery() as renewing:
            async for report in self._reports:
                self._write_stage(report)
                is_refused = self._refused.take(report)
                if is_refused and await self._retry(renewing):
                    continue
                self._course.staged(report)
                if is_refused and self._refused.is_to_be_read_again(report):
                    renewing.start_soon(self._renew, renewing)

    async def _renew(self, nursery: trio.Nursery) -> None:
        """The signed URLs may have expired: show what was refused under its newest one."""
        if await self._refused.renew():
            self._announcements = Announcements()
            # Another one may have become the current one meanwhile, and been refused as well.
            await self._retry(nursery, is_new=True)
            self._announce()

    async def _retry(self, nursery: trio.Nursery, *, is_new: bool = False) -> bool:
        refused = self._refused.pop_renewed(self.current, is_new=is_new)
        if refused is None:
            return False
        self.score.forgive(refused)
        await nursery.start(self._show, refused.image.index)
        return True

    def _write_stage(self, report: StageReport) -> None:
        self.stages[report.stage.value] += 1
        self.score.take(report)
        self._output.write(stage_event(report))

    async def _raise_when_ended(self) -> None:
        await self._session.wait_ended()
        self._session.raise_if_ended()

    async def _show(self, index: int, *, task_status: trio.TaskStatus[None]) -> None:
        # Not looked up earlier than now, because a URL is good for a time only.
        image = self._images[index]
        self.current = index
        showing = self.score.begin(index, now_ms())
        self._course.begin(image, showing.asked_at)
        self._output.begin_image(index)
        try:
            with trio.fail_after(ACK_DEADLINE):
                # Whoever started us goes on when we wait; by then the image is on its way. Tasks
                # that are started together run in any order, and so would the images.
                task_status.started()
                delivery = await self._session.show(image)
        except trio.TooSlowError:
            await self._miss_ack(showing, image, "timeout", f"no ack within {ACK_DEADLINE:g} s")
        except NotSpoken as exc:
            self._course.tell_unspoken(self._output)
            await self._miss_ack(showing, image, "not_spoken", str(exc))
            self._course.refused(image)
        except Superseded:
            await self._miss_ack(showing, image, SUPERSEDED, "another image took its place")
        except SessionEnded as exc:
            await self._miss_ack(showing, image, exc.reason.value, str(exc))
        else:
            showing.is_acked = True
            self.deliveries.append(delivery)
            self._output.write(_acked(delivery))
            self._course.acked(image)
            self._course.tell_unspoken(self._output)

    async def _miss_ack(self, showing: Showing, image: ImageRef, reason: str, detail: str) -> None:
        showing.missed = (reason, detail)
        event = NotAcked(image_index=image.index, name=image.name, reason=reason, detail=detail)
        self._missed.append((showing, event))
        # Those that are missed together wake up together, in any order, and are told in their own.
        await trio.lowlevel.cancel_shielded_checkpoint()
        missed, self._missed = self._missed, []
        for _, event in sorted(missed, key=lambda one: one[0].number):
            self._output.write(event)


async def _speaks_stage(deliveries: Sequence[Delivery]) -> bool:
    if not deliveries:
        return False
    try:
        with trio.move_on_after(0):
            await deliveries[-1].shown()
    except NotSpoken:
        return False
    except (ImageFailed, SessionEnded):
        pass
    return True


def _summary(score: Score, deliveries: Sequence[Delivery], stages: Counter[str]) -> SeriesSummary:
    return SeriesSummary(
        sent=len(score.showings),
        shown=sum(showing.is_shown for showing in score.showings),
        acked=len(deliveries),
        failed=sum(showing.is_failed for showing in score.showings),
        superseded=score.superseded,
        round_trip_ms=_spread(delivery.round_trip for delivery in deliveries),
        one_way_ms=_spread(delivery.latency for delivery in deliveries),
        bound_ms=_spread(delivery.latency.bound for delivery in deliveries),
        stages=dict(stages) or None,
    )


def _acked(delivery: Delivery) -> Acked:
    return Acked(
        image_index=delivery.image.index,
        name=delivery.image.name,
        image_url=delivery.image.image_url,
        sent_at=delivery.sent_at,
        received_at=delivery.received_at,
        round_trip_ms=delivery.round_trip,
        latency_ms=delivery.latency,
        bound_ms=delivery.latency.bound,
        copies=delivery.copies,
    )


def _spread(durations: Iterable[float]) -> Spread | None:
    """None without any."""
    known = list(durations)
    return Spread(median=statistics.median(known), max=max(known)) if known else None
