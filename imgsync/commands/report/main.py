"""`imgsync report`: tables and plots from the records of sessions."""

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import attrs
import trio

from imgsync.commands.common import make_folder, run_command, set_up_logging
from imgsync.commands.output import Output
from imgsync.commands.report.bids import Dataset, make_dataset
from imgsync.commands.report.page import make_page
from imgsync.commands.report.pictures import PictureChanged, find_changed, warn_of_changed
from imgsync.commands.report.plots import draw
from imgsync.commands.report.rows import Row
from imgsync.commands.report.sides import Sides, SkippedLines, Unsteady
from imgsync.commands.report.summary import SessionReport, describe_duration, report_sessions, utc
from imgsync.commands.report.table import AnyRow, write_csv
from imgsync.commands.report.trial_plots import draw_trials
from imgsync.commands.report.trials import DisplayRow, MarkRow, ResponseRow, TrialTables
from imgsync.core.protocol.errors import InputError
from imgsync.files import input_errors
from imgsync.journal.reader import read_journal

T = TypeVar("T")

FEW = 5
"""Records or sessions that nobody has to wait for."""

LISTED_LINES = 5
"""Skipped lines of a record that a warning names."""


@attrs.frozen
class LinesSkipped:
    """Of a record. People are warned of them on stderr.

    :param lines: the numbers of the first of them.
    """

    EVENT = "skipped"
    log: str
    count: int
    lines: tuple[int, ...]

    @property
    def prose(self) -> None:
        return None


@attrs.frozen
class TableWritten:
    """The CSV is there.

    :param lost: events that could not be written when they happened.
    """

    EVENT = "written"
    csv: str
    lost: int

    @property
    def prose(self) -> str:
        return f"images: {self.csv}"


@attrs.frozen
class MoreWritten:
    """The CSV of something else than images is there.

    :param of: what it has rows of, in a word.
    """

    EVENT = "written"
    csv: str
    of: str

    @property
    def prose(self) -> str:
        return f"{self.of}: {self.csv}"


@attrs.frozen
class DatasetWritten:
    """The data set of BIDS is there."""

    EVENT = "written"
    bids: str

    @property
    def prose(self) -> str:
        return f"BIDS: {self.bids}"


@attrs.frozen
class PageWritten:
    """The page is there."""

    EVENT = "written"
    html: str

    @property
    def prose(self) -> str:
        return f"page: {self.html}"


