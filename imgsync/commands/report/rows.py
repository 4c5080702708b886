"""One row for each showing of an image: the columns of the CSV."""

import enum
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import attrs

from imgsync.commands.report.offsets import Estimate, OffsetHistory
from imgsync.commands.report.sides import Recorded, SessionRecord, Showing, Sight
from imgsync.core.protocol.channel import Drawn, ResponseKind, is_failure
from imgsync.core.protocol.extra import Extra
from imgsync.core.protocol.numbers import SUPERSEDED
from imgsync.core.protocol.signalling import Milliseconds, Role
from imgsync.journal.events import Mark, Response

Ms = Milliseconds | None

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Outcome(enum.Enum):
    """What became of a showing, the most telling first."""

    SHOWN = "shown"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    ACKED = "acked"
    NOT_ACKED = "not acked"


Interval = tuple[Ms, Ms]
"""From when until when an image was on the screen; None for an end that nobody has told."""


Placed = tuple[Sight, Estimate | None]
"""With its time on the evaluator's clock, where that is known."""


@attrs.frozen
class Row:
    """All that is known of one showing; None where nothing is. Times are ms since the epoch.

    :param sha256: of the picture's bytes, as `type` (its media type) and `bytes` (how many) are;
        as the client has got them, and where it does not say so, as the evaluator has sent them.
    :param width: its pixels, as is `height`; None as well where the picture does not say.
    :param sent_at: evaluator's clock, as is `acked_at`.
    :param image_name: its file's name; the port of the host that it came from is another one each
        time.
    :param received_at: client's clock, as are `fetched_at`, `shown_at`, `hidden_at` and
        `failed_at`; those that end in `_evaluator` are the same on the evaluator's clock.
    :param shown_at: when it was on the screen for the first time.
    :param hidden_at: when it was there for the last time; None while it still is.
    :param intervals: when it was on the screen, client's clock.
    :param exposure_ms: how long that was in all, whatever became of the client's clock meanwhile;
        None where an end is not known.
    :param gaps: how often it was not there in between.
    :param hidden_reason: why it went, where the client says it: short words, each once.
    :param recorded_by: the devices that recorded the participant all the time that it was there,
        as far as it is known how long that was; "none" for no device, None where nobody was asked
        to record.
    :param recording_troubles: what was the matter with that meanwhile: short words, each once.
    :param failed_detail: what else is known of why it failed, for people.
    :param copies: how often it was sent.
    :param superseded: another image was shown before this one was acked, or up.
    :param round_trip: from `sent_at` to `acked_at`, ms.
    :param latency: from `sent_at` to when it came in at the client, ms; true to `bound`.
    :param onset_latency: from `sent_at` to when it was on the screen, ms; true to `onset_bound`.
    :param onset_timing: what is known of that, "presented" or "frame", where the client says it.
    :param show_for: for how long it was to be up, ms, as asked; `frames` the same in refreshes of
        the client's screen.
    :param frames_up: for how many refreshes it was up in all, and `frames_dropped` how many of
        these the client missed; None where the client does not say it each time that it went.
    :param answers: how many there are; 0 where some were asked for, None where nobody asked.
    :param answer: the first one: a key's name, a button's value, "picture" or "beside" of a tap.
    :param reaction_time: of the first one, ms from the onset; true to `reaction_bound`.
    :param size_mm: how large its longer side was to be, as asked, as are `size_deg` and `scale`.
    :param drawn_width_px: as it was on the screen first, CSS pixels; `drawn_width_mm` where that
        was calibrated.
    :param fitted: why it was fitted to the window although a size was asked, in a word.
    :param score: of the last mark of the evaluator's that has one; `note` is the texts of all.
    :param extra: what else is said of the image: columns of their own, behind all others.
    :param is_text: whether it is a text in place of an image; no column.
    """

    session_id: str
    evaluator_id: str | None
    client_id: str | None
    image_index: int
    image_name: str | None
    image_url: str | None
    sha256: str | None
    type: str | None
    width: int | None
    height: int | None
    bytes: int | None
    sent_at_iso: str
    sent_at: Milliseconds
    received_at: Ms
    acked_at: Ms
    fetched_at: Ms
    shown_at: Ms
    hidden_at: Ms
    failed_at: Ms
    failed_reason: str | None
    failed_detail: str | None
    superseded: bool
    copies: int | None
    intervals: tuple[Interval, ...]
    exposure_ms: Ms
    gaps: int | None
    hidden_reason: str | None
    recorded_by: str | None
    recording_troubles: str | None
    round_trip: Ms
    latency: Ms
    bound: Ms
    onset_latency: Ms
    onset_bound: Ms
    onset_timing: str | None
    received_at_evaluator: Ms
    fetched_at_evaluator: Ms
    shown_at_evaluator: Ms
    hidden_at_evaluator: Ms
    failed_at_evaluator: Ms
    show_for: Ms = None
    frames: int | None = None
    frames_up: int | None = None
    frames_dropped: int | None = None
    size_mm: float | None = None
    size_deg: float | None = None
    scale: str | None = None
    drawn_width_px: float | None = None
    drawn_height_px: float | None = None
    drawn_width_mm: float | None = None
    drawn_height_mm: float | None = None
    fitted: str | None = None
    answers: int | None = None
    answer: str | None = None
    answer_kind: str | None = None
    reaction_time: Ms = None
    reaction_bound: Ms = None
    score: float | None = None
    note: str | None = None
    extra: Extra = attrs.field(hash=False, factory=dict)
    is_text: bool = False

    @property
    def has_failed(self) -> bool:
        """Whether it came to nothing at the client, and not because of another image."""
        was_shown = self.shown_at is not None
        return self.failed_at is not None and is_failure(self.failed_reason, was_shown=was_shown)

    @property
    def outcome(self) -> Outcome:
        """It has failed if it was not shown, and not because of another image."""
        if self.shown_at is not None:
            return Outcome.SHOWN
        if self.superseded:
            return Outcome.SUPERSEDED
        if self.failed_at is not None:
            return Outcome.FAILED
        return Outcome.NOT_ACKED if self.acked_at is None else Outcome.ACKED


