"""The pictures of a session, as SVG."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs

from imgsync.commands.report.offsets import Span
from imgsync.commands.report.rows import Outcome, Row
from imgsync.commands.report.summary import SessionReport, Stretch, percentile
from imgsync.commands.report.svg import LEFT, RIGHT, WIDTH, Chart, ticks
from imgsync.commands.report.words import OUTCOME_WORDS, STATE_WORDS
from imgsync.core.protocol.signalling import Role
from imgsync.core.protocol.states import SessionState

MANY = 300
"""Marks of a plot from which on they are put together by their place: it has not more pixels."""

LANE = 26
"""Pixels of a line of the timeline."""

HEIGHT = 180

# Told apart by brightness as well, for those who don't see all colours and for grey prints.
_STATES = {
    SessionState.CONNECTING: "#d9d9d9",
    SessionState.CONNECTED: "#b7dfb9",
    SessionState.RESUMED: "#86c5a4",
    SessionState.SUSPECT: "#f2cf63",
    SessionState.INTERRUPTED: "#c8503c",
}
_BLUE, _DARK, _RED, _GREY = "#4c86b8", "#1f4e79", "#c8503c", "#888888"
_COLOURS = {
    Outcome.FAILED: _RED,
    Outcome.SUPERSEDED: "#c79200",
    Outcome.ACKED: _BLUE,
    Outcome.NOT_ACKED: _GREY,
}
_UP = ("#2e7d4f", "#8fc7a6")
"""Of images on the screen, in turns."""


@attrs.frozen
class Picture:
    """One figure.

    :param caption: what it shows, as a sentence or two.
    """

    caption: str
    svg: str = attrs.field(repr=False)


def draw(report: SessionReport) -> list[Picture]:
    """The pictures that the session's records are enough for."""
    drawn = (
        _draw_timeline(report),
        _draw_onsets(report.rows),
        _draw_latency(report),
        _draw_offset(report),
    )
    return [picture for picture in drawn if picture is not None]


# ── over time ────────────────────────────────────────────────────────────────────────────────────


def _extent(report: SessionReport) -> tuple[float, float]:
    """Of all that is drawn over time; evaluator's clock, ms."""
    times = [row.sent_at for row in report.rows]
    times += [time for line in report.stretches.values() for s in line for time in (s.begin, s.end)]
    times += [time for span in report.history.spans for time in (span.begin, span.end)]
    return min(times), max(times)


def _time_axis(chart: Chart, begin: float, end: float) -> None:
    seconds = max((end - begin) / 1000, 0.001)
    unit, name = next(
        (size, name)
        for size, name in ((3600, "hours"), (60, "minutes"), (1, "seconds"))
        if seconds >= 2 * size or size == 1
    )
    at = [(begin + 1000 * unit * tick, f"{tick:g}") for tick in ticks(0, seconds / unit, 5)]
    chart.label_x(at, f"{name} since the start of the session")


@attrs.frozen
class _Up:
    """An image was on the screen; evaluator's clock."""

    index: int
    begin: float
    end: float


def _find_up(rows: Sequence[Row], session_end: float) -> list[_Up]:
    """One after the other. One that nobody has said to be hidden was there until the next."""
    found = []
    for row in rows:
        if row.shown_at is None or row.shown_at_evaluator is None:
            continue
        ahead = row.shown_at - row.shown_at_evaluator
        found += [
            (begin - ahead, None if end is None else end - ahead, row.image_index)
            for begin, end in row.intervals
            if begin is not None
        ]
    found.sort(key=lambda one: one[0])
    nexts = [*(begin for begin, _, _ in found[1:]), max(session_end, found[-1][0] if found else 0)]
    return [
        _Up(index, begin, following if end is None else end)
        for (begin, end, index), following in zip(found, nexts, strict=False)
    ]


