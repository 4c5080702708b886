"""How far our clock is from one that is known in whole seconds, as from HTTP's `Date`.

A server whose `Date` is d stamped it at some time between our sending and our receiving, while its
clock stood between d and d + 1. So its offset from ours lies between d - received and d + 1 - sent.
Several probes, spread over a second, narrow that to little more than what a round trip takes.
"""

from collections.abc import Iterable
from email.utils import parsedate_to_datetime

import attrs

from imgsync.core.protocol.errors import ImgsyncError


class WrongDate(ImgsyncError):
    """What stands in `Date` is missing or no date, or the dates contradict each other."""


@attrs.frozen
class Probe:
    """One answer; `sent_at` and `received_at` in seconds since the epoch, on our clock."""

    sent_at: float
    date: str
    received_at: float


@attrs.frozen
class Interval:
    """Where the offset of the other clock from ours lies, in seconds; positive: it is ahead."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The best guess."""
        return (self.low + self.high) / 2

    @property
    def bound(self) -> float:
        """How wrong the guess can be."""
        return (self.high - self.low) / 2

    @property
    def distance(self) -> float:
        """How far from zero it is at least."""
        return max(self.low, -self.high, 0.0)


def clock_offset(probes: Iterable[Probe]) -> Interval:
    """What all probes together say. Raises WrongDate.

    A clock that was set between two of them makes them contradict each other.
    """
    low, high = float("-inf"), float("inf")
    for probe in probes:
        try:
            date = parsedate_to_datetime(probe.date).timestamp()
        except (ValueError, OverflowError):
            raise WrongDate(f"its Date is {probe.date!r}") from None
        low = max(low, date - probe.received_at)
        high = min(high, date + 1 - probe.sent_at)
    if low > high:
        raise WrongDate("its Date went back and forth while we looked")
    return Interval(low, high)