def make_rows(record: SessionRecord, history: OffsetHistory) -> list[Row]:
    """In the order in which the images were sent."""
    showings = sorted(record.showings.values(), key=lambda one: (one.sent_at, one.image_index))
    marks: dict[tuple[Ms, int | None], list[Mark]] = {}
    for mark in in_order(record.marks):
        marks.setdefault((mark.sent_at, mark.image_index), []).append(mark)
    rows = (_make_row(record, showing, history) for showing in showings)
    return [
        _with_trial(row, one, marks.get((one.sent_at, one.image_index), ()))
        for row, one in zip(rows, showings, strict=True)
    ]


def _make_row(record: SessionRecord, showing: Showing, history: OffsetHistory) -> Row:
    sent_at, acked_at = showing.sent_at, showing.acked_at
    near = sent_at if acked_at is None else acked_at

    def estimate(at: Ms, not_before: Milliseconds) -> Estimate | None:
        return None if at is None else history.to_evaluator(at, near, not_before)

    received = estimate(showing.received_at, sent_at)
    arrived = sent_at if received is None else max(received.earliest, sent_at)
    sights = _in_order(showing, history, arrived)
    onset, shown = next(((s, here) for s, here in sights if s.is_shown), (None, None))
    hidden = sights[-1][1] if sights and not sights[-1][0].is_shown else None
    pairs = _pair(sights)
    intervals = tuple((_told(begin), _told(end)) for begin, end in pairs)
    recorded = _recorded_in(record.recordings, intervals)
    picture = showing.pictures[-1] if showing.pictures else None
    return Row(
        session_id=record.session_id,
        evaluator_id=record.user_id(Role.EVALUATOR),
        client_id=record.user_id(Role.CLIENT),
        image_index=showing.image_index,
        image_name=None if showing.image_url is None else name_of(showing.image_url),
        image_url=showing.image_url,
        sha256=None if picture is None else picture.sha256,
        type=None if picture is None else picture.content_type,
        width=None if picture is None else picture.width,
        height=None if picture is None else picture.height,
        bytes=None if picture is None else picture.bytes,
        sent_at_iso=iso(sent_at),
        sent_at=sent_at,
        received_at=showing.received_at,
        acked_at=acked_at,
        fetched_at=showing.fetched_at,
        shown_at=None if onset is None else onset.at,
        hidden_at=None if not sights or sights[-1][0].is_shown else sights[-1][0].at,
        failed_at=showing.failed_at,
        failed_reason=showing.failed_reason,
        failed_detail=showing.failed_detail,
        superseded=showing.was_superseded or showing.failed_reason == SUPERSEDED,
        copies=showing.copies,
        intervals=intervals,
        exposure_ms=_exposure_of(pairs),
        gaps=len(intervals) - 1 if intervals else None,
        hidden_reason=_words(sight.reason for sight, _ in sights if sight.reason),
        recorded_by=_devices(recorded),
        recording_troubles=_words(word for one in recorded for word in one.troubles),
        round_trip=None if acked_at is None else acked_at - sent_at,
        latency=None if received is None else received.at - sent_at,
        bound=None if received is None else received.bound,
        onset_latency=None if shown is None else shown.at - sent_at,
        onset_bound=None if onset is None or shown is None else shown.bound + onset.within,
        onset_timing=None if onset is None or onset.timing is None else onset.timing.value,
        **_drawn(None if onset is None else onset.drawn),
        received_at_evaluator=_at(received),
        fetched_at_evaluator=_at(estimate(showing.fetched_at, arrived)),
        shown_at_evaluator=_at(shown),
        hidden_at_evaluator=_at(hidden),
        failed_at_evaluator=_at(estimate(showing.failed_at, arrived)),
        extra=showing.extra or {},
    )


