"""The tables of the benches: to a terminal, and to the page on speed.

A bench has its tables in its figures, under "tables", each by the name of its place on the page:

    {"handshake": {"heads": ["what", "imgsync"], "rows": [["to the first ack", [24.3, "ms"]]]}}

Where it has none there, its "rows" are one, of the name of the bench, if they are objects. A cell
is text, or a number with its unit, of which several runs make a range; what is text has to be the
same in all of them, but for a run that has no number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TextIO

Object = dict[str, Any]


def cell(values: Sequence[float], unit: str) -> str:
    """Of a number in one run or more, from the least to the largest: `24 to 26 ms`."""
    low, high = (_digits(value) for value in (min(values), max(values)))
    return f"{low if low == high else f'{low} to {high}'} {unit}".strip()


def _digits(value: float) -> str:
    """Three significant digits, and no more than two behind the point from a tenth on."""
    if value == 0 or isinstance(value, int):
        return f"{value:.0f}"
    magnitude = math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(0, 2 - magnitude), 2 if magnitude >= -1 else 3)}f}"


def merge(runs: Sequence[Object]) -> list[list[str]]:
    """The rows of one table in each run, as text. ValueError where they are not of one shape."""
    first, *others = runs
    if any(other["heads"] != first["heads"] for other in others):
        raise ValueError(f"the columns differ from run to run: {[run['heads'] for run in runs]}")
    rows = zip(*(run["rows"] for run in runs), strict=True)
    return [[_merge_cells(cells) for cells in zip(*row, strict=True)] for row in rows]


def _merge_cells(cells: Sequence[Any]) -> str:
    numbers = [one for one in cells if not isinstance(one, str)]
    if numbers:
        [unit] = {unit for _, unit in numbers}
        return cell([value for value, _ in numbers], unit)
    if len({*cells}) > 1:
        raise ValueError(f"the texts differ from run to run: {cells}")
    return str(cells[0])


def as_text(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """For a terminal: text to the left, and figures to the right."""
    lines = [list(heads), *map(list, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    padded = (
        [
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    )
    return "\n".join("  ".join(line).rstrip() for line in padded)


def as_markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """For the page."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tables_of(figures: Object) -> dict[str, Object]:
    """Those that it has, or the one of its rows."""
    rows = [_flatten(row) for row in figures.get("rows", ()) if isinstance(row, dict)]
    if "tables" in figures or not rows:
        return dict(figures.get("tables", {}))
    cells = [[_cell_of(value) for value in row.values()] for row in rows]
    return {figures["bench"]: {"heads": [*rows[0]], "rows": cells}}


def _flatten(row: Object) -> Object:
    flat: Object = {}
    for name, value in row.items():
        inner = value if isinstance(value, dict) else {"": value}
        flat |= {f"{name} {one}".strip(): found for one, found in inner.items()}
    return flat


def _cell_of(value: object) -> object:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return [value, ""] if is_number else str(value)


def print_tables(runs: Sequence[Object], file: TextIO | None = None) -> None:
    """All tables of one bench, of one run or more."""
    found_in = [tables_of(run) for run in runs]
    for name, table in found_in[0].items():
        found = [tables[name] for tables in found_in]
        print(as_text(table["heads"], merge(found)), file=file)
