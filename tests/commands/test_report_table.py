"""What a manifest says of its images, in the report's table and on its page."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from imgsync.commands.report.offsets import OffsetHistory
from imgsync.commands.report.page import make_page
from imgsync.commands.report.rows import make_rows
from imgsync.commands.report.sides import SessionRecord
from imgsync.commands.report.summary import report_session
from imgsync.commands.report.table import columns, write_csv
from tests.kit.records import EPOCH


def table_of(*extras: dict[str, Any] | None) -> list[list[str]]:
    """The columns that are not ours, of images of which this is said: the head, and each row."""
    record = SessionRecord("s-1")
    for index, extra in enumerate(extras):
        record.showing(EPOCH + index, index).extra = extra
    file = io.StringIO()
    write_csv(file, make_rows(record, OffsetHistory([], [])))
    table = list(csv.reader(io.StringIO(file.getvalue(), newline="")))
    ours = len(columns())
    assert {tuple(row[:ours]) for row in table[:1]} == {tuple(columns())}
    return [row[ours:] for row in table]


def test_columns_of_a_manifest_stand_behind_ours_as_they_are_met() -> None:
    assert table_of({"condition": "A", "block": 1}, None, {"remark": "x", "condition": "B"}) == [
        ["condition", "block", "remark"],
        ["A", "1", ""],
        ["", "", ""],
        ["B", "", "x"],
    ]
    assert table_of(None, {}) == [[], [], []]


def test_one_that_has_the_name_of_one_of_ours_has_another_one() -> None:
    extra = {"sentAt": 1, "IMAGEINDEX": 2, "Condition": 3, "condition": 4, "manifest.sentAt": 5}
    names = ["manifest.sentAt", "manifest.IMAGEINDEX", "Condition", "condition"]
    assert table_of(extra)[0] == [*names, "manifest.manifest.sentAt"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        *[(None, ""), ("", ""), (True, "true"), (False, "false")],
        *[(5, "5"), (5.0, "5"), (-0.0, "0"), (0.1, "0.1"), (1e-5, "0.00001"), (1e-7, "1e-7")],
        *[(-1.25e-10, "-1.25e-10"), (2**53 - 1, "9007199254740991"), (1e15 + 0.5, f"{1e15:.0f}.5")],
        *[([], "[]"), ({}, "{}"), ([1.0, "\u00e4", None], '[1,"\u00e4",null]')],
        ({"a": {"b": [True]}}, '{"a":{"b":[true]}}'),
        # What a spreadsheet would work out, and numbers, which it may.
        *[("=1+1", "'=1+1"), ("@x", "'@x"), ("-", "'-"), ("+49 30", "'+49 30"), ("\tx", "'\tx")],
        *[("-1-1", "'-1-1"), ("-0.5", "-0.5"), ("+1.", "+1."), ("-.5e-3", "-.5e-3"), ("1", "1")],
        *[("-\u0661", "'-\u0661"), ("-1\n", "'-1\n"), ('a "b", c', 'a "b", c')],
    ],
)
def test_a_value_of_a_manifest_is_a_cell(value: object, cell: str) -> None:
    assert table_of({"x": value}) == [["x"], [cell]]


def test_a_name_that_a_spreadsheet_would_work_out_is_a_text() -> None:
    assert table_of({"=cmd()": 1, "-1": 2})[0] == ["'=cmd()", "-1"]


def test_the_page_says_what_a_manifest_says_of_images_that_were_not_shown() -> None:
    def page_of(extra: dict[str, Any] | None) -> str:
        record = SessionRecord("s-1")
        record.showing(EPOCH, 0).extra = extra
        return "".join(make_page([(report_session(record), [])], []))

    assert "<td>condition: &lt;A&gt;; levels: [1,2]</td>" in page_of(
        {"condition": "<A>", "note": None, "levels": [1, 2]}
    )
    assert "x" * 150 in page_of({"note": "x" * 500})
    assert "x" * 250 not in page_of({"note": "x" * 500})
    assert "in the manifest" not in page_of(None)
