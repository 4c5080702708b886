"""What the client tells in a session, as the evaluator's command prints it."""

from collections.abc import AsyncIterator

import trio

from imgsync.commands.evaluator.course import Course
from imgsync.commands.evaluator.obeying import Driven
from imgsync.commands.events import (
    CommandRefused,
    Display,
    Mark,
    NotSent,
    Picture,
    Preloaded,
    Recording,
    Response,
    Stage,
)
from imgsync.commands.output import Output
from imgsync.core.protocol.channel import Display as DisplayReport
from imgsync.core.protocol.channel import Recording as RecordingReport
from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import PRELOADED_INTERVAL
from imgsync.core.study.displays import warnings_of
from imgsync.evaluator.delivery import PictureReport, ResponseReport, StageReport
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.evaluator.sharing import PictureNotSent


def stage_event(report: StageReport) -> Stage:
    """What has become of an image."""
    return Stage(
        image_index=report.image.index,
        name=report.image.name,
        sent_at=report.sent_at,
        stage=report.stage,
        at=report.at,
        latency_ms=report.latency,
        bound_ms=None if report.latency is None else report.latency.bound,
        reason=report.reason,
        timing=report.timing,
        detail=report.detail or None,
        frames=report.frames,
        dropped=report.dropped,
        drawn=report.drawn,
    )


def write_mark(
    session: EvaluatorSession, score: float | None, text: str | None, output: Output
) -> None:
    """Note this of what is shown, or say why that can't be."""
    try:
        made = session.mark(text, score=score)
    except InputError as exc:
        output.write(CommandRefused(str(exc)))
        return
    index, name = (None, None) if made.image is None else (made.image.index, made.image.name)
    output.write(Mark(index, name, made.sent_at, made.at, made.score, made.text))


async def write_preloaded(series: Driven, session: EvaluatorSession, output: Output) -> None:
    """How much of what was announced is there."""
    async for said in session.preloaded():
        counts = (said.announced, said.there, said.failed, said.full or None)
        output.write(Preloaded(*counts, is_before_start=series.current is None))
        # However often it is said; what counts is the last.
        await trio.sleep(PRELOADED_INTERVAL / 4)


async def write_all(session: EvaluatorSession, course: Course, output: Output) -> None:
    """All but stages, until the session is over."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_write_responses, session.responses(), course, output)
        nursery.start_soon(_write_displays, session.displays(), course, output)
        nursery.start_soon(_write_recordings, session.recordings(), output)
        nursery.start_soon(_write_pictures, session.pictures(), output)
        nursery.start_soon(_write_not_sent, session.not_sent(), output)


async def _write_responses(
    responses: AsyncIterator[ResponseReport], course: Course, output: Output
) -> None:
    """Each answer, which may be what the series waits for."""
    async for said in responses:
        output.write(
            Response(
                image_index=said.image.index,
                name=said.image.name,
                sent_at=said.sent_at,
                number=said.number,
                at=said.at,
                kind=said.kind,
                value=said.value,
                reaction_time_ms=said.reaction_time,
                bound_ms=said.within,
                x=said.x,
                y=said.y,
            )
        )
        course.responded(said)


async def _write_displays(
    displays: AsyncIterator[DisplayReport], course: Course, output: Output
) -> None:
    """What the client shows images on, and what of it may be in the way."""
    async for said in displays:
        output.write(Display.of(said, warnings_of(said, course.asked.screen)))


async def _write_recordings(recordings: AsyncIterator[RecordingReport], output: Output) -> None:
    """How the participant is recorded."""
    async for said in recordings:
        output.write(Recording(said.devices, said.troubles, said.at))


async def _write_pictures(pictures: AsyncIterator[PictureReport], output: Output) -> None:
    """Which picture each image is."""
    async for report in pictures:
        output.write(
            Picture(
                image_index=report.image.index,
                name=report.image.name,
                sent_at=report.sent_at,
                sha256=report.picture.sha256,
                content_type=report.picture.content_type,
                bytes=report.picture.bytes,
                width=report.picture.width,
                height=report.picture.height,
            )
        )


async def _write_not_sent(pictures: AsyncIterator[PictureNotSent], output: Output) -> None:
    """What of our own could not be sent."""
    async for lost in pictures:
        image = lost.image
        output.write(NotSent(image.index, image.name, lost.reason, lost.detail))
