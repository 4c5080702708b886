"""The CSV: a header, and a row for each showing."""

import csv
from collections.abc import Iterable
from typing import IO

import attrs

from imgsync.commands.output import camel
from imgsync.commands.report.rows import Row

#: A cell that begins so is a formula to a spreadsheet, and some texts come from the other side.
_FORMULA = tuple("=+-@\t\r")


def columns() -> list[str]:
    """Their names: the fields of a row, in camelCase."""
    return [camel(field.name) for field in attrs.fields(Row)]


def write_csv(file: IO[str], rows: Iterable[Row]) -> None:
    """RFC 4180. Times and durations have three decimals; what is not known is empty, and null
    inside of intervals, which are JSON."""
    writer = csv.writer(file)
    writer.writerow(columns())
    names = [field.name for field in attrs.fields(Row)]
    for row in rows:
        writer.writerow([_cell(name, getattr(row, name)) for name in names])


def _cell(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            pairs = (f"[{','.join(_time(at) for at in pair)}]" for pair in value)
            return f"[{','.join(pairs)}]" if value else ""
        case int() | float() if name in ("image_index", "copies", "gaps"):
            return str(value)
        case int() | float():
            return f"{value:.3f}"
        case _:
            text = str(value)
            return f"'{text}" if text.startswith(_FORMULA) else text


def _time(at: float | None) -> str:
    return "null" if at is None else f"{at:.3f}"
