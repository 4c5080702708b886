"""The page on speed has its tables from the benches, and its prose from a template."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from tests.kit.processes import SAMPLES

BENCH = SAMPLES.parents[1] / "bench"
sys.path.append(str(BENCH))

import speed  # noqa: E402
import suite  # noqa: E402
import tables  # noqa: E402

PAGE = speed.PAGE.read_text(encoding="utf-8")
README = speed.README.read_text(encoding="utf-8")
TEMPLATE = speed.TEMPLATE.read_text(encoding="utf-8")

SMALL = """# Speed

About.

## One

<!-- one -->
| what | ours |
<!-- /one -->

## Two

Of two.

<!-- two -->
| what | ours |
<!-- /two -->

And more of it.
"""

ONE = {"one": "Then.\n\n| what | ours |\n| --- | --- |\n| it | 3 ms |\n"}

MACHINE = {"cores": 2, "python": "3.11.7", "versions": {"aiortc": "1.16.0", "attrs": "1"}}


def run(name: str, ms: float, heads: tuple[str, ...] = ("what", "ours")) -> dict[str, Any]:
    """What a bench prints with `--json`."""
    table = {"heads": [*heads], "rows": [["it", [ms, "ms"]]]}
    return {"tables": {name: table}, "machine": MACHINE, "load": 0.5}


def test_the_page_is_its_template_with_what_was_measured() -> None:
    assert speed.fill(TEMPLATE, speed.blocks_of(PAGE)) == PAGE


def test_the_table_of_the_readme_is_that_of_the_page() -> None:
    assert speed.blocks_of(README) == {"speed": speed.short(speed.blocks_of(PAGE))}
    assert speed.fill(README, speed.blocks_of(README)) == README


def test_the_tables_of_the_page_have_the_columns_that_the_benches_give_them() -> None:
    places, blocks = speed.blocks_of(TEMPLATE), speed.blocks_of(PAGE)
    assert "handshake" in blocks
    for name, block in blocks.items():
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert lines[0] == speed.heads_of(places[name])
        assert {line.count("|") for line in lines} == {lines[0].count("|")}
        assert len(lines) > 2


def test_the_prose_of_the_page_has_no_figure_of_a_time() -> None:
    prose = speed.fill(TEMPLATE, dict.fromkeys(speed.blocks_of(TEMPLATE), ""))
    assert " ms, " not in prose
    assert "to first ack |" not in prose


def test_what_was_not_measured_stays_and_a_section_without_anything_is_not_there() -> None:
    page = speed.fill(SMALL, ONE)
    assert "| it | 3 ms |" in page
    assert "Two" not in page
    found = speed.measured(SMALL, [[run("two", 5.0), run("two", 7.0)]])
    both = speed.fill(SMALL, speed.blocks_of(page) | found)
    assert "| it | 3 ms |" in both
    assert "| it | 5.00 to 7.00 ms |" in both
    assert "2 cores, Python 3.11.7, aiortc 1.16.0: 2 runs, load 0.50." in both
    assert both.index("Of two") < both.index("5.00 to 7.00") < both.index("And more")
    assert speed.fill(SMALL, speed.blocks_of(both)) == both


def test_a_table_that_was_not_measured_leaves_no_gap() -> None:
    pair = SMALL.replace("\n## Two\n", "").replace("Of two.\n\n", "")
    assert speed.fill(pair, ONE).endswith("<!-- /one -->\n\nAnd more of it.\n")


def test_what_leads_to_a_table_with_a_colon_is_there_with_it_alone() -> None:
    led = SMALL.replace("\n## Two\n", "").replace(
        "Of two.\n", "More of one.\n\nAnd that\nof two:\n"
    )
    page = speed.fill(led, ONE)
    assert page.endswith("<!-- /one -->\n\nMore of one.\n\nAnd more of it.\n")
    both = speed.fill(led, speed.blocks_of(page) | {"two": ONE["one"]})
    assert "And that\nof two:\n\n<!-- two -->" in both


def test_other_columns_than_those_of_the_template_are_refused() -> None:
    with pytest.raises(ValueError, match="one has the columns"):
        speed.measured(SMALL, [[run("one", 5.0, ("what", "theirs"))]])


def test_a_table_without_a_place_is_left_out() -> None:
    assert speed.measured(SMALL, [[run("three", 5.0)]]) == {}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([24.31], "24.3 ms"),
        ([24.31, 25.96, 24.0], "24.0 to 26.0 ms"),
        ([946.2, 1022.4], "946 to 1022 ms"),
        ([0.713, 0.7149], "0.71 ms"),
        ([0.0412], "0.041 ms"),
        ([0.0], "0 ms"),
        ([40, 40], "40 ms"),
        ([-2.34], "-2.34 ms"),
    ],
)
def test_a_cell_is_a_number_or_a_range(values: list[float], text: str) -> None:
    assert tables.cell(values, "ms") == text


def test_text_is_the_same_in_all_runs_but_where_a_number_is_missing() -> None:
    def merged(*cells: Any) -> list[list[str]]:
        return tables.merge([{"heads": ["a"], "rows": [[one]]} for one in cells])

    assert merged("x", "x") == [["x"]]
    assert merged("-", [5, "of 6"]) == [["5 of 6"]]
    with pytest.raises(ValueError, match="differ"):
        merged("x", "y")


def test_a_bench_without_tables_has_its_rows_for_one() -> None:
    rows = [{"size": 200, "us": {"ours": 1.5, "theirs": 3.0}, "who": "a"}]
    [(name, table)] = tables.tables_of({"bench": "b", "rows": rows}).items()
    assert (name, table["heads"]) == ("b", ["size", "us ours", "us theirs", "who"])
    assert tables.merge([table]) == [["200", "1.50", "3.00", "a"]]
    assert tables.tables_of({"bench": "b", "rows": {"not": "a list"}}) == {}


def test_all_benches_of_the_list_are_scripts_that_can_be_quick_and_print_json() -> None:
    names = [bench.name for bench in suite.BENCHES]
    assert len({*names}) == len(names)
    for bench in suite.BENCHES:
        script = (BENCH / bench.script).read_text(encoding="utf-8")
        shares = "harness.make_parser(" in script or "harness.parse_args(" in script
        assert shares or ('"--quick"' in script and '"--json"' in script), bench.script


# ── benches and places ───────────────────────────────────────────────────────────────────────────


ELSEWHERE = {"recording_offset", "report"}
"""Benches whose figures stand on other pages."""

ROW = {"loss": 0.05, "every": 1.0, "variant": "ours", "image_late": 0.01, "image_p95": 40.0}
SETTING = {"sessions": 20, "rate": 1, "p50_ms": 1.0, "p99_ms": 3.0}
IN_A_ROW = {"first_cpu_us_per_image": 300, "last_cpu_us_per_image": 301, "bytes_per_image": 10}
BLOCK = {"n": 2000, "p50": 0.5, "p99": 1.5, "cpu": 14.0}

FOUND: dict[str, Any] = {
    "loss": [ROW | {"ack_late": 0.02, "ack_p95": 60.0, "ended": 0}],
    "relay_cpu": {
        "rows": [{"bytes": 200, "us": {"ours": 20.0, "ws": 14.0}, "ratios": {"ws": 1.43}}],
        "idle": {
            "connections": 500,
            "us": {"with": 21.0, "without": 20.0},
            "ratio": 1.05,
            "kb_each": 27.0,
        },
    },
    "presence": {
        "clients": 4000,
        "flapped": 1000,
        "seconds": 10.0,
        "evaluators": 100,
        "quiet": BLOCK,
        "flapping": BLOCK,
        "ratio_p99": 1.0,
        "told_frames": 200.0,
        "told_kb": 140.0,
        "register_cpu_ms": 0.8,
        "registers": {**BLOCK, "evaluators": 300, "seconds": 0.3},
    },
    "scale": {
        "rows": [SETTING | {"cpu_us_per_image": 300, "kb_per_session": 150}],
        "long": IN_A_ROW,
        "ratio_p99_20_to_1": 1.2,
    },
}
"""What `tables` of these is made from, in which no peer and no relay has to be there."""


def test_each_bench_has_a_place_on_the_page_and_each_place_a_bench() -> None:
    names = {bench.name for bench in suite.BENCHES} - ELSEWHERE
    places = speed.blocks_of(TEMPLATE)
    assert names <= {*places}
    first_words = {name.partition("_")[0] for name in names}
    assert {place.partition("_")[0] for place in places} == first_words


@pytest.mark.parametrize("name", FOUND)
def test_the_tables_of_a_bench_have_their_place_and_its_columns(name: str) -> None:
    made = importlib.import_module(name).tables(FOUND[name])
    blocks = speed.measured(TEMPLATE, [[{"tables": made, "machine": MACHINE}]])
    assert blocks.keys() == made.keys()
    for block in blocks.values():
        heads, _, *rows = (line for line in block.splitlines() if line.startswith("|"))
        assert {row.count("|") for row in rows} == {heads.count("|")}
