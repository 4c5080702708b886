"""Show a series of images in a session, by the clock or by a person, and keep the score."""

import statistics
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

import trio

from imgsync.commands.evaluator.steering import End, Refused, Show, parse_line
from imgsync.commands.events import (
    Acked,
    CommandRefused,
    NotAcked,
    SeriesSummary,
    Spread,
    Stage,
    write_states,
)
from imgsync.commands.output import Output
from imgsync.core.channel.preload import Announcements
from imgsync.core.protocol.errors import MessageTooLarge, SessionEnded, Superseded
from imgsync.evaluator.delivery import Delivery
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.images.ref import ImageRef
from imgsync.tasks import open_background

ACK_DEADLINE = 30.0
"""Seconds after which an image counts as not acked; a session lives on through shorter silences."""


class Series:
    """A series of images in a session: what was shown, what was acked."""

    def __init__(
        self, session: EvaluatorSession, images: Sequence[ImageRef], output: Output
    ) -> None:
        self._session = session
        self._images = images
        self._output = output
        self.shown = 0
        self.deliveries: list[Delivery] = []
        #: How often each stage was reported; empty where the client does not speak `stage`.
        self.stages: Counter[str] = Counter()
        self._announcements = Announcements()

    @property
    def all_acked(self) -> bool:
        """Whether every image that was shown was acked."""
        return len(self.deliveries) == self.shown

    @property
    def summary(self) -> SeriesSummary:
        """How it went so far."""
        return SeriesSummary(
            shown=self.shown,
            acked=len(self.deliveries),
            round_trip_ms=_spread(delivery.round_trip for delivery in self.deliveries),
            one_way_ms=_spread(delivery.latency for delivery in self.deliveries),
            bound_ms=_spread(delivery.latency.bound for delivery in self.deliveries),
            stages=dict(self.stages) or None,
        )

    async def show_every(self, seconds: float) -> None:
        """Show all in order, one each so many seconds, whenever their acks come.

        The last image has its time, too. Raises SessionEnded.
        """
        begin = trio.current_time()
        async with self._open_watch(), trio.open_nursery() as showing:
            for index in range(len(self._images)):
                await trio.sleep_until(begin + index * seconds)
                await showing.start(self._show, index)
                self._announce(index)
            await trio.sleep_until(begin + len(self._images) * seconds)

    async def obey(self, lines: AsyncIterator[str]) -> None:
        """Show what is asked for until the end is. Raises SessionEnded."""
        current: int | None = None
        async with self._open_watch(), trio.open_nursery() as showing:
            async for line in lines:
                match parse_line(line, current, len(self._images)):
                    case Show(index):
                        current = index
                        await showing.start(self._show, index)
                        self._announce(index)
                    case Refused(why):
                        self._output.write(CommandRefused(why))
                    case End():
                        return

    @asynccontextmanager
    async def _open_watch(self) -> AsyncIterator[None]:
        """Write what happens to the session while the block lasts; raises SessionEnded into it."""
        async with open_background() as watching:
            watching.start_soon(self._raise_when_ended)
            watching.start_soon(write_states, self._session.changes(), self._output)
            watching.start_soon(self._write_stages)
            self._announce(None)
            yield

    def _announce(self, current: int | None) -> None:
        """Let the client know what will be shown soon, unless it knows most of it."""
        places = self._announcements.next(len(self._images), current)
        if places is None:
            return
        # It is only a hint; what is wrong comes out when an image is shown.
        with suppress(SessionEnded, MessageTooLarge):
            self._session.preload([self._images[place] for place in places])

    async def _write_stages(self) -> None:
        async for report in self._session.stages():
            self.stages[report.stage.value] += 1
            self._output.write(
                Stage(
                    image_index=report.image.index,
                    name=report.image.name,
                    sent_at=report.sent_at,
                    stage=report.stage,
                    at=report.at,
                    latency_ms=report.latency,
                    bound_ms=None if report.latency is None else report.latency.bound,
                    reason=report.reason,
                )
            )

    async def _raise_when_ended(self) -> None:
        await self._session.wait_ended()
        self._session.raise_if_ended()

    async def _show(self, index: int, *, task_status: trio.TaskStatus[None]) -> None:
        # Not looked up earlier than now, because a URL is good for a time only.
        image = self._images[index]
        self.shown += 1
        self._output.begin_image(index)
        try:
            with trio.fail_after(ACK_DEADLINE):
                # Whoever started us goes on when we wait; by then the image is on its way. Tasks
                # that are started together run in any order, and so would the images.
                task_status.started()
                delivery = await self._session.show(image)
        except trio.TooSlowError:
            self._miss_ack(image, "timeout", f"no ack within {ACK_DEADLINE:g} s")
        except Superseded:
            self._miss_ack(image, "superseded", "another image took its place")
        except SessionEnded as exc:
            self._miss_ack(image, exc.reason.value, str(exc))
        else:
            self.deliveries.append(delivery)
            self._output.write(_acked(delivery))

    def _miss_ack(self, image: ImageRef, reason: str, detail: str) -> None:
        self._output.write(
            NotAcked(image_index=image.index, name=image.name, reason=reason, detail=detail)
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
