"""Bounds hold, and steps are told, while a clock runs off or is slewed, on lines of many kinds.

What is true is known here. Run with `-s`, it prints how many figures lie outside of their bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import attrs
import pytest

from imgsync.commands.report.offsets import OffsetHistory, Reading
from imgsync.core.channel.clocks import Measurements, Stepped
from imgsync.core.protocol.channel import Pong

START = 1_800_000_000_000.25
MINUTES = 3
SEEDS = 8

Way = Callable[[Random], float]

#: There and back, ms.
LINES: dict[str, tuple[Way, Way]] = {
    "LAN": (lambda dice: 0.15 + dice.expovariate(10), lambda dice: 0.15 + dice.expovariate(10)),
    "as quick each time": (lambda dice: 0.2, lambda dice: 0.2),
    "5/250 ms": (lambda dice: 5 + dice.expovariate(2), lambda dice: 250 + dice.expovariate(2)),
    "5/250 ms, jittery": (
        lambda dice: 5 + dice.expovariate(0.05),
        lambda dice: 250 + dice.expovariate(0.025),
    ),
    "jittery": (
        lambda dice: 10 + dice.expovariate(0.03),
        lambda dice: 10 + dice.expovariate(0.03),
    ),
}


@attrs.frozen
class Clock:
    """The client's: how far it runs off, and a slew of so many ms at 500 ppm in the middle.

    :param rate: its gain in all time.
    """

    rate: float
    slew: float = 0.0

    def ahead(self, at: float) -> float:
        into = min(max(at - START - 80_000, 0) * 500e-6, abs(self.slew))
        return 1234.5 + self.rate * (at - START) + (into if self.slew > 0 else -into)


@attrs.define
class Outcome:
    """Of figures, how many were told, and how many of them were not within their bounds."""

    told: int = 0
    outside: int = 0
    steps: list[float] = attrs.Factory(list)

    def add(self, found: float, bound: float, true: float) -> None:
        self.told += 1
        # Times of 1e12 ms have a resolution of 2e-4 in a float.
        self.outside += abs(found - true) > bound + 0.001


def happenings(dice: Random, ways: tuple[Way, Way], clock: Clock) -> Iterator[tuple[float, ...]]:
    """Pings, and images with their onsets: (end, begin, there, onset); no onset for a ping."""
    pings = [62.5 * n for n in range(8)] + [500.0 + 2000 * n for n in range(1, 30 * MINUTES)]
    images = [1000 + 2300 * n + dice.uniform(0, 900) for n in range(25 * MINUTES)]
    for begin, is_image in [(at, False) for at in pings] + [(at, True) for at in images]:
        there = START + begin + ways[0](dice)
        onset = there + dice.uniform(5, 60) if is_image else float("nan")
        yield there + ways[1](dice), START + begin, there, onset


def play(seed: int, line: str, clock: Clock) -> tuple[Outcome, Outcome]:
    """A session: what is told while it runs, and what the report makes of it."""
    live, report = Outcome(), Outcome()
    measurements, readings, arrived = Measurements(), [], []
    for back, begin, there, onset in sorted(happenings(Random(seed), LINES[line], clock)):
        theirs = there + clock.ahead(there)
        readings.append(Reading.by_evaluator(begin, theirs, theirs, back))
        if onset != onset:
            remark = measurements.ponged(Pong(0, begin, theirs, theirs), back)
        else:
            remark, latency = measurements.acked(begin, theirs, back)
            live.add(latency, latency.bound, there - begin)
            since = measurements.since(begin, onset + clock.ahead(onset))
            assert since is not None
            live.add(since, since.bound, onset - begin)
            arrived.append((begin, there))
        if isinstance(remark, Stepped):
            live.steps.append(remark.by)
    history = OffsetHistory(readings)
    for begin, there in arrived:
        estimate = history.to_evaluator(there + clock.ahead(there), begin, begin)
        assert estimate is not None
        report.add(estimate.at, estimate.bound, there)
    return live, report


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    "clock",
    [
        Clock(20e-6),
        Clock(500e-6),
        Clock(-500e-6),
        Clock(20e-6, slew=20),
        Clock(-90e-6, slew=-20),
    ],
    ids=str,
)
def test_every_figure_lies_within_its_bound(line: str, clock: Clock) -> None:
    played = [play(seed, line, clock) for seed in range(SEEDS)]
    for name, outcomes in zip(("live", "report"), zip(*played, strict=True), strict=True):
        told, outside = sum(one.told for one in outcomes), sum(one.outside for one in outcomes)
        print(f"{line}, {clock}: {name}: {outside} of {told} outside")
        assert outside == 0
    # What is steady is no step, however fast; nor is a slew that the line hides in the bounds.
    steps = [by for live, _ in played for by in live.steps]
    assert not steps or clock.slew


@pytest.mark.parametrize("slew", [20.0, -20.0, 50.0])
@pytest.mark.parametrize("line", ["LAN", "as quick each time"])
def test_a_slew_that_adds_up_is_told_as_a_clock_that_was_set(line: str, slew: float) -> None:
    for seed in range(SEEDS):
        live, _ = play(seed, line, Clock(20e-6, slew))
        assert live.steps
        assert all((by > 0) is (slew > 0) for by in live.steps)
        assert abs(slew) / 2 < abs(sum(live.steps)) < abs(slew) * 1.5
