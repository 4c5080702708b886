"""What the page says of a study: answers, marks, and what they were shown on."""

from collections.abc import Iterator, Sequence

from imgsync.commands.report.html import table
from imgsync.commands.report.rows import Row
from imgsync.commands.report.summary import SessionReport, percentile, utc
from imgsync.commands.report.table import as_text
from imgsync.commands.report.trial_plots import CONDITION, condition_of
from imgsync.commands.report.trials import DisplayRow, MarkRow, ResponseRow
from imgsync.commands.report.words import describe_screen_trouble


def trial_tables(report: SessionReport) -> Iterator[str]:
    """As HTML; nothing of what there is none of."""
    tables = report.tables
    yield table(
        "What the client showed images on", _SCREEN_HEADS, list(map(_screen, tables.displays))
    )
    yield table("Conditions", _CONDITION_HEADS, _conditions(report.rows))
    yield table("Answers", _ANSWER_HEADS, list(map(_answer, tables.responses)))
    yield table("Marks", _MARK_HEADS, list(map(_mark, tables.marks)))


_SCREEN_HEADS = ("from", "screen", "window", "refreshed", "browser", "input", "to be noticed")


def _screen(row: DisplayRow) -> tuple[str, ...]:
    at = row.since if row.since_evaluator is None else row.since_evaluator
    ratio = "" if row.pixel_ratio is None else f", {row.pixel_ratio:g} pixels each"
    keys = {None: "", True: "keyboard", False: "no keyboard"}[row.keyboard]
    return (
        utc(at),
        _size(row.screen_width, row.screen_height) + ratio,
        _size(row.window_width, row.window_height),
        "" if row.refresh_rate is None else f"{row.refresh_rate:.2f} Hz",
        ", ".join(filter(None, (row.browser, row.system, row.languages))),
        ", ".join(filter(None, (f"{row.pointer} pointer" if row.pointer else "", keys))),
        "; ".join([*map(describe_screen_trouble, (row.warnings or "").split()), *_checked(row)]),
    )


def _checked(row: DisplayRow) -> list[str]:
    """What a check before has found."""
    return [f"found before: {word.replace('_', ' ')}" for word in (row.check_found or "").split()]


def _size(width: int | None, height: int | None) -> str:
    return "" if width is None or height is None else f"{width} x {height}"


_CONDITION_HEADS = ("condition", "images", "shown", "answered", "reaction time, quartiles")


def _conditions(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Where a manifest has some."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(condition_of(row), []).append(row)
    if list(groups) in ([], [""]):
        return []
    return [(name or "none", *_condition(group)) for name, group in groups.items()]


def _condition(rows: Sequence[Row]) -> tuple[str, ...]:
    times = sorted(row.reaction_time for row in rows if row.reaction_time is not None)
    quartiles = [percentile(times, share) for share in (0.25, 0.5, 0.75)] if times else []
    return (
        str(len(rows)),
        str(sum(row.shown_at is not None for row in rows)),
        str(sum(bool(row.answers) for row in rows)),
        " / ".join(f"{time:.1f}" for time in quartiles) + (" ms" if times else ""),
    )


_ANSWER_HEADS = ("image", "condition", "answer", "reaction time", "place, px")


def _answer(row: ResponseRow) -> tuple[str, ...]:
    within = "" if row.within is None else f" ± {row.within:.1f}"
    time = "" if row.reaction_time is None else f"{row.reaction_time:.1f} ms{within}"
    place = "" if row.x is None or row.y is None else f"{row.x:.1f}, {row.y:.1f}"
    answer = f"{row.kind}: {row.value}" if row.is_answer else "more than are told"
    return (_image(row), as_text(row.extra.get(CONDITION)), answer, time, place)


_MARK_HEADS = ("at", "image", "score", "note")


def _mark(row: MarkRow) -> tuple[str, ...]:
    return (utc(row.mark_at), _image(row), as_text(row.score), row.text or "")


def _image(row: ResponseRow | MarkRow) -> str:
    if row.image_index is None:
        return ""
    return f"{row.image_index}" + ("" if row.image_name is None else f": {row.image_name}")