def main(arguments: Sequence[str] | None = None, prog: str = "imgsync report") -> int:
    """Parse, run, and return the exit code."""
    options = _parser(prog).parse_args(arguments)
    set_up_logging(logging.WARNING)

    async def run() -> int:
        await _report(options, prog)
        return 0

    return run_command(run, prog)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Put the records of sessions together, as the two sides have written them, and"
        " write report.csv, with a row for each image, and report.html, with plots; and where there"
        " were some, responses.csv, marks.csv and displays.csv. Prints what the sessions were, in"
        " figures.",
    )
    parser.add_argument(
        "logs",
        metavar="LOG",
        nargs="+",
        type=Path,
        help="what an evaluator or a client has written with --log, in any order; one side alone"
        " will do",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path(),
        help="the folder to write to; by default this one",
    )
    parser.add_argument(
        "--bids",
        metavar="DIR",
        type=Path,
        help="write a data set of BIDS as well, to this folder, which has to be new or empty",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line on stdout")
    return parser


class Progress:
    """How far a long report is, on a line of a terminal that is written again and again."""

    def __init__(self, prog: str) -> None:
        self._prog = prog
        self._shows = sys.stderr is not None and sys.stderr.isatty()

    def of(self, doing: str, items: Sequence[T]) -> Iterator[T]:
        """All of them, one after the other; the line goes at the end."""
        shows = self._shows and len(items) > FEW
        for number, item in enumerate(items, start=1):
            if shows:
                self._write(f"{self._prog}: {doing} {number} of {len(items)}")
            yield item
        if shows:
            self._write("")

    @staticmethod
    def _write(text: str) -> None:
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


async def _in_thread(function: Callable[[], T], *, abandon: bool = True) -> T:
    """Away from the signals, so that Ctrl-C ends a long one at once."""
    return await trio.to_thread.run_sync(function, abandon_on_cancel=abandon)


async def _report(options: argparse.Namespace, prog: str) -> None:
    output = Output(as_json=options.json)
    await make_folder(options.out, "--out")
    if options.bids is not None:
        await make_folder(options.bids, "--bids")
        await _in_thread(partial(_expect_empty, options.bids))
    sides, warnings = Sides(), []
    progress = Progress(prog)
    for log in progress.of("reading", options.logs):
        skipped = await _in_thread(partial(_read, sides, log))
        warnings += _warn_of_lines(log, skipped, output)
    if sides.lost:
        warnings.append(f"{sides.lost} events could not be written when they happened")
    warnings += map(_warn_of_clock, sides.unsteady)
    reports = await _in_thread(partial(report_sessions, sides))
    changed = find_changed(report.versions for report in reports)
    warnings += warn_of_changed(changed)
    dataset = Dataset({}, [])
    if options.bids is not None:
        dataset = await _in_thread(partial(make_dataset, reports))
    if not options.json:
        for warning in [*warnings, *dataset.warnings]:
            print(f"{prog}: {warning}", file=sys.stderr)
    if not reports:
        raise InputError("the records tell of no session; name those of a session")
    rows = [row for report in reports for row in report.rows]
    csv_path = await _write_table(options.out / "report.csv", rows, Row)
    for report in reports:
        output.write(report.summary)
    for finding in changed:
        output.write(finding)
    output.write(TableWritten(csv=str(csv_path), lost=sides.lost))
    await _write_trials(options.out, [report.tables for report in reports], output)
    drawing = progress.of("drawing", reports)
    page = await _in_thread(partial(_make_html, drawing, warnings, changed))
    html_path = await _in_thread(partial(_write, options.out / "report.html", page), abandon=False)
    output.write(PageWritten(str(html_path)))
    if options.bids is not None:
        await _in_thread(partial(write_files, options.bids, dataset.files), abandon=False)
        output.write(DatasetWritten(str(options.bids)))


async def _write_table(path: Path, rows: Sequence[AnyRow], kind: type[AnyRow]) -> Path:
    table = await _in_thread(partial(_make_csv, rows, kind))
    return await _in_thread(partial(_write, path, table), abandon=False)


async def _write_trials(folder: Path, sessions: Sequence[TrialTables], output: Output) -> None:
    """Of what there is; a table that a report before has left here is none of this one."""
    responses = [row for tables in sessions for row in tables.responses]
    marks = [row for tables in sessions for row in tables.marks]
    displays = [row for tables in sessions for row in tables.displays]
    tables: list[tuple[str, str, Sequence[AnyRow], type[AnyRow]]] = [
        ("responses.csv", "answers", responses, ResponseRow),
        ("marks.csv", "marks", marks, MarkRow),
        ("displays.csv", "displays", displays, DisplayRow),
    ]
    for name, of, rows, kind in tables:
        if rows:
            path = await _write_table(folder / name, rows, kind)
            output.write(MoreWritten(str(path), of))
        else:
            await _in_thread(partial(_remove_stale, folder / name, _make_csv([], kind).rstrip()))


def _read(sides: Sides, log: Path) -> SkippedLines:
    return sides.add_record(read_journal(log))


def _warn_of_lines(log: Path, skipped: SkippedLines, output: Output) -> list[str]:
    warnings = []
    if skipped.repeated:
        again = "line was" if skipped.repeated == 1 else "lines were"
        warnings.append(
            f"{log}: {skipped.repeated} {again} in a record before, and counted once: was it given"
            " twice?"
        )
    if not skipped.count:
        return warnings
    named = [f"line {line.line} ({line.why})" for line in skipped.first[:LISTED_LINES]]
    rest = skipped.count - len(named)
    listed = ", ".join(named) + (f" and {rest} more" if rest else "")
    numbers = tuple(line.line for line in skipped.first)
    output.write(LinesSkipped(log=str(log), count=skipped.count, lines=numbers))
    lines = "line" if skipped.count == 1 else "lines"
    return [*warnings, f"{log}: {skipped.count} {lines} skipped: {listed}"]


def _warn_of_clock(unsteady: Unsteady) -> str:
    header, early = unsteady.header, "early" if unsteady.by > 0 else "late"
    return (
        f"the {header.role.value} {header.user_id} slept, or its clock was set, before"
        f" {utc(unsteady.at)}: from then on the times that it has written are"
        f" {describe_duration(abs(unsteady.by))} {early}"
    )


def _make_csv(rows: Sequence[AnyRow], kind: type[AnyRow]) -> str:
    file = io.StringIO()
    write_csv(file, rows, kind)
    return file.getvalue()


def _make_html(
    reports: Iterable[SessionReport], warnings: Sequence[str], changed: Sequence[PictureChanged]
) -> str:
    drawn = ((report, [*draw(report), *draw_trials(report)]) for report in reports)
    return "".join(make_page(drawn, warnings, changed))


def _remove_stale(path: Path, head: str) -> None:
    """Unless its first line is another one: then it is somebody's own."""
    with input_errors(f"can't remove {str(path)!r}", "name another folder with --out"):
        try:
            with path.open("rb") as file:
                is_ours = file.read(len(head)) == head.encode()
        except (FileNotFoundError, IsADirectoryError):
            return
        if is_ours:
            path.unlink(missing_ok=True)


def _expect_empty(folder: Path) -> None:
    """What lies there could be of other sessions, and be taken for one with these."""
    with input_errors(f"can't read {str(folder)!r}", "name another folder with --bids"):
        if any(folder.iterdir()):
            raise InputError(
                f"{str(folder)!r} has something in it; name a new or an empty folder with --bids"
            )


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """By their paths in it."""
    for name, text in files.items():
        path = folder / name
        with input_errors(f"can't write {str(path)!r}", "name another folder with --bids"):
            path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, text, "--bids")


def _write(path: Path, text: str, option: str = "--out") -> Path:
    """All of it, or what stood there before."""
    with input_errors(f"can't write {str(path)!r}", f"name another folder with {option}"):
        whole = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            # With the line breaks as they are: CSV has its own.
            whole.write_text(text, encoding="utf-8", newline="")
            whole.replace(path)
        finally:
            whole.unlink(missing_ok=True)
    return path
