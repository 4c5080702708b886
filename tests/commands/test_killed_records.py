"""Either peer is killed in the middle of a series: the records tell all that was acked before."""

from __future__ import annotations

import csv
import json
import random
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest
import trio

from tests.kit.forks import open_fork, open_relay, run_fork_to_end
from tests.kit.processes import JSON, SAMPLES, SESSION_S, STRICT, Outcome, run_together

HERE = ("--ice-address", "127.0.0.1")

IMAGES = 20
EVERY_S = 0.05

RUNS = 4
"""Of each kind."""


@pytest.fixture
def series(tmp_path: Path) -> Path:
    folder = tmp_path / "series"
    folder.mkdir()
    for number in range(IMAGES):
        shutil.copy(SAMPLES / "9-blank.png", folder / f"{number}.png")
    return folder


def peer(command: str, url: str, user: str, log: Path, *options: str) -> tuple[str, ...]:
    who = ("--relay", url, "--user", user, "--log", str(log), "--json")
    return (sys.executable, "-m", "imgsync", command, *who, *HERE, *options)


async def _kill(
    who: str, moment: float, url: str, name: str, folder: Path, series: Path
) -> Outcome:
    """A series in which one side is killed so many seconds after the first ack.

    What comes out is what the evaluator has said.
    """
    logs = folder / f"{name}-evaluator.jsonl", folder / f"{name}-client.jsonl"
    client_command = peer("client", url, f"client-{name}", logs[1])
    options = ("--client", f"client-{name}", "--wait", "--every", str(EVERY_S), str(series))
    evaluator_command = peer("evaluator", url, f"evaluator-{name}", logs[0], *options)
    async with (
        open_fork("client", *client_command, env=STRICT) as client,
        open_fork("evaluator", *evaluator_command, env=STRICT) as evaluator,
    ):
        first = await evaluator.wait_event("acked")
        await trio.sleep(moment)
        (client if who == "client" else evaluator).process.kill()
        if who == "client":
            await client.wait_exit()
            evaluator.process.terminate()  # it would wait for the client to come back
        outcome = await evaluator.wait_outcome()
    return Outcome(outcome.code, [json.dumps(first), *outcome.lines], outcome.errors)


async def test_every_ack_that_was_told_is_in_the_report_of_what_is_left(
    tmp_path: Path, series: Path
) -> None:
    moments = [random.uniform(0, IMAGES * EVERY_S) for _ in range(2 * RUNS)]
    async with open_relay("--rate-limit", "0") as url:
        jobs = {
            f"{who}-{number}": partial(_kill, who, moment, url, f"{who}-{number}", tmp_path, series)
            for number, moment in enumerate(moments)
            for who in (("evaluator", "client")[number % 2],)
        }
        outcomes = await run_together(jobs, at_once=2 * RUNS)

    # Of many sessions at once, two images may be of the same moment; each evaluator names its own.
    told: dict[tuple[float, str], JSON] = {}
    for name, outcome in outcomes.items():
        assert outcome.errors == [], (name, moments)
        # One that is killed may leave a line half-way.
        lines = [json.loads(line) for line in outcome.lines if line.endswith("}")]
        acked = [event for event in lines if event["event"] == "acked"]
        told |= {(event["sentAt"], event["imageUrl"]): event for event in acked}
    assert len(told) >= len(moments)

    sides = ("evaluator", "client")
    logs = [str(tmp_path / f"{name}-{side}.jsonl") for name in outcomes for side in sides]
    command = (sys.executable, "-m", "imgsync", "report", "--out", str(tmp_path), *logs)
    outcome = await run_fork_to_end("report", *command, seconds=SESSION_S)
    assert outcome.code == 0
    assert outcome.errors == []  # no line was cut, each is one write
    with (tmp_path / "report.csv").open(newline="") as file:
        rows = {(float(row["sentAt"]), row["imageUrl"]): row for row in csv.DictReader(file)}
    for (sent_at, url), event in told.items():
        row = rows[sent_at, url]
        assert int(row["imageIndex"]) == event["imageIndex"]
        assert float(row["receivedAt"]) == event["receivedAt"]
        assert float(row["roundTrip"]) == event["roundTripMs"]
        assert float(row["ackedAt"]) == pytest.approx(sent_at + event["roundTripMs"], abs=0.002)
        true = event["receivedAt"] - sent_at
        assert abs(float(row["latency"]) - true) <= float(row["bound"]) + 1
