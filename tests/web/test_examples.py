"""The examples, as people run them: with the client's page in Chromium, and a report."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kit.browsers import JSON, Browser
from tests.kit.chromium import ChromiumPage
from tests.kit.command_lines import HERE, evaluator, imgsync
from tests.kit.forks import open_fork
from tests.kit.processes import SESSION_S, open_child, run_to_end
from tests.kit.web_pages import ClientPage, open_client_page

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAME = 1000 / 60  # ms
CODES = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
SIDES = sorted(CODES)
"""As the files of each size are."""


async def press(client: ClientPage, key: str) -> float:
    """As if by hand, some time after the last frame; returns when, ms since the epoch."""
    assert isinstance(client.page, ChromiumPage)
    at = time.time()
    code = CODES.get(key) or ord(key.upper())
    words: JSON = {"key": key, "windowsVirtualKeyCode": code, "timestamp": at}
    await client.page.command("Input.dispatchKeyEvent", type="keyDown", **words)
    await client.page.command("Input.dispatchKeyEvent", type="keyUp", **words)
    return at * 1000


async def tap(client: ClientPage, finger: bool, x: float, y: float) -> float:
    """As if by hand, with a finger or a mouse; returns when it went down, ms since the epoch."""
    assert isinstance(client.page, ChromiumPage)
    at = time.time()
    if finger:
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            touch: JSON = {"type": kind, "touchPoints": points, "timestamp": at}
            await client.page.command("Input.dispatchTouchEvent", **touch)
    else:
        click: JSON = {"x": x, "y": y, "button": "left", "clickCount": 1, "timestamp": at}
        for kind in ("mousePressed", "mouseReleased"):
            await client.page.command("Input.dispatchMouseEvent", type=kind, **click)
    return at * 1000


async def table_of(record: Path, folder: Path, name: str = "report.csv") -> list[dict[str, str]]:
    done = await run_to_end("report", *imgsync("report", str(record), "--out", str(folder)))
    assert done.code == 0, done.errors
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


async def test_a_reaction_time_task_runs_by_itself_and_its_times_are_those_of_the_keys(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    study, record = EXAMPLES / "reaction" / "study.json", tmp_path / "reaction.jsonl"
    trials = {one["id"]: one for one in json.loads(study.read_text())["entries"]}
    show = evaluator(relay, "reaction", *HERE, "--json", "--auto", "--log", str(record), str(study))
    took: dict[str, float] = {}
    async with (
        open_client_page(browser, relay, "reaction") as client,
        open_fork("evaluator", *show, stdin=subprocess.PIPE) as showing,
    ):
        for index in range(len(trials) + 2):
            acked = await showing.wait_event("acked", SESSION_S)
            shown = await client.wait_stage(index, "shown")
            at = await press(client, "f" if acked["name"] == "left.svg" else "j")
            took[str(index)] = at - shown["at"]
        await showing.wait_success()
    _, *rows, _ = await table_of(record, tmp_path / "report")
    assert len(rows) == len(trials)
    for row in rows:
        assert row["answer"] == trials[row["id"]]["correct"]
        assert float(row["reactionTime"]) == pytest.approx(took[row["imageIndex"]], abs=FRAME)
    assert {row["block"] for row in rows[:4]} == {"practice"}


async def test_a_visual_search_is_answered_by_taps_and_tells_where_and_when_they_were(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    study, record = EXAMPLES / "search" / "study.json", tmp_path / "search.jsonl"
    trials = {one["imageUrl"]: one for one in json.loads(study.read_text())["entries"]}
    show = evaluator(relay, "search", *HERE, "--json", "--auto", "--log", str(record), str(study))
    tapped: dict[str, tuple[float, float, float]] = {}
    async with (
        open_client_page(browser, relay, "search") as client,
        open_fork("evaluator", *show, stdin=subprocess.PIPE) as showing,
    ):
        # The pictures, 800 by 600, are at half of their size, between 56 pixels on either side.
        await client.page.resize(512, 300)
        for index in range(len(trials) + 2):
            acked = await showing.wait_event("acked", SESSION_S)
            shown = await client.wait_stage(index, "shown")
            trial = trials.get(acked["name"], {"targetX": 400, "targetY": 300})
            x, y = trial["targetX"], trial["targetY"]
            at = await tap(client, bool(index % 2), 56 + x / 2, y / 2)
            tapped[str(index)] = x, y, at - shown["at"]
        await showing.wait_success()
    answers = await table_of(record, tmp_path / "report", "responses.csv")
    assert len(answers) == len(trials) + 2
    for answer in answers[1:-1]:
        x, y, took = tapped[answer["imageIndex"]]
        assert (float(answer["x"]), float(answer["y"])) == (x, y)
        assert float(answer["reactionTime"]) == pytest.approx(took, abs=FRAME)


async def test_a_naming_test_is_scored_by_the_evaluator_picture_by_picture(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    study, record = EXAMPLES / "naming" / "study.json", tmp_path / "naming.jsonl"
    things = {one["id"] for one in json.loads(study.read_text())["entries"]}
    show = evaluator(relay, "naming", *HERE, "--json", "--log", str(record), str(study))
    async with (
        open_client_page(browser, relay, "naming") as client,
        open_fork("evaluator", *show, stdin=subprocess.PIPE) as showing,
    ):
        for index in range(len(things) + 2):
            await showing.write("next\n")
            await client.wait_stage(index, "shown")
            await showing.write(f"score {index % 2} said it\n")
            await showing.wait_event("mark", SESSION_S)
        await showing.write("end\n")
        await showing.wait_success()
    _, *rows, _ = await table_of(record, tmp_path / "report")
    assert {row["id"] for row in rows} == things
    assert all(row["score"] == str(int(row["imageIndex"]) % 2) for row in rows)
    assert {row["note"] for row in rows} == {"said it"}


async def test_a_staircase_ends_where_the_participant_sees_no_more(
    browser: Browser, relay: str, tmp_path: Path
) -> None:
    record = tmp_path / "acuity.jsonl"
    script = (sys.executable, str(EXAMPLES / "staircase.py"))
    count = "sent.filter((m) => m.type === 'stage' && m.stage === 'shown')"
    async with (
        open_client_page(browser, relay, "acuity") as client,
        open_child("staircase", *script, relay, "dr-lee", "acuity", str(record)) as child,
    ):
        for number in range(1, 25):
            shown = await client.page.wait(f"{count}.length >= {number} && {count}[{number - 1}]")
            step, key = divmod(shown["imageIndex"], 4)
            # What is smaller than this can't be seen.
            await press(client, SIDES[key if step <= 3 else key - 1])
        threshold = 640 * (0.8**3 + 0.8**4) / 2
        assert await child.wait_line(SESSION_S) == f"threshold: {threshold:.0f} of 800"
    rows = await table_of(record, tmp_path / "report")
    assert len(rows) == 24
    assert all((row["answer"] == row["correct"]) == (row["score"] == "1") for row in rows)