def _drawn(drawn: Drawn | None) -> dict[str, Any]:
    """Of where it was first on the screen."""
    if drawn is None:
        return {}
    return {
        "drawn_width_px": drawn.width_px,
        "drawn_height_px": drawn.height_px,
        "drawn_width_mm": drawn.width_mm,
        "drawn_height_mm": drawn.height_mm,
        "fitted": drawn.fitted,
    }


def _with_trial(row: Row, showing: Showing, marks: Sequence[Mark]) -> Row:
    """What was asked beside showing it, and what came of that."""
    trial, answers = showing.trial, answers_of(showing)
    gone = [sight for sight in showing.sights.values() if not sight.is_shown]
    if trial is None and not answers and not marks and all(one.frames is None for one in gone):
        return row
    first = answers[0] if answers else None
    is_asked = trial is not None and trial.respond is not None
    return attrs.evolve(
        row,
        show_for=None if trial is None else trial.show_for,
        frames=None if trial is None else trial.frames,
        frames_up=_total(sight.frames for sight in gone),
        frames_dropped=_total(sight.dropped for sight in gone),
        size_mm=None if trial is None else trial.size_mm,
        size_deg=None if trial is None else trial.size_deg,
        scale=None if trial is None or trial.scale is None else trial.scale.value,
        answers=len(answers) if answers or is_asked else None,
        answer=None if first is None else first.value,
        answer_kind=None if first is None else first.kind.value,
        reaction_time=None if first is None else first.reaction_time,
        reaction_bound=None if first is None else first.within,
        score=next((one.score for one in reversed(marks) if one.score is not None), None),
        note="; ".join(one.text for one in marks if one.text) or None,
        is_text=trial is not None and trial.text is not None,
    )


def answers_of(showing: Showing) -> list[Response]:
    """In the order of the client's clock; that there were too many is none."""
    answers = [answer.said for answer in showing.answers.values()]
    answers.sort(key=lambda one: (one.response_at, one.number))
    return [one for one in answers if one.kind is not ResponseKind.TOO_MANY]


def in_order(marks: Iterable[Mark]) -> list[Mark]:
    """Of time; those of one moment as they were written."""
    return sorted(marks, key=lambda one: one.mark_at)