def _draw_timeline(report: SessionReport) -> Picture | None:
    lines = {role: line for role in Role if (line := report.stretches.get(role))}
    missed = defaultdict(list)
    for row in report.rows:
        if row.outcome in _COLOURS:
            missed[row.outcome].append(row.sent_at)
    if not lines and not report.rows:
        return None
    begin, end = _extent(report)
    up = _find_up(report.rows, end)
    names = [role.value for role in lines] + ["screen"] * bool(up)
    kinds = [kind for kind in _COLOURS if kind in missed]
    names += [OUTCOME_WORDS[kind] for kind in kinds]
    chart = Chart(8 + LANE * len(names) + 40, (begin, max(end, *(one.end for one in up), begin)))
    places = iter(range(8, 8 + LANE * len(names), LANE))
    for line in lines.values():
        _draw_states(chart, line, next(places))
    if up:
        _draw_up(chart, up, next(places))
    width = (end - begin) / (WIDTH - LEFT - RIGHT)
    for kind in kinds:
        spans = [(at, at + width) for at in missed[kind]]
        chart.bars(spans, next(places) + 3, LANE - 6, _COLOURS[kind])
    for place, name in enumerate(names):
        chart.text((LEFT - 6, 8 + LANE * place + LANE / 2 + 4), name, anchor="end")
    _time_axis(chart, begin, max(end, *(one.end for one in up), begin))
    seen = {stretch.change.state for line in lines.values() for stretch in line}
    legend = ", ".join(
        f"{_COLOUR_NAMES[state]}: {STATE_WORDS[state]}" for state in _STATES if state in seen
    )
    legend = f" ({legend})" if legend else ""
    on_screen = "; which image was on the screen, by its number" if up else ""
    rest = "; when images were sent that were not shown" if kinds else ""
    return Picture(f"The session as each side saw it{legend}{on_screen}{rest}.", chart.svg)


_COLOUR_NAMES = {
    SessionState.CONNECTING: "grey",
    SessionState.CONNECTED: "light green",
    SessionState.RESUMED: "green",
    SessionState.SUSPECT: "yellow",
    SessionState.INTERRUPTED: "red",
}


def _draw_states(chart: Chart, line: Sequence[Stretch], place: float) -> None:
    by_state = defaultdict(list)
    for stretch in line:
        by_state[stretch.change.state].append((stretch.begin, stretch.end))
    # Trouble comes last, so that seconds of it can be seen in hours.
    for state, colour in _STATES.items():
        chart.bars(by_state[state], place + 3, LANE - 6, colour)


def _draw_up(chart: Chart, up: Sequence[_Up], place: float) -> None:
    for turn, colour in enumerate(_UP):
        chart.bars([(one.begin, one.end) for one in up[turn::2]], place + 3, LANE - 6, colour)
    for number, one in enumerate(up):
        width = chart.x(one.end) - chart.x(one.begin)
        label = str(one.index)
        if width >= 5 + 6 * len(label):
            middle = (chart.x(one.begin) + chart.x(one.end)) / 2
            colour = "#fff" if number % 2 == 0 else "#123"
            at = (middle, place + LANE / 2 + 4)
            chart.text(at, label, anchor="middle", colour=colour, size=11)


# ── how long it took ─────────────────────────────────────────────────────────────────────────────


def most_of(values: Sequence[float]) -> float:
    """The end of an axis: a few that waited for a repair would press all others together."""
    return max(percentile(sorted(values), 0.99) * 1.1, 1.0)


def _draw_onsets(rows: Sequence[Row]) -> Picture | None:
    known = sorted(row.onset_latency for row in rows if row.onset_latency is not None)
    bounds = sorted(row.onset_bound for row in rows if row.onset_bound is not None)
    if not known:
        return None
    least, most = min(known[0], 0.0), most_of(known)
    # With few images, bars that are narrow would each be one image.
    count = min(max(round(2 * len(known) ** 0.5), 8), 40)
    step = (most - least) / count
    counts = [0] * count
    for value in known:
        if value <= most:
            counts[min(int((value - least) / step), count - 1)] += 1
    chart = Chart(HEIGHT, (least, most), (0, max(counts) * 1.25))
    chart.label_y()
    columns = [(least + step * n, least + step * (n + 1), one) for n, one in enumerate(counts)]
    chart.columns(columns, _BLUE)
    chart.mark(percentile(known, 0.5), "median", _DARK)
    chart.label_x([(tick, f"{tick:g}") for tick in ticks(least, most, 5)], "ms to the onset")
    beyond = sum(value > most for value in known)
    left_out = f" {beyond} above {most:.0f} ms are not drawn." if beyond else ""
    return Picture(
        f"How long it took from the sending of an image until it was on the screen: of"
        f" {len(known)} images, half within {percentile(known, 0.5):.1f} ms, 95 of 100 within"
        f" {percentile(known, 0.95):.1f} ms; each is known to about"
        f" ± {percentile(bounds, 0.5):.1f} ms.{left_out}",
        chart.svg,
    )


