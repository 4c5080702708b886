"""How far the client's clock was ahead of the evaluator's at any time of a session, afterwards.

A message bounds the offset from one side: none arrives before it was sent. One from the evaluator
says how far the client's clock can be ahead at most, at the moment when it was sent; one from the
client says how far at least, at the moment when it arrived. What was true at one moment is true at
another but for what the clocks may have drifted apart in between (`MAX_DRIFT`), so each message is
a cone that widens into the past and into the future:

    at most    V    V  V  V     the true offset runs below all of these, which stand on their tips,
    at least    A A    A   A    and above all of those, which hang from theirs

The middle between the two is the estimate, and half of what is between them is how wrong it can be.
While a session runs, `core.channel.clocks` takes the one best probe of those that it has seen. Here
all of them count, those that came later too. As the cones are equally steep, two sweeps over the
sorted messages are enough: n log n for all, log n for each question.

A pair of messages that contradicts those before it means that a clock was set: a new span begins,
and what is known of one span says nothing about another. A time at which the clock may have been
set, or not yet, has the bounds of both. Nothing here reads a clock.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs

from imgsync.core.channel.clocks import Offset, resolution_of
from imgsync.core.protocol.numbers import MAX_DRIFT, RESOLUTION


@attrs.frozen
class Reading:
    """A message each way. All `_at` are the evaluator's clock; all are ms.

    :param most: how far the client's clock is ahead at most, as of `most_at`.
    :param least: how far at least, as of `least_at`.
    """

    most_at: float
    most: float
    least_at: float
    least: float

    @classmethod
    def by_evaluator(cls, t0: float, t1: float, t2: float, t3: float) -> "Reading":
        """A probe of the evaluator's, or an image and its ack; t1 and t2 on the client's clock."""
        off = max(resolution_of(t0, t3), resolution_of(t1, t2))
        return cls(most_at=t0, most=t1 - t0 + off, least_at=t3, least=t2 - t3 - off)

    @classmethod
    def by_client(cls, t0: float, t1: float, t2: float, t3: float) -> "Reading":
        """A probe of the client's; t0 and t3 on the client's clock."""
        off = max(resolution_of(t0, t3), resolution_of(t1, t2))
        return cls(most_at=t2, most=t3 - t2 + off, least_at=t1, least=t0 - t1 - off)

    @property
    def end(self) -> float:
        """When all of it was known."""
        return max(self.most_at, self.least_at)

    @property
    def is_possible(self) -> bool:
        """Not so where a clock was set half-way: then a message arrived before it was sent."""
        return self.least <= self.most


@attrs.frozen
class Estimate:
    """A time on the evaluator's clock; the true one lies within `bound` of it. Both ms."""

    at: float
    bound: float

    @property
    def earliest(self) -> float:
        return self.at - self.bound

    @property
    def latest(self) -> float:
        return self.at + self.bound

    def hull(self, other: "Estimate") -> "Estimate":
        """What holds if one of the two does."""
        earliest, latest = min(self.earliest, other.earliest), max(self.latest, other.latest)
        return Estimate(at=(earliest + latest) / 2, bound=(latest - earliest) / 2)


class Span:
    """A stretch of time in which no clock was set."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings
        #: When its first and its last reading were complete; evaluator's clock.
        self.begin = min(reading.end for reading in readings)
        self.end = max(reading.end for reading in readings)
        self._most = _Cones([(reading.most_at, reading.most) for reading in readings])
        # The lower side is the upper one upside down.
        self._least = _Cones([(reading.least_at, -reading.least) for reading in readings])

    def at(self, time: float) -> Offset:
        """The offset at this time of the evaluator's clock, inside the span or not."""
        most, least = self.most_at(time), self.least_at(time)
        # They can cross by a little where a clock drifts more than it should.
        return Offset((most + least) / 2, max(abs(most - least) / 2, RESOLUTION))

    def sure_until(self, later: "Span") -> float:
        """The beginning of the last reading that can't be of the later span."""
        contradicting = [
            min(reading.most_at, reading.least_at)
            for reading in self._readings
            if reading.least > later.most_at(reading.least_at)
            or reading.most < later.least_at(reading.most_at)
        ]
        return max(contradicting, default=self.end)

    def most_at(self, time: float) -> float:
        """How far the client's clock is ahead at most, at this time of the evaluator's."""
        return self._most.lowest(time)

    def least_at(self, time: float) -> float:
        """How far at least."""
        return -self._least.lowest(time)

    def to_evaluator(self, time: float) -> Estimate:
        """What the evaluator's clock said when the client's said this."""
        # The offset to use is that of the moment which is looked for. Each round leaves MAX_DRIFT
        # of the error before: two seconds, over a session of three hours, are nothing after three.
        here = self.begin
        for _ in range(3):
            offset = self.at(here)
            here = time - offset.value
        return Estimate(at=here, bound=offset.bound * (1 + MAX_DRIFT))