def _total(counts: Iterable[int | None]) -> int | None:
    """None for none, and where one of them is not known."""
    known = list(counts)
    return sum(one or 0 for one in known) if known and None not in known else None


def _in_order(showing: Showing, history: OffsetHistory, arrived: Milliseconds) -> list[Placed]:
    """In the order in which they happened, with the evaluator's clock; the client's may have been
    set in between, or be another one since its page was loaded again."""
    near = showing.sent_at if showing.acked_at is None else showing.acked_at
    found = []
    for sight in showing.sights.values():
        told_at = near if sight.told_at is None else sight.told_at
        found.append((sight, history.to_evaluator(sight.at, told_at, arrived)))
    is_known = all(here is not None for _, here in found)

    def when(item: Placed) -> float:
        sight, here = item
        return here.at if is_known and here is not None else sight.at

    return sorted(found, key=when)


def _pair(
    sights: Sequence[Placed],
) -> list[tuple[Placed | None, Placed | None]]:
    """Onsets with what ended them. A page that is loaded again may show an image that nobody has
    said to be hidden, and the other way round: then an end is not known."""
    pairs: list[tuple[Placed | None, Placed | None]] = []
    for placed in sights:
        if placed[0].is_shown:
            pairs.append((placed, None))
        elif pairs and pairs[-1][1] is None:
            pairs[-1] = (pairs[-1][0], placed)
        elif pairs:
            pairs.append((None, placed))
    return pairs


def _exposure_of(pairs: Sequence[tuple[Placed | None, Placed | None]]) -> Ms:
    """All of them together, ms; None where that is not known."""
    times = [_duration(*begin, *end) for begin, end in pairs if begin and end]
    return sum(times) if times and len(times) == len(pairs) else None


def _duration(
    shown: Sight, shown_here: Estimate | None, hidden: Sight, hidden_here: Estimate | None
) -> Milliseconds:
    """By the client's clock, which needs no estimate; by the evaluator's if the client's was set in
    between, or is another one since its page was loaded again."""
    by_client = hidden.at - shown.at
    if shown_here is None or hidden_here is None:
        return by_client
    by_evaluator = hidden_here.at - shown_here.at
    drift = max(shown_here.drift, hidden_here.drift)
    within = shown_here.bound + hidden_here.bound + drift * abs(by_evaluator)
    is_one_clock = by_client >= 0 and abs(by_client - by_evaluator) <= within
    return by_client if is_one_clock else by_evaluator


def _recorded_in(recordings: Sequence[Recorded], intervals: Iterable[Interval]) -> list[Recorded]:
    """How it was recorded while an image was up: from its onset on, and at each change."""
    ordered = sorted(recordings, key=lambda one: one.since)
    found: list[Recorded] = []
    for begin, end in intervals:
        if begin is None:
            continue
        found += [one for one in ordered if one.since <= begin][-1:]
        # Where nobody has told the end, what follows may be of another image.
        found += [one for one in ordered if end is not None and begin < one.since < end]
    return found


def _devices(recorded: Sequence[Recorded]) -> str | None:
    if not recorded:
        return None
    common = [one for one in recorded[0].devices if all(one in r.devices for r in recorded)]
    return _words(common) or "none"


def _words(words: Iterable[str]) -> str | None:
    """Each once, None for none."""
    return " ".join(dict.fromkeys(words)) or None


def name_of(image_url: str) -> str:
    """The file's name in a URL, for people, and to find the image again in another session."""
    last = image_url.rpartition("/")[2]
    try:
        return last if _BAD_ESCAPE.search(last) else unquote(last, errors="strict")
    except UnicodeDecodeError:
        return last


def _told(placed: Placed | None) -> Ms:
    return None if placed is None else placed[0].at


def _at(estimate: Estimate | None) -> Ms:
    return None if estimate is None else estimate.at


def iso(at: Milliseconds) -> str:
    """ISO 8601 in UTC, to the millisecond; empty for what is no time of this era."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return ""
