"""Clocks are compared, times across them told, and both written down alike in both languages."""

from __future__ import annotations

import json
import random
from typing import Any

import attrs
import pytest

from imgsync.core.channel.clocks import (
    ClockOffset,
    Measurements,
    Probe,
    Refused,
    Remark,
    Stepped,
)
from imgsync.core.channel.drift import Offset
from imgsync.core.pictures.facts import Facts
from imgsync.core.protocol.channel import Ack, Image, OnsetTiming, Pong, Recording, Stage, StageKind
from imgsync.core.protocol.numbers import LONGEST_CELL, PROBE_SPAN
from imgsync.core.protocol.signalling import EndReason
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.journal.events import Event
from imgsync.journal.lines import encode_line
from imgsync.peer.session_journal import SessionJournal
from tests.both_languages.replay import Given, Replay, dice_of, time_after

RUNS = 150
INPUTS = 120


def tell_remark(remark: Remark | None) -> dict[str, object] | None:
    match remark:
        case Stepped(by):
            return {"kind": "stepped", "by": by}
        case Refused():
            return {"kind": "refused"}
        case None:
            return None


def tell_offset(offset: Offset | None) -> dict[str, float] | None:
    return None if offset is None else {"value": offset.value, "bound": offset.bound}


class World:
    """Two clocks and the ways between them: one runs off, and is set now and then; some coarse."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.now = dice.choice([1e6, 1.7e12]) + dice.random()
        self._ahead = dice.uniform(-5000, 5000)
        self._rate = dice.choice([0, 2e-5, 1e-3, -5e-3])
        self._are_coarse = dice.random() < 0.2, dice.random() < 0.2
        #: Times of whole milliseconds, so that two bounds may be the same.
        self._is_on_grid = dice.random() < 0.3

    def _told(self, time: float, whose: int) -> float:
        return float(int(time)) if self._are_coarse[whose] or self._is_on_grid else time

    def ways(self) -> tuple[float, float, float, float]:
        """One way there and one back, on the two clocks; a few of them can't be true."""
        dice = self.dice
        before, self.now = self.now, time_after(dice, self.now, 5000)
        self._ahead += self._rate * (self.now - before)
        if dice.random() < 0.02:
            self._ahead += dice.choice([-1, 1]) * dice.choice([20, 3600e3])
        there, back = dice.uniform(0, 30), dice.uniform(0, dice.choice([3, 300]))
        t0, t1 = self.now, self.now + there + self._ahead
        t2 = t1 + dice.choice([0, dice.random(), 50])
        t3 = t0 + there + (t2 - t1) + back
        self.now = t3
        told = self._told(t0, 0), self._told(t1, 1), self._told(t2, 1), self._told(t3, 0)
        if dice.random() > 0.05:
            return told
        wrong = list(told)
        wrong[dice.randrange(4)] += dice.choice([-1, 1]) * dice.uniform(0, 100)
        return wrong[0], wrong[1], wrong[2], wrong[3]

    def theirs(self) -> float:
        """A time of the other clock, about now."""
        return self.now + self._ahead + self.dice.uniform(-1000, 1000)


