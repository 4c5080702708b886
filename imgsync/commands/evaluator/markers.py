"""Markers for the Lab Streaming Layer: what becomes of the images, beside whatever is recorded.

One stream of the type "Markers" with one channel of text. Each marker is a JSON object:

    {"event": "shown", "imageIndex": 3, "name": "face.png", "sentAt": 1764400000000.0,
     "bound": 1.2, "extra": {"condition": "A"}}
    {"event": "response", "imageIndex": 3, ..., "kind": "key", "value": "f", "reactionTime": 412.5}
    {"event": "mark", "imageIndex": 3, ..., "score": 1, "text": "with help"}

and "hidden" and "failed", as stages are. Its time stamp is when that was, on this machine's LSL
clock, and not when we heard of it: of what the client tells, by what is known of the two clocks,
true to `bound` ms. A marker without a `bound` that the client tells has the time at which it came.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar

import trio

from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.numbers import MAX_SETTLED
from imgsync.core.protocol.signalling import Milliseconds
from imgsync.distribution import missing_extra
from imgsync.evaluator.delivery import ResponseReport, StageReport
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.evaluator.marks import Mark
from imgsync.images.ref import ImageRef
from imgsync.tasks import open_background
from imgsync.wallclock import now_ms

T = TypeVar("T")

STREAM_TYPE = "Markers"

# Of what the library says by itself, errors and worse: it would stand between our own lines.
_CONFIG = "[log]\nlevel = -2\n"


class Outlet(Protocol):
    """What of pylsl's `StreamOutlet` is used."""

    def push_sample(self, x: list[str], timestamp: float) -> None:
        """`timestamp`: s on the LSL clock; 0.0 would mean now."""


class Markers:
    """A stream of markers. Made by `open_markers`.

    :param clock: what the LSL clock says now, s.
    """

    def __init__(self, outlet: Outlet, clock: Callable[[], float]) -> None:
        self._outlet = outlet
        self._clock = clock
        #: Of the last showings, by `sent_at`: how far our clock is ahead of the client's, and how
        #: wrong that can be, ms.
        self._ahead: dict[Milliseconds, tuple[float, float]] = {}

    async def follow(self, session: EvaluatorSession) -> None:
        """Send what becomes of the images, until the session is over."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_tell_each, session.stages(), self.staged)
            nursery.start_soon(_tell_each, session.responses(), self.responded)
            nursery.start_soon(_tell_each, session.marks(), self.marked)

    def staged(self, report: StageReport) -> None:
        """Something became of an image; that it has arrived is of no interest to who records."""
        if report.stage is StageKind.FETCHED:
            return
        if report.latency is not None:
            here = report.sent_at + report.latency
            self._keep(report.sent_at, here - report.at, report.latency.bound)
        at, bound = self._place(report.sent_at, report.at)
        fields = {"bound": bound, "reason": report.reason}
        self._push(report.stage.value, at, report.image, report.sent_at, fields)

    def responded(self, report: ResponseReport) -> None:
        """The participant has answered an image."""
        at, bound = self._place(report.sent_at, report.at)
        fields = {
            "bound": bound,
            "kind": report.kind.value,
            "value": report.value,
            "reactionTime": report.reaction_time,
            "within": report.within,
            "x": report.x,
            "y": report.y,
        }
        self._push("response", at, report.image, report.sent_at, fields)

    def marked(self, mark: Mark) -> None:
        """The evaluator has noted something."""
        fields = {"score": mark.score, "text": mark.text}
        self._push("mark", mark.at, mark.image, mark.sent_at, fields)

    def _keep(self, sent_at: Milliseconds, ahead: float, bound: float) -> None:
        self._ahead.pop(sent_at, None)
        self._ahead[sent_at] = ahead, bound
        if len(self._ahead) > MAX_SETTLED:
            del self._ahead[next(iter(self._ahead))]

    def _place(self, sent_at: Milliseconds, at: Milliseconds) -> tuple[Milliseconds, float | None]:
        """A time of the client's on our clock, and how wrong that can be."""
        known = self._ahead.get(sent_at)
        return (now_ms(), None) if known is None else (at + known[0], known[1])

    def _push(
        self,
        event: str,
        at: Milliseconds,
        image: ImageRef | None,
        sent_at: Milliseconds | None,
        fields: dict[str, Any],
    ) -> None:
        said: dict[str, Any] = {"event": event}
        if image is not None:
            said |= {"imageIndex": image.index, "name": image.name, "sentAt": sent_at}
        said |= {name: value for name, value in fields.items() if value is not None}
        if image is not None and image.extra:
            said["extra"] = dict(image.extra)
        stamp = self._clock() - (now_ms() - at) / 1000
        self._outlet.push_sample([json.dumps(said, ensure_ascii=False)], stamp)


async def _tell_each(reports: AsyncIterator[T], tell: Callable[[T], None]) -> None:
    async for report in reports:
        tell(report)


@asynccontextmanager
async def open_following(
    markers: Markers | None,
) -> AsyncIterator[Callable[[EvaluatorSession], None]]:
    """To stand around a session: what is called with it, to have its markers sent.

    All of them are, once the block is left. Without a stream there is nothing to be done.
    """
    followed: list[trio.Event] = []

    async def follow(markers: Markers, session: EvaluatorSession, over: trio.Event) -> None:
        await markers.follow(session)
        over.set()

    def begin(session: EvaluatorSession) -> None:
        if markers is not None:
            followed.append(trio.Event())
            background.start_soon(follow, markers, session, followed[-1])

    async with open_background() as background:
        try:
            yield begin
        finally:
            for over in followed:
                await over.wait()


@contextmanager
def open_markers(name: str, user_id: str) -> Iterator[Markers]:
    """A stream that is offered on the network while the block lasts.

    Raises MissingExtra without the library.

    :param name: of the stream, which programs that record look for.
    :param user_id: whose it is: with it, who records finds the stream again after a restart.
    """
    try:
        import pylsl
    except (ImportError, RuntimeError) as exc:  # RuntimeError: its library in C is not there
        raise missing_extra("markers for LSL need pylsl", "lsl") from exc
    pylsl.set_config_content(_CONFIG)
    source = f"imgsync-{user_id}"
    info = pylsl.StreamInfo(name, STREAM_TYPE, 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, source)
    yield Markers(pylsl.StreamOutlet(info), pylsl.local_clock)
