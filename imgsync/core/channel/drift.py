"""What messages say of the offset between two clocks, and of how fast it changes.

No message arrives before it was sent. So one from us says how far the other clock is ahead at most,
as of when it left; one to us says how far at least, as of when it came in. That is so however the
clocks run. What holds at one moment holds at another but for what the clocks have drifted apart in
between: each of these is the tip of a cone, and the true offset runs below all cones of the one
kind and above all of the other.

How steep the cones have to be is found out. If a message says "at most 3 ms", and one that comes in
ten seconds later "at least 23 ms", the other clock has at some time gained at least 2,000 ppm; and
in the same way, at some time, at most so much. A clock that runs steadily, however fast, does so
between the highest of the first and the lowest of the second; one that does not has run at both.
That is what was seen of late. It may be slewed besides, by as much as NTP does. So quick
lines know soon how a clock runs, and slow ones, whose bounds are wide anyway, allow for more.

What is faster than was seen so far, or than MAX_DRIFT, is a contradiction: a clock was set, or has
begun to be slewed that fast. All times are milliseconds, and rates are theirs in all of our time.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Self

import attrs

from imgsync.core.protocol.numbers import (
    COARSE,
    MAX_DRIFT,
    PROBE_SPAN,
    PROBE_WINDOW,
    PROBES_AT_LEAST,
    RESOLUTION,
    SLEWED,
    STEADY_DRIFT,
)

_AT_ONCE = 1e-9
"""Milliseconds, in place of none: what changes in no time was set."""


def resolution_of(*times: float) -> float:
    """How coarse a clock is, by times that it has told."""
    return RESOLUTION if any(time % 1 for time in times) else COARSE


@attrs.frozen
class Offset:
    """How far their clock is ahead of ours.

    :param bound: the true offset lies within this of `value`; never zero.
    """

    value: float
    bound: float


@attrs.frozen
class Reading:
    """A message each way. Both `_at` are our clock.

    :param most: how far their clock is ahead at most, as of `most_at`.
    :param least: how far at least, as of `least_at`.
    """

    most_at: float
    most: float
    least_at: float
    least: float

    @classmethod
    def by_us(cls, t0: float, t1: float, t2: float, t3: float) -> Self:
        """A probe of ours, or an image and its ack; t1 and t2 on their clock."""
        off = max(resolution_of(t0, t3), resolution_of(t1, t2))
        return cls(most_at=t0, most=t1 - t0 + off, least_at=t3, least=t2 - t3 - off)

    @classmethod
    def by_them(cls, t0: float, t1: float, t2: float, t3: float) -> Self:
        """A probe of theirs; t0 and t3 on their clock."""
        off = max(resolution_of(t0, t3), resolution_of(t1, t2))
        return cls(most_at=t2, most=t3 - t2 + off, least_at=t1, least=t0 - t1 - off)

    @property
    def end(self) -> float:
        """When all of it was known."""
        return max(self.most_at, self.least_at)

    @property
    def is_possible(self) -> bool:
        """Not so where a clock was set half-way: then a message arrived before it was sent."""
        return self.least - self.most <= MAX_DRIFT * abs(self.least_at - self.most_at)


@attrs.frozen
class Rates:
    """What their clock may gain at any time; the first is below zero, the second above it."""

    lowest: float = -MAX_DRIFT
    highest: float = MAX_DRIFT

    @classmethod
    def after(cls, at_least: float, at_most: float) -> Self:
        """It was seen to run at least so fast at some time, and at most so fast at some time."""
        return cls(
            max(min(at_least, at_most, -STEADY_DRIFT) - SLEWED, -MAX_DRIFT),
            min(max(at_least, at_most, STEADY_DRIFT) + SLEWED, MAX_DRIFT),
        )

    @property
    def fastest(self) -> float:
        """Of both ways."""
        return max(self.highest, -self.lowest)


@attrs.frozen
class Proof:
    """What a reading and those before it prove of how their clock runs.

    :param at_least: at some time in between it gained at least so much.
    :param at_most: and at some time at most so much.
    """

    at_least: float
    at_most: float

    @classmethod
    def of(cls, before: Iterable[Reading], reading: Reading) -> Self:
        """By each of those and this one."""
        at_least, at_most = -MAX_DRIFT, MAX_DRIFT
        for one in before:
            elapsed = reading.least_at - one.most_at or _AT_ONCE
            rate = (reading.least - one.most) / elapsed
            if elapsed > 0:
                if rate > at_least:
                    at_least = rate
            elif rate < at_most:  # they overlap
                at_most = rate
            elapsed = reading.most_at - one.least_at or _AT_ONCE
            rate = (reading.most - one.least) / elapsed
            if elapsed > 0:
                if rate < at_most:
                    at_most = rate
            elif rate > at_least:
                at_least = rate
        return cls(at_least, at_most)

    def contradicts(self, rates: Rates) -> bool:
        """Whether a clock that runs like that must have been set in between."""
        return self.at_least > rates.highest or self.at_most < rates.lowest


class Readings:
    """The latest ones of two clocks none of which was set meanwhile."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque()
        #: One for each.
        self._proofs: deque[Proof] = deque()
        #: How their clock may run, as far as is known by now.
        self.rates = Rates()

    @property
    def end(self) -> float | None:
        """When the last one was known; None before the first."""
        return self._readings[-1].end if self._readings else None

    def prove(self, reading: Reading) -> Proof:
        """What this one, the latest, proves with those before of the time since the first."""
        return Proof.of(self._readings, reading)

    def add(self, reading: Reading, proof: Proof) -> None:
        """One more, in the order of their ends, with what it proves."""
        self._readings.append(reading)
        self._proofs.append(proof)
        while self._is_full(reading.end):
            self._readings.popleft()
            self._proofs.popleft()
        self.rates = Rates.after(
            max(one.at_least for one in self._proofs), min(one.at_most for one in self._proofs)
        )

    def __len__(self) -> int:
        return len(self._readings)

    def at(self, now: float) -> Offset | None:
        """The offset at this time of ours, before or after the readings; None before the first."""
        if not self._readings:
            return None
        low, high = self.rates.lowest, self.rates.highest
        least, most = -math.inf, math.inf
        # Looked for several times with each image, of up to PROBE_WINDOW readings: max() and min()
        # would have it take twice as long.
        for one in self._readings:
            elapsed = now - one.least_at
            bound = one.least + (low if elapsed > 0 else high) * elapsed
            if bound > least:
                least = bound
            elapsed = now - one.most_at
            bound = one.most + (high if elapsed > 0 else low) * elapsed
            if bound < most:
                most = bound
        return offset_between(least, most)

    def _is_full(self, now: float) -> bool:
        count = len(self._readings)
        is_old = self._readings[0].end < now - PROBE_SPAN
        return count > PROBE_WINDOW or (is_old and count > PROBES_AT_LEAST)


def offset_between(least: float, most: float) -> Offset:
    """In the middle of the two."""
    # They can cross a little, where a clock has run faster than was seen.
    return Offset((most + least) / 2, max(abs(most - least) / 2, RESOLUTION))