def test_the_offset_is_the_same_through_several_connections(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("clocks", RUNS):
        world, clocks = World(dice), ClockOffset()
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(INPUTS):
            method = dice.choice([*["add", "add", "at", "toOurs", "since"] * 6, "reconnected"])
            given: list[Any] = []
            told: object
            match method:
                case "add":
                    given = [*world.ways()]
                    told = tell_remark(clocks.add(Probe(*given)))
                    seen.add(told and told["kind"])
                case "at":
                    given = [world.now + dice.uniform(-5000, 5000)]
                    told = tell_offset(clocks.at(*given))
                case "toOurs":
                    given = [world.theirs()]
                    here = clocks.to_ours(*given)
                    told = here and {"value": float(here), "bound": here.bound}
                case "since":
                    given = [world.now, world.theirs()]
                    later = clocks.since(*given)
                    told = None if later is None else {"value": float(later), "bound": later.bound}
                case _:
                    clocks.reconnected()
                    told = None
            inputs.append([method, *given])
            expected.append(told)
        replay.compare("clocks", inputs, expected, run)
    assert seen == {"stepped", "refused", None}


def test_the_latency_of_an_ack_and_its_bound_are_the_same(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("measurements", RUNS):
        world, measurements = World(dice), Measurements()
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(INPUTS):
            method = dice.choice([*["ponged", "acked", "since"] * 6, "connected"])
            given: list[Any] = []
            told: object = None
            match method:
                case "ponged":
                    t0, t1, t2, t3 = given = [*world.ways()]
                    told = tell_remark(measurements.ponged(Pong(1, t0, t1, t2), t3))
                case "acked":
                    sent_at, received_at, _, acked_at = world.ways()
                    # A copy of an image waited for a channel; its ack says as much as any.
                    given = [sent_at - dice.choice([0, 0, 9000]), received_at, acked_at]
                    remark, latency = measurements.acked(*given)
                    bounded = {"value": float(latency), "bound": latency.bound}
                    told = {"remark": tell_remark(remark), "latency": bounded}
                    seen.add(type(remark))
                case "since":
                    given = [world.now, world.theirs()]
                    later = measurements.since(*given)
                    told = None if later is None else {"value": float(later), "bound": later.bound}
                case _:
                    measurements.connected()
            inputs.append([method, *given])
            expected.append(told)
        replay.compare("measurements", inputs, expected, run)
    assert seen == {Stepped, Refused, type(None)}


def line_of(event: Event, at: float) -> dict[str, Any]:
    """As the record has it, if it is written at once."""
    told: dict[str, Any] = json.loads(encode_line(event, at))
    return told


class Writer:
    """Does one thing after the other that a session writes down, in Python, and says how to do the
    same in the page."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._world = World(dice)
        self._told: list[Event] = []
        self._journal = SessionJournal("s", self._told.append)

    def next(self) -> tuple[list[Any], list[Any]]:
        """The input for the page, and what comes of it: the lines, and what is returned."""
        self._told.clear()
        seldom = ["began", "changed", "connected", "sent", "superseded", "staged", "recorded"]
        seldom.append("identified")
        method = self._dice.choice([*["ponged", "acked"] * 4, *seldom])
        given, at, returned = getattr(self, f"_{method}")()
        return [method, *given], [[line_of(event, at) for event in self._told], returned]

    def _image(self, sent_at: float) -> tuple[Image, dict[str, object]]:
        index = self._dice.randrange(3)
        url = self._dice.choice(URLS)
        shown = {"imageIndex": index, "imageUrl": url, "sentAt": sent_at}
        return Image(index, url, "secret", sent_at), shown

    def _ponged(self) -> tuple[list[Any], float, None]:
        t0, t1, t2, t3 = self._world.ways()
        self._journal.ponged(Pong(1, t0, t1, t2), t3)
        return [{"t0": t0, "t1": t1, "t2": t2, "t3": t3}], t3, None

    def _acked(self) -> tuple[list[Any], float, dict[str, float]]:
        sent_at, received_at, _, at = self._world.ways()
        image, shown = self._image(sent_at)
        latency = self._journal.acked(image, Ack(image.sent_at, received_at), at)
        return [at, shown, received_at], at, {"value": float(latency), "bound": latency.bound}

    def _began(self) -> tuple[list[Any], float, None]:
        is_old = self._dice.random() < 0.5
        self._journal.began("c", resumed=is_old)
        return [self._world.now, "c", is_old], self._world.now, None

    def _changed(self) -> tuple[list[Any], float, None]:
        at, state = self._world.now, self._dice.choice([*SessionState])
        reason = self._dice.choice([None, EndReason.CONNECTION_LOST])
        self._journal.changed(StateChange(state, at, reason, "why"))
        told = None if reason is None else reason.value
        return [{"state": state.value, "at": at, "reason": told, "detail": "why"}], at, None

    def _connected(self) -> tuple[list[Any], float, None]:
        self._journal.connected(None)
        return [], 0, None

    def _sent(self) -> tuple[list[Any], float, None]:
        at, copy = self._world.now, self._dice.randrange(1, 4)
        image, shown = self._image(at - 1)
        extra = self._dice.choice([None, {"condition": "A", "note": [1, None]}])
        self._journal.sent(image, copy, extra)
        return [at, shown, copy, extra], at, None

    def _superseded(self) -> tuple[list[Any], float, None]:
        at = self._world.now
        image, shown = self._image(at - 1)
        self._journal.superseded(image)
        return [at, shown], at, None

    def _staged(self) -> tuple[list[Any], float, None]:
        at, stage_at = self._world.now, self._world.theirs()
        image, shown = self._image(at - 1)
        stage = self._dice.choice([*StageKind])
        reason = self._dice.choice([None, "http_403"])
        timing, within = self._dice.choice([(None, None), (OnsetTiming.FRAME, 33.5), (None, 0)])
        detail = self._dice.choice([None, "", "its time was over"])
        about = image.image_index, image.sent_at, stage, stage_at, reason
        self._journal.staged(Stage(*about, timing=timing, within=within, detail=detail))
        staged = {
            **{"image": shown, "stage": stage.value, "at": stage_at, "reason": reason},
            **{"timing": timing and timing.value, "within": within, "detail": detail},
        }
        return [at, staged], at, None

    def _identified(self) -> tuple[list[Any], float, None]:
        at = self._world.now
        image, shown = self._image(at - 1)
        size = self._dice.choice([(9, 800, 600), (0, None, None), (7, 1, None)])
        facts = Facts(f"{self._dice.getrandbits(256):064x}", "image/svg+xml", *size)
        self._journal.identified(image.image_index, image.sent_at, facts)
        names = ("sha256", "contentType", "bytes", "width", "height")
        return [at, shown, dict(zip(names, attrs.astuple(facts), strict=True))], at, None

    def _recorded(self) -> tuple[list[Any], float, None]:
        at, since = self._world.now, self._world.theirs()
        troubles = self._dice.choice([(), ("camera_ended",), ("upload_http_403", "refused")])
        self._journal.recorded(Recording(("microphone",), troubles, since))
        recorded = {"devices": ["microphone"], "troubles": [*troubles], "at": since}
        return [at, recorded], at, None


URLS = [
    *("https://u:p@h/a.png?s=1", "https://h/b.png#x", "a.png", "", "https://u:p@s@h/c.png"),
    *("//u@h/d", "https://h/e\nf?s\nt#", "https://h/@g", "mailto:a@b"),
]
"""Of images; what may be a secret is not written down."""


def test_what_a_session_writes_down_is_the_same_word_for_word(replay: Replay) -> None:
    seen: set[str] = set()
    for run, dice in dice_of("session journal", RUNS):
        writer = Writer(dice)
        steps = [writer.next() for _ in range(INPUTS)]
        inputs, expected = [given for given, _ in steps], [told for _, told in steps]
        seen |= {line["event"] for lines, _ in expected for line in lines}
        replay.compare("sessionJournal", inputs, expected, run)
    assert seen == {
        *("session", "state", "probe", "clock_step", "sent", "acked", "superseded", "stage"),
        *("recording", "picture"),
    }


@pytest.mark.parametrize(
    ("moved", "by", "whose"),
    [
        (3_600_000, 3_600_000, "ours"),  # our page slept, and its clock stood still
        (3_600_000, 0, None),  # our wall clock was set, which our times do not follow
        (0, 3_600_000, "theirs"),
        (3_600_000, -50_000, "theirs"),
    ],
)
def test_of_a_console_that_slept_the_client_is_not_blamed(
    replay: Replay, moved: float, by: float, whose: str | None
) -> None:
    def pong(at: float, offset: float) -> Given:
        return {"t0": at, "t1": at + 1 + offset, "t2": at + 1 + offset, "t3": at + 2}

    inputs: list[Given] = [
        *(["looked", 1_002, 3], ["ponged", pong(1_000, 50)]),
        *(["looked", 3_002, 4], ["ponged", pong(3_000, 50)]),
        *(["looked", 5_002, 4 + moved], ["ponged", pong(5_000, 50 + by)]),
        *(["looked", 7_002, 5 + moved], ["ponged", pong(7_000, 50 + by)]),
    ]
    written = [line for lines, _ in replay.run("sessionJournal", inputs) for line in lines]
    steps = [line for line in written if line["event"] == "clock_step"]
    ours = [line for line in steps if line["sessionId"] is None]
    assert [(line["at"], line["by"], line["whose"]) for line in ours] == (
        [(5_002, moved, "ours")] if moved else []
    )
    told = [line["whose"] for line in steps if line["sessionId"] is not None]
    assert told == ([] if whose is None else [whose])


def test_of_a_flood_of_probes_the_same_are_kept(replay: Replay) -> None:
    clocks = ClockOffset()
    inputs: list[Given] = []
    now, dice = 1e6, random.Random("flood")
    cells = int(2 * PROBE_SPAN / LONGEST_CELL)
    # The first is the narrowest, for as long as it is kept; then a channel is new, and again.
    for number in range(10 * cells):
        now += dice.choice([2.0, 30.0, 700.0])
        way = 1.5 if number % 77 == 0 else dice.uniform(2, 21)
        inputs += [["add", now, now + way, now + way, now + 2 * way], ["at", now + 3 * way]]
        inputs.append(["since", now, now + way])
        if number in (3 * cells, 6 * cells):
            inputs.append(["reconnected"])
    expected: list[object] = []
    for method, *given in inputs:
        match method:
            case "add":
                expected.append(tell_remark(clocks.add(Probe(*given))))
            case "at":
                expected.append(tell_offset(clocks.at(*given)))
            case "since":
                later = clocks.since(*given)
                expected.append(later and {"value": float(later), "bound": later.bound})
            case _:
                clocks.reconnected()
                expected.append(None)
    assert len({str(offset) for offset in expected}) > 4
    replay.compare("clocks", inputs, expected, "flood")
