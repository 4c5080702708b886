"""The page docs/speed.md, from what was measured.

`speed.md` here is its prose, without a figure, and for each table its columns, between two comments
that name it. On the page, what was measured stands between them: when and where, and the table. A
section of which nothing was ever measured is not on the page, and of others, a table that never was
is not, nor the paragraph that leads to it with a colon. The README's table is from the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tables import as_markdown, cell, merge, tables_of

Object = dict[str, Any]

TEMPLATE = Path(__file__).with_name("speed.md")
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "speed.md"
README = ROOT / "README.md"
IN_README = ("handshake", "push")
"""Tables of which the README has the first row, as far as it is of ours and the bare program."""

SHOWN = ("aiortc", "trio", "websockets", "python-socketio")
"""Versions that the figures depend on."""

_LEAD = r"(?:(?:[^\n]+\n)*[^\n]+:\n\n)?"
"""The paragraph that leads to a table, which it is nothing without."""

_BLOCK = re.compile(r"<!-- (?P<name>\w+) -->\n(?P<text>.*?)<!-- /(?P=name) -->", re.DOTALL)


def blocks_of(text: str) -> dict[str, str]:
    """What stands between the comments, by their name."""
    return {block["name"]: block["text"] for block in _BLOCK.finditer(text)}


def heads_of(block: str) -> str:
    """The line of the columns of its table."""
    return next(line for line in block.splitlines() if line.startswith("|"))


def fill(template: str, blocks: Mapping[str, str]) -> str:
    """The page with these."""
    intro, *sections = re.split(r"(?m)^(?=## )", template)
    kept = [
        section
        for section in sections
        if not (names := blocks_of(section)) or any(name in blocks for name in names)
    ]
    whole = "".join([intro, *kept])
    for block in [*_BLOCK.finditer(whole)]:
        name, text = block["name"], block.group()
        if name in blocks:
            whole = whole.replace(text, f"<!-- {name} -->\n{blocks[name]}<!-- /{name} -->")
        else:
            whole = re.sub(rf"{_LEAD}{re.escape(text)}(?:\n\n)?", "", whole)
    return whole.rstrip() + "\n"


def measured(template: str, found: Sequence[Sequence[Object]]) -> dict[str, str]:
    """The blocks of what was found, each in one run or more.

    ValueError where the columns are not those of the template. Tables without a place are left out.
    """
    places = blocks_of(template)
    blocks = {}
    for runs in found:
        found_in = [tables_of(run) for run in runs]
        for name, table in found_in[0].items():
            if name not in places:
                continue
            rows = merge([tables[name] for tables in found_in])
            text = as_markdown(table["heads"], rows)
            if heads_of(text) != heads_of(places[name]):
                raise ValueError(f"{name} has the columns {heads_of(text)}, not those of speed.md")
            blocks[name] = f"{describe(runs)}\n\n{text}\n"
    return blocks


def describe(runs: Sequence[Object]) -> str:
    """Where and how often it was measured, in a sentence."""
    machine = runs[-1]["machine"]
    found = machine["versions"]
    versions = (f"{name} {found[name]}" for name in SHOWN if name in found)
    where = ", ".join([f"{machine['cores']} cores, Python {machine['python']}", *versions])
    return f"Measured on {where}: {describe_runs(runs)}."


def describe_runs(runs: Sequence[Object]) -> str:
    """Their number, and what else the machine had to do."""
    count = f"{len(runs)} run{'' if len(runs) == 1 else 's'}"
    loads = [run["load"] for run in runs if "load" in run]
    return f"{count}, load {cell(loads, '')}" if loads else count


def write(found: Sequence[Sequence[Object]]) -> None:
    """Put what was found into the page, and leave what was not as it is."""
    template = TEMPLATE.read_text(encoding="utf-8")
    old = blocks_of(PAGE.read_text(encoding="utf-8"))
    blocks = {**old, **measured(template, found)}
    PAGE.write_text(fill(template, blocks), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(fill(readme, {"speed": short(blocks)}), encoding="utf-8")


def short(blocks: Mapping[str, str]) -> str:
    """The README's table."""
    rows = []
    for name in IN_README:
        _, _, first, *_ = (line for line in blocks[name].splitlines() if line.startswith("|"))
        rows.append(first.strip("| ").split(" | ")[:3])
    return as_markdown(["what", "imgsync", "bare"], rows) + "\n"
