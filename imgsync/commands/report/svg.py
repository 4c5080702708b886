"""Charts as SVG, small enough that a page may hold hundreds of them, and to be read on a phone.

Each has the width of one, in CSS pixels, and text that can be read at that width; a wider page puts
them side by side.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 360
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 8, 36
"""Margins, with room for what stands on the axes."""

INK, PALE, GRID = "#333", "#666", "#e2e2e2"

Point = tuple[float, float]


def number(value: float) -> str:
    """With one decimal, and none where that says nothing."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from one to the other, at most so many and one."""
    rough = max((high - low) / most, 1e-9)
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


class Chart:
    """One chart, with an axis of x from `low` to `high`; y runs from `bottom` up to `top`."""

    def __init__(
        self, height: float, x: tuple[float, float], y: tuple[float, float] = (0, 1)
    ) -> None:
        self._height = height
        self._x, self._y = x, y
        self._parts: list[str] = []

    def x(self, value: float) -> float:
        """Where it is, px."""
        low, high = self._x
        return LEFT + (value - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where it is, px."""
        low, high = self._y
        space = self._height - TOP - BOTTOM
        return TOP + space - (value - low) / ((high - low) or 1) * space

    def label_x(self, at: Iterable[tuple[float, str]], name: str) -> None:
        """Numbers below the axis, and what they are."""
        base = self._height - BOTTOM
        for value, text in at:
            self._path(f"M{number(self.x(value))} {number(base)}v4", INK)
            self.text((self.x(value), base + 16), text, anchor="middle")
        self._path(f"M{LEFT} {number(base)}h{WIDTH - LEFT - RIGHT}", INK)
        middle = (LEFT + WIDTH - RIGHT) / 2
        self.text((middle, self._height - 4), name, anchor="middle", colour=PALE)

    def label_y(self, most: int = 4) -> None:
        """Numbers on the left, with a line across for each."""
        for value in ticks(*self._y, most):
            self._path(f"M{LEFT} {number(self.y(value))}H{WIDTH - RIGHT}", GRID)
            self.text((LEFT - 6, self.y(value) + 4), f"{value:g}", anchor="end")

    def text(
        self, at: Point, text: str, *, anchor: str = "start", colour: str = INK, size: int = 12
    ) -> None:
        """Some words, with the left end, the middle or the end of their base line there."""
        small = "" if size == 12 else f' font-size="{size}"'
        self._parts.append(
            f'<text x="{number(at[0])}" y="{number(at[1])}" text-anchor="{anchor}"'
            f' fill="{colour}"{small}>{escape(text)}</text>'
        )

    def bars(self, spans: Iterable[Point], top: float, height: float, colour: str) -> None:
        """Bars from one x to another, px from the top; none is too thin to be seen."""
        places = ((self.x(begin), max(self.x(end) - self.x(begin), 0.6)) for begin, end in spans)
        drawn = dict.fromkeys(
            f"M{number(left)} {number(top)}h{number(width)}v{number(height)}H{number(left)}z"
            for left, width in places
        )
        if drawn:
            self._parts.append(f'<path fill="{colour}" d="{"".join(drawn)}"/>')

    def columns(self, columns: Iterable[tuple[float, float, float]], colour: str) -> None:
        """Of a histogram: from one x to another, so high."""
        base = number(self.y(0))
        shapes = (
            f"M{number(self.x(begin) + 0.5)} {base}V{number(self.y(count))}"
            f"H{number(self.x(end) - 0.5)}V{base}z"
            for begin, end, count in columns
            if count
        )
        self._parts.append(f'<path fill="{colour}" d="{"".join(shapes)}"/>')

    def line(self, points: Sequence[Point], colour: str) -> None:
        """Through all of them."""
        self._path(f"M{self._places(points)}", colour, width=1.4)

    def band(self, low: Sequence[Point], high: Sequence[Point], colour: str) -> None:
        """Between two lines."""
        places = self._places([*high, *reversed(low)])
        self._parts.append(f'<path fill="{colour}" fill-opacity=".25" d="M{places}z"/>')

    def uprights(self, lines: Iterable[tuple[float, float, float]], colour: str) -> None:
        """Thin lines: x, from one y to another."""
        drawn = dict.fromkeys(
            f"M{number(self.x(x))} {number(self.y(low))}V{number(self.y(high))}"
            for x, low, high in lines
        )
        self._path("".join(drawn), colour, width=1)

    def dots(self, points: Iterable[Point], colour: str) -> None:
        """One each."""
        drawn = dict.fromkeys(f"M{number(self.x(x))} {number(self.y(y))}h0" for x, y in points)
        self._parts.append(
            f'<path stroke="{colour}" stroke-width="3" stroke-linecap="round"'
            f' d="{"".join(drawn)}"/>'
        )

    def mark(self, at: float, text: str, colour: str) -> None:
        """A dashed line from top to bottom, with a word beside it."""
        x, right = self.x(at), self.x(at) > WIDTH * 0.7
        self._parts.append(
            f'<path stroke="{colour}" stroke-dasharray="4 3" fill="none"'
            f' d="M{number(x)} {TOP}V{number(self._height - BOTTOM)}"/>'
        )
        anchor = "end" if right else "start"
        self.text((x - 4 if right else x + 4, TOP + 10), text, anchor=anchor, colour=colour)

    def _places(self, points: Iterable[Point]) -> str:
        return " ".join(f"{number(self.x(x))} {number(self.y(y))}" for x, y in points)

    def _path(self, d: str, colour: str, width: float = 1) -> None:
        if d:
            self._parts.append(
                f'<path stroke="{colour}" stroke-width="{width}" fill="none" d="{d}"/>'
            )

    @property
    def svg(self) -> str:
        """All of it."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {number(self._height)}"'
            f' font-family="system-ui,sans-serif" font-size="12">{"".join(self._parts)}</svg>'
        )
