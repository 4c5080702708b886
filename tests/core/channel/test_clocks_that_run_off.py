"""Bounds hold, and steps are told, while a clock runs off or is slewed, on lines of many kinds.

What is true is known here. Run with `-s`, it prints how many figures lie outside of their bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random
from statistics import median
from typing import NamedTuple

import attrs
import pytest

from imgsync.commands.report.offsets import OffsetHistory
from imgsync.core.channel.clocks import Measurements, Stepped
from imgsync.core.channel.drift import Reading
from imgsync.core.protocol.channel import Pong

START = 1_800_000_000_000.25
SECONDS = 120

Way = Callable[[Random], float]


def way(shortest: float, jitter: float = 0) -> Way:
    """One that takes so many ms at least, and so many more in the mean."""
    return lambda dice: shortest + (dice.expovariate(1 / jitter) if jitter else 0)


#: There and back, ms.
LINES: dict[str, tuple[Way, Way]] = {
    "LAN": (way(0.15, 0.1), way(0.15, 0.1)),
    "as quick each time": (way(0.2), way(0.2)),
    "Wi-Fi": (way(2, 8), way(2, 8)),
    "5/250 ms": (way(5, 0.5), way(250, 0.5)),
    "0/250 ms": (way(0.01, 0.1), way(250, 0.1)),
    "250/5 ms, jittery": (way(250, 40), way(5, 20)),
    "jittery": (way(10, 30), way(10, 30)),
}

#: What befalls a session.
KINDS = ("pings alone", "images too", "bursts of loss", "a gap", "new connections")


@attrs.frozen
class Clock:
    """The client's: how far it runs off, and a slew of so many ms in the middle.

    :param rate: its gain in all time.
    :param ramp: how long it takes until it runs off so far.
    """

    rate: float
    slew: float = 0.0
    slewed_by: float = 500e-6
    ramp: float = 0.0

    def ahead(self, at: float) -> float:
        ran = at - START
        into = min(max(ran - 60_000, 0) * self.slewed_by, abs(self.slew))
        lost = ran - ran**2 / (2 * self.ramp) if ran < self.ramp else self.ramp / 2
        return 1234.5 + self.rate * (ran - lost) + (into if self.slew > 0 else -into)


class Event(NamedTuple):
    """A ping with its pong, or an image with its ack and its onset."""

    back: float
    begin: float
    there: float
    onset: float | None
    is_new_connection: bool


@attrs.define
class Figures:
    """What was told, and by how much that may be wrong.

    :param outside: when something was told whose true value was not within the bound.
    :param moments: of the client's that were asked for.
    :param steps: when a step was told, and of how much.
    """

    told: int = 0
    outside: list[float] = attrs.Factory(list)
    bounds: list[float] = attrs.Factory(list)
    moments: list[float] = attrs.Factory(list)
    steps: list[tuple[float, float]] = attrs.Factory(list)

    def add(self, at: float, found: float, bound: float, true: float) -> None:
        self.told += 1
        self.bounds.append(bound)
        self.moments.append(at)
        # Times of 1e12 ms have a resolution of 2e-4 in a float.
        if abs(found - true) > bound + 0.001:
            self.outside.append(at)


def begins(dice: Random, kind: str) -> Iterator[tuple[float, bool, bool]]:
    """When pings and images are sent; whether it is an image, and the first on a connection."""
    pings = [62.5 * n for n in range(8)] + [500.0 + 2000 * n for n in range(1, SECONDS // 2)]
    images = [300 + 2300 * n + dice.uniform(0, 900) for n in range(SECONDS * 10 // 23)]
    if kind == "new connections":
        pings += [at + 62.5 * n for at in (40_100.0, 90_300.0) for n in range(8)]
    if kind == "bursts of loss":
        bursts = [at for at in range(3000, SECONDS * 1000, 2000) if dice.random() < 0.1]
        pings = [at for at in pings if not any(0 <= at - one < 9000 for one in bursts)]
    told = [(at, False) for at in pings]
    told += [(at, True) for at in images] if kind != "pings alone" else []
    longer = dice.choice([30_000, 300_000]) if kind == "a gap" else 0
    before = 0.0
    for at, is_image in sorted(told):
        is_new = any(before < one <= at for one in (40_100.0, 90_300.0))
        yield at + (longer if at > 70_000 else 0), is_image, is_new and kind == "new connections"
        before = at


def events(dice: Random, line: str, kind: str) -> list[Event]:
    """In the order in which they are over."""
    there, back = LINES[line]
    found = []
    for at, is_image, is_new in begins(dice, kind):
        begin = START + at
        arrived = begin + there(dice)
        onset = arrived + dice.uniform(5, 60) if is_image else None
        found.append(Event(arrived + back(dice), begin, arrived, onset, is_new))
    return sorted(found)


def play(seed: int, line: str, kind: str, clock: Clock) -> tuple[Figures, Figures]:
    """A session: what is told while it runs, and what the report makes of it."""
    dice, live, report = Random(f"{seed} {line} {kind}"), Figures(), Figures()
    measurements, readings, arrived = Measurements(), [], []
    happened = events(dice, line, kind)
    for event, after in pairwise([*happened, happened[-1]]):
        back, begin, there, onset, is_new = event
        if is_new:
            measurements.connected()
        theirs = there + clock.ahead(there)
        readings.append(Reading.by_us(begin, theirs, theirs, back))
        if onset is None:
            remark = measurements.ponged(Pong(0, begin, theirs, theirs), back)
        else:
            remark, latency = measurements.acked(begin, theirs, back)
            live.add(there, latency, latency.bound, there - begin)
            arrived += [(begin, there), (begin, onset)]
        if isinstance(remark, Stepped):
            live.steps.append((back, remark.by))
        # As an onset is told, until the next probe comes in.
        now = onset or dice.uniform(back, max(back, after.back))
        since = measurements.since(begin, now + clock.ahead(now))
        assert since is not None
        live.add(now, since, since.bound, now - begin)
    history = OffsetHistory(readings)
    for begin, at in arrived:
        estimate = history.to_evaluator(at + clock.ahead(at), begin, begin)
        assert estimate is not None
        report.add(at, estimate.at, estimate.bound, at)
    return live, report


STEADY = [20e-6, 500e-6, -800e-6, 2000e-6, 5000e-6, -5900e-6]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    "clock",
    [
        *(Clock(rate) for rate in STEADY),
        Clock(20e-6, slew=20),
        Clock(-90e-6, slew=-20),
        Clock(2000e-6, slew=20),
        Clock(600e-6, ramp=100_000),
    ],
    ids=str,
)
def test_every_figure_lies_within_its_bound(line: str, clock: Clock) -> None:
    played = [play(1, line, kind, clock) for kind in KINDS]
    for name, figures in zip(("live", "report"), zip(*played, strict=True), strict=True):
        told, outside = sum(one.told for one in figures), sum(len(one.outside) for one in figures)
        print(f"{line}, {clock}: {name}: {outside} of {told} outside")
        assert outside == 0
    # What is steady is no step, however fast; nor is a slew that the line hides in the bounds.
    steps = [by for live, _ in played for by in live.steps]
    assert not steps or clock.slew or clock.ramp


@pytest.mark.parametrize(("slew", "slewed_by"), [(20.0, 500e-6), (-30.0, 500e-6), (80.0, 2000e-6)])
@pytest.mark.parametrize("line", ["LAN", "as quick each time"])
def test_a_slew_that_adds_up_is_told_as_a_clock_that_was_set(
    line: str, slew: float, slewed_by: float
) -> None:
    for kind in KINDS[:3]:
        live, _ = play(2, line, kind, Clock(20e-6, slew, slewed_by))
        steps = [by for _, by in live.steps]
        assert steps
        assert all((by > 0) is (slew > 0) for by in steps)
        assert abs(slew) / 2 < abs(sum(steps)) < abs(slew) * 1.5


@pytest.mark.parametrize("slewed_by", [1000e-6, 2000e-6, 5000e-6])
@pytest.mark.parametrize("line", LINES)
def test_a_slew_that_nobody_could_foresee_is_told_or_within_the_bound(
    line: str, slewed_by: float
) -> None:
    for kind in KINDS[1:3]:
        live, _ = play(3, line, kind, Clock(20e-6, 200, slewed_by))
        print(
            f"{line}, {kind}, {slewed_by * 1e6:.0f} ppm: {len(live.outside)} of {live.told} outside"
        )
        told = [at for at, _ in live.steps]
        # What is wrong is wrong until messages contradict it.
        assert all(any(0 <= at - wrong < 30_000 for at in told) for wrong in live.outside)
        assert len(live.outside) < live.told * 0.1


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("kind", KINDS[:3])
def test_for_a_clock_that_runs_well_it_costs_next_to_nothing(line: str, kind: str) -> None:
    clock = Clock(100e-6)
    live, _ = play(4, line, kind, clock)
    readings = []
    for back, begin, there, _, _ in events(Random(f"4 {line} {kind}"), line, kind):
        theirs = there + clock.ahead(there)
        readings.append(Reading.by_us(begin, theirs, theirs, back))
    single = [
        min(
            (one.most - one.least) / 2 + 600e-6 * max(at - one.most_at, one.least_at - at)
            for one in readings
            if one.most_at <= at
        )
        for at in live.moments
    ]
    print(f"{line}, {kind}: ± {median(live.bounds):.2f} ms, by one probe ± {median(single):.2f} ms")
    assert median(live.bounds) < median(single) * 1.15
