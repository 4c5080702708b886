"""The pictures of a session, as SVG. The home of matplotlib, which the extra `report` brings."""

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs

from imgsync.commands.report.offsets import Span
from imgsync.commands.report.rows import Outcome
from imgsync.commands.report.summary import SessionReport, Stretch, percentile
from imgsync.core.protocol.signalling import Role
from imgsync.core.protocol.states import SessionState
from imgsync.distribution import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 10.0
"""Inches; a page scales it to its own width."""

MANY = 500
"""Marks of a plot from which on they are pixels, not paths: a page must not weigh megabytes."""

SHORT = 10_000.0
"""Milliseconds of a session up to which there are fractions of seconds on its axes."""

_STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
    "svg.hashsalt": "imgsync",  # the same records give the same page
}

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
    Outcome.SHOWN: "#2e7d4f",
    Outcome.FAILED: _RED,
    Outcome.SUPERSEDED: "#c79200",
    Outcome.ACKED: _BLUE,
    Outcome.NOT_ACKED: _GREY,
}


@attrs.frozen
class Picture:
    """One figure.

    :param caption: what it shows, as a sentence or two.
    """

    caption: str
    svg: bytes = attrs.field(repr=False)


def draw(report: SessionReport) -> list[Picture]:
    """The pictures that the session's records are enough for. Raises MissingExtra."""
    try:
        from matplotlib import rc_context
    except ImportError as exc:
        raise missing_extra("the page of the report is drawn with matplotlib", "report") from exc
    with rc_context(_STYLE):
        drawn = (_draw_timeline(report), _draw_latency(report), _draw_offset(report))
        return [picture for picture in drawn if picture is not None]


def _new_figure(height: float, columns: int = 1, **options: Any) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height))
    axes = figure.subplots(1, columns, squeeze=False, **options)
    return figure, list(axes[0])


def _picture(figure: "Figure", caption: str) -> Picture:
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return Picture(caption, file.getvalue())


# ── over time ────────────────────────────────────────────────────────────────────────────────────


def _show_time(axes: "Axes", begin: float, end: float) -> None:
    """Minutes and seconds from the start of the session; plots are in seconds."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    margin = max((end - begin) / 1000, 1) * 0.01
    axes.set_xlim(-margin, (end - begin) / 1000 + margin)
    if end - begin < SHORT:
        axes.set_xlabel("time since the start of the session, s")
        return

    def clock(seconds: float, _: object = None) -> str:
        minutes, rest = divmod(round(abs(seconds)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

    steps = [1, 2, 3, 5, 6, 10] if end - begin < 600_000 else [1, 1.2, 1.8, 3, 3.6, 6, 7.2, 9, 10]
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=steps, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(clock))
    axes.set_xlabel("time since the start of the session")


def _extent(report: SessionReport) -> tuple[float, float]:
    """Of all that is drawn over time; evaluator's clock, ms."""
    times = [row.sent_at for row in report.rows]
    times += [time for line in report.stretches.values() for s in line for time in (s.begin, s.end)]
    times += [time for span in report.history.spans for time in (span.begin, span.end)]
    return min(times), max(times)


def _draw_timeline(report: SessionReport) -> Picture | None:
    lines = {role: line for role in Role if (line := report.stretches.get(role))}
    outcomes = [row.outcome for row in report.rows]
    kinds = [outcome for outcome in Outcome if outcome in outcomes]
    if not lines and not kinds:
        return None
    begin, end = _extent(report)
    names = [role.value for role in lines] + [kind.value for kind in kinds]
    figure, [axes] = _new_figure(0.95 + 0.34 * len(names))
    for place, line in enumerate(lines.values()):
        _draw_states(axes, line, begin, place)
    for place, kind in enumerate(kinds, start=len(lines)):
        times = [
            (row.sent_at - begin) / 1000
            for row, outcome in zip(report.rows, outcomes, strict=True)
            if outcome is kind
        ]
        axes.vlines(
            times,
            place - 0.32,
            place + 0.32,
            color=_COLOURS[kind],
            linewidth=0.8,
            rasterized=len(times) > MANY,
        )
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    _show_time(axes, begin, end)
    _add_state_legend(axes, lines)
    return _picture(
        figure,
        "The session as each side saw it, and when images were sent, by what became of them.",
    )


