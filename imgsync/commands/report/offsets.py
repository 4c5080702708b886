"""How far the client's clock was ahead of the evaluator's at any time of a session, afterwards.

Each message bounds the offset from one side, and is a cone that widens into the past and into the
future, as steep as the clocks may have run off then (`core.channel.drift` has the reasoning):

    at most    V    V  V  V     the true offset runs below all of these, which stand on their tips,
    at least    A A    A   A    and above all of those, which hang from theirs

The middle between the two is the estimate, and half of what is between them is how wrong it can be.
While a session runs, `core.channel.clocks` takes the latest messages. Here all of them count, those
that came later too, and how a clock ran is known of each time by those before it and after it. As
the cones are equally steep at any one time, two sweeps over the sorted messages are enough: n log n
for all, log n for each question.

A pair of messages that contradicts those before it means that a clock was set: a new span begins,
and what is known of one span says nothing about another. A time at which the clock may have been
set, or not yet, has the bounds of both. Nothing here reads a clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import attrs

from imgsync.core.channel.drift import Offset, Proof, Rates, Reading, Readings, offset_between
from imgsync.core.protocol.numbers import PROBE_SPAN


@attrs.frozen
class Estimate:
    """A time on the evaluator's clock; the true one lies within `bound` of it. Both ms.

    :param drift: what the client's clock may have gained or lost then in all of the time.
    """

    at: float
    bound: float
    drift: float

    @property
    def earliest(self) -> float:
        return self.at - self.bound

    @property
    def latest(self) -> float:
        return self.at + self.bound

    def hull(self, other: "Estimate") -> "Estimate":
        """What holds if one of the two does."""
        earliest, latest = min(self.earliest, other.earliest), max(self.latest, other.latest)
        drift = max(self.drift, other.drift)
        return Estimate(at=(earliest + latest) / 2, bound=(latest - earliest) / 2, drift=drift)


class Span:
    """A stretch of time in which no clock was set.

    :param proofs: what each reading proves of how the client's clock ran, with those before it.
    """

    def __init__(self, readings: Sequence[Reading], proofs: Sequence[Proof]) -> None:
        self._readings = readings
        #: When its first and its last reading were complete; evaluator's clock.
        self.begin = readings[0].end
        self.end = readings[-1].end
        self._ends = [reading.end for reading in readings]
        self._rates = _rates_at(self._ends, proofs)
        told = list(zip(readings, self._rates, strict=True))
        self._most = _Cones(
            [_Tip(one.most_at, one.most, rates.highest, -rates.lowest) for one, rates in told]
        )
        # The lower side is the upper one upside down.
        self._least = _Cones(
            [_Tip(one.least_at, -one.least, -rates.lowest, rates.highest) for one, rates in told]
        )

    def at(self, time: float) -> Offset:
        """The offset at this time of the evaluator's clock, inside the span or not."""
        return offset_between(self.least_at(time), self.most_at(time))

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
        # of the error before: of a minute, over a session of three hours, a few us after four.
        here = self.begin
        for _ in range(4):
            offset = self.at(here)
            here = time - offset.value
        after = bisect_right(self._ends, here)
        drift = max(one.fastest for one in self._rates[max(after - 1, 0) : after + 1])
        return Estimate(at=here, bound=offset.bound * (1 + drift), drift=drift)


@attrs.frozen
class _Tip:
    """Of a cone.

    :param low: how high it stands.
    :param rise: how steep the cone is on its later side, about here.
    :param fall: and on its earlier one.
    """

    time: float
    low: float
    rise: float
    fall: float


class _Cones:
    """The lowest of many cones, given by their tips; they are equally steep at any one time."""

    def __init__(self, tips: Iterable[_Tip]) -> None:
        ordered = sorted(tips, key=lambda tip: (tip.time, tip.low))
        self._times = [tip.time for tip in ordered]
        self._lows = lows = [tip.low for tip in ordered]
        #: Before the first tip, between each two, and after the last one.
        self._rises = [max(a.rise, b.rise) for a, b in _neighbours(ordered)]
        self._falls = [max(a.fall, b.fall) for a, b in _neighbours(ordered)]
        steps = [after - before for before, after in pairwise(self._times)]
        for n, step in enumerate(steps):
            lows[n + 1] = min(lows[n + 1], lows[n] + self._rises[n + 1] * step)
        for n in reversed(range(len(steps))):
            lows[n] = min(lows[n], lows[n + 1] + self._falls[n + 1] * steps[n])

    def lowest(self, time: float) -> float:
        after = bisect_right(self._times, time)
        lowest = float("inf")
        if after > 0:
            elapsed = time - self._times[after - 1]
            lowest = self._lows[after - 1] + self._rises[after] * elapsed
        if after < len(self._times):
            ahead = self._times[after] - time
            lowest = min(lowest, self._lows[after] + self._falls[after] * ahead)
        return lowest


def _neighbours(tips: Sequence[_Tip]) -> Iterable[tuple[_Tip, _Tip]]:
    """Each two; the first and the last one have none on one side."""
    return pairwise([tips[0], *tips, tips[-1]])


def _rates_at(ends: Sequence[float], proofs: Sequence[Proof]) -> list[Rates]:
    """How the clock may have run about each reading: by all that were kept together with it."""
    at_least = [proof.at_least for proof in proofs]
    at_most = [proof.at_most for proof in proofs]
    found = []
    for end in ends:
        first = bisect_left(ends, end - PROBE_SPAN)
        last = bisect_right(ends, end + PROBE_SPAN)
        found.append(Rates.after(max(at_least[first:last]), min(at_most[first:last])))
    return found


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
        self.spans = list(_divide(possible, sorted(breaks)))
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


def _divide(readings: Sequence[Reading], breaks: Sequence[float]) -> Iterator[Span]:
    """What stands together, in the order of time; just as it was noticed while the session ran."""
    known, together, proofs, before = Readings(), list[Reading](), list[Proof](), 0.0
    for reading in readings:
        is_broken = bisect_right(breaks, before) != bisect_right(breaks, reading.end)
        proof = known.prove(reading)
        if together and (is_broken or proof.contradicts(known.rates)):
            yield Span(together, proofs)
            known, together, proofs = Readings(), [], []
            proof = known.prove(reading)
        known.add(reading, proof)
        proofs.append(proof)
        together.append(reading)
        before = reading.end
    if together:
        yield Span(together, proofs)
