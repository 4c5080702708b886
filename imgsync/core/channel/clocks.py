"""The offset between two clocks, with a bound that the true one lies inside.

A message there and one back carry four times: t0 and t3 of our clock, t1 and t2 of theirs.

    ours    t0 ────┐                 ┌──▶ t3
    theirs         └──▶ t1 ─── t2 ───┘

No message arrives before it was sent. So their clock is at most t1 - t0 ahead of ours, and at least
t2 - t3: the middle of the two is the best guess, and half the round trip is how wrong it can be,
however unlike the two ways are. Of all probes in a window the one decides whose bound is narrowest
by now, as each is widened with its age by what two clocks may drift apart meanwhile.

What slews a clock contradicts no probe, and every bound holds; it is told as a step once it has
added up: when the clock has moved further than it would have, as it ran before.

A probe that contradicts the others means that one of the clocks was set; those before it say
nothing any more. Nor do they on a new connection, once it has a probe of its own: behind it there
may be another process, with another clock. A ping and its pong are a probe, and so are an image and
its ack. All times are milliseconds; nothing here reads a clock.
"""

import math
from collections import deque
from collections.abc import Iterable
from itertools import chain
from typing import Self

import attrs

from imgsync.core.protocol.channel import Pong
from imgsync.core.protocol.numbers import (
    COARSE,
    MAX_DRIFT,
    PROBE_WINDOW,
    RESOLUTION,
    SLEW,
    SLEW_SPAN,
    STEADY_DRIFT,
)
from imgsync.core.protocol.signalling import Milliseconds


def resolution_of(*times: float) -> float:
    """How coarse a clock is, by times that it has told."""
    return RESOLUTION if any(time % 1 for time in times) else COARSE


@attrs.frozen
class Probe:
    """What one message there and one back have measured; t0 and t3 on our clock."""

    t0: float
    t1: float
    t2: float
    t3: float
    #: How wrong the offset is at most, but for its age; read for all probes at each image.
    _width: float = attrs.field(init=False, repr=False, eq=False)

    @_width.default
    def _measure_width(self) -> float:
        return self.round_trip / 2 + self.resolution

    @property
    def round_trip(self) -> float:
        """Time on the way, both ways together."""
        return (self.t3 - self.t0) - (self.t2 - self.t1)

    @property
    def offset(self) -> float:
        """How far their clock is ahead of ours, if both ways take as long."""
        return ((self.t1 - self.t0) + (self.t2 - self.t3)) / 2

    @property
    def resolution(self) -> float:
        """That of the coarser of the two clocks."""
        return max(resolution_of(self.t0, self.t3), resolution_of(self.t1, self.t2))

    def bound_at(self, now: float) -> float:
        """How wrong that is at most, at this time of ours."""
        # It was true at some time in between; the other end is the one that is further away.
        return self._width + MAX_DRIFT * max(now - self.t0, self.t3 - now)


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
class Offset:
    """How far their clock is ahead of ours.

    :param bound: the true offset lies within this of `value`; never zero.
    """

    value: float
    bound: float


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


class Pace:
    """How their clock runs against ours, by what was known of the offset from time to time."""

    def __init__(self) -> None:
        #: Their gain in all of our time, and how wrong that can be: in the first stretch, anything.
        self._rate = 0.0
        self._spread = MAX_DRIFT
        #: When the stretch began, and what the offset was then.
        self._since = 0.0
        self._begin: Offset | None = None

    def begin_anew(self) -> None:
        """What comes now is no sequel to what was known."""
        self._begin = None

    def look(self, now: float, offset: Offset) -> Stepped | None:
        """The offset is this now: whether it can't have come about as it did before."""
        begin, elapsed = self._begin, now - self._since
        if begin is None:
            self._since, self._begin = now, offset
            return None
        moved, unsure = offset.value - begin.value, begin.bound + offset.bound
        by = moved - self._rate * elapsed
        is_slewed = abs(by) > unsure + SLEW + self._spread * elapsed
        if not is_slewed and elapsed < SLEW_SPAN:
            return None
        spread = unsure / elapsed + STEADY_DRIFT
        if spread < MAX_DRIFT:
            # Slowly: of a slew that has only begun, most is still to be noticed, and it passes.
            share = 1.0 if self._spread == MAX_DRIFT else 0.125 if is_slewed else 0.25
            self._rate += share * (moved / elapsed - self._rate)
            self._spread += share * (spread - self._spread)
        self._since, self._begin = now, offset
        return Stepped(by) if is_slewed else None


class ClockOffset:
    """What probes say of the other side's clock."""

    def __init__(self) -> None:
        self._probes: deque[Probe] = deque(maxlen=PROBE_WINDOW)
        #: Of connections before this one.
        self._earlier: deque[Probe] = deque(maxlen=PROBE_WINDOW)
        self._pace = Pace()

    def reconnected(self) -> None:
        """What comes from now on may be of another process than what came before."""
        self._earlier += self._probes
        self._probes.clear()
        self._pace.begin_anew()

    def add(self, probe: Probe) -> Remark | None:
        """One more probe, in the order of t3; what is remarkable about it."""
        if probe.round_trip < -2 * probe.resolution or probe.t2 < probe.t1:
            return Refused(probe.round_trip)
        known = _best(chain(self._earlier, self._probes), probe.t3)
        self._probes.append(probe)
        by = 0.0 if known is None else probe.offset - known.value
        if known is not None and abs(by) > known.bound + probe.bound_at(probe.t3):
            self._earlier.clear()
            self._probes.clear()
            self._probes.append(probe)
            self._pace.begin_anew()
            return Stepped(by)
        here = self.at(probe.t3)
        return None if here is None else self._pace.look(probe.t3, here)

    def at(self, now: float) -> Offset | None:
        """The offset at this time of ours, before or after the probes; None before the first."""
        return _best(self._probes or self._earlier, now)

    def to_ours(self, theirs: float) -> Bounded | None:
        """A time of theirs on our clock; None before the first probe."""
        rough = self.at(theirs)
        if rough is None:
            return None
        # The offset was looked up for a time of theirs; what matters is when that was here.
        offset = self.at(theirs - rough.value)
        assert offset is not None
        return Bounded(theirs - offset.value, offset.bound)

    def since(self, ours: float, theirs: float) -> Bounded | None:
        """How long after a time of ours a time of theirs was; None before the first probe."""
        here = self.to_ours(theirs)
        return None if here is None else Bounded(here - ours, here.bound)


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


def _best(probes: Iterable[Probe], now: float) -> Offset | None:
    best, narrowest = None, math.inf
    for probe in probes:
        # As `bound_at` has it, which would be called some two hundred times for each image.
        since, until = now - probe.t0, probe.t3 - now
        bound = probe._width + MAX_DRIFT * (since if since > until else until)
        if best is None or bound < narrowest:
            best, narrowest = probe, bound
    return None if best is None else Offset(best.offset, narrowest)
