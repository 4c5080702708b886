"""What doctor and report print of what they have found, to the letter."""

from __future__ import annotations

import pytest

from imgsync.commands.doctor.findings import ExaminationSummary, Finding, Result
from imgsync.commands.output import Event, dump_event
from imgsync.commands.report.main import (
    DatasetWritten,
    LinesSkipped,
    MoreWritten,
    PageWritten,
    TableWritten,
)
from imgsync.commands.report.pictures import PictureChanged, Version
from imgsync.commands.report.summary import (
    Interruption,
    RecordingChange,
    SessionSummary,
    Spread,
    StudySummary,
)
from imgsync.core.protocol.signalling import Role


@pytest.mark.parametrize(
    ("event", "prose", "line"),
    [
        (
            Finding("relay", Result.OK, "it answers"),
            "ok       relay      it answers",
            '{"event": "check", "check": "relay", "result": "ok", "detail": "it answers",'
            ' "advice": ""}',
        ),
        (
            Finding("clock", Result.FAILED, "it is behind", "set it"),
            "failed   clock      it is behind; set it",
            '{"event": "check", "check": "clock", "result": "failed", "detail": "it is behind",'
            ' "advice": "set it"}',
        ),
        (
            ExaminationSummary(checks=9, failed=1, warnings=2),
            "9 checks, 1 failed, 2 with a warning",
            '{"event": "summary", "checks": 9, "failed": 1, "warnings": 2}',
        ),
        (
            LinesSkipped(log="e.jsonl", count=2, lines=(4, 9)),
            None,
            '{"event": "skipped", "log": "e.jsonl", "count": 2, "lines": [4, 9]}',
        ),
        (
            PictureChanged(
                "http://h/x.png",
                (
                    Version("5" * 64, "image/png", 9, 3, 2, showings=2, first=1000.5),
                    Version("6" * 64, "image/svg+xml", 8, None, None, showings=1, first=2000),
                ),
            ),
            None,
            '{"event": "changed", "imageUrl": "http://h/x.png", "versions": ['
            f'{{"sha256": "{"5" * 64}", "type": "image/png", "bytes": 9, "width": 3, "height": 2,'
            f' "showings": 2, "first": 1000.5}}, {{"sha256": "{"6" * 64}",'
            ' "type": "image/svg+xml", "bytes": 8, "width": null, "height": null,'
            ' "showings": 1, "first": 2000}]}',
        ),
        (
            TableWritten(csv="report.csv", lost=0),
            "images: report.csv",
            '{"event": "written", "csv": "report.csv", "lost": 0}',
        ),
        (
            MoreWritten(csv="marks.csv", of="marks"),
            "marks: marks.csv",
            '{"event": "written", "csv": "marks.csv", "of": "marks"}',
        ),
        (DatasetWritten("b"), "BIDS: b", '{"event": "written", "bids": "b"}'),
        (
            PageWritten("report.html"),
            "page: report.html",
            '{"event": "written", "html": "report.html"}',
        ),
    ],
)
def test_doctor_and_report_print_what_they_always_did(
    event: Event, prose: str | None, line: str
) -> None:
    assert (event.prose, dump_event(event)) == (prose, line)


def test_a_summary_of_a_session_has_all_of_its_figures_even_where_nothing_is_known() -> None:
    summary = SessionSummary(
        session_id="S",
        evaluator="E",
        client=None,
        missing=(Role.CLIENT,),
        begin=1000,
        end=61000.5,
        sent=2,
        acked=1,
        shown=0,
        failed=0,
        superseded=1,
        interruptions=(Interruption(begin=2000, end=3000, why="gone"),),
        round_trip=Spread(median=1.23456, p95=2, max=3),
        latency=None,
        onset_latency=None,
        paths=("host-host",),
        clock_steps=0,
        recordings=(RecordingChange(at=1500, devices=("camera",), troubles=()),),
        identified=2,
        pictures=1,
        study=StudySummary("Ache", "shuffled", 42, 2),
        answers=1,
        reaction_time=Spread(median=400, p95=400, max=400, bound=8.5),
        marks=0,
    )
    assert dump_event(summary) == (
        '{"event": "session", "sessionId": "S", "evaluator": "E", "client": null,'
        ' "missing": ["client"], "begin": 1000, "end": 61000.5, "sent": 2, "acked": 1, "shown": 0,'
        ' "failed": 0, "superseded": 1, "interruptions": [{"begin": 2000, "end": 3000,'
        ' "why": "gone"}], "roundTrip": {"median": 1.23456, "p95": 2, "max": 3, "bound": null},'
        ' "latency": null, "onsetLatency": null, "paths": ["host-host"], "clockSteps": 0,'
        ' "recordings": [{"at": 1500, "devices": ["camera"], "troubles": []}],'
        ' "identified": 2, "pictures": 1,'
        ' "study": {"name": "Ache", "order": "shuffled", "seed": 42, "trials": 2}, "answers": 1,'
        ' "reactionTime": {"median": 400, "p95": 400, "max": 400, "bound": 8.5}, "marks": 0}'
    )
