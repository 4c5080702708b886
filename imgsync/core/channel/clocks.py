"""The offset between two clocks, with a bound that the true one lies inside.

A message there and one back carry four times: t0 and t3 of our clock, t1 and t2 of theirs.

    ours    t0 ────┐                 ┌──▶ t3
    theirs         └──▶ t1 ─── t2 ───┘

What these say is in `core.channel.drift`. A probe that contradicts the others means that a clock
was set, or has begun to run off faster than was seen; those before it say nothing any more. Nor do
they on a new connection, once it has a probe of its own: behind it there may be another process,
with another clock.

What slews a clock slowly contradicts no probe, and every bound holds; it is told as a step once it
has added up: when the clock has moved further than it would have, as it ran before.

A ping and its pong are a probe, and so are an image and its ack. All times are milliseconds;
nothing here reads a clock.
"""

import math
from typing import Self

import attrs

from imgsync.core.channel.drift import Offset, Reading, Readings
from imgsync.core.protocol.channel import Pong
from imgsync.core.protocol.numbers import (
    COARSE,
    MAX_DRIFT,
    RESOLUTION,
    SLEW,
    SLEW_SPAN,
    STEADY_DRIFT,
)
from imgsync.core.protocol.signalling import Milliseconds


@attrs.frozen
class Probe:
    """What one message there and one back have measured; t0 and t3 on our clock."""

    t0: float
    t1: float
    t2: float
    t3: float

    @property
    def round_trip(self) -> float:
        """Time on the way, both ways together."""
        return (self.t3 - self.t0) - (self.t2 - self.t1)

    @property
    def offset(self) -> float:
        """How far their clock is ahead of ours, if both ways take as long."""
        return ((self.t1 - self.t0) + (self.t2 - self.t3)) / 2


class Bounded(float):
    """Milliseconds that were measured across two clocks.

    :param bound: the true value lies within this of it.
    """

    __slots__ = ("bound",)
    bound: float

    def __new__(cls, value: float, bound: float) -> Self:
        """See the class."""
        bounded = super().__new__(cls, value)
        bounded.bound = bound
        return bounded

    def within(self, low: float, high: float) -> "Bounded":
        """The same, once it is known besides that the true value lies between these two."""
        least, most = max(self - self.bound, low), min(self + self.bound, high)
        return Bounded((least + most) / 2, max((most - least) / 2, RESOLUTION))

    def widened(self, by: float) -> "Bounded":
        """The same of something that is by so much less sure."""
        return Bounded(self, self.bound + by)

    def __repr__(self) -> str:
        """Both of it."""
        return f"{float(self)!r} ± {self.bound!r}"


@attrs.frozen
class Stepped:
    """One of the two clocks was set between two probes.

    :param by: how much further ahead theirs is now, about.
    """

    by: float


@attrs.frozen
class Refused:
    """A probe can't be true: it says that an answer left before its question came."""

    round_trip: float


Remark = Stepped | Refused
"""What is remarkable about a probe."""


@attrs.frozen
class _Stretch:
    """From a moment until now."""

    since: float
    begin: Offset

    def passed(self, here: "_Stretch") -> tuple[float, float, float]:
        """How long it took, how far their clock has gained meanwhile, and how wrong that can be."""
        gained = here.begin.value - self.begin.value
        return here.since - self.since, gained, self.begin.bound + here.begin.bound


class Pace:
    """How their clock runs against ours, by what was known of the offset from time to time."""

    def __init__(self) -> None:
        #: Their gain in all of our time, and how wrong that can be: at first, anything.
        self._rate = 0.0
        self._spread = MAX_DRIFT
        #: In which its pace is being learned.
        self._learning: _Stretch | None = None
        #: Since the last step, or what was learned last.
        self._telling: _Stretch | None = None

    def begin_anew(self) -> None:
        """What comes now is no sequel to what was known."""
        self._learning = self._telling = None

    def look(self, now: float, offset: Offset) -> Stepped | None:
        """The offset is this now: whether it can't have come about as it did before."""
        here = _Stretch(now, offset)
        if self._learning is None or self._telling is None:
            self._learning = self._telling = here
            return None
        elapsed, gained, unsure = self._telling.passed(here)
        by = gained - self._rate * elapsed
        is_slewed = abs(by) > unsure + SLEW + self._spread * elapsed
        if self._learn(self._learning, here) or is_slewed:
            self._telling = here
        return Stepped(by) if is_slewed else None

    def _learn(self, learning: _Stretch, here: _Stretch) -> bool:
        """Whether a stretch is over."""
        elapsed, gained, unsure = learning.passed(here)
        is_first = self._spread == MAX_DRIFT
        is_clear = unsure <= STEADY_DRIFT * elapsed
        if elapsed < SLEW_SPAN and not (is_first and is_clear):
            return False
        spread = unsure / elapsed + STEADY_DRIFT
        if spread < MAX_DRIFT:
            # Slowly: a slew passes.
            share = 1.0 if is_first else 0.25
            self._rate += share * (gained / elapsed - self._rate)
            self._spread += share * (spread - self._spread)
        self._learning = here
        return True


