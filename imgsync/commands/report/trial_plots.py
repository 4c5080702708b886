"""The pictures of a study: how quickly was answered, and for how long images were up."""

from collections.abc import Mapping, Sequence

from imgsync.commands.report.plots import Picture, most_of, thin
from imgsync.commands.report.rows import Row
from imgsync.commands.report.summary import SessionReport, percentile
from imgsync.commands.report.svg import BOTTOM, TOP, Chart, ticks
from imgsync.commands.report.table import as_text
from imgsync.commands.report.trials import DisplayRow

CONDITION = "condition"
"""The column of a manifest by which reaction times are drawn."""

MAX_LANES = 12
"""Groups of a picture; more could not be told apart."""

MAX_NAME = 40
"""Characters of what stands above a group."""

LANE = 44
"""Pixels of a group, with its name."""

SPREAD = 9
"""Pixels that dots lie up and down from the middle of their group, so that they can be counted."""

_PALE, _DARK = "#9dbdd8", "#1f4e79"


def draw_trials(report: SessionReport) -> list[Picture]:
    """The pictures that the session's records are enough for."""
    drawn = (_draw_reaction_times(report.rows), _draw_exposures(report))
    return [picture for picture in drawn if picture is not None]


def _draw_reaction_times(rows: Sequence[Row]) -> Picture | None:
    """Of the first answers, group by group where a manifest has conditions."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row.reaction_time is not None:
            groups.setdefault(condition_of(row), []).append(row.reaction_time)
    if not groups:
        return None
    by = "" if list(groups) == [""] else " by condition"
    named = {name or ("no condition" if by else "all images"): one for name, one in groups.items()}
    count = sum(map(len, groups.values()))
    svg, left_out = _draw_groups(named, "ms from the onset to the answer", from_zero=True)
    return Picture(
        f"Reaction times{by}, of the first answers to {count} image{'' if count == 1 else 's'}:"
        " each is a dot, the bar goes from the first to the third quartile, and the line in it is"
        f" the median.{left_out}",
        svg,
    )


def condition_of(row: Row) -> str:
    """What a manifest says; empty where it says nothing."""
    return as_text(row.extra.get(CONDITION))


def _draw_exposures(report: SessionReport) -> Picture | None:
    """How far they were off what was asked, group by group of what was asked."""
    groups: dict[str, list[float]] = {}
    as_asked = dropped = unknown = 0
    for row in report.rows:
        asked = asked_ms(row, report.tables.displays)
        if row.exposure_ms is None or (row.show_for is None and row.frames is None):
            continue
        if row.frames is not None and row.frames_up is not None:
            as_asked += row.frames_up == row.frames
        dropped += bool(row.frames_dropped)
        if asked is None:
            unknown += 1
        else:
            groups.setdefault(describe_asked(row, asked), []).append(row.exposure_ms - asked)
    if not groups:
        return None
    svg, left_out = _draw_groups(groups, "ms longer than asked", from_zero=False)
    counted = [row for row in report.rows if row.frames is not None and row.frames_up is not None]
    frames = f" {as_asked} of {len(counted)} were up for the very frames." if counted else ""
    missed = f" Of {dropped} the client missed frames." if dropped else ""
    other = f" Of {unknown} it is not known how long their frames are." if unknown else ""
    count = sum(map(len, groups.values()))
    return Picture(
        f"For how long {count} image{' was' if count == 1 else 's were'} up, against what was"
        f" asked (0); above each group, what that was.{frames}{missed}{other}{left_out}",
        svg,
    )


def asked_ms(row: Row, displays: Sequence[DisplayRow]) -> float | None:
    """For how long it was to be up; frames by the refresh rate that was measured before."""
    if row.frames is None:
        return row.show_for
    at = row.sent_at if row.shown_at is None else row.shown_at
    known = [one for one in displays if one.refresh_rate is not None]
    before = [one.refresh_rate for one in known if one.since <= at]
    rates = before[-1:] or [one.refresh_rate for one in known[:1]]
    return row.frames * 1000 / rates[0] if rates and rates[0] is not None else None


def describe_asked(row: Row, asked: float | None) -> str:
    """For people: "100 ms", or "6 frames (100 ms)"."""
    time = "" if asked is None else f"{asked:.1f}".removesuffix(".0") + " ms"
    if row.frames is None:
        return time
    frames = f"{row.frames} frame{'' if row.frames == 1 else 's'}"
    return f"{frames} ({time})" if time else frames


def _draw_groups(
    groups: Mapping[str, Sequence[float]], axis: str, *, from_zero: bool
) -> tuple[str, str]:
    """The picture, and what has to be said of what is not in it."""
    drawn = dict(list(groups.items())[:MAX_LANES])
    values = [value for group in drawn.values() for value in group]
    most, least = most_of(values), min(values)
    if not from_zero:
        most = max(most_of([abs(value) for value in values]), 1.0)
        least = max(least, -most)
    low = min(least, 0.0)
    height = TOP + LANE * len(drawn) + BOTTOM
    chart = Chart(height, (low, most), (height - BOTTOM, TOP))  # y is in pixels
    chart.label_x([(tick, f"{tick:g}") for tick in ticks(low, most, 5)], axis)
    for number, (name, group) in enumerate(drawn.items()):
        top = TOP + LANE * number
        short = name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}..."
        chart.text((4, top + 11), f"{short} ({len(group)})")
        _draw_group(chart, sorted(one for one in group if low <= one <= most), top + 29)
    beyond = sum(not low <= value <= most for value in values)
    left_out = f" {beyond} beyond {most:.0f} ms are not drawn." if beyond else ""
    rest = len(groups) - len(drawn)
    return chart.svg, left_out + (f" {rest} more groups are not drawn." if rest else "")


def _draw_group(chart: Chart, ordered: Sequence[float], middle: float) -> None:
    if not ordered:
        return
    first, median, third = (percentile(ordered, share) for share in (0.25, 0.5, 0.75))
    chart.bars([(first, third)], middle - SPREAD - 2, 2 * SPREAD + 4, _PALE)
    # One above the other, so that they can be counted, and the same each time that it is drawn.
    spread = [(one, middle + n * 7 % (2 * SPREAD + 1) - SPREAD) for n, one in enumerate(ordered)]
    chart.dots(thin(chart, spread, len(spread)), "#777")
    chart.uprights([(median, middle - SPREAD - 4, middle + SPREAD + 4)], _DARK)
