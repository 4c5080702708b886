"""One row for each showing of an image: the columns of the CSV."""

import enum
from datetime import UTC, datetime

import attrs

from imgsync.commands.report.offsets import Estimate, OffsetHistory
from imgsync.commands.report.sides import SessionRecord, Showing
from imgsync.core.protocol.channel import is_failure
from imgsync.core.protocol.numbers import SUPERSEDED
from imgsync.core.protocol.signalling import Milliseconds

Ms = Milliseconds | None


class Outcome(enum.Enum):
    """What became of a showing, the most telling first."""

    SHOWN = "shown"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    ACKED = "acked"
    NOT_ACKED = "not acked"


@attrs.frozen
class Row:
    """All that is known of one showing; None where nothing is. Times are ms since the epoch.

    :param sent_at: evaluator's clock, as is `acked_at`.
    :param received_at: client's clock, as are `fetched_at`, `shown_at`, `hidden_at` and
        `failed_at`; those that end in `_evaluator` are the same on the evaluator's clock.
    :param copies: how often it was sent.
    :param superseded: another image was shown before this one was acked, or up.
    :param round_trip: from `sent_at` to `acked_at`, ms.
    :param latency: from `sent_at` to when it came in at the client, ms; true to `bound`.
    :param onset_latency: from `sent_at` to when it was on the screen, ms; true to `onset_bound`.
    :param onset_timing: what is known of that, "presented" or "frame", where the client says it.
    """

    session_id: str
    image_index: int
    image_url: str | None
    sent_at_iso: str
    sent_at: Milliseconds
    received_at: Ms
    acked_at: Ms
    fetched_at: Ms
    shown_at: Ms
    hidden_at: Ms
    failed_at: Ms
    failed_reason: str | None
    superseded: bool
    copies: int | None
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
    return [_make_row(record.session_id, showing, history) for showing in showings]


def _make_row(session_id: str, showing: Showing, history: OffsetHistory) -> Row:
    sent_at, acked_at = showing.sent_at, showing.acked_at
    near = sent_at if acked_at is None else acked_at

    def estimate(at: Ms, not_before: Milliseconds) -> Estimate | None:
        return None if at is None else history.to_evaluator(at, near, not_before)

    received = estimate(showing.received_at, sent_at)
    arrived = sent_at if received is None else max(received.earliest, sent_at)
    shown = estimate(showing.shown_at, arrived)
    return Row(
        session_id=session_id,
        image_index=showing.image_index,
        image_url=showing.image_url,
        sent_at_iso=iso(sent_at),
        sent_at=sent_at,
        received_at=showing.received_at,
        acked_at=acked_at,
        fetched_at=showing.fetched_at,
        shown_at=showing.shown_at,
        hidden_at=showing.hidden_at,
        failed_at=showing.failed_at,
        failed_reason=showing.failed_reason,
        superseded=showing.was_superseded or showing.failed_reason == SUPERSEDED,
        copies=showing.copies,
        round_trip=None if acked_at is None else acked_at - sent_at,
        latency=None if received is None else received.at - sent_at,
        bound=None if received is None else received.bound,
        onset_latency=None if shown is None else shown.at - sent_at,
        onset_bound=None if shown is None else shown.bound + showing.shown_within,
        onset_timing=showing.shown_timing and showing.shown_timing.value,
        received_at_evaluator=_at(received),
        fetched_at_evaluator=_at(estimate(showing.fetched_at, arrived)),
        shown_at_evaluator=_at(shown),
        hidden_at_evaluator=_at(estimate(showing.hidden_at, arrived)),
        failed_at_evaluator=_at(estimate(showing.failed_at, arrived)),
    )


def _at(estimate: Estimate | None) -> Ms:
    return None if estimate is None else estimate.at


def iso(at: Milliseconds) -> str:
    """ISO 8601 in UTC, to the millisecond; empty for what is no time of this era."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return ""
