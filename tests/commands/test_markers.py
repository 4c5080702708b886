"""Markers for LSL: what they say, and when that was."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from typing import Any

import pylsl
import pytest
import trio

from imgsync import ImageRef
from imgsync.commands.evaluator.markers import Markers, open_markers
from imgsync.core.channel.clocks import Bounded
from imgsync.core.protocol.channel import ResponseKind, StageKind
from imgsync.evaluator.delivery import ResponseReport, StageReport
from imgsync.evaluator.marks import Mark
from imgsync.wallclock import now_ms
from tests.kit.command_lines import HERE, client, evaluator
from tests.kit.forks import open_fork, shared_relay
from tests.kit.processes import SAMPLES, START_S, STRICT, Child

FACE = ImageRef(3, "images/1/face.png", None, "face.png", extra={"condition": "A"})
GREETING = "are you there"
NEAR = 5  # s, on a machine that is busy


class Outlet:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.samples: list[tuple[dict[str, Any], float]] = []

    def push_sample(self, x: list[str], timestamp: float) -> None:
        [text] = x
        self.samples.append((json.loads(text), timestamp))


@pytest.fixture
def outlet() -> Outlet:
    return Outlet()


@pytest.fixture
def markers(outlet: Outlet) -> Markers:
    return Markers(outlet, time.monotonic)


def shown(sent_at: float, at: float, latency: Bounded | None) -> StageReport:
    return StageReport(FACE, sent_at=sent_at, stage=StageKind.SHOWN, at=at, latency=latency)


def answer(sent_at: float, at: float) -> ResponseReport:
    return ResponseReport(
        FACE,
        sent_at=sent_at,
        number=1,
        at=at,
        kind=ResponseKind.KEY,
        value="f",
        reaction_time=250_000,
    )


def seconds_ago(stamp: float) -> float:
    return time.monotonic() - stamp


def test_an_onset_has_the_time_at_which_it_was_and_not_that_at_which_it_is_heard_of(
    outlet: Outlet, markers: Markers
) -> None:
    sent_at = now_ms() - 2e6
    markers.staged(shown(sent_at, 77.0, Bounded(5e5, 1.5)))
    [(said, stamp)] = outlet.samples
    assert seconds_ago(stamp) == pytest.approx(1500, abs=NEAR)
    assert said == {
        "event": "shown",
        "imageIndex": 3,
        "name": "face.png",
        "sentAt": sent_at,
        "bound": 1.5,
        "extra": {"condition": "A"},
    }


def test_an_answer_is_as_long_after_the_onset_as_by_the_clients_clock(
    outlet: Outlet, markers: Markers
) -> None:
    sent_at = now_ms() - 2e6
    markers.staged(shown(sent_at, 77.0, Bounded(5e5, 1.5)))
    markers.responded(answer(sent_at, 77.0 + 250_000))
    (_, onset), (said, stamp) = outlet.samples
    assert stamp - onset == pytest.approx(250, abs=NEAR)
    assert (said["event"], said["kind"], said["value"], said["reactionTime"], said["bound"]) == (
        "response",
        "key",
        "f",
        250_000,
        1.5,
    )


def test_what_is_not_known_of_the_clocks_is_not_made_up(outlet: Outlet, markers: Markers) -> None:
    markers.staged(shown(now_ms() - 2e6, 77.0, None))
    markers.responded(answer(now_ms() - 9e6, 77.0))
    for said, stamp in outlet.samples:
        assert "bound" not in said
        assert seconds_ago(stamp) == pytest.approx(0, abs=NEAR)


def test_an_arrival_is_no_marker_and_a_mark_is_one(outlet: Outlet, markers: Markers) -> None:
    at = now_ms()
    markers.staged(
        StageReport(FACE, sent_at=at, stage=StageKind.FETCHED, at=1.0, latency=Bounded(1, 1))
    )
    markers.marked(Mark(None, None, at - 1e6, score=2.0))
    [(said, stamp)] = outlet.samples
    assert said == {"event": "mark", "score": 2.0}
    assert seconds_ago(stamp) == pytest.approx(1000, abs=NEAR)


def test_an_inlet_of_the_library_receives_text_and_time() -> None:
    name = f"imgsync-{uuid.uuid4().hex}"
    with open_markers(name, "dr-lee") as markers:
        [found] = pylsl.resolve_byprop("name", name, timeout=5)
        assert (found.type(), found.channel_count(), found.source_id()) == (
            "Markers",
            1,
            "imgsync-dr-lee",
        )
        inlet = pylsl.StreamInlet(found)
        inlet.open_stream(timeout=5)
        markers.marked(Mark(FACE, 5.0, now_ms() - 3e6, text="späť"))
        [text], stamp = inlet.pull_sample(timeout=5)
        inlet.close_stream()
    assert json.loads(text)["text"] == "späť"
    assert pylsl.local_clock() - stamp == pytest.approx(3000, abs=NEAR)


async def test_the_command_sends_markers_of_what_becomes_of_images_and_of_what_is_noted() -> None:
    name = f"imgsync-{uuid.uuid4().hex}"
    with shared_relay() as url:
        show = evaluator(url, "marked", *HERE, "--json", "--lsl", name, str(SAMPLES))
        follow = client(url, "marked", *HERE, "--once", "--json", "--exec", "sleep 60")
        async with open_fork("client", *follow, env=STRICT) as following:
            await following.wait_event("registered")
            async with open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing:
                await showing.wait_event("connected", START_S)
                inlet = await trio.to_thread.run_sync(open_inlet, name)
                began = pylsl.local_clock()
                await wait_heard(showing, inlet)
                found: list[tuple[dict[str, Any], float]] = []
                for count, lines in ((1, "next\nmark with help\n"), (2, "next\n")):
                    await showing.write(lines)
                    while len(onsets_in(found)) < count:
                        found.append(await pull(inlet))
                await showing.write("end\n")
                assert (await showing.wait_outcome()).code == 0
            await following.wait_outcome()
    inlet.close_stream()
    onsets = onsets_in(found)
    assert [one["imageIndex"] for one in onsets] == [0, 1]
    assert all(0 <= one["bound"] < 1000 for one in onsets)
    [mark] = [one for one, _ in found if one["event"] == "mark" and one["text"] != GREETING]
    assert (mark["imageIndex"], mark["text"]) == (0, "with help")
    assert all(began <= stamp <= pylsl.local_clock() for one, stamp in found)


def onsets_in(found: list[tuple[dict[str, Any], float]]) -> list[dict[str, Any]]:
    return [one for one, _ in found if one["event"] == "shown"]


def open_inlet(name: str) -> pylsl.StreamInlet:
    [found] = pylsl.resolve_byprop("name", name, timeout=START_S)
    inlet = pylsl.StreamInlet(found)
    inlet.open_stream(timeout=START_S)
    return inlet


async def wait_heard(showing: Child, inlet: pylsl.StreamInlet) -> None:
    """Until markers come in: an inlet that is open may miss what is sent in the next moment."""
    with trio.fail_after(START_S):
        while True:
            await showing.write(f"mark {GREETING}\n")
            sample, _ = await trio.to_thread.run_sync(inlet.pull_sample, 0.2)
            if sample is not None:
                return


async def pull(inlet: pylsl.StreamInlet) -> tuple[dict[str, Any], float]:
    sample, stamp = await trio.to_thread.run_sync(inlet.pull_sample, START_S)
    assert sample is not None, "no marker came"
    return json.loads(sample[0]), stamp
