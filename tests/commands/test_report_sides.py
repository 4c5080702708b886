"""What the lines of several processes and of both sides say together."""

from __future__ import annotations

import re

import attrs
import pytest

from imgsync.commands.report.offsets import OffsetHistory
from imgsync.commands.report.page import make_page
from imgsync.commands.report.rows import Outcome, Row, make_rows
from imgsync.commands.report.sides import SessionRecord, Sides
from imgsync.commands.report.summary import facts, report_session
from imgsync.commands.report.words import describe_trouble
from imgsync.core.channel.drift import Reading
from imgsync.core.protocol.channel import OnsetTiming, StageKind
from imgsync.core.protocol.signalling import Role
from imgsync.journal.events import (
    Acked,
    ClockStep,
    Event,
    Lost,
    Probe,
    Received,
    Recording,
    Sent,
    Session,
    Stage,
)
from imgsync.journal.events import Path as ConnectionPath
from imgsync.journal.reader import Entry
from tests.kit.records import EPOCH, header
from tests.test_docs import first_words

EVALUATOR = header(Role.EVALUATOR, "dr-lee", EPOCH)
CLIENT = header(Role.CLIENT, "patient-7", EPOCH)


def put_together(*records: list[Event]) -> SessionRecord:
    """Each begins with a header, and was written line by line, a second apart."""
    sides = Sides()
    for events in records:
        entries = [Entry(n, EPOCH + 1_000 * n, event) for n, event in enumerate(events)]
        assert sides.add_record(entries).count == 0
    return sides.sessions["s-1"]


def put_together_at(lines: list[tuple[float, Event]]) -> SessionRecord:
    """One record, whose lines were written at these times."""
    sides = Sides()
    entries = [Entry(n, at, event) for n, (at, event) in enumerate(lines)]
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
        Reading.by_them(EPOCH + 100, EPOCH + 110, EPOCH + 111, EPOCH + 120)
    ]


def recorded(since: float, *devices: str, troubles: tuple[str, ...] = ()) -> Recording:
    return Recording("s-1", devices, troubles, EPOCH + since)


def up(index: int, shown: float, hidden: float | None, why: str | None = None) -> list[Event]:
    at: dict[StageKind, tuple[float, str | None]] = {StageKind.SHOWN: (shown, None)}
    if hidden is not None:
        at[StageKind.HIDDEN] = (hidden, why)
    return [
        Stage("s-1", index, EPOCH + index, kind, EPOCH + when, reason)
        for kind, (when, reason) in at.items()
    ]


