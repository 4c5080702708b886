"""The console's downloads are those of the other peers: its JSONL is a record as `imgsync report`
reads it, and its CSV is, byte for byte, the report.csv that is made of that."""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any, get_args

import attrs
import pytest

from imgsync.commands.output import camel
from imgsync.commands.report.rows import Row, iso
from imgsync.commands.report.sides import Sides
from imgsync.commands.report.summary import SessionReport, report_sessions
from imgsync.commands.report.table import columns, write_csv
from imgsync.journal.events import Event, Lost, Received
from imgsync.journal.events import Path as PathEvent
from imgsync.journal.lines import decode_line
from imgsync.journal.reader import Entry, read_journal
from tests.both_languages.replay import Replay
from tests.kit.evaluator_records import START, Line, random_records

RECORDS = 300
STEPS = 160
"""Of a record, at most."""

# ── the whole ────────────────────────────────────────────────────────────────────────────────────


def report_on(jsonl: str, folder: Path) -> tuple[list[Entry], list[SessionReport], str]:
    """What the reader finds, what the report makes of it, and its report.csv."""
    path = folder / "record.jsonl"
    path.write_text(jsonl, encoding="utf-8", newline="")
    items = list(read_journal(path))
    entries = [item for item in items if isinstance(item, Entry)]
    assert len(entries) == len(items), items
    sides = Sides()
    sides.add_record(items)
    reports = report_sessions(sides)
    file = io.StringIO()
    write_csv(file, [row for report in reports for row in report.rows])
    return entries, reports, file.getvalue()


def read_line(event: Line) -> tuple[float, Event] | None:
    """When, and what; None for what other peers' records can't have."""
    try:
        return decode_line(json.dumps(event).encode())
    except ValueError:
        return None


def is_set_meanwhile(row: Row) -> bool:
    ends = [end - begin for begin, end in row.intervals if begin is not None and end is not None]
    return row.exposure_ms is not None and row.exposure_ms != sum(ends)


def traits(reports: Iterable[SessionReport], table: str) -> set[str]:
    """What a record has that makes it worth to be compared."""
    rows = [row for report in reports for row in report.rows]
    spans = max((len(report.history.spans) for report in reports), default=0)
    times = [row.hidden_at_evaluator for row in rows] + [row.latency for row in rows]
    found = {
        "two sessions": len({row.session_id for row in rows}) > 1,
        "a clock that was set": spans == 2,
        "clocks that were set often": spans > 4,
        "a formula": ",'=http" in table,
        "quotation marks": '/""' in table,
        "a middle": any(time is not None and time * 16 % 2 == 1 for time in times),
        "no reading": any(row.shown_at and row.onset_bound is None for row in rows),
        "a showing that was not sent": any(row.copies is None for row in rows),
        "no ack": any(row.copies and row.acked_at is None for row in rows),
        "superseded by its reason": any(row.failed_reason == "superseded" for row in rows),
        "what else is known of a failure": any(row.failed_detail for row in rows),
        "a failure without a reason": any(
            row.failed_at is not None and row.failed_reason is None for row in rows
        ),
        "a span's bound": any(row.bound is not None and row.bound > 400 for row in rows),
        "an exposure in which a clock was set": any(map(is_set_meanwhile, rows)),
        "columns of a manifest": any(row.extra for row in rows),
        "one that some images have": len({tuple(row.extra) for row in rows}) > 2,
        "one that is called as one of ours": ",manifest.ImageIndex," in table,
        "a small number": "0.00001" in table and "1e-7" in table,
        "why it was hidden": any(row.hidden_reason == "hidden_tab resized" for row in rows),
        "recorded": any(row.recorded_by == "camera" for row in rows),
        "recorded in no way": any(row.recorded_by == "none" for row in rows),
        "a trouble": any(row.recording_troubles == "camera_ended" for row in rows),
        "which picture it was": any(row.sha256 and row.width == 800 for row in rows),
        "a picture without a size": any(row.sha256 and row.width is None for row in rows),
        "a media type that is a formula": ",\"'=1+1," in table,
        "before the epoch": any(row.sent_at < 0 for row in rows),
        "a time that was asked for": any(row.show_for for row in rows),
        "frames that were asked for": any(row.frames for row in rows),
        "frames that were told": any(row.frames_up and row.frames_dropped for row in rows),
        "frames that were not told each time": any(
            row.frames_up and row.frames_dropped is None for row in rows
        ),
        "an answer": any(row.reaction_time and row.reaction_bound for row in rows),
        "more than one": any((row.answers or 0) > 1 for row in rows),
        "no answer where one was asked for": any(row.answers == 0 for row in rows),
        "a score": any(row.score == -0.5 for row in rows),
        "notes": any("; " in (row.note or "") for row in rows),
    }
    return {name for name, is_so in found.items() if is_so}


