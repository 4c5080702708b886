"""`imgsync report` on studies: what was asked, what was answered, and on which screen."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from imgsync.commands.report.html import MAX_ROWS
from imgsync.commands.report.main import main
from imgsync.commands.report.page import make_page
from imgsync.commands.report.rows import Row
from imgsync.commands.report.sides import Sides
from imgsync.commands.report.summary import SessionReport, facts, report_sessions
from imgsync.commands.report.table import AnyRow, columns, write_csv
from imgsync.commands.report.trial_plots import draw_trials
from imgsync.commands.report.trials import DisplayRow, MarkRow, ResponseRow
from imgsync.core.protocol.channel import Drawn, ResponseKind, StageKind
from imgsync.core.protocol.signalling import Role
from imgsync.core.protocol.trials import Respond, Scale, Trial
from imgsync.journal.events import Mark, Response, Stage
from imgsync.journal.reader import read_journal
from tests.kit.records import EPOCH, World, eventful_session
from tests.kit.study_records import answer, display_of, show_trial, study_session
from tests.test_docs import DOCS, section

BOTH = (Role.EVALUATOR, Role.CLIENT)


def report_on(folder: Path, world: World, *roles: Role) -> SessionReport:
    """By the records of these sides, in this order; else of both."""
    paths = dict(zip(BOTH, world.write(folder), strict=True))
    sides = Sides()
    for role in roles or BOTH:
        sides.add_record(read_journal(paths[role]))
    [report] = report_sessions(sides)
    return report


def table_of(rows: list[Any], kind: type[AnyRow]) -> list[dict[str, str]]:
    file = io.StringIO()
    write_csv(file, rows, kind)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def a_session(*trials: Trial | None) -> World:
    world = World()
    world.begin()
    for number in range(3):
        world.probe(EPOCH + 100 + 1_000 * number)
    for index, trial in enumerate(trials):
        show_trial(world, index, EPOCH + 5_000 + 2_000 * index, trial)
    return world


# ── the row of a showing ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("roles", [BOTH, BOTH[::-1], BOTH[:1]])
def test_a_row_has_what_was_asked_and_what_came_of_it(
    tmp_path: Path, roles: tuple[Role, ...]
) -> None:
    rows = report_on(tmp_path, study_session(10), *roles).rows
    first, third, last = rows[0], rows[3], rows[9]
    assert (first.show_for, first.frames, first.frames_up, first.frames_dropped) == (None, 6, 6, 0)
    assert (third.frames, third.frames_up, third.frames_dropped) == (6, 7, 1)
    assert (first.answers, first.answer, first.answer_kind) == (1, "f", "key")
    assert (first.reaction_time, first.reaction_bound) == (400.0, 8.4)
    assert (first.score, first.note) == (2.5, "moved\tthe head")
    assert (last.answers, last.answer, last.answer_kind, last.reaction_time) == (0, *[None] * 3)
    assert (last.score, last.note) == (None, None)
    assert rows[2].answer_kind == "tap"


def test_what_nobody_asked_for_is_empty(tmp_path: Path) -> None:
    world = World()
    world.begin()
    world.probe(EPOCH + 100)
    world.show(0, EPOCH + 1_000)
    [row] = report_on(tmp_path, world).rows
    behind = columns()[columns().index("failedAtEvaluator") + 1 :]
    assert behind == [
        *("showFor", "frames", "framesUp", "framesDropped", "sizeMm", "sizeDeg", "scale"),
        *("drawnWidthPx", "drawnHeightPx", "drawnWidthMm", "drawnHeightMm", "fitted"),
        *("answers", "answer", "answerKind"),
        *("reactionTime", "reactionBound", "score", "note"),
    ]
    [cells] = table_of([row], type(row))
    assert {cells[name] for name in behind} == {""}


def test_the_first_answer_is_that_of_the_clients_clock_and_too_many_is_none(
    tmp_path: Path,
) -> None:
    world = a_session(Trial(show_for=500.0, respond=Respond(taps=True)))
    at, onset = EPOCH + 5_000, EPOCH + 5_040
    answer(world, 0, at, onset, 250.0, number=7)
    too_many = Response("s-1", 0, at, 8, world.theirs(onset + 1), ResponseKind.TOO_MANY, "")
    world.by_evaluator(at + 300, too_many)
    report = report_on(tmp_path, world)
    [row] = report.rows
    assert (row.answers, row.reaction_time, row.show_for) == (2, 250.0, 500.0)
    assert [one.number for one in report.tables.responses] == [8, 7, 1]
    assert report.summary.answers == 2


def test_a_row_has_the_size_that_was_asked_and_the_one_that_it_was_drawn_in(
    tmp_path: Path,
) -> None:
    world = a_session(Trial(size_deg=8.0), Trial(scale=Scale.PIXELS), None)
    at = EPOCH + 5_000
    drawn = Drawn(800.0, 600.0, fitted="not_calibrated")
    shown = Stage("s-1", 1, at + 2_000, StageKind.SHOWN, world.theirs(at + 2_030), None)
    world.by_evaluator(at + 2_050, attrs.evolve(shown, drawn=drawn))
    first, second, third = table_of(report_on(tmp_path, world).rows, Row)
    assert (first["sizeMm"], first["sizeDeg"], first["scale"]) == ("", "8", "")
    assert (first["drawnWidthPx"], first["fitted"]) == ("", "")
    names = ("scale", "drawnWidthPx", "drawnHeightPx", "drawnWidthMm", "fitted")
    assert [second[name] for name in names] == [
        *("1:1", "800.000", "600.000", "", "not_calibrated")
    ]
    assert third["scale"] == ""


def test_frames_are_not_known_where_one_time_that_it_went_they_were_not_told(
    tmp_path: Path,
) -> None:
    world = a_session(Trial(frames=6))
    assert report_on(tmp_path, world).rows[0].frames_up == 6
    world._stage(0, EPOCH + 5_000, StageKind.HIDDEN, EPOCH + 6_000, 1.0)
    assert report_on(tmp_path, world).rows[0].frames_up is None


def test_the_last_score_and_all_notes_of_a_showing_count(tmp_path: Path) -> None:
    world = a_session(None, None)
    for number, (score, text) in enumerate([(1.0, "a"), (3.0, None), (None, "b")]):
        at = EPOCH + 7_000
        mark = Mark("s-1", 1, at, at + 500 - 100 * number, score, text)
        world.by_evaluator(mark.mark_at, mark)
    rows = report_on(tmp_path, world).rows
    assert (rows[1].score, rows[1].note) == (1.0, "b; a")


# ── further tables ───────────────────────────────────────────────────────────────────────────────


def test_each_answer_each_mark_and_each_screen_has_a_row(tmp_path: Path) -> None:
    world = study_session(10)
    world.by_evaluator(EPOCH + 70, Mark("s-1", None, None, EPOCH + 70, None, "late"))
    world.by_evaluator(EPOCH + 80, display_of(world))
    tables = report_on(tmp_path, world).tables
    answers = table_of(tables.responses, ResponseRow)
    assert len(answers) == 9
    tap = answers[2]
    assert (tap["kind"], tap["value"], tap["x"], tap["y"]) == ("tap", "picture", "120.5", "80.25")
    assert (tap["reactionTime"], tap["within"], tap["number"]) == ("406.500", "8.400", "3")
    assert (tap["imageName"], tap["clientId"]) == ("2.png", "patient-7")
    assert (tap["condition"], tap["id"]) == ("both eyes", "t2")
    for number, row in enumerate(answers):
        at = float(row["responseAtEvaluator"])
        assert at == pytest.approx(EPOCH + 1_440 + number * 2_003.25, abs=20)
    marks = table_of(tables.marks, MarkRow)
    assert [row["text"] for row in marks[:3]] == ["late", "", "moved\tthe head"]
    assert (marks[0]["imageIndex"], marks[0]["sentAt"], marks[0]["id"]) == ("", "", "")
    assert (marks[1]["score"], marks[1]["condition"]) == ("2.5", "left")
    # What is told again, as by an evaluator that was started anew, is no change.
    [display] = table_of(tables.displays, DisplayRow)
    assert (display["refreshRate"], display["pixelRatio"], display["zoom"]) == (
        "60",
        "1.25",
        "1.25",
    )
    assert (display["languages"], display["isolated"]) == ("de-DE en", "false")
    assert display["warnings"] == "zoomed not_isolated"


def test_screens_are_warned_of_by_what_was_asked(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"zoom": 1.0, "isolated": True, "refresh_rate": 75.0}
    found = []
    for trial in (None, Trial(frames=3)):
        world = a_session(trial)
        world.by_evaluator(EPOCH + 90, display_of(world, **facts))
        [row] = report_on(tmp_path, world).tables.displays
        found.append(row.warnings)
    assert found == [None, "refresh_not_60"]


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def page_of(report: SessionReport) -> str:
    return "".join(make_page([(report, draw_trials(report))], []))


def captions(report: SessionReport) -> list[str]:
    return [picture.caption for picture in draw_trials(report)]


def test_the_page_tells_of_the_study(tmp_path: Path) -> None:
    report = report_on(tmp_path, study_session(20))
    told = dict(facts(report.summary))
    assert told["study"] == "Ache at night"
    assert told["order"] == "shuffled by the seed 42, 20 entries"
    assert (told["answers"], told["marks"]) == ("18", "8")
    assert told["reaction time, median / p95"].endswith("ms, ± 8.4")
    page = page_of(report)
    assert "<td>left</td><td>7</td><td>7</td><td>6</td>" in page
    assert "<td>key: f</td><td>400.0 ms ± 8.4</td>" in page
    assert "<td>2.5</td>" in page
    assert "the page was zoomed (zoomed); " in page
    assert "<td>60.00 Hz</td><td>Firefox 140, Windows, de-DE en</td>" in page


def test_a_page_without_trials_says_nothing_of_them(tmp_path: Path) -> None:
    world = World()
    world.begin()
    world.show(0, EPOCH + 1_000)
    report = report_on(tmp_path, world)
    assert draw_trials(report) == []
    assert not {"study", "answers", "marks"} & {name for name, _ in facts(report.summary)}
    assert "<h3>" not in page_of(report)


def test_what_participants_and_evaluators_write_runs_nothing(tmp_path: Path) -> None:
    world = a_session(None)
    world.by_evaluator(EPOCH + 90, display_of(world, browser="<script>1</script>"))
    at = EPOCH + 5_000
    world.by_evaluator(at + 99, Mark("s-1", 0, at, at + 99, None, "<img src=x onerror=alert(1)>"))
    text = page_of(report_on(tmp_path, world))
    assert "<script" not in text
    assert "onerror=alert(1)&gt;" in text


def test_reaction_times_are_drawn_by_condition(tmp_path: Path) -> None:
    report = report_on(tmp_path, study_session(20))
    times, exposures = captions(report)
    assert times.startswith("Reaction times by condition, of the first answers to 18 images")
    svg = draw_trials(report)[0].svg
    for name in ("left (6)", "right (6)", "both eyes (6)"):
        assert f">{name}<" in svg
    assert "17 of 20 were up for the very frames. Of 3 the client missed frames." in exposures
    assert ">6 frames (100 ms) (20)<" in draw_trials(report)[1].svg


def test_exposures_in_frames_of_an_unknown_length_are_not_drawn(tmp_path: Path) -> None:
    assert len(captions(report_on(tmp_path, a_session(Trial(frames=6))))) == 1
    [_, both] = captions(report_on(tmp_path, a_session(Trial(frames=6), Trial(show_for=90.0))))
    assert both.startswith("For how long 1 image was up")
    assert "Of 1 it is not known how long their frames are." in both


def test_many_conditions_and_many_answers_leave_the_page_readable(tmp_path: Path) -> None:
    report = report_on(tmp_path, study_session(150))
    for number, row in enumerate(report.rows):
        row.extra["condition"] = f"c{number % 40}"
    [times, _] = captions(report)
    assert "24 more groups are not drawn." in times
    assert f"... and {135 - MAX_ROWS} more" in page_of(report)


# ── the command ──────────────────────────────────────────────────────────────────────────────────


def run_report(folder: Path, logs: tuple[Path, ...], **environment: str) -> str:
    words = [sys.executable, "-m", "imgsync", "report", *map(str, logs), "--out", str(folder)]
    words += ["--bids", str(folder / "bids")]
    env = {**os.environ, **environment}
    done = subprocess.run(words, env=env, check=True, capture_output=True, timeout=60)
    return done.stdout.decode().replace(str(folder), "DIR")


def test_neither_language_nor_time_zone_of_the_system_changes_a_cell(tmp_path: Path) -> None:
    logs = study_session(10).write(tmp_path)
    one, other = tmp_path / "one", tmp_path / "other"
    ascii_alone = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    told = run_report(one, logs, LC_ALL="C", TZ="UTC", **ascii_alone)
    same = run_report(other, logs, LC_ALL="de_DE.UTF-8", PYTHONUTF8="1", TZ="Asia/Kathmandu")
    assert "\N{PLUS-MINUS SIGN}" in same
    assert told == same.replace("\N{PLUS-MINUS SIGN}", "+/-")
    assert told.splitlines()[-6:] == [
        "images: DIR/report.csv",
        "answers: DIR/responses.csv",
        "marks: DIR/marks.csv",
        "displays: DIR/displays.csv",
        "page: DIR/report.html",
        "BIDS: DIR/bids",
    ]
    written = [path.relative_to(one) for path in one.rglob("*.*") if path.is_file()]
    assert len(written) == 11
    for path in written:
        assert (one / path).read_bytes() == (other / path).read_bytes(), path


def test_what_a_report_before_has_left_is_not_mixed_with_a_new_one(tmp_path: Path) -> None:
    study, plain, out = tmp_path / "study", tmp_path / "plain", tmp_path / "out"
    study.mkdir()
    plain.mkdir()
    first = study_session(3).write(study)
    assert main([*map(str, first), "--out", str(out)]) == 0
    tables = [out / name for name in ("responses.csv", "marks.csv", "displays.csv")]
    assert all(table.exists() for table in tables)
    # Somebody's own table of that name is nothing of ours.
    tables[1].write_text("mark,by\n1,me\n")
    then = eventful_session().write(plain)
    assert main([*map(str, then), "--out", str(out)]) == 0
    assert [table.exists() for table in tables] == [False, True, False]
    assert tables[1].read_text() == "mark,by\n1,me\n"


def test_the_tables_have_the_columns_that_the_page_on_the_record_names() -> None:
    text = section(DOCS["docs/record.md"], "## Answers, marks and displays")
    for kind, shared in ((ResponseRow, 0), (MarkRow, 6), (DisplayRow, 3)):
        for name in columns(kind)[shared:]:
            assert f"`{name}`" in text, name
