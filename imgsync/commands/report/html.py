"""Pieces of the page."""

from collections.abc import Sequence
from html import escape

MAX_ROWS = 100
"""Of a table on the page; the CSV has all."""


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Nothing at all where there are no rows."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n"
        for row in rows[:MAX_ROWS]
    )
    rest = len(rows) - MAX_ROWS
    more = f"<p>... and {rest} more; the CSV has all.</p>\n" if rest > 0 else ""
    return (
        f"<h3>{escape(title)}</h3>\n"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table></div>\n{more}"
    )