def test_a_row_tells_how_the_participant_was_recorded_while_its_image_was_up() -> None:
    told: list[Event] = [
        recorded(0),
        *up(0, 5, 8),
        recorded(10, "camera", "microphone"),
        *up(1, 10, 19),
        *up(2, 20, 40, "resized"),
        *up(2, 41, 50, "hidden_tab"),
        recorded(30, "camera", troubles=("microphone_ended",)),
        *up(3, 50, 60),
        recorded(55, "camera", "microphone"),
        recorded(59, "microphone", troubles=("camera_muted", "microphone_ended")),
        *up(4, 70, None),
        recorded(80, troubles=("refused",)),
        Sent("s-1", 5, "u", EPOCH + 5, 1),
    ]
    record = put_together([EVALUATOR, *told])
    rows = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert [(row.recorded_by, row.recording_troubles) for row in rows] == [
        ("none", None),
        ("camera microphone", None),
        ("camera", "microphone_ended"),
        ("none", "microphone_ended camera_muted"),
        ("microphone", "camera_muted microphone_ended"),
        (None, None),
    ]
    assert [row.hidden_reason for row in rows[1:3]] == [None, "resized hidden_tab"]
    # Who was not asked to record says nothing of it.
    record = put_together([EVALUATOR, *up(0, 5, 8)])
    [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert (row.recorded_by, row.recording_troubles) == (None, None)


def test_the_page_and_the_summary_tell_of_each_change_of_the_recording() -> None:
    ended, refused = ("microphone_ended",), ("upload_http_413", "a <new> one")
    told = [recorded(0, "camera", "microphone"), recorded(20, "camera", troubles=ended)]
    again = recorded(20, "camera", troubles=ended)  # by a page that was loaded anew
    told += [again, recorded(30, troubles=refused)]
    record = put_together([EVALUATOR, probe(0), *told])
    report = report_session(record)
    changes = report.summary.recordings
    assert [(one.devices, one.troubles) for one in changes] == [
        (("camera", "microphone"), ()),
        (("camera",), ended),
        ((), refused),
    ]
    # On the evaluator's clock, which the client's is about as much ahead of.
    assert changes[2].at == pytest.approx(EPOCH + 30, abs=20)
    words = "camera and microphone; microphone_ended, upload_http_413, a <new> one"
    assert dict(facts(report.summary))["recorded"] == words
    page = "".join(make_page([(report, [])], []))
    for said in (
        "<td>camera and microphone</td><td></td>",
        "<td>camera</td><td>the microphone has gone or was switched off (microphone_ended)</td>",
        "<td>no device</td><td>the server for recordings refuses them with HTTP 413"
        " (upload_http_413); a &lt;new&gt; one</td>",
    ):
        assert said in page
    page = "".join(make_page([(report_session(put_together([EVALUATOR, probe(0)])), [])], []))
    assert "Recording of the participant" not in page


def test_each_trouble_of_a_recording_has_words() -> None:
    names = [name for cell in first_words("trouble") for name in re.findall(r"`?(\w+)`?", cell)]
    assert len(names) > 20
    assert all(describe_trouble(name) != name for name in names)


def test_what_a_client_says_of_a_failure_goes_with_its_reason_and_into_the_page() -> None:
    def failed(at: float, reason: str, detail: str | None) -> Stage:
        about = ("s-1", 7, EPOCH, StageKind.FAILED, EPOCH + at, reason)
        return Stage(*about, detail=detail)

    first, second = failed(20, "http_403", "its time was <over>"), failed(30, "timeout", "no byte")
    for told in ([first, second], [second, first], [failed(10, "fetch", None), first]):
        record = put_together([EVALUATOR, Sent("s-1", 7, "u", EPOCH, 1), *told])
        [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
        expected = None if told[0].reason == "fetch" else first.detail
        assert row.failed_detail == expected
    record = put_together([EVALUATOR, Sent("s-1", 7, "u", EPOCH, 1), first])
    page = "".join(make_page([(report_session(record), [])], []))
    assert "never signed (http_403): its time was &lt;over&gt;</td>" in page


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
    ends = [Stage("s-1", 0, 0, StageKind.HIDDEN, at, None) for at in (-5, 0)]
    record = put_together([EVALUATOR, *ends])
    [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert row.hidden_at == 0


UP, DOWN = StageKind.SHOWN, StageKind.HIDDEN


@pytest.mark.parametrize(
    ("sights", "intervals", "exposure", "hidden"),
    [
        ([(UP, 10)], [(10, None)], None, None),
        ([(UP, 10), (DOWN, 25)], [(10, 25)], 15, 25),
        # The tab was hidden and looked at again: once more, and for good.
        ([(UP, 10), (DOWN, 25), (UP, 40)], [(10, 25), (40, None)], None, None),
        ([(UP, 10), (DOWN, 25), (UP, 40), (DOWN, 41)], [(10, 25), (40, 41)], 16, 41),
        # The page was loaded again, and nobody could say when the image went.
        ([(UP, 10), (UP, 40), (DOWN, 70)], [(10, None), (40, 70)], None, 70),
        ([(UP, 10), (UP, 40)], [(10, None), (40, None)], None, None),
        ([(UP, 10), (DOWN, 25), (DOWN, 70)], [(10, 25), (None, 70)], None, 70),
        ([(UP, 10), (DOWN, 10)], [(10, 10)], 0, 10),
        ([(DOWN, 25)], [], None, 25),
        ([], [], None, None),
    ],
)
@pytest.mark.parametrize("sides", ["evaluator", "client", "both", "twice"])
def test_exposure_is_in_intervals(
    sides: str,
    sights: list[tuple[StageKind, float]],
    intervals: list[tuple[float | None, float | None]],
    exposure: float | None,
    hidden: float | None,
) -> None:
    told = [Stage("s-1", 0, EPOCH, kind, at, None) for kind, at in sights]
    records: dict[str, list[list[Event]]] = {
        "evaluator": [[EVALUATOR, *told]],
        "client": [[CLIENT, *told]],
        "both": [[CLIENT, *told], [EVALUATOR, *told]],
        "twice": [[EVALUATOR, *told, *told]],  # as on a new channel
    }
    record = put_together([EVALUATOR, Sent("s-1", 0, "u", EPOCH, 1)], *records[sides])
    [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert list(row.intervals) == intervals
    assert row.exposure_ms == exposure
    assert row.hidden_at == hidden
    assert row.gaps == (len(intervals) - 1 if intervals else None)


def test_an_exposure_goes_on_where_a_clock_was_set_back_in_between() -> None:
    """The client's clock goes back by an hour while its page is loaded again."""
    hour = 3_600_000.0
    lines: list[tuple[float, Event]] = []
    for at, ahead in ((0, hour), (1_000, hour), (9_000, 0.0), (30_000, 0.0)):
        t0 = EPOCH + at
        lines.append((t0 + 2, Probe("s-1", t0, t0 + 1 + ahead, t0 + 1 + ahead, t0 + 2)))
    for at, ahead, kind in ((500, hour, UP), (2_000, hour, DOWN), (9_500, 0.0, UP)):
        told = Stage("s-1", 0, EPOCH, kind, EPOCH + at + ahead, None)
        lines.append((EPOCH + at + 1, told))
    lines = [(EPOCH, EVALUATOR), (EPOCH, Sent("s-1", 0, "u", EPOCH, 1)), *lines]
    record = put_together_at(sorted(lines, key=lambda line: line[0]))
    [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
    begin = EPOCH + hour
    assert row.intervals == ((begin + 500, begin + 2_000), (EPOCH + 9_500, None))
    assert row.shown_at == begin + 500
    assert row.hidden_at is None


@pytest.mark.parametrize("by", [-3_600_000.0, -3_000.0, -1_000.0, 1_000.0, 3_000.0, 3_600_000.0])
@pytest.mark.parametrize("lasts", [1_500.0, 8_000.0])
def test_an_exposure_is_as_long_as_it_was_where_the_clock_was_set_meanwhile(
    by: float, lasts: float
) -> None:
    def client(at: float) -> float:
        return EPOCH + at + 5_000 + (by if at > 5_000 else 0)

    lines: list[tuple[float, Event]] = [(EPOCH, EVALUATOR), (EPOCH, Sent("s-1", 0, "u", EPOCH, 1))]
    for at in map(float, range(0, 20_000, 1_000)):
        here = client(at + 1)
        lines.append((EPOCH + at + 2, Probe("s-1", EPOCH + at, here, here, EPOCH + at + 2)))
    # One that was over before, and the one in which it happens.
    for at, kind in ((1_500, UP), (2_000, DOWN), (4_500, UP), (4_500 + lasts, DOWN)):
        lines.append((EPOCH + at + 1, Stage("s-1", 0, EPOCH, kind, client(at), None)))
    record = put_together_at(sorted(lines, key=lambda line: line[0]))
    [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert row.gaps == 1
    assert row.exposure_ms == pytest.approx(500 + lasts, abs=10)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:43211/images/2%20b.png", "2 b.png"),
        ("https://h/a/%C3%A4.png", "\u00e4.png"),
        ("https://h/a/%C3.png", "%C3.png"),
        ("https://h/a/50%.png", "50%.png"),
        ("https://h/a/", ""),
    ],
)
def test_a_picture_has_a_name_that_is_the_same_in_each_session(url: str, name: str) -> None:
    record = put_together(
        [EVALUATOR, Session("s-1", "ann", False), Sent("s-1", 0, url, EPOCH, 1)],
    )
    [row] = make_rows(record, OffsetHistory(record.readings, record.breaks))
    assert row.image_name == name
    assert (row.evaluator_id, row.client_id) == (EVALUATOR.user_id, "ann")


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


def test_a_record_that_is_given_twice_counts_once_and_so_does_what_was_copied_of_it() -> None:
    step = ClockStep("s-1", 40.0, "theirs")
    path = ConnectionPath("s-1", "host", "host")
    events: list[Event] = [
        EVALUATOR,
        Session("s-1", "ann", False),
        path,
        step,
        probe(0),
        Lost(3, ""),
    ]
    entries = [Entry(n, EPOCH + n, event) for n, event in enumerate(events)]
    more = [Entry(7, EPOCH + 9, probe(5_000)), Entry(8, EPOCH + 10, attrs.evolve(step, by=1.0))]
    whole, twice = Sides(), Sides()
    whole.add_record([*entries, *more])
    assert twice.add_record(entries).repeated == 0
    assert twice.add_record([*entries, *more]).repeated == len(entries) - 1
    assert twice.add_record(entries).repeated == len(entries) - 1
    assert twice.sessions == whole.sessions
    assert twice.sessions["s-1"].breaks == []
    assert (twice.lost, whole.lost) == (3, 3)


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
