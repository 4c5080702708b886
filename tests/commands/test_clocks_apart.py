"""Two real processes whose clocks are an hour apart: latencies are true nevertheless."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from functools import partial
from operator import itemgetter
from pathlib import Path

import attrs
import pytest
import trio

from imgsync.core.channel.drift import resolution_of
from tests.kit.forks import open_fork, open_relay, run_fork_to_end
from tests.kit.processes import (
    JSON,
    SAMPLES,
    SESSION_S,
    STRICT,
    Child,
    Outcome,
    open_child,
    our_client,
    our_evaluator,
    wait_until,
)
from tests.kit.side_by_side import side_by_side

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)

pytestmark = pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")

HOUR_S, HOUR = 3600, 3_600_000.0

HERE = ("--ice-address", "127.0.0.1")

FAKE = {"LD_PRELOAD": str(FAKETIME), "DONT_FAKE_MONOTONIC": "1"}

SLEW = 1.5
"""Milliseconds by which the machine's clock may be corrected between the starts of two processes,
each of which asks it once: 3 s at the 500 ppm of NTP."""


def open_ahead(by: int, name: str, *command: str) -> AbstractAsyncContextManager[Child]:
    """A process whose wall clock is ahead by so many seconds, and no other clock."""
    if by == 0:
        return open_fork(name, *command)
    return open_child(name, *command, env=STRICT | FAKE | {"FAKETIME": f"{by:+d}"})


@attrs.frozen
class Played:
    """What came of a session.

    :param acked: what the evaluator has told of each ack.
    :param logs: the records of both.
    """

    acked: list[JSON]
    summary: JSON
    logs: tuple[Path, Path]


async def play(folder: Path, evaluator_by: int, client_by: int) -> Played:
    """A series between two processes whose clocks are wrong by so many seconds."""
    logs = folder / "evaluator.jsonl", folder / "client.jsonl"
    async with open_relay() as url:
        client_command = (*our_client(url), *HERE, "--log", str(logs[1]))
        async with open_ahead(client_by, "client", *client_command) as client:
            command = (*our_evaluator(url), *HERE, "--wait", "--log", str(logs[0]))
            async with open_ahead(evaluator_by, "evaluator", *command) as evaluator:
                told = await evaluator.wait_success()
            await client.wait_success()
    [summary] = [event for event in told if event["event"] == "summary"]
    return Played([event for event in told if event["event"] == "acked"], summary, logs)


async def report(played: Played, folder: Path, *options: str) -> Outcome:
    command = (sys.executable, "-m", "imgsync", "report", *map(str, played.logs))
    outcome = await run_fork_to_end("report", *command, "--out", str(folder), *options)
    assert outcome.code == 0, outcome.errors
    return outcome


def check(values: JSON, shift: float) -> None:
    """Of a showing, by the command or by the report.

    :param shift: how far the client's clock is ahead, ms.
    """
    sent_at, received_at = float(values["sentAt"]), float(values["receivedAt"])
    true = received_at - shift - sent_at
    latency = float(values["latency"] if "latency" in values else values["latencyMs"])
    bound = float(values["bound"] if "bound" in values else values["boundMs"])
    assert latency > 0
    assert bound > 0
    assert abs(latency - true) <= bound + SLEW, values


@pytest.mark.parametrize(
    ("evaluator_by", "client_by"),
    [(0, 0), (0, HOUR_S), (HOUR_S, 0)],
)
@side_by_side(4)
async def test_a_clock_that_is_an_hour_wrong_makes_no_latency_wrong(
    folder: Path, evaluator_by: int, client_by: int
) -> None:
    shift = 1000.0 * (client_by - evaluator_by)
    played = await play(folder, evaluator_by, client_by)
    assert len(played.acked) == 10
    for event in played.acked:
        assert abs(event["receivedAt"] - event["sentAt"] - shift) < HOUR / 2  # it is that far wrong
        assert event["latencyMs"] <= event["roundTripMs"]
        check(event, shift)
    assert 0 < played.summary["oneWayMs"]["median"] <= played.summary["roundTripMs"]["median"]

    outcome = await report(played, folder, "--json")
    [session] = [event for event in map(json.loads, outcome.lines) if event["event"] == "session"]
    assert session["acked"] == 10
    assert session["clockSteps"] == 0
    assert 0 < session["latency"]["median"] <= session["roundTrip"]["median"]
    with (folder / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    # On a loaded machine an image may be acked before the one that was sent before it.
    acked = sorted(played.acked, key=itemgetter("sentAt"))
    for row, event in zip(rows, acked, strict=True):
        assert float(row["sentAt"]) == pytest.approx(event["sentAt"], abs=0.001)
        # Afterwards more is known, but the clock's own coarseness is added to acks as well.
        most = event["boundMs"] + resolution_of(event["receivedAt"])
        assert float(row["bound"]) <= most + 0.01
        check(row, shift)


def steered_evaluator(relay_url: str, *options: str) -> tuple[str, ...]:
    """One that reads what to show from its stdin."""
    peers = ("--relay", relay_url, "--user", "E", "--client", "C", "--wait", "--json")
    command = (sys.executable, "-m", "imgsync.evaluator", *peers)
    return (*command, *HERE, *options, str(SAMPLES))


def steps_in(log: Path) -> list[JSON]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line["event"] == "clock_step"]


@side_by_side(6)
async def test_a_clock_that_is_set_in_the_middle_is_told_and_turns_into_no_latency(
    folder: Path,
) -> None:
    log, ahead = folder / "evaluator.jsonl", trio.Path(folder / "ahead")
    await ahead.write_text("+0")
    env = STRICT | FAKE | {"FAKETIME_TIMESTAMP_FILE": str(ahead), "FAKETIME_CACHE_DURATION": "1"}
    async with open_relay() as url:
        command = steered_evaluator(url, "--log", str(log))
        async with (
            open_fork("client", *our_client(url), *HERE),
            open_child("evaluator", *command, env=env, stdin=subprocess.PIPE) as evaluator,
        ):
            await evaluator.wait_event("connected")
            await ahead.write_text("+3600")
            await wait_until(lambda: bool(steps_in(log)), "a step", SESSION_S)
            await evaluator.write("next\n")
            acked = await evaluator.wait_event("acked")
            await evaluator.write("end\n")
            await evaluator.wait_success()
    check(acked, 0)
    [step] = steps_in(log)
    assert (step["whose"], step["sessionId"]) == ("ours", None)
    assert step["by"] == pytest.approx(HOUR, abs=1000)


@side_by_side(11)
async def test_a_client_that_is_started_anew_with_another_clock_is_told_as_a_step(
    folder: Path,
) -> None:
    log = folder / "evaluator.jsonl"
    async with open_relay() as url:
        client = (*our_client(url), *HERE)
        command = steered_evaluator(url, "--log", str(log))
        opening = partial(open_fork, "evaluator", *command, stdin=subprocess.PIPE)
        async with opening() as evaluator:
            async with open_fork("client", *client) as first:
                await evaluator.wait_event("connected")
                await evaluator.write("next\n")
                before = await evaluator.wait_event("acked")
                first.process.kill()
                await first.process.wait()
            await evaluator.wait_event("state")
            async with open_ahead(HOUR_S, "client", *client) as second:
                await second.wait_event("fetched")
                with trio.fail_after(SESSION_S):
                    while (await evaluator.wait_event("state"))["state"] != "resumed":
                        pass
                await evaluator.write("next\n")
                acked = await evaluator.wait_event("acked")
                await evaluator.write("end\n")
                await evaluator.wait_success()
    check(before, 0)
    check(acked, HOUR)
    assert acked["boundMs"] < 1000
    [step] = steps_in(log)
    assert step["whose"] == "theirs"
    assert step["by"] == pytest.approx(HOUR, abs=1000)