def test_the_csv_is_the_report_of_the_jsonl(replay: Replay, tmp_path: Path) -> None:
    records = list(random_records(RECORDS, STEPS))
    seen: Counter[str] = Counter()
    for seed, (events, downloads) in enumerate(
        zip(records, replay.run("downloads", records), strict=True)
    ):
        jsonl, table = downloads
        entries, reports, expected = report_on(jsonl, tmp_path)
        told = [line for event in events if (line := read_line(event)) is not None]
        assert [(entry.at, entry.event) for entry in entries] == told
        found_rows, expected_rows = table.split("\r\n"), expected.split("\r\n")
        assert found_rows == expected_rows, f"record {seed}"
        assert table == expected
        seen.update(traits(reports, table))
        seen["left out"] += len(told) < sum(
            event["event"] not in ("show", "passed_by") for event in events
        )
    assert len(seen) == 36, seen
    assert min(seen.values()) >= 4, seen


def test_each_line_has_exactly_the_fields_of_its_event(replay: Replay) -> None:
    [[jsonl, _]] = replay.run("downloads", [some_events()])
    by_name = {cls.EVENT: cls for cls in get_args(Event)}
    names = set()
    for line in map(json.loads, jsonl.splitlines()):
        fields = attrs.fields(by_name[line["event"]])
        # What may be left out is left out where nothing is known.
        known = [one for one in fields if one.default is attrs.NOTHING or camel(one.name) in line]
        assert list(line) == ["event", "at", *(camel(field.name) for field in known)]
        assert None not in [line[camel(one.name)] for one in known if one.default is None]
        names.add(line["event"])
    assert names == set(replay.run("fields", [None])[0])
    # A browser does not tell the path, it receives no image, and loses no events without a file.
    assert names == by_name.keys() - {PathEvent.EVENT, Received.EVENT, Lost.EVENT}


def some_events() -> list[Line]:
    return [event for record in random_records(20, STEPS) for event in record]


ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 0.5, 1, 2, 2**53, 2**53 + 2, 1e300, "", " ", "a\tb", "\u00a0", "\ud800",
    "\U0001f600" * 128, "x" * 129, "x" * 128, "shown", "ended", "ours", "connected", "evaluator",
    "client", [], {}, {"a": "b"}, {"a": 1}, ["a"],
)  # fmt: skip


def test_a_line_can_tell_what_the_reader_takes_and_nothing_else(replay: Replay) -> None:
    """But for headers of a client, or of another schema, of which the console has none."""
    samples = {event["event"]: event for event in some_events() if read_line(event)}
    odd = [
        {**sample, name: value}
        for sample in samples.values()
        for name in sample
        for value in ODD_VALUES
        if not (name == "role" and value == "client") and not (name == "schema" and value != 1)
    ]
    odd += [{k: v for k, v in s.items() if k != name} for s in samples.values() for name in s]
    odd = [event for event in odd if "event" in event]
    found = replay.run("isKnown", odd)
    for event, is_known in zip(odd, found, strict=True):
        assert is_known == (read_line(event) is not None), event
    assert 0.1 < sum(found) / len(odd) < 0.9


# ── columns and cells ────────────────────────────────────────────────────────────────────────────


def test_the_columns_are_those_of_the_report(replay: Replay) -> None:
    assert replay.run("columns", [None]) == [columns()]


def some_numbers() -> list[float]:
    dice = Random(0)
    middles = [sign * n / 16 for n in range(64) for sign in (1, -1)]
    close = [math.nextafter(n, to) for n in middles for to in (math.inf, -math.inf)]
    large = [START + n / 16 for n in range(64)] + [2.0**n for n in range(55)]
    free = [dice.uniform(-1, 1) * 10 ** dice.uniform(-5, 16) for _ in range(2000)]
    return [-0.0, *middles, *close, *large, *free, *(n / 1000 for n in range(1000))]


def test_numbers_are_written_with_the_same_three_decimals(replay: Replay) -> None:
    numbers = some_numbers()
    expected = [f"{number:.3f}" for number in numbers]
    for number, text, found in zip(
        numbers, expected, replay.run("thousandths", numbers), strict=True
    ):
        assert found == text, number


def test_times_are_written_in_the_same_way(replay: Replay) -> None:
    ends = [-62_135_596_800_000, 253_402_300_800_000]
    edges = [end + by for end in ends for by in (-1, -0.001, -0.0001, 0, 0.0001, 1)]
    dice = Random(0)
    about = [START + n / 2048 for n in range(4000)] + [0.9999996, 0.9999994, -0.0004, -1.5, 0]
    near, far = ([dice.uniform(-by, by) for _ in range(2000)] for by in (9, 3e14))
    times = [*edges, *about, *near, *far, 2**53, -(2**53), 8.64e15, 8.65e15]
    for time, text, found in zip(times, map(iso, times), replay.run("iso", times), strict=True):
        assert found == text, time


SHOWN: Line = {"sessionId": "s", "imageIndex": 0, "sentAt": 1}


def told(event: str, at: float, **fields: object) -> Line:
    return {"event": event, "at": at, **SHOWN, **fields}