def _draw_states(axes: "Axes", line: Sequence[Stretch], begin: float, place: int) -> None:
    for stretch in line:
        state = stretch.change.state
        if state is SessionState.ENDED:
            continue
        left, right = (stretch.begin - begin) / 1000, (stretch.end - begin) / 1000
        colour = _STATES[state]
        is_trouble = state in (SessionState.SUSPECT, SessionState.INTERRUPTED)
        # Trouble has an edge, so that seconds of it can be seen in hours.
        axes.broken_barh(
            [(left, right - left)],
            (place - 0.32, 0.64),
            facecolor=colour,
            edgecolor=colour if is_trouble else "none",
            linewidth=0.9 if is_trouble else 0,
            zorder=3 if state is SessionState.INTERRUPTED else 2,
        )


def _add_state_legend(axes: "Axes", lines: dict[Role, list[Stretch]]) -> None:
    from matplotlib.patches import Patch

    seen = {stretch.change.state for line in lines.values() for stretch in line}
    patches = [
        Patch(facecolor=colour, label=state.value)
        for state, colour in _STATES.items()
        if state in seen
    ]
    if patches:
        axes.legend(
            handles=patches,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=len(patches),
            frameon=False,
            handlelength=1.2,
        )


# ── one way ──────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class _Duration:
    """Something that began with a showing, ms; true to `bound`."""

    sent_at: float
    ms: float
    bound: float = 0

    @property
    def low(self) -> float:
        return self.ms - self.bound

    @property
    def high(self) -> float:
        return self.ms + self.bound


def _draw_latency(report: SessionReport) -> Picture | None:
    known = [
        _Duration(sent_at=row.sent_at, ms=row.latency, bound=row.bound)
        for row in report.rows
        if row.latency is not None and row.bound is not None
    ]
    if not known:
        return None
    begin, end = _extent(report)
    most = _most([one.high for one in known])
    inside = [one for one in known if one.ms <= most]
    figure, [left, right] = _new_figure(2.9, 2, width_ratios=(2, 3))
    _draw_histogram(left, inside, most)
    trips = [
        _Duration(sent_at=row.sent_at, ms=row.round_trip)
        for row in report.rows
        if row.round_trip is not None
    ]
    highest = max(most, _most([trip.ms for trip in trips]) if trips else 0)
    _draw_round_trips(right, [trip for trip in trips if trip.ms <= highest], begin)
    _draw_one_way(right, inside, begin)
    # Room for the legend.
    right.set_ylim(min(0.0, *(one.low for one in inside)), highest * 1.2)
    right.set_ylabel("ms")
    right.legend(frameon=False, fontsize=7.5, loc="upper right", ncols=2)
    _show_time(right, begin, end)
    beyond = len(known) - len(inside)
    left_out = f" {beyond} above {most:.0f} ms are not drawn." if beyond else ""
    longer = sum(trip.ms > highest for trip in trips)
    left_out += f" {longer} round trips above {highest:.0f} ms are not drawn." if longer else ""
    return _picture(
        figure,
        "From the sending of an image to its arrival at the client (one way), and to its ack (round"
        f" trip). Outlines and bars show how far off the clocks can be.{left_out}",
    )


def _most(values: Sequence[float]) -> float:
    """The end of an axis: a few that waited for a repair would press all others together."""
    return max(percentile(sorted(values), 0.99) * 1.1, 1.0)


