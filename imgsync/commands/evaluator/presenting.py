"""Show a series of images in a session, by the clock or by a person, and keep the score."""

import statistics
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import trio

from imgsync.commands.common import Output, tell_states
from imgsync.commands.evaluator.steering import End, Refused, Show, parse_line
from imgsync.core.channel.preload import Announcements
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.errors import MessageTooLarge, SessionEnded, Superseded
from imgsync.evaluator.delivery import Delivery
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.images.ref import ImageRef
from imgsync.tasks import open_background

ACK_DEADLINE = 30.0
"""Seconds after which an image counts as not acked; a session lives on through shorter silences."""


class Presentation:
    """A series in a session: what was shown, what was acked."""

    def __init__(
        self, session: EvaluatorSession, images: Sequence[ImageRef], output: Output
    ) -> None:
        self._session = session
        self._images = images
        self._output = output
        self.shown = 0
        self.deliveries: list[Delivery] = []
        #: How often each stage was told; empty where the client does not speak `stage`.
        self.stages: Counter[str] = Counter()
        self._announcements = Announcements()

    @property
    def all_acked(self) -> bool:
        """Whether every image that was shown was acked."""
        return len(self.deliveries) == self.shown

    async def show_every(self, seconds: float) -> None:
        """Show all in order, one each so many seconds, whenever their acks come.

        The last image has its time, too. Raises SessionEnded.
        """
        begin = trio.current_time()
        async with open_background() as watching, trio.open_nursery() as showing:
            self._begin(watching)
            for index in range(len(self._images)):
                await trio.sleep_until(begin + index * seconds)
                await showing.start(self._show, index)
                self._announce(index)
            await trio.sleep_until(begin + len(self._images) * seconds)

    async def obey(self, lines: AsyncIterator[str]) -> None:
        """Show what is asked for until the end is. Raises SessionEnded."""
        current: int | None = None
        async with open_background() as watching, trio.open_nursery() as showing:
            self._begin(watching)
            async for line in lines:
                match parse_line(line, current, len(self._images)):
                    case Show(index):
                        current = index
                        await showing.start(self._show, index)
                        self._announce(index)
                    case Refused(why):
                        self._output.tell(why, "refused", reason=why)
                    case End():
                        return

    def tell_summary(self) -> None:
        """The last line of the output."""
        values: dict[str, object] = {"shown": self.shown, "acked": len(self.deliveries)}
        prose = f"{self.shown} images shown, {len(self.deliveries)} acked"
        if self.deliveries:
            trips = [delivery.round_trip for delivery in self.deliveries]
            ways = [delivery.latency for delivery in self.deliveries]
            bounds = [latency.bound for latency in ways]
            values |= {
                "roundTripMs": _spread(trips),
                "oneWayMs": _spread(ways),
                "boundMs": _spread(bounds),
            }
            prose += (
                f"; round trip {statistics.median(trips):.1f} ms (longest {max(trips):.1f})"
                f"; one way {statistics.median(ways):.1f} ms,"
                f" to {statistics.median(bounds):.1f} (at worst {max(bounds):.1f})"
            )
        if self.stages:
            values["stages"] = dict(self.stages)
            told = (StageKind.SHOWN, "on the screen"), (StageKind.FAILED, "failed")
            counts = [(self.stages[kind.value], words) for kind, words in told]
            prose += "".join(f"; {count} {words}" for count, words in counts if count)
        self._output.tell(prose, "summary", **values)

    def _begin(self, watching: trio.Nursery) -> None:
        watching.start_soon(self._raise_when_ended)
        watching.start_soon(tell_states, self._session.changes(), self._output)
        watching.start_soon(self._tell_stages)
        self._announce(None)

    def _announce(self, current: int | None) -> None:
        """Tell the client what will be shown soon, unless it knows that of most of it."""
        places = self._announcements.next(len(self._images), current)
        if places is None:
            return
        # It is only a hint; what is wrong comes out when an image is shown.
        with suppress(SessionEnded, MessageTooLarge):
            self._session.preload([self._images[place] for place in places])

    async def _tell_stages(self) -> None:
        async for report in self._session.stages():
            self.stages[report.stage.value] += 1
            failed = report.stage is StageKind.FAILED
            prose = f"image {report.image.index}  {report.image.name}  failed: {report.reason}"
            self._output.tell(
                prose if failed else None,
                "stage",
                imageIndex=report.image.index,
                name=report.image.name,
                sentAt=report.sent_at,
                stage=report.stage.value,
                at=report.at,
                latencyMs=None if report.latency is None else round(report.latency, 3),
                boundMs=None if report.latency is None else round(report.latency.bound, 3),
                reason=report.reason,
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
            self._tell_not_acked(image, "timeout", f"no ack within {ACK_DEADLINE:g} s")
        except Superseded:
            self._tell_not_acked(image, "superseded", "another image took its place")
        except SessionEnded as exc:
            self._tell_not_acked(image, exc.reason.value, str(exc))
        else:
            self._tell_acked(image, delivery)

    def _tell_not_acked(self, image: ImageRef, reason: str, detail: str) -> None:
        self._output.tell(
            f"image {image.index}  {image.name}  not acked: {detail}",
            "not_acked",
            imageIndex=image.index,
            name=image.name,
            reason=reason,
        )

    def _tell_acked(self, image: ImageRef, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        self._output.tell(
            f"image {image.index}  {image.name}  acked  {delivery.round_trip:.1f} ms"
            f"  one way {delivery.latency:.1f} ± {delivery.latency.bound:.1f} ms",
            "acked",
            imageIndex=image.index,
            name=image.name,
            imageUrl=image.image_url,
            sentAt=delivery.sent_at,
            receivedAt=delivery.received_at,
            roundTripMs=round(delivery.round_trip, 3),
            latencyMs=round(delivery.latency, 3),
            boundMs=round(delivery.latency.bound, 3),
            copies=delivery.copies,
        )


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 3), "max": round(max(values), 3)}