class _Cones:
    """The lowest of many equally steep cones, given by their tips."""

    def __init__(self, tips: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(tips)
        self._times = [time for time, _ in ordered]
        self._lows = lows = [low for _, low in ordered]
        steps = [MAX_DRIFT * (after - before) for before, after in pairwise(self._times)]
        for number, step in enumerate(steps):
            lows[number + 1] = min(lows[number + 1], lows[number] + step)
        for number in reversed(range(len(steps))):
            lows[number] = min(lows[number], lows[number + 1] + steps[number])

    def lowest(self, time: float) -> float:
        after = bisect_right(self._times, time)
        neighbours = range(max(after - 1, 0), min(after + 1, len(self._times)))
        return min(
            self._lows[number] + MAX_DRIFT * abs(time - self._times[number])
            for number in neighbours
        )


class OffsetHistory:
    """The offset between the two clocks of a session, at all times.

    :param breaks: when a process was started anew; its clock may be another one since then.
    """

    def __init__(self, readings: Iterable[Reading], breaks: Iterable[float] = ()) -> None:
        possible = sorted(
            (reading for reading in readings if reading.is_possible),
            key=lambda reading: reading.end,
        )
        #: In the order of time.
        self.spans = [Span(group) for group in _divide(possible, sorted(breaks))]
        #: Between each two spans: from when until when the clock may have been set.
        self._windows = [
            (before.sure_until(after), after.begin) for before, after in pairwise(self.spans)
        ]

    def to_evaluator(
        self, time: float, near: float | None = None, not_before: float = float("-inf")
    ) -> Estimate | None:
        """What the evaluator's clock said when the client's said this; None without a reading.

        A clock that was set back says the same time twice. If `near` is given, it is the one that
        is next to it, else the first.

        :param near: a time of the evaluator's clock about then.
        :param not_before: one that it can't have been before.
        """
        possible = {}
        for number in self._numbers(near):
            found = self.spans[number].to_evaluator(time)
            begin = self._windows[number - 1][0] if number > 0 else float("-inf")
            end = self._windows[number][1] if number < len(self._windows) else float("inf")
            if found.latest >= max(begin, not_before) and found.earliest <= end:
                possible[number] = found
        if not possible:
            return None
        if near is None:
            best = min(possible)
        else:
            best = min(possible, key=lambda number: abs(possible[number].at - near))
        estimate = possible[best]
        for other in (best - 1, best + 1):
            if other in possible and self._is_between(best, other, possible):
                estimate = estimate.hull(possible[other])
        return estimate

    def _numbers(self, near: float | None) -> range:
        """Of the spans that come into question: where there are many, those about `near`."""
        if near is None:
            return range(len(self.spans))
        after = bisect_right(self.spans, near, key=lambda span: span.begin)
        return range(max(after - 2, 0), min(after + 2, len(self.spans)))

    def _is_between(self, one: int, other: int, found: dict[int, Estimate]) -> bool:
        """Whether a time is so close to the setting of a clock that it may be on either side."""
        begin, end = self._windows[min(one, other)]
        return all(
            found[number].latest >= begin and found[number].earliest <= end
            for number in (one, other)
        )


def _divide(readings: Sequence[Reading], breaks: Sequence[float]) -> list[list[Reading]]:
    """What stands together, in the order of time."""
    groups: list[list[Reading]] = []
    most = least = before = 0.0
    for reading in readings:
        now = reading.end
        is_broken = bisect_right(breaks, before) != bisect_right(breaks, now)
        step = MAX_DRIFT * (now - before)
        here_most = reading.most + MAX_DRIFT * (now - reading.most_at)
        here_least = reading.least - MAX_DRIFT * (now - reading.least_at)
        most, least, before = most + step, least - step, now
        if not groups or is_broken or here_most < least or here_least > most:
            groups.append([])
            most, least = here_most, here_least
        groups[-1].append(reading)
        most, least = min(most, here_most), max(least, here_least)
    return groups