def _draw_one_way(axes: "Axes", known: Sequence[_Duration], begin: float) -> None:
    times = [(one.sent_at - begin) / 1000 for one in known]
    is_dense = len(known) > MANY
    axes.vlines(
        times,
        [one.low for one in known],
        [one.high for one in known],
        color=_BLUE,
        alpha=0.25 if is_dense else 0.5,
        linewidth=1,
        rasterized=is_dense,
    )
    axes.plot(
        times,
        [one.ms for one in known],
        linestyle="none",
        marker=".",
        markersize=2 if is_dense else 5,
        color=_DARK,
        alpha=0.5 if is_dense else 1,
        rasterized=is_dense,
        label="one way",
    )


def _draw_round_trips(axes: "Axes", known: Sequence[_Duration], begin: float) -> None:
    is_dense = len(known) > MANY
    axes.plot(
        [(trip.sent_at - begin) / 1000 for trip in known],
        [trip.ms for trip in known],
        linestyle="none",
        marker="_",
        markersize=3 if is_dense else 6,
        color=_GREY,
        alpha=0.4 if is_dense else 1,
        rasterized=is_dense,
        label="round trip",
    )


def _draw_histogram(axes: "Axes", known: Sequence[_Duration], most: float) -> None:
    from matplotlib.ticker import MaxNLocator

    least = min(0.0, *(one.low for one in known))
    # With few images, bars that are narrow would each be one image.
    count = min(max(round(2 * len(known) ** 0.5), 8), 40)
    bins = [least + (most - least) * number / count for number in range(count + 1)]
    axes.hist([one.ms for one in known], bins=bins, color=_BLUE, alpha=0.75, label="estimate")
    extremes = (
        ("if all were as early", [one.low for one in known], ":"),
        ("if all were as late", [one.high for one in known], "-"),
    )
    for name, values, style in extremes:
        axes.hist(
            values,
            bins=bins,
            histtype="step",
            color=_DARK,
            linestyle=style,
            linewidth=0.9,
            label=f"{name} as can be",
        )
    axes.set_xlim(least, most)
    axes.set_xlabel("one way, ms")
    axes.set_ylabel("images")
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.margins(y=0.35)
    axes.legend(frameon=False, fontsize=7.5, loc="upper right")


# ── the clocks ───────────────────────────────────────────────────────────────────────────────────


def _draw_offset(report: SessionReport) -> Picture | None:
    spans = report.history.spans
    if not spans:
        return None
    begin, end = _extent(report)
    figure, [axes] = _new_figure(2.6)
    for before, span in pairwise(spans):
        when = (span.begin - begin) / 1000
        step = span.at(span.begin).value - before.at(before.end).value
        axes.axvline(when, color=_RED, linestyle="--", linewidth=0.9)
        axes.annotate(
            f" {step:+,.1f} ms",
            (when, 1),
            xycoords=("data", "axes fraction"),
            color=_RED,
            fontsize=8,
            va="top",
        )
    for span in spans:
        _draw_span(axes, span, begin)
    axes.set_ylabel("off a steady drift, ms")
    axes.ticklabel_format(axis="y", useOffset=False)
    _show_time(axes, begin, end)
    steps = " Each dashed line is a clock that was set, or a process that was started anew."
    return _picture(figure, f"{_describe_clocks(spans[0])}{steps if len(spans) > 1 else ''}")


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
    return f"{text}. The line is how far it was off that, the band is where it can have been."


def _draw_span(axes: "Axes", span: Span, begin: float) -> None:
    points = 400
    shares = [number / points for number in range(points + 1)]
    offsets = [span.at(span.begin + (span.end - span.begin) * share) for share in shares]
    first, last = offsets[0].value, offsets[-1].value
    values = [
        offset.value - first - (last - first) * share
        for offset, share in zip(offsets, shares, strict=True)
    ]
    seconds = [(span.begin - begin + (span.end - span.begin) * share) / 1000 for share in shares]
    axes.fill_between(
        seconds,
        [value - offset.bound for value, offset in zip(values, offsets, strict=True)],
        [value + offset.bound for value, offset in zip(values, offsets, strict=True)],
        color=_BLUE,
        alpha=0.25,
        linewidth=0,
    )
    axes.plot(seconds, values, color=_DARK, linewidth=1)
