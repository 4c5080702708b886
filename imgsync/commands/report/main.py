"""`imgsync report`: tables and plots from the records of sessions."""

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import attrs
import trio

from imgsync.commands.common import make_folder, run_command, set_up_logging
from imgsync.commands.output import Output
from imgsync.commands.report.page import make_page
from imgsync.commands.report.pictures import PictureChanged, find_changed, warn_of_changed
from imgsync.commands.report.plots import draw
from imgsync.commands.report.sides import Sides, SkippedLines, Unsteady
from imgsync.commands.report.summary import SessionReport, describe_duration, report_sessions, utc
from imgsync.commands.report.table import write_csv
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
        " write report.csv, with a row for each image, and report.html, with plots. Prints what"
        " the sessions were, in figures.",
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
    if not options.json:
        for warning in warnings:
            print(f"{prog}: {warning}", file=sys.stderr)
    if not reports:
        raise InputError("the records tell of no session; name those of a session")
    table = await _in_thread(partial(_make_csv, reports))
    csv_path = await _in_thread(partial(_write, options.out / "report.csv", table), abandon=False)
    for report in reports:
        output.write(report.summary)
    for finding in changed:
        output.write(finding)
    output.write(TableWritten(csv=str(csv_path), lost=sides.lost))
    drawing = progress.of("drawing", reports)
    page = await _in_thread(partial(_make_html, drawing, warnings, changed))
    html_path = await _in_thread(partial(_write, options.out / "report.html", page), abandon=False)
    output.write(PageWritten(str(html_path)))


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


def _make_csv(reports: Sequence[SessionReport]) -> str:
    file = io.StringIO()
    write_csv(file, [row for report in reports for row in report.rows])
    return file.getvalue()


def _make_html(
    reports: Iterable[SessionReport], warnings: Sequence[str], changed: Sequence[PictureChanged]
) -> str:
    return "".join(make_page(((report, draw(report)) for report in reports), warnings, changed))


def _write(path: Path, text: str) -> Path:
    """All of it, or what stood there before."""
    with input_errors(f"can't write {str(path)!r}", "name another folder with --out"):
        whole = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            # With the line breaks as they are: CSV has its own.
            whole.write_text(text, encoding="utf-8", newline="")
            whole.replace(path)
        finally:
            whole.unlink(missing_ok=True)
    return path