def _draw_latency(report: SessionReport) -> Picture | None:
    known = [
        (row.sent_at, row.latency, row.bound)
        for row in report.rows
        if row.latency is not None and row.bound is not None
    ]
    if not known:
        return None
    trips = [(row.sent_at, row.round_trip) for row in report.rows if row.round_trip is not None]
    begin, end = _extent(report)
    most = max(
        most_of([ms + bound for _, ms, bound in known]), most_of([ms for _, ms in trips] or [0.0])
    )
    least = min(0.0, *(ms - bound for _, ms, bound in known))
    chart = Chart(HEIGHT, (begin, end), (least, most))
    chart.label_y()
    inside = [(at, ms, bound) for at, ms, bound in known if ms <= most]
    chart.dots(thin(chart, ((at, ms) for at, ms in trips if ms <= most), len(trips)), "#bbb")
    bars = [(at, ms - bound, min(ms + bound, most)) for at, ms, bound in inside]
    chart.uprights(_widest(chart, bars), "#9dbdd8")
    chart.dots(thin(chart, ((at, ms) for at, ms, _ in inside), len(inside)), _DARK)
    _time_axis(chart, begin, end)
    beyond = len(known) - len(inside) + sum(ms > most for _, ms in trips)
    left_out = f" {beyond} above {most:.0f} ms are not drawn." if beyond else ""
    return Picture(
        "Milliseconds from the sending of an image to its arrival at the client (blue; bars show"
        f" how far off the clocks can be), and to its answer (grey).{left_out}",
        chart.svg,
    )


def thin(
    chart: Chart, points: Iterable[tuple[float, float]], count: int
) -> list[tuple[float, float]]:
    """Of very many, one for each two pixels."""
    if count <= MANY:
        return list(points)
    by_place = {(round(chart.x(x) / 2), round(chart.y(y) / 2)): (x, y) for x, y in points}
    return list(by_place.values())


def _widest(
    chart: Chart, bars: Sequence[tuple[float, float, float]]
) -> list[tuple[float, float, float]]:
    """Of very many, one for each pixel across, from the lowest to the highest."""
    if len(bars) <= MANY:
        return list(bars)
    by_place: dict[int, tuple[float, float, float]] = {}
    for x, low, high in bars:
        place = round(chart.x(x))
        known = by_place.get(place, (x, low, high))
        by_place[place] = (known[0], min(known[1], low), max(known[2], high))
    return list(by_place.values())


# ── the clocks ───────────────────────────────────────────────────────────────────────────────────


def _draw_offset(report: SessionReport) -> Picture | None:
    spans = report.history.spans
    if not spans:
        return None
    begin, end = _extent(report)
    courses = [_course(span) for span in spans]
    lows = [value - bound for course in courses for _, value, bound in course]
    highs = [value + bound for course in courses for _, value, bound in course]
    chart = Chart(HEIGHT, (begin, end), (min(lows), max(highs)))
    chart.label_y()
    for course in courses:
        low = [(at, value - bound) for at, value, bound in course]
        chart.band(low, [(at, value + bound) for at, value, bound in course], _BLUE)
        chart.line([(at, value) for at, value, _ in course], _DARK)
    for before, span in pairwise(spans):
        step = span.at(span.begin).value - before.at(before.end).value
        chart.mark(span.begin, f"{step:+,.0f} ms", _RED)
    _time_axis(chart, begin, end)
    steps = " Each dashed line is a clock that was set, or a process that was started anew."
    return Picture(f"{_describe_clocks(spans[0])}{steps if len(spans) > 1 else ''}", chart.svg)


def _describe_clocks(span: Span) -> str:
    first, last, duration = span.at(span.begin), span.at(span.end), span.end - span.begin
    text = (
        f"At the start the client's clock was {abs(first.value):,.1f} ms"
        f" {'ahead of' if first.value >= 0 else 'behind'} the evaluator's, ± {first.bound:.1f} ms"
    )
    gained = last.value - first.value
    if abs(gained) > first.bound + last.bound:  # else nothing can be said of it
        text += (
            f"; it ran {abs(gained) / duration * 1e6:.0f} ppm {'fast' if gained > 0 else 'slow'}"
        )
    return (
        f"{text}. The line is how far it was off a steady drift, in ms; the band is where it can"
        " have been."
    )


def _course(span: Span) -> list[tuple[float, float, float]]:
    """When, how far off a steady drift, and how wrong that can be."""
    points = 120
    times = [span.begin + (span.end - span.begin) * n / points for n in range(points + 1)]
    offsets = [span.at(at) for at in times]
    first, last = offsets[0].value, offsets[-1].value
    return [
        (at, offset.value - first - (last - first) * n / points, offset.bound)
        for n, (at, offset) in enumerate(zip(times, offsets, strict=True))
    ]
