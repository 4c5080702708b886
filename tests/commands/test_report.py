"""`imgsync report` as people use it: a process, on records of which the truth is known."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sys
from datetime import datetime
from pathlib import Path

import pytest
import trio

from imgsync.commands.report.table import columns
from imgsync.core.protocol.signalling import EndReason
from imgsync.core.protocol.states import SessionState
from imgsync.journal.events import ClockStep, Lost
from tests.kit.forks import open_fork, run_fork_to_end
from tests.kit.processes import EXIT_S, STRICT, Outcome
from tests.kit.records import EPOCH, HOUR, World, eventful_session, long_session
from tests.test_docs import first_words

COMMAND = (sys.executable, "-m", "imgsync", "report")

#: What the CSV leaves of a time.
ROUNDED = 0.001

Rows = list[dict[str, str]]


async def report(folder: Path, *logs: Path, options: tuple[str, ...] = ()) -> Outcome:
    words = [*map(str, logs), "--out", str(folder), *options]
    return await run_fork_to_end("report", *COMMAND, *words, env=STRICT, seconds=120)


async def report_rows(folder: Path, *logs: Path) -> Rows:
    outcome = await report(folder, *logs)
    assert outcome.code == 0, outcome.errors
    assert not outcome.errors
    return read_rows(folder)


def read_rows(folder: Path) -> Rows:
    with (folder / "report.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def check_latencies(rows: Rows, world: World) -> None:
    """All of them, and the onsets, are true to their bounds."""
    assert len(rows) == len(world.truths)
    for row in rows:
        truth = world.truths[int(row["imageIndex"])]
        assert float(row["sentAt"]) == truth.sent_at
        assert truth.latency is not None
        bound = float(row["bound"])
        assert abs(float(row["latency"]) - truth.latency) <= bound + ROUNDED
        assert bound < 60
        if truth.onset is None:
            assert row["onsetLatency"] == row["shownAt"] == ""
        else:
            onset, bound = float(row["onsetLatency"]), float(row["onsetBound"])
            assert abs(onset - truth.onset) <= bound + ROUNDED


# ── both sides ───────────────────────────────────────────────────────────────────────────────────


async def test_ten_thousand_images_of_three_hours_are_told_to_their_bounds(
    tmp_path: Path,
) -> None:
    world = long_session(10_000, 5_400)
    logs = world.write(tmp_path)
    begin = trio.current_time()
    rows = await report_rows(tmp_path, *logs)
    # Some seconds; this is for a machine that does much else.
    assert trio.current_time() - begin < 60
    check_latencies(rows, world)
    # A single probe's bound is half its round trip, 12 ms; all together they know better.
    assert sum(float(row["bound"]) for row in rows) / len(rows) < 5
    assert len(page_of(tmp_path)) < 2e6


@pytest.mark.parametrize("turned", [False, True])
async def test_what_happened_is_in_the_table_and_in_the_summary(
    tmp_path: Path, turned: bool
) -> None:
    world = eventful_session()
    logs = world.write(tmp_path)
    outcome = await report(tmp_path, *(reversed(logs) if turned else logs))
    assert outcome.code == 0, outcome.errors
    summary = dict(re.split("  +", line, maxsplit=1) for line in outcome.lines if "  " in line)
    assert summary["session"] == "s-1"
    assert summary["start"] == "2027-01-15 08:00:00.001 UTC"
    assert summary["duration"] == "10:05 min"
    assert (summary["evaluator"], summary["client"]) == ("dr-lee", "patient-7")
    counts = [summary[name] for name in ("images sent", "acked", "shown", "failed", "superseded")]
    assert counts == ["120", "119", "116", "3", "1"]
    assert summary["interruptions"] == "2, longest 27.0 s"
    assert summary["path"] == "host-srflx"
    assert summary["records of"] == "evaluator and client"
    assert outcome.lines[-2:] == [
        f"images: {tmp_path / 'report.csv'}",
        f"page: {tmp_path / 'report.html'}",
    ]
    rows = read_rows(tmp_path)
    assert list(rows[0]) == columns()
    check_latencies(rows, world)
    failed = [row["imageIndex"] for row in rows if row["failedReason"] == "http_403"]
    assert failed == ["17", "57", "97"]
    assert [row["imageIndex"] for row in rows if row["superseded"] == "true"] == ["61"]
    assert {row["imageUrl"] for row in rows} == {f"http://127.0.0.1/{n}.png" for n in range(120)}
    assert {row["copies"] for row in rows} == {"1"}


async def test_times_of_the_client_stand_on_both_clocks(tmp_path: Path) -> None:
    world = long_session(5, 20)
    rows = await report_rows(tmp_path, *world.write(tmp_path))
    for row in rows:
        for name in ("receivedAt", "fetchedAt", "shownAt"):
            between = float(row[name]) - float(row[f"{name}Evaluator"])
            assert abs(between - HOUR) < 60
        assert float(row["receivedAtEvaluator"]) > float(row["sentAt"])
        at = datetime.fromisoformat(row["sentAtIso"]).timestamp() * 1000
        assert at == pytest.approx(float(row["sentAt"]), abs=1)
        ways = float(row["ackedAt"]) - float(row["sentAt"])
        assert float(row["roundTrip"]) == pytest.approx(ways, abs=ROUNDED)


async def test_a_clock_that_is_set_half_way_makes_no_latency_wrong(tmp_path: Path) -> None:
    world = World()
    world.begin()
    middle = EPOCH + 100_000
    world.steps = [(middle, -250_000.0), (middle + 60_000, 3_000.0)]
    for number in range(100):
        world.probe(EPOCH + 500 + number * 2_000)
    for index in range(40):
        world.show(index, EPOCH + 2_600 + index * 4_900)
    rows = await report_rows(tmp_path, *world.write(tmp_path))
    check_latencies(rows, world)
    assert page_of(tmp_path).count("a clock that was set") == 2  # as the caption and its alt


# ── one side ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_evaluators_record_alone_knows_all_that_the_client_has_told(
    tmp_path: Path,
) -> None:
    world = eventful_session()
    evaluators, _ = world.write(tmp_path)
    outcome = await report(tmp_path, evaluators)
    assert outcome.code == 0, outcome.errors
    assert "records of                      evaluator" in outcome.lines
    assert "client                          patient-7" in outcome.lines
    rows = read_rows(tmp_path)
    [superseded] = [row for row in rows if row["superseded"] == "true"]
    assert superseded["receivedAt"] == superseded["latency"] == ""
    rows.remove(superseded)
    del world.truths[61]
    check_latencies(rows, world)


async def test_the_clients_record_alone_knows_when_images_came_and_by_its_pings_how_late(
    tmp_path: Path,
) -> None:
    world = eventful_session()
    _, clients = world.write(tmp_path)
    outcome = await report(tmp_path, clients)
    assert outcome.code == 0, outcome.errors
    assert "evaluator                       dr-lee" in outcome.lines
    assert "interruptions                   2, longest 27.0 s" in outcome.lines
    rows = read_rows(tmp_path)
    check_latencies(rows, world)
    assert {row["ackedAt"] + row["roundTrip"] + row["copies"] for row in rows} == {""}


async def test_without_a_probe_or_an_ack_nothing_is_said_of_latencies(tmp_path: Path) -> None:
    world = World()
    world.begin()
    world.show(0, EPOCH + 1_000)
    world.state(EPOCH + 2_000, SessionState.INTERRUPTED, EndReason.CONNECTION_LOST)
    world.state(EPOCH + 5_000, SessionState.ENDED, EndReason.CONNECTION_LOST)
    _, clients = world.write(tmp_path)
    outcome = await report(tmp_path, clients)
    # On the client's own clock, which knows how long.
    assert "interruptions                   1, longest 3.0 s" in outcome.lines
    [row] = read_rows(tmp_path)
    assert row["receivedAt"] != ""
    assert row["latency"] == row["bound"] == row["receivedAtEvaluator"] == ""


async def test_several_sessions_are_told_one_after_the_other(tmp_path: Path) -> None:
    logs: list[Path] = []
    for number in (2, 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(session=f"s-{number}")
        world.begin(client=f"patient-{number}")
        world.probe(EPOCH + 100)
        world.show(0, EPOCH + 150 + number)
        logs += world.write(folder)
    merged = tmp_path / "merged"
    merged.write_bytes(logs[0].read_bytes() + logs[2].read_bytes())
    outcome = await report(tmp_path, merged, logs[3], logs[1], options=("--json",))
    assert outcome.code == 0, outcome.errors
    told = [json.loads(line) for line in outcome.lines]
    assert [one["event"] for one in told] == ["session", "session", "written", "written"]
    assert {(one["sessionId"], one["client"]) for one in told[:2]} == {
        ("s-1", "patient-1"),
        ("s-2", "patient-2"),
    }
    assert all(one["missing"] == [] and one["roundTrip"]["median"] > 0 for one in told[:2])
    assert {row["sessionId"] for row in read_rows(tmp_path)} == {"s-1", "s-2"}
    assert page_of(tmp_path).count("<section>") == 2


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


async def test_the_page_needs_nothing_else_and_lets_nobody_speak_in_it(tmp_path: Path) -> None:
    world = World()
    world.begin(evaluator="<script>alert(1)</script>", client='"><img src=x onerror=alert(1)>')
    world.probe(EPOCH + 100)
    world.show(0, EPOCH + 200, url="http://x/<script>'\"&.png", is_acked=False)
    world.state(EPOCH + 900, SessionState.INTERRUPTED, EndReason.CONNECTION_LOST, "</td><script>")
    world.state(EPOCH + 1_900, SessionState.ENDED, EndReason.ENDED)
    await report_rows(tmp_path, *world.write(tmp_path))
    page = page_of(tmp_path)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; → &quot;&gt;&lt;img src=x" in page
    assert "http://x/&lt;script&gt;&#x27;&quot;&amp;.png" in page
    assert "&lt;/td&gt;&lt;script&gt;" in page
    sources = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'>\s]*)""", page)
    shown = [source for source in sources if source != "x"]  # the one that is escaped
    assert len(shown) == 3
    assert all(source.startswith("data:image/svg+xml;base64,") for source in shown)


