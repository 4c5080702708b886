"""What the lines of several processes and of both sides say together."""

from __future__ import annotations

import pytest

from imgsync.commands.report.offsets import OffsetHistory, Reading
from imgsync.commands.report.rows import Outcome, Row, make_rows
from imgsync.commands.report.sides import SessionRecord, Sides
from imgsync.core.protocol.channel import OnsetTiming, StageKind
from imgsync.core.protocol.signalling import Role
from imgsync.journal.events import Acked, Event, Probe, Received, Sent, Stage
from imgsync.journal.reader import Entry
from tests.kit.records import EPOCH, header

EVALUATOR = header(Role.EVALUATOR, "dr-lee", EPOCH)
CLIENT = header(Role.CLIENT, "patient-7", EPOCH)


def put_together(*records: list[Event]) -> SessionRecord:
    """Each begins with a header, and was written line by line, a second apart."""
    sides = Sides()
    for events in records:
        entries = [Entry(n, EPOCH + 1_000 * n, event) for n, event in enumerate(events)]
        assert sides.add_record(entries).count == 0
    return sides.sessions["s-1"]


def probe(at: float) -> Probe:
    return Probe("s-1", EPOCH + at, EPOCH + at + 10, EPOCH + at + 11, EPOCH + at + 20)


def test_a_process_that_takes_anothers_place_is_noted_whatever_comes_first() -> None:
    once: list[Event] = [CLIENT, probe(0), probe(2_000)]
    again: list[Event] = [CLIENT, probe(9_000), probe(11_000)]
    evaluators: list[Event] = [EVALUATOR, probe(500), EVALUATOR, probe(7_000)]
    restarted = [EPOCH + 3_000]  # of the first line of the second process
    assert put_together(once).breaks == []
    assert put_together(once, again).breaks == [EPOCH + 9_010]
    assert put_together(again, once).breaks == [EPOCH + 9_010]
    assert put_together([*once, *again]).breaks == [EPOCH + 9_010]
    assert put_together(evaluators).breaks == restarted
    assert put_together([EVALUATOR, probe(0)], once).breaks == []


def test_a_probe_in_which_a_clock_was_set_back_counts_for_nothing() -> None:
    bad = Probe("s-1", EPOCH, EPOCH + 10, EPOCH - 5_000, EPOCH + 20)
    assert put_together([EVALUATOR, bad]).readings == []
    assert put_together([CLIENT, bad, probe(100)]).readings == [
        Reading.by_client(EPOCH + 100, EPOCH + 110, EPOCH + 111, EPOCH + 120)
    ]


def test_of_several_copies_and_stages_the_first_counts_but_the_last_end() -> None:
    def stage(kind: StageKind, at: float) -> Stage:
        return Stage("s-1", 7, EPOCH, kind, EPOCH + at, None)

    shown, hidden = StageKind.SHOWN, StageKind.HIDDEN
    told: list[Event] = [stage(shown, 20), stage(hidden, 30), stage(shown, 40), stage(hidden, 50)]
    record = put_together(
        [CLIENT, Received("s-1", 7, "u", EPOCH, EPOCH + 10), *told],
        [EVALUATOR, *reversed(told)],
        [EVALUATOR, Sent("s-1", 7, "u", EPOCH, 2), Sent("s-1", 7, "u", EPOCH, 1)],
        [EVALUATOR, Acked("s-1", 7, EPOCH, EPOCH + 900, EPOCH + 1_000, 1_000, None, None)],
    )
    [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert (row.shown_at, row.hidden_at) == (EPOCH + 20, EPOCH + 50)
    assert row.copies == 2
    assert row.onset_timing is None
    # The ack of the first copy was lost; that one came in all the same.
    assert (row.received_at, row.acked_at) == (EPOCH + 10, EPOCH + 1_000)


def test_of_several_failures_the_first_counts_with_its_reason_if_it_has_one() -> None:
    def failed(index: int, at: float, reason: str | None) -> Stage:
        return Stage("s-1", index, EPOCH, StageKind.FAILED, EPOCH + at, reason)

    told = [failed(0, 20, "http_403"), failed(0, 10, "timeout"), failed(0, 30, None)]
    record = put_together([EVALUATOR, *told, failed(1, 10, None), failed(1, 20, "timeout")])
    rows = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert [row.failed_at for row in rows] == [EPOCH + 10, EPOCH + 10]
    assert [row.failed_reason for row in rows] == ["timeout", None]
    assert all(row.outcome is Outcome.FAILED for row in rows)


def test_a_clock_may_begin_at_zero() -> None:
    ends = [Stage("s-1", 0, 0, StageKind.HIDDEN, at, None) for at in (0, -5)]
    assert put_together([EVALUATOR, *ends]).showing(0, 0).hidden_at == 0


def test_an_image_that_came_in_about_when_a_clock_was_set_is_as_uncertain_as_that() -> None:
    sent_at = EPOCH + 3_000  # by a clock that is 40 ms behind since then, and was right before
    later = [Probe("s-1", t0 := EPOCH + at, t0 - 39, t0 - 39, t0 + 2) for at in (4_000, 6_000)]
    acked = Acked("s-1", 0, sent_at, sent_at + 60 - 40, sent_at + 61, 61, None, None)
    early = [Probe("s-1", t0 := EPOCH + at, t0 + 1, t0 + 1, t0 + 2) for at in (0, 2_000)]
    record = put_together([EVALUATOR, *early, acked, *later])
    history = OffsetHistory(record.readings, record.breaks)
    assert len(history.spans) == 2
    [row] = make_rows(record, history)
    assert row.bound is not None
    assert row.latency == pytest.approx(60, abs=row.bound)
    assert row.bound < 25


@pytest.mark.parametrize(
    ("timing", "within"), [(None, None), (OnsetTiming.PRESENTED, 4), (OnsetTiming.FRAME, 41.5)]
)
def test_what_is_not_known_of_an_onset_is_in_its_bound(
    timing: OnsetTiming | None, within: float | None
) -> None:
    def row(*known: OnsetTiming | float | None) -> Row:
        onset = Stage("s-1", 7, EPOCH, StageKind.SHOWN, EPOCH + 60, None, *known)  # type: ignore[arg-type]
        # It comes into view again, of which less is known.
        again = Stage("s-1", 7, EPOCH, StageKind.SHOWN, EPOCH + 90, None, OnsetTiming.FRAME, 500)
        record = put_together([EVALUATOR, probe(0), Sent("s-1", 7, "u", EPOCH, 1), onset, again])
        [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
        return row

    bare, found = row(), row(timing, within)
    assert bare.onset_bound is not None
    assert found.onset_bound == bare.onset_bound + (within or 0)
    assert found.onset_latency == bare.onset_latency
    assert found.onset_timing == (timing and timing.value)
