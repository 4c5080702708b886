"""CSV as RFC 4180 has it, strictly: `web/js/console/csv.js` reads it by the same rules.

A quotation mark that is out of place, or a comma too many, can make rows vanish or cut a URL off
without a word; here each is told with its line. Python's own reader passes over them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from imgsync.core.protocol.extra import is_named
from imgsync.core.protocol.numbers import MAX_CELL

_CELL = re.compile(r'"([^"]*(?:""[^"]*)*)"|([^",\r\n]*)')
_BREAK = re.compile(r"\r\n|\r|\n")

# A row that stands inside of a cell; notes may have several lines, too.
_SWALLOWED = re.compile(r"[\r\n].*https?://", re.DOTALL | re.IGNORECASE)

_SEPARATOR = re.compile(r'"?sep=.?"?[,;\t]*', re.IGNORECASE)
_DIVIDERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class BadCsv(ValueError):
    """A text is no CSV.

    :param line: from 1.
    """

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


def parse_csv(text: str) -> list[list[str]]:
    """Its rows; empty lines are left out. Raises BadCsv."""
    return [row for _, row in _rows_of(text)]


def line_of_row(text: str, number: int) -> int:
    """The line on which a row of it begins, from 1.

    :param number: of the row, from 0, among those that `parse_csv` finds.
    """
    return _line_of(text, next(islice(_rows_of(text), number, None))[0])


def _rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each with where it begins."""
    head: list[str] | None = None
    row: list[str] = []
    start = at = 0
    while True:
        found = _CELL.match(text, at)
        is_open = text.startswith('"', at)
        if found is None or (is_open and found[1] is None):
            raise BadCsv(_line_of(text, at), "a quotation mark is not closed")
        row.append(_cell(text, at, found))
        at = found.end()
        if text.startswith(",", at):
            at += 1
            continue
        if at < len(text) and text[at] not in "\r\n":
            why = "something follows a closing quotation mark"
            if not is_open:
                why = "a quotation mark stands inside of a cell"
            raise BadCsv(_line_of(text, at), why)
        if head is not None and any(row[len(head) :]):
            why = "it has more cells than the first line; quote what has a comma in it"
            raise BadCsv(_line_of(text, found.start()), why)
        if row != [""]:
            head = row if head is None else head
            yield start, row
        row = []
        if at >= len(text):
            return
        start = at = at + (2 if text.startswith("\r\n", at) else 1)


def _cell(text: str, at: int, found: "re.Match[str]") -> str:
    cell = found[2] if found[1] is None else found[1].replace('""', '"')
    if len(cell) > MAX_CELL:
        raise BadCsv(_line_of(text, at), f"a cell has more than {MAX_CELL} characters")
    if _SWALLOWED.search(cell):
        raise BadCsv(_line_of(text, at), "a quotation mark takes in the lines that follow")
    return cell


def _line_of(text: str, at: int) -> int:
    return len(_BREAK.findall(text[:at])) + 1


def odd_first_line(text: str, columns: tuple[str, ...]) -> str | None:
    """What is wrong with the first line, as what follows the name of a file; None if nothing is."""
    line = _BREAK.split(text, maxsplit=1)[0]
    if _SEPARATOR.fullmatch(line):
        return 'begins with a line "sep=", which is for spreadsheets; remove it'
    wanted = {_plain(column) for column in columns}
    for divider, name in _DIVIDERS.items():
        if len(wanted & {_plain(cell.strip('"')) for cell in line.split(divider)[:-1]}):
            return f"has its columns divided by {name}; save it with commas"
    return None


def odd_columns(head: list[str], columns: tuple[str, ...]) -> str | None:
    """The same of the names of its columns."""
    for column in columns:
        if head.count(column) > 1:
            return f"has two columns {column}; remove one"
        alike = [cell for cell in head if _plain(cell) == _plain(column)]
        if alike and column not in head:
            return f'has a column "{_on_one_line(alike[0])}"; call it {column}'
    twice = [cell for cell, count in Counter(head).items() if count > 1 and is_named(cell)]
    return f"has two columns {_on_one_line(twice[0])}; remove one" if twice else None


def _on_one_line(name: str) -> str:
    return re.sub(r"[ \t\r\n]+", " ", name)


def _plain(name: str) -> str:
    """A name as one may have meant it."""
    return re.sub(r"[ \t\r\n_-]+", "", name).lower()
