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

Of readings that come one soon after the other, in one cell of time, those two messages are kept
that say most of what comes later. One that says less than they do proves nothing either, and costs
the same however many are kept; so a thousand acks a second are worth a look each, and no more.

What is faster than was seen so far, or than MAX_DRIFT, is a contradiction: a clock was set, or has
begun to be slewed that fast. All times are milliseconds, and rates are theirs in all of our time.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Self

import attrs

from imgsync.core.protocol.numbers import (
    CELLS_OF_ALL,
    COARSE,
    LONGEST_CELL,
    MAX_DRIFT,
    NO_NEWS,
    PROBE_SPAN,
    PROBES_AT_LEAST,
    RESOLUTION,
    SHORTEST_CELL,
    SLEWED,
    STEADY_DRIFT,
)

_AT_ONCE = 1e-9
"""Milliseconds, in place of none: what changes in no time was set."""


def resolution_of(*times: float) -> float:
    """How coarse a clock is, by times that it has told."""
    for time in times:
        if time % 1:
            return RESOLUTION
    return COARSE


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

    def and_also(self, other: Self) -> "Proof":
        """What both prove."""
        return Proof(max(self.at_least, other.at_least), min(self.at_most, other.at_most))

    def contradicts(self, rates: Rates) -> bool:
        """Whether a clock that runs like that must have been set in between."""
        return self.at_least > rates.highest or self.at_most < rates.lowest


@attrs.frozen
class _Closed:
    """What all cells but the last say together of any time behind them.

    :param until: when the last of their messages came or left.
    """

    until: float = -math.inf
    least: float = -math.inf
    most: float = math.inf


class Readings:
    """The latest ones of two clocks none of which was set meanwhile; one in each cell."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque()
        #: One for each, of all in its cell.
        self._proofs: deque[Proof] = deque()
        #: When the first of all came, and the first one of the last cell.
        self._first = self._begun = -math.inf
        #: Until the cells or the rates are others.
        self._closed: _Closed | None = None
        #: How their clock may run, as far as is known by now.
        self.rates = Rates()

    @property
    def end(self) -> float | None:
        """When the last one was known; None before the first."""
        return self._readings[-1].end if self._readings else None

    def is_news(self, reading: Reading) -> bool:
        """Whether this one, the latest, can prove something, or narrow a bound of later times."""
        return not self._is_in_last(reading.end) or any(self._betters(reading, NO_NEWS))

    def prove(self, reading: Reading) -> Proof:
        """What this one, the latest, proves with those before of the time since the first."""
        return Proof.of(self._readings, reading)

    def add(self, reading: Reading, proof: Proof) -> None:
        """One more, in the order of their ends, with what it proves."""
        if self._is_in_last(reading.end):
            self._fold(reading, proof)
        else:
            self._begin_cell(reading, proof)
        rates = Rates.after(
            max(one.at_least for one in self._proofs), min(one.at_most for one in self._proofs)
        )
        if rates != self.rates:
            self.rates, self._closed = rates, None

    def __len__(self) -> int:
        return len(self._readings)

    def at(self, now: float) -> Offset | None:
        """The offset at this time of ours, before or after the readings; None before the first."""
        if not self._readings:
            return None
        low, high = self.rates.lowest, self.rates.highest
        least, most = -math.inf, math.inf
        looked_at: Iterable[Reading] = self._readings
        closed = self._closed = self._closed or self._close()
        if now >= closed.until:
            elapsed = now - closed.until
            least, most = closed.least + low * elapsed, closed.most + high * elapsed
            looked_at = (self._readings[-1],)
        # Looked for several times with each image: max() and min() would take twice as long.
        for one in looked_at:
            elapsed = now - one.least_at
            bound = one.least + (low if elapsed > 0 else high) * elapsed
            if bound > least:
                least = bound
            elapsed = now - one.most_at
            bound = one.most + (high if elapsed > 0 else low) * elapsed
            if bound < most:
                most = bound
        return offset_between(least, most)

    # ── cells ────────────────────────────────────────────────────────────────────────────────────

    def _is_in_last(self, end: float) -> bool:
        # Short ones at first, as from one to the next the rates are learned.
        length = min(max((end - self._first) / CELLS_OF_ALL, SHORTEST_CELL), LONGEST_CELL)
        return end < self._begun + length

    def _betters(self, reading: Reading, by: float = 0.0) -> tuple[bool, bool]:
        """Whether it says more of later times than the last cell: at most, and at least."""
        last, rates = self._readings[-1], self.rates
        most = last.most + rates.highest * (reading.most_at - last.most_at)
        least = last.least + rates.lowest * (reading.least_at - last.least_at)
        return reading.most < most - by, reading.least > least + by

    def _fold(self, reading: Reading, proof: Proof) -> None:
        is_most, is_least = self._betters(reading)
        most = reading if is_most else self._readings[-1]
        least = reading if is_least else self._readings[-1]
        self._readings[-1] = Reading(most.most_at, most.most, least.least_at, least.least)
        self._proofs[-1] = self._proofs[-1].and_also(proof)

    def _begin_cell(self, reading: Reading, proof: Proof) -> None:
        if not self._readings:
            self._first = reading.end
        self._begun = reading.end
        self._readings.append(reading)
        self._proofs.append(proof)
        self._closed = None
        while len(self) > PROBES_AT_LEAST and self._readings[0].end < reading.end - PROBE_SPAN:
            self._readings.popleft()
            self._proofs.popleft()

    def _close(self) -> _Closed:
        closed = list(self._readings)[:-1]
        until = max((one.end for one in closed), default=-math.inf)
        low, high = self.rates.lowest, self.rates.highest
        return _Closed(
            until,
            max((one.least + low * (until - one.least_at) for one in closed), default=-math.inf),
            min((one.most + high * (until - one.most_at) for one in closed), default=math.inf),
        )


def offset_between(least: float, most: float) -> Offset:
    """In the middle of the two."""
    # They can cross a little, where a clock has run faster than was seen.
    return Offset((most + least) / 2, max(abs(most - least) / 2, RESOLUTION))