class ClockOffset:
    """What probes say of the other side's clock."""

    def __init__(self) -> None:
        self._readings = Readings()
        #: Of the connection before this one.
        self._earlier = Readings()
        self._pace = Pace()

    def reconnected(self) -> None:
        """What comes from now on may be of another process than what came before."""
        if self._readings.end is not None:
            self._earlier, self._readings = self._readings, Readings()
        self._pace.begin_anew()

    def add(self, probe: Probe) -> Remark | None:
        """One more probe, in the order of t3; what is remarkable about it."""
        reading = Reading.by_us(probe.t0, probe.t1, probe.t2, probe.t3)
        if not reading.is_possible or probe.t2 < probe.t1:
            return Refused(probe.round_trip)
        if not self._readings.is_news(reading):
            return None
        proof = self._readings.prove(reading)
        for known, found in (
            (self._readings, proof),
            (self._earlier, self._earlier.prove(reading)),
        ):
            if not found.contradicts(known.rates):
                continue
            before = known.at(probe.t3)
            assert before is not None  # none before the first contradicts nothing
            self._earlier, self._readings = Readings(), Readings()
            self._readings.add(reading, self._readings.prove(reading))
            self._pace.begin_anew()
            return Stepped(probe.offset - before.value)
        self._readings.add(reading, proof)
        here = self._readings.at(probe.t3)
        assert here is not None
        return self._pace.look(probe.t3, here)

    def at(self, now: float) -> Offset | None:
        """The offset at this time of ours, before or after the probes; None before the first."""
        return self._known.at(now)

    def to_ours(self, theirs: float) -> Bounded | None:
        """A time of theirs on our clock; None before the first probe."""
        known = self._known
        here, bound = known.end, math.nan
        if here is None:
            return None
        # The offset to use is that of the moment which is looked for: each round comes closer.
        for _ in range(3):
            offset = known.at(here)
            assert offset is not None
            here, bound = theirs - offset.value, offset.bound
        return Bounded(here, bound * (1 + known.rates.fastest))

    def since(self, ours: float, theirs: float) -> Bounded | None:
        """How long after a time of ours a time of theirs was; None before the first probe."""
        here = self.to_ours(theirs)
        return None if here is None else Bounded(here - ours, here.bound)

    @property
    def _known(self) -> Readings:
        return self._earlier if self._readings.end is None else self._readings


class Measurements:
    """Of one session; they outlive connections, as the two peers' clocks do."""

    def __init__(self) -> None:
        self._clock = ClockOffset()

    def connected(self) -> None:
        """A channel is open; on its other side may be another process, with another clock."""
        self._clock.reconnected()

    def ponged(self, pong: Pong, at: Milliseconds) -> Remark | None:
        """A ping of ours was answered, and the answer came in at this time of ours."""
        return self._clock.add(Probe(pong.t0, pong.t1, pong.t2, at))

    def acked(
        self, sent_at: Milliseconds, received_at: Milliseconds, at: Milliseconds
    ) -> tuple[Remark | None, Bounded]:
        """The ack of an image came in at this time of ours. How long the image took to the client.

        :param received_at: when it came in there, on the client's clock.
        """
        # When the ack left is not told: it is taken as if it had left at once.
        remark = self._clock.add(Probe(sent_at, received_at, received_at, at))
        round_trip = at - sent_at
        latency = self._clock.since(sent_at, received_at)
        if latency is None:  # the two clocks contradict each other
            latency = Bounded(round_trip / 2, round_trip / 2 + COARSE)
        return remark, latency.within(0, round_trip)

    def since(self, ours: Milliseconds, theirs: Milliseconds) -> Bounded | None:
        """How long after a time of ours a time of theirs was; None where nothing is known."""
        return self._clock.since(ours, theirs)
