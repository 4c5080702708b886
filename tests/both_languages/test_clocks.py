"""Clocks are compared, times across them told, and both written down alike in both languages."""

from __future__ import annotations

import json
import random
from typing import Any

from imgsync.core.channel.clocks import ClockOffset, Offset, Probe, Refused, Remark, Stepped
from imgsync.core.channel.measurements import Measurements
from imgsync.core.protocol.channel import Image, Pong, Stage, StageKind
from imgsync.core.protocol.signalling import EndReason
from imgsync.core.protocol.states import SessionState, StateChange
from imgsync.journal.events import Event
from imgsync.journal.lines import encode_line
from imgsync.peer.account import Account
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
    """Two clocks and the ways between them: one set now and then, perhaps of whole milliseconds."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.now = dice.choice([1e6, 1.7e12]) + dice.random()
        self._ahead = dice.uniform(-5000, 5000)
        self._are_coarse = dice.random() < 0.2, dice.random() < 0.2

    def _told(self, time: float, whose: int) -> float:
        return float(int(time)) if self._are_coarse[whose] else time

    def ways(self) -> tuple[float, float, float, float]:
        """One way there and one back, on the two clocks; a few of them can't be true."""
        dice = self.dice
        self.now = time_after(dice, self.now, 5000)
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
            method = dice.choice([*["take", "take", "at", "toOurs", "since"] * 6, "reconnected"])
            given: list[Any] = []
            told: object
            match method:
                case "take":
                    given = [*world.ways()]
                    told = tell_remark(clocks.take(Probe(*given)))
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


def line_of(event: Event) -> dict[str, Any]:
    """As the record has it, but for the time at which it was written."""
    told: dict[str, Any] = json.loads(encode_line(event, 0))
    del told["at"]
    return told


def account_for(dice: random.Random, world: World, account: Account) -> list[Any]:
    """One thing that a session writes down, done in Python. Returns the same for the page."""
    at = world.now
    index, sent_at = dice.randrange(3), at - dice.randrange(3)
    url = dice.choice(["https://u:p@h/a.png?s=1", "https://h/b.png#x", "a.png", ""])
    image = Image(index, url, "secret", sent_at)
    shown = {"imageIndex": index, "imageUrl": url, "sentAt": sent_at}
    reason = dice.choice([None, EndReason.CONNECTION_LOST])
    seldom = ["began", "changed", "connected", "sent", "other", "other"]
    match dice.choice([*["ponged", "acked"] * 4, *seldom]):
        case "ponged":
            t0, t1, t2, t3 = world.ways()
            account.ponged(Pong(1, t0, t1, t2), t3)
            return ["ponged", {"t0": t0, "t1": t1, "t2": t2, "t3": t3}]
        case "acked":
            there, received_at, _, acked_at = world.ways()
            image = Image(index, url, "secret", there)
            account.acked(image, received_at, acked_at)
            return ["acked", acked_at, shown | {"sentAt": there}, received_at]
        case "began":
            account.began("c", resumed=index == 0)
            return ["began", at, "c", index == 0]
        case "changed":
            state = dice.choice([*SessionState])
            account.changed(StateChange(state, at, reason, url))
            told = {"state": state.value, "at": at, "detail": url}
            return ["changed", told | {"reason": None if reason is None else reason.value}]
        case "connected":
            account.connected(None)
            return ["connected"]
        case "sent":
            account.sent(image, index + 1)
            return ["sent", at, shown, index + 1]
    if dice.random() < 0.5:
        account.superseded(image)
        return ["superseded", at, shown]
    stage = dice.choice([*StageKind])
    staged_at, why = world.theirs(), dice.choice([None, "http_403"])
    account.staged(Stage(index, sent_at, stage, staged_at, why))
    told = {"image": shown, "stage": stage.value, "at": staged_at, "reason": why}
    return ["staged", at, told]


def test_what_a_session_writes_down_is_the_same_word_for_word(replay: Replay) -> None:
    seen: set[str] = set()
    for run, dice in dice_of("account", RUNS):
        told: list[Event] = []
        world, account = World(dice), Account("s", told.append)
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(INPUTS):
            told.clear()
            inputs.append(account_for(dice, world, account))
            expected.append([line_of(event) for event in told])
            seen |= {event.EVENT for event in told}
        replay.compare("account", inputs, expected, run)
    assert seen == {
        *("session", "state", "probe", "clock_step", "sent", "acked", "superseded", "stage"),
    }
