"""One row for each answer, each mark and each screen: the tables beside that of showings."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from imgsync.commands.report.offsets import OffsetHistory
from imgsync.commands.report.rows import Ms, Row, in_order
from imgsync.commands.report.sides import SessionRecord
from imgsync.core.protocol import channel as message
from imgsync.core.protocol.extra import Extra
from imgsync.core.protocol.signalling import Milliseconds, Role
from imgsync.core.study.displays import ScreenNeeds, warnings_of
from imgsync.journal.events import Display, Mark


@attrs.frozen
class ResponseRow:
    """An answer of the participant's; `sent_at` and `image_index` are those of its showing.

    :param response_at: client's clock.
    :param kind: "key", "tap", "button", or "too_many" where more came than are told.
    :param reaction_time: ms from the onset; true to `within`.
    :param x: of a tap, in the picture's own pixels, from the left; `y` from the top.
    :param extra: what else is said of the image.
    """

    session_id: str
    evaluator_id: str | None
    client_id: str | None
    image_index: int
    image_name: str | None
    sent_at: Milliseconds
    number: int
    response_at: Milliseconds
    response_at_evaluator: Ms
    kind: str
    value: str
    reaction_time: Ms
    within: Ms
    x: float | None
    y: float | None
    extra: Extra = attrs.field(hash=False)

    @property
    def is_answer(self) -> bool:
        """Else it says that there were more than are told."""
        return self.kind != message.ResponseKind.TOO_MANY.value


@attrs.frozen
class MarkRow:
    """A note or a score of the evaluator's, of what was shown then; all times are its clock's."""

    session_id: str
    evaluator_id: str | None
    client_id: str | None
    image_index: int | None
    image_name: str | None
    sent_at: Ms
    mark_at: Milliseconds
    score: float | None
    text: str | None
    extra: Extra = attrs.field(hash=False)


@attrs.frozen
class DisplayRow:
    """What the client has shown images on from then on; None where it does not say it.

    :param since: client's clock.
    :param languages: with a blank between each two, as `warnings` and `check_found` are.
    :param checked_at: client's clock; None where nobody has checked the device before.
    :param px_per_mm: CSS pixels in a millimetre of the screen.
    :param warnings: what of it may be in the way of what was asked in the session.
    """

    session_id: str
    evaluator_id: str | None
    client_id: str | None
    since: Milliseconds
    since_evaluator: Ms
    screen_width: int | None
    screen_height: int | None
    window_width: int | None
    window_height: int | None
    pixel_ratio: float | None
    zoom: float | None
    refresh_rate: float | None
    isolated: bool | None
    resolution: float | None
    browser: str | None
    system: str | None
    languages: str | None
    pointer: str | None
    checked_at: Milliseconds | None
    check_found: str | None
    keyboard: bool | None
    px_per_mm: float | None
    calibrated_by: str | None
    distance_mm: float | None
    distance_by: str | None
    distance_within_mm: float | None
    warnings: str | None

    @property
    def extra(self) -> Extra:
        """There is none."""
        return {}


@attrs.frozen
class TrialTables:
    """Of a session."""

    responses: list[ResponseRow]
    marks: list[MarkRow]
    displays: list[DisplayRow]


def make_tables(record: SessionRecord, rows: Sequence[Row], history: OffsetHistory) -> TrialTables:
    """Answers in the order of their images, marks and screens in that of their times."""
    by_key: dict[tuple[Ms, int | None], Row] = {(row.sent_at, row.image_index): row for row in rows}
    return TrialTables(
        responses=[one for row in rows for one in _responses_to(row, record, history)],
        marks=[_mark_row(mark, by_key, record) for mark in in_order(record.marks)],
        displays=list(_display_rows(record, history)),
    )


def _responses_to(row: Row, record: SessionRecord, history: OffsetHistory) -> Iterator[ResponseRow]:
    showing = record.showings[row.sent_at, row.image_index]
    for answer in sorted(
        showing.answers.values(), key=lambda one: (one.said.response_at, one.said.number)
    ):
        said = answer.said
        near = row.sent_at if answer.told_at is None else answer.told_at
        here = history.to_evaluator(said.response_at, near, row.sent_at)
        yield ResponseRow(
            session_id=row.session_id,
            evaluator_id=row.evaluator_id,
            client_id=row.client_id,
            image_index=row.image_index,
            image_name=row.image_name,
            sent_at=row.sent_at,
            number=said.number,
            response_at=said.response_at,
            response_at_evaluator=None if here is None else here.at,
            kind=said.kind.value,
            value=said.value,
            reaction_time=said.reaction_time,
            within=said.within,
            x=said.x,
            y=said.y,
            extra=row.extra,
        )


def _mark_row(
    mark: Mark, rows: Mapping[tuple[Ms, int | None], Row], record: SessionRecord
) -> MarkRow:
    row = rows.get((mark.sent_at, mark.image_index))
    return MarkRow(
        session_id=record.session_id,
        evaluator_id=record.user_id(Role.EVALUATOR),
        client_id=record.user_id(Role.CLIENT),
        image_index=mark.image_index,
        image_name=None if row is None else row.image_name,
        sent_at=mark.sent_at,
        mark_at=mark.mark_at,
        score=mark.score,
        text=mark.text,
        extra={} if row is None else row.extra,
    )


def _display_rows(record: SessionRecord, history: OffsetHistory) -> Iterator[DisplayRow]:
    needs = ScreenNeeds.of(showing.trial for showing in record.showings.values())
    for told in sorted(record.displays.values(), key=lambda one: (one.told_at, one.said.since)):
        said = told.said
        here = history.to_evaluator(said.since, told.told_at)
        yield DisplayRow(
            session_id=record.session_id,
            evaluator_id=record.user_id(Role.EVALUATOR),
            client_id=record.user_id(Role.CLIENT),
            since=said.since,
            since_evaluator=None if here is None else here.at,
            screen_width=said.screen_width,
            screen_height=said.screen_height,
            window_width=said.window_width,
            window_height=said.window_height,
            pixel_ratio=said.pixel_ratio,
            zoom=said.zoom,
            refresh_rate=said.refresh_rate,
            isolated=said.isolated,
            resolution=said.resolution,
            browser=said.browser,
            system=said.system,
            languages=" ".join(said.languages) or None,
            pointer=None if said.pointer is None else said.pointer.value,
            checked_at=said.checked_at,
            check_found=" ".join(said.check_found) or None,
            keyboard=said.keyboard,
            px_per_mm=said.px_per_mm,
            calibrated_by=said.calibrated_by,
            distance_mm=said.distance_mm,
            distance_by=said.distance_by,
            distance_within_mm=said.distance_within_mm,
            warnings=" ".join(warnings_of(_as_told(said), needs)) or None,
        )


def _as_told(said: Display) -> message.Display:
    """The message that it was."""
    facts = attrs.asdict(said, recurse=False)
    del facts["session_id"]
    return message.Display(at=facts.pop("since"), **facts)
