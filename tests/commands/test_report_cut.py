"""A record that is cut off anywhere makes a right table of all that was acked before."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.commands.report.page import make_page
from imgsync.commands.report.plots import draw
from imgsync.commands.report.rows import Row
from imgsync.commands.report.sides import Sides
from imgsync.commands.report.summary import SessionReport, facts, report_session
from imgsync.commands.report.table import write_csv
from imgsync.core.protocol.signalling import Role
from imgsync.journal.reader import read_journal
from tests.kit.records import World, eventful_session, long_session

#: What an ack alone tells: these don't change with what is known besides.
Fact = tuple[str, int, float, float | None, float | None, float | None]


def fact(row: Row) -> Fact:
    image = (row.session_id, row.image_index, row.sent_at)
    return (*image, row.received_at, row.acked_at, row.round_trip)


def acked(reports: list[SessionReport]) -> set[Fact]:
    return {fact(row) for report in reports for row in report.rows if row.acked_at is not None}


def report(*logs: Path) -> list[SessionReport]:
    sides = Sides()
    for log in logs:
        sides.add_record(read_journal(log))
    return [report_session(record) for record in sides.sessions.values()]


def tell(reports: list[SessionReport]) -> None:
    """All but the pictures."""
    write_csv(io.StringIO(), [row for one in reports for row in one.rows])
    for one in reports:
        assert all(isinstance(value, str) for _, value in facts(one.summary))


def check_bounds(reports: list[SessionReport], world: World) -> None:
    for row in (row for one in reports for row in one.rows):
        truth = world.truths[row.image_index]
        if row.latency is not None:
            assert row.bound is not None
            assert truth.latency is not None
            assert abs(row.latency - truth.latency) <= row.bound + 0.001


def cuts(content: bytes) -> list[int]:
    """Where a record is cut, the last place first: anywhere in the first line of each kind, and of
    the others before each, behind its first byte, in its middle and before its line break."""
    found, end, kinds = {0}, 0, set[str]()
    for line in content.splitlines(keepends=True):
        kind = json.loads(line)["event"]
        places = (0, 1, len(line) // 2, len(line) - 1) if kind in kinds else range(len(line))
        found |= {end + place for place in places}
        kinds.add(kind)
        end += len(line)
    return sorted({*found, end}, reverse=True)


def acked_before(content: bytes) -> list[tuple[int, int]]:
    """Where the line of each ack ends, its line break not counted, and its image."""
    found, end = [], 0
    for line in content.splitlines(keepends=True):
        end += len(line)
        members = json.loads(line)
        if members["event"] == "acked":
            found.append((end - 1, members["imageIndex"]))
    return found


def test_cut_anywhere_the_evaluators_record_tells_of_all_acks_before(tmp_path: Path) -> None:
    world = long_session(4, 3)
    log, clients = world.write(tmp_path)
    content = log.read_bytes()
    whole = {one[1]: one for one in acked(report(log))}
    assert len(whole) == 4
    ends = acked_before(content)
    for number, cut in enumerate(cuts(content)):
        os.truncate(log, cut)
        there = {whole[index] for end, index in ends if end <= cut}
        # In turns alone and with the other side's record, which is whole.
        reports = report(log) if number % 4 else report(log, clients)
        assert acked(reports) == there, cut
        tell(reports)
        check_bounds(reports, world)


def test_cut_anywhere_the_clients_record_takes_nothing_from_the_evaluators(
    tmp_path: Path,
) -> None:
    world = long_session(4, 3)
    evaluators, log = world.write(tmp_path)
    whole = acked(report(evaluators))
    for cut in cuts(log.read_bytes()):
        os.truncate(log, cut)
        reports = report(log, evaluators)
        assert acked(reports) == whole, cut
        tell(reports)
        check_bounds(reports, world)


def test_whatever_is_left_can_be_drawn(tmp_path: Path) -> None:
    log, _ = long_session(2, 2).write(tmp_path)
    content = log.read_bytes()
    ends = [at + 1 for at, byte in enumerate(content) if byte == ord("\n")]
    pictures = []
    # From the first line that tells of the session on; to draw takes its time.
    for end in (ends[-1], *reversed(ends[1:-1:4])):
        os.truncate(log, end)
        [one] = report(log)
        pictures.append(draw(one))
        assert "".join(make_page([(one, pictures[-1])], [])).endswith("</html>\n")
    # The less is known, the fewer there are.
    assert [len(drawn) for drawn in pictures] == sorted(map(len, pictures), reverse=True)
    assert (len(pictures[0]), len(pictures[-1])) == (4, 0)


def test_a_header_that_can_not_be_read_costs_what_needs_to_know_whose_it_is(
    tmp_path: Path,
) -> None:
    log, _ = long_session(4, 3).write(tmp_path)
    whole = acked(report(log))
    content = log.read_bytes()
    log.write_bytes(b"#" + content[1:])
    sides = Sides()
    skipped = sides.add_record(read_journal(log))
    reports = [report_session(record) for record in sides.sessions.values()]
    assert acked(reports) == whole
    assert skipped.first[0].why == "not JSON"
    assert {line.why for line in skipped.first[1:]} == {
        "no header before it that tells whose it is"
    }
    assert reports[0].summary.missing == tuple(Role)


def test_a_record_that_is_given_twice_tells_no_more(tmp_path: Path) -> None:
    log, clients = eventful_session().write(tmp_path)
    [once], [twice] = report(log, clients), report(log, clients, log)
    assert twice.summary == once.summary
    assert twice.rows == once.rows


CONTENT = [long_session(3, 3).lines(role) for role in Role]


@given(st.data())
def test_what_is_garbled_costs_no_more_than_itself(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder, logs = tmp_path_factory.mktemp("garbled"), []
    for number, content in enumerate(CONTENT):
        garbled = bytearray(content)
        for _ in range(data.draw(st.integers(0, 20))):
            # Digits where digits were make other times; anything else no line at all.
            garbled[data.draw(st.integers(0, len(garbled) - 1))] = data.draw(
                st.sampled_from(b"0123456789.-e") | st.integers(0, 255)
            )
        logs.append(folder / str(number))
        logs[-1].write_bytes(garbled)
    reports = report(*logs)
    tell(reports)
    assert "".join(make_page([(one, ()) for one in reports], [])).endswith("</html>\n")