async def test_a_cell_is_no_formula(tmp_path: Path) -> None:
    world = World(session="=1+1")
    world.begin()
    world.show(-3, EPOCH, url="@SUM(A1)")
    [row] = await report_rows(tmp_path, *world.write(tmp_path))
    assert row["sessionId"] == "'=1+1"
    assert row["imageUrl"] == "'@SUM(A1)"
    assert row["imageIndex"] == "-3"


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────


async def test_lines_that_tell_nothing_are_warned_of_by_number(tmp_path: Path) -> None:
    evaluators, clients = long_session(3, 3).write(tmp_path)
    lines = clients.read_bytes().splitlines()
    lines[3:3] = [b"<what>", b'{"event":"invented","at":1}']
    clients.write_bytes(b"\n".join(lines)[:-3])
    outcome = await report(tmp_path, evaluators, clients)
    assert outcome.code == 0
    last = len(lines)
    told = (
        f"{clients}: 3 lines skipped: line 4 (not JSON), line 5 (of an unknown event),"
        f" line {last} (not JSON)"
    )
    assert outcome.errors == [f"imgsync report: {told}"]
    assert told in page_of(tmp_path)
    outcome = await report(tmp_path, evaluators, clients, options=("--json",))
    skipped = json.loads(outcome.lines[0])
    assert skipped["event"] == "skipped"
    assert (skipped["count"], skipped["lines"]) == (3, [4, 5, last])
    assert not outcome.errors


