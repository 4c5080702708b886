"""The CSV: a header, and a row for each showing; `web/js/console/table.js` writes the same."""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Protocol

import attrs

from imgsync.commands.output import camel
from imgsync.commands.report.rows import Row
from imgsync.core.protocol.extra import Extra
from imgsync.core.protocol.signalling import Milliseconds

#: A cell that begins so is a formula to a spreadsheet, and some texts come from the other side.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

_OTHER_NUMBERS = frozenset(
    {
        *("image_index", "width", "height", "bytes", "copies", "gaps"),
        *("frames", "frames_up", "frames_dropped", "answers", "number", "x", "y", "score"),
        *("screen_width", "screen_height", "window_width", "window_height"),
        *("pixel_ratio", "zoom", "refresh_rate", "resolution"),
        *("size_mm", "size_deg", "px_per_mm", "distance_mm", "distance_within_mm"),
    }
)
"""Fields with numbers that are no times and no durations."""

_NO_COLUMNS = frozenset({"extra", "is_text"})

OTHERS = "manifest."
"""Begins the name of a column of a manifest that has the name of one of ours."""


class AnyRow(attrs.AttrsInstance, Protocol):
    """A class whose fields are the columns."""

    @property
    def extra(self) -> Extra: ...


def fields(kind: type[AnyRow] = Row) -> list[str]:
    """The names of those that are columns of ours."""
    return [one.name for one in attrs.fields(kind) if one.name not in _NO_COLUMNS]


def columns(kind: type[AnyRow] = Row) -> list[str]:
    """The names of ours: the fields of a row, in camelCase."""
    return [camel(name) for name in fields(kind)]


def extra_columns(rows: Iterable[AnyRow], ours: Iterable[str]) -> dict[str, str]:
    """What stands above those that only some manifests have, by their names, as they are met.

    Names that differ from one of ours in nothing but small and capital letters are the same to
    many programs.
    """
    ours = {name.lower() for name in ours}
    heads: dict[str, str] = {}
    used: set[str] = set()
    for name in dict.fromkeys(name for row in rows for name in row.extra):
        head = name
        while head.lower() in ours or head in used:
            head = OTHERS + head
        heads[name] = head
        used.add(head)
    return heads


def write_csv(file: IO[str], rows: Sequence[AnyRow], kind: type[AnyRow] = Row) -> None:
    """RFC 4180. Times and durations have three decimals; what is not known is empty, and null
    inside of intervals, which are JSON, as are lists and objects of a manifest."""
    writer = csv.writer(file)
    names, ours = fields(kind), columns(kind)
    extra = extra_columns(rows, ours)
    writer.writerow([*ours, *map(_text, extra.values())])
    for row in rows:
        cells = [_cell(name, getattr(row, name)) for name in names]
        writer.writerow([*cells, *(as_text(row.extra.get(name)) for name in extra)])


def _cell(name: str, value: object) -> str:
    match value:
        case tuple():
            return intervals_text(value)
        case int() | float() if not isinstance(value, bool) and name not in _OTHER_NUMBERS:
            return f"{value:.3f}"
        case _:
            return as_text(value)


def intervals_text(intervals: Iterable[Iterable[Milliseconds | None]]) -> str:
    """A cell of when an image was on the screen; empty where it was not."""
    pairs = [f"[{','.join(map(_time, pair))}]" for pair in intervals]
    return f"[{','.join(pairs)}]" if pairs else ""


def as_text(value: object) -> str:
    """A cell of a value of JSON: empty for null."""
    match value:
        case None:
            return ""
        case str():
            return _text(value)
        case _:
            return _json(value)


def _text(text: str) -> str:
    is_formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def _json(value: object) -> str:
    """As JavaScript writes it."""
    match value:
        case list():
            return f"[{','.join(map(_json, value))}]"
        case dict():
            return f"{{{','.join(f'{_json(name)}:{_json(one)}' for name, one in value.items())}}}"
        case float() if not value.is_integer():
            text = repr(value)  # as short as JavaScript's, but for its exponent
            if abs(value) < 1e-6:
                return text.replace("e-0", "e-")
            return f"{Decimal(text):f}"
        case float():
            return str(int(value))
        case _:
            return json.dumps(value, ensure_ascii=False)


def _time(at: float | None) -> str:
    return "null" if at is None else f"{at:.3f}"