def staged(stage: str, at: float, reason: str | None = None) -> Line:
    return told("stage", at, stage=stage, stageAt=at, reason=reason)


ACK = told("acked", 3, receivedAt=2, ackedAt=3, roundTrip=2, latency=1, bound=1)


@pytest.mark.parametrize(
    ("events", "fate"),
    [
        ([], ["sent", None]),
        ([ACK], ["acked", None]),
        ([ACK, staged("fetched", 4)], ["fetched", None]),
        # On a new channel stages come before the ack, and fetching may take longer than showing.
        ([staged("fetched", 4), ACK], ["fetched", None]),
        ([ACK, staged("shown", 4), staged("fetched", 5)], ["shown", None]),
        ([ACK, staged("shown", 4), staged("hidden", 5)], ["hidden", None]),
        ([ACK, staged("failed", 4, "hidden_tab"), staged("shown", 5)], ["shown", "hidden_tab"]),
        ([ACK, staged("failed", 4, "decode")], ["failed", "decode"]),
        ([told("superseded", 4)], ["superseded", "superseded"]),
        ([ACK, told("superseded", 4)], ["acked", None]),
        ([ACK, told("passed_by", 4)], ["failed", "superseded"]),
    ],
)
def test_the_pages_table_says_where_a_showing_stands(
    replay: Replay, events: list[Line], fate: list[str | None]
) -> None:
    show = told("show", 1, clientId="c", imageUrl="u")
    assert replay.run("fates", [[show, *events]]) == [[[*fate, ""]]]


def test_the_pages_table_has_what_the_client_said_of_the_last_failure(replay: Replay) -> None:
    show = told("show", 1, clientId="c", imageUrl="u")
    first = {**staged("failed", 4, "http_403"), "detail": "its time was over"}
    assert replay.run("fates", [[show, ACK, first]]) == [
        [["failed", "http_403", "its time was over"]]
    ]
    later = [first, staged("failed", 5, "decode")]
    assert replay.run("fates", [[show, ACK, *later]]) == [[["failed", "decode", ""]]]


def test_the_pages_table_says_which_picture_it_was_and_that_it_was_another_one_before(
    replay: Replay,
) -> None:
    def shown(at: float, url: str, digit: str | None, **size: int | None) -> list[Line]:
        of = {**SHOWN, "sentAt": at}
        lines: list[Line] = [{"event": "show", "at": at, **of, "clientId": "c", "imageUrl": url}]
        if digit is not None:
            facts = {"sha256": digit * 64, "contentType": "image/png", **size}
            lines.append({"event": "picture", "at": at, **of, **facts})
        return lines

    size = {"bytes": 48_213, "width": 800, "height": 600}
    events = [
        *shown(1, "x", "1", **size),
        *shown(2, "y", "2", **{**size, "bytes": 1, "width": None}),
        *shown(3, "x", "1", **size),
        *shown(4, "x", None),
        *shown(5, "x", "3", **{**size, "bytes": 999_950}),
    ]
    sent = "sent, not received yet"
    other = f"{sent}; this was not the same picture as in a showing before, by its SHA-256"
    first = f"image/png, 800 \u00d7 600, 48.2 kB, SHA-256 {'1' * 12}\u2026"
    [found] = replay.run("identities", [events])
    assert found == [
        [first, False, sent],
        [f"image/png, 1 byte, SHA-256 {'2' * 12}\u2026", False, sent],
        [first, False, sent],
        [None, False, sent],
        [f"image/png, 800 \u00d7 600, 1.0 MB, SHA-256 {'3' * 12}\u2026", True, other],
    ]


def test_a_console_tells_of_its_own_pictures_when_they_are_sent_and_of_others_when_they_are_known(
    replay: Replay,
) -> None:
    size = {"contentType": "image/png", "bytes": 9}
    ours, other = ({"sha256": digit * 64, **size, "width": 3, "height": 2} for digit in "12")

    def said(sent_at: int, of: dict[str, Any]) -> list[Any]:
        return ["became", 9, {"kind": "identified", "image": shown(sent_at), "said": of}]

    def shown(sent_at: int) -> Line:
        return {"imageIndex": 0, "imageUrl": "x", "sentAt": sent_at}

    bare = {name: value for name, value in other.items() if name not in ("width", "height")}
    steps: list[tuple[list[Any], list[list[Any]]]] = [
        (["ordered", shown(1), "c", None, ours], []),
        (["sent", 2, shown(1), 1], [[1, ours["sha256"], 3]]),
        (["sent", 3, shown(1), 2], []),
        (said(1, ours), []),
        # Something on the way has made another one of it.
        (said(1, bare), [[1, other["sha256"], None]]),
        (["ordered", shown(4), "c", None, None], []),
        (["sent", 5, shown(4), 1], []),
        (said(4, ours), [[4, ours["sha256"], 3]]),
    ]
    expected: list[list[Any]] = []
    for step, found in zip(steps, replay.run("pictureLines", [s for s, _ in steps]), strict=True):
        expected += step[1]
        assert found == expected, step[0]