async def test_events_that_could_not_be_written_are_told_of(tmp_path: Path) -> None:
    world = long_session(3, 3)
    world.by_evaluator(EPOCH + 500, Lost(7, "No space left on device"))
    outcome = await report(tmp_path, *world.write(tmp_path))
    assert outcome.errors == ["imgsync report: 7 events could not be written when they happened"]


async def test_a_side_that_slept_is_warned_of(tmp_path: Path) -> None:
    world = long_session(3, 3)
    world.by_evaluator(EPOCH + 500, ClockStep(None, HOUR, "ours"))
    outcome = await report(tmp_path, *world.write(tmp_path))
    assert outcome.errors == [
        "imgsync report: the evaluator dr-lee slept, or its clock was set, before"
        " 2027-01-15 08:00:00.500: from then on the times that it has written are 1:00:00 h early"
    ]


async def complaint(*words: str) -> str:
    outcome = await run_fork_to_end("report", *COMMAND, *words, env=STRICT)
    assert outcome.code == 1
    [line] = outcome.errors
    return line


async def test_what_can_not_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    evaluators, _ = long_session(3, 3).write(tmp_path)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert "can't read the record" in await complaint(str(tmp_path / "none"))
    assert "Is a directory" in await complaint(str(tmp_path))
    assert "tell of no session" in await complaint(str(empty))
    assert "can't make the folder" in await complaint(str(evaluators), "--out", str(empty))
    (tmp_path / "taken" / "report.csv").mkdir(parents=True)
    taken = await complaint(str(evaluators), "--out", str(tmp_path / "taken"))
    assert "can't write" in taken
    assert os.listdir(tmp_path / "taken") == ["report.csv"]


@pytest.mark.parametrize("words", [[], ["log", "--out"], ["log", "--nonsense"]])
async def test_wrong_arguments_are_a_matter_of_usage(words: list[str]) -> None:
    outcome = await run_fork_to_end("report", *COMMAND, *words, env=STRICT)
    assert outcome.code == 2
    assert outcome.errors[0].startswith("usage: imgsync report")


async def test_ctrl_c_ends_it_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = (str(pipe), "--out", str(tmp_path))
    async with open_fork("report", *COMMAND, *words, env=STRICT) as child:
        with trio.fail_after(EXIT_S):
            # Returns when the other end is opened: from then on it waits for what never comes.
            file = await trio.to_thread.run_sync(pipe.open, "wb", abandon_on_cancel=True)
        with file:
            child.process.send_signal(signal.SIGINT)
            outcome = await child.wait_outcome(EXIT_S)
    assert outcome.code == 130
    assert not outcome.errors
    assert os.listdir(tmp_path) == ["pipe"]


async def test_two_hundred_sessions_take_a_page_that_can_be_sent_and_no_time(
    tmp_path: Path,
) -> None:
    logs: list[Path] = []
    for number in range(200):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(session=f"s-{number}")
        world.begin(client=f"patient-{number}")
        for at in range(0, 20_000, 2_000):
            world.probe(EPOCH + 100 + at)
        for index in range(10):
            world.show(index, EPOCH + 1_500 + 2_000 * index)
        logs += world.write(folder)
    begin = trio.current_time()
    rows = await report_rows(tmp_path, *logs)
    assert trio.current_time() - begin < 20
    assert len(rows) == 2_000
    page = page_of(tmp_path)
    assert page.count("<section>") == 200
    assert len(page) < 5e6


# ── the page on the record ───────────────────────────────────────────────────────────────────────


def test_the_columns_that_the_page_names_are_those_of_the_csv() -> None:
    assert sorted(first_words("column")) == sorted(columns())
