"""When what was sent and is not acknowledged is sent again.

    IDLE ── sent ──▶ WAITING ── 2 round trips ──▶ PROBED ── 4, 8 ... ──▶ TIMED OUT ── twice that ...
     ▲                  ▲ └ no round trip known ─────── 1 s ───────────────▶ ┘ │
     │                  └──────────── some of it is acknowledged ──────────────┤
     └──────────────────────────────── all of it is acknowledged ──────────────┘

A loss shows by what is acknowledged behind it. Behind the last message there is nothing, and with
an image a second each is the last one; so the last packet is sent once more, soon, as a probe
(RFC 8985, section 7). That takes nothing for congestion: it may well be the acknowledgement that is
late, and what the probe brings in shows what is lost before it. A probe may be lost like anything
else, so another comes after twice the time, as with QUIC (RFC 9002, section 6.2). Where the next
would be no sooner than the retransmission timer (RFC 9260, section 6.3), it is that timer's turn;
its least is lower than there.

A round trip is measured on what was sent once alone, and what was made longer, as no answer came,
stays so until the round trip is known again (Karn's algorithm): otherwise a path that has become
slow would have all sent twice for ever, and never be measured. That holds for probes as well.

Times are seconds on a clock that only goes forward.
"""

import enum
import math

import attrs

INITIAL_RTO = 1.0
"""While nothing is measured; RFC 9260, section 16, allows it, and RFC 6298 has it for TCP."""

DELAYED = 0.25
"""How long the other side may keep an acknowledgement back: 0.2 with browsers, and what its timer
is late by. The timeout is never nearer to the round trip than this."""

LEAST_RTO = 0.3

MOST_RTO = 60.0

BACKED_OFF = 1.0
"""What repeating makes a timeout into, at the most, for the first PERSISTENT times: a network that
was gone is found to be back by what is sent again, and a packet a second congests nothing. Who has
no answer after those either waits twice as long each time: it may be that answers take longer."""

PERSISTENT = 6

_MOST_DOUBLED = 16
"""Of MOST_RTO there is nothing left to double by then."""

LEAST_PROBE = 0.03
"""Where a round trip takes less, a process that is busy answers later than that."""

FEW = 4
"""With fewer packets on their way, the three behind a lost one that show it (RFC 9260, section
7.2.4) can't come."""


class Due(enum.Enum):
    """What has become due."""

    #: The last packet that is not acknowledged is sent again, and nothing else changes.
    PROBE = enum.auto()
    #: All that is not acknowledged is taken for lost.
    TIMEOUT = enum.auto()


@attrs.frozen
class _RoundTrip:
    """As RFC 9260 has it in section 6.3.1: smoothed, and by how much it varies."""

    smoothed: float
    variation: float

    def with_sample(self, seconds: float) -> "_RoundTrip":
        variation = 0.75 * self.variation + 0.25 * abs(self.smoothed - seconds)
        return _RoundTrip(0.875 * self.smoothed + 0.125 * seconds, variation)

    @property
    def probe(self) -> float:
        # How long acknowledgements are kept back shows in how much they vary.
        longest = max(2 * self.smoothed, self.smoothed + 4 * self.variation)
        return max(LEAST_PROBE, longest)

    @property
    def timeout(self) -> float:
        found = self.smoothed + max(4 * self.variation, DELAYED)
        return min(max(LEAST_RTO, found), MOST_RTO)


class Recovery:
    """The timers of one association."""

    def __init__(self) -> None:
        self._round_trip: _RoundTrip | None = None
        #: How often each was in vain, since the round trip was last known.
        self._timeouts = self._probes = 0
        #: Whether anything was sent again since something was acknowledged, and when it was last.
        self._is_repeating = False
        self._repeated_at = -math.inf
        #: Whether that has been without need, since the round trip was measured.
        self._is_slower = False
        self._probe_at = self._timeout_at = math.inf

    @property
    def rto(self) -> float:
        """The timeout, before it is made longer."""
        return INITIAL_RTO if self._round_trip is None else self._round_trip.timeout

    @property
    def due(self) -> float:
        """When to call `tick`."""
        return min(self._probe_at, self._timeout_at)

    def measured(self, seconds: float) -> None:
        """A packet that was sent once was acknowledged so long after that."""
        if not 0 <= seconds <= MOST_RTO:
            return  # the clock was set
        known = self._round_trip
        first = _RoundTrip(seconds, seconds / 2)
        self._round_trip = first if known is None else known.with_sample(seconds)
        self._timeouts = self._probes = 0
        self._is_slower = False

    def acknowledged(self, now: float) -> None:
        """Something was that was not before; what else is on its way is told by `armed`."""
        if self._is_repeating and self._round_trip is not None and not self._is_slower:
            # Not a measurement, as it may answer any of the sendings. But where it comes when the
            # answer to the last one was to come, the round trip is as it was.
            took = now - self._repeated_at
            if self._round_trip.smoothed / 2 <= took <= self._round_trip.probe:
                self._timeouts = self._probes = 0
        self._is_repeating = False

    def repeated_in_vain(self) -> None:
        """The other side has had twice what it had acknowledged before the second came."""
        self._is_slower = True

    def armed(self, now: float, *, is_recovering: bool = False) -> None:
        """From now on, what is on its way is waited for.

        :param is_recovering: what is lost is known, and is being sent again.
        """
        if self._is_repeating:
            self._repeated_at = now
        self._wait(now)
        if self._is_repeating or is_recovering:
            self._probe_at = math.inf

    def disarmed(self) -> None:
        """Nothing is on its way."""
        self._probe_at = self._timeout_at = math.inf

    def tick(self, now: float) -> Due | None:
        """`due` has come. After a timeout, nothing is waited for until `armed`."""
        # The probe first: where both are due, we were held up, and the answer may be here unread.
        if now >= self._probe_at:
            self._is_repeating = True
            self._repeated_at = now
            self._probes += 1
            # A probe is waited for as long as any packet is.
            self._wait(now)
            return Due.PROBE
        if now >= self._timeout_at:
            self._is_repeating = True
            self._timeouts = min(self._timeouts + 1, _MOST_DOUBLED)
            self.disarmed()
            return Due.TIMEOUT
        return None

    def _wait(self, now: float) -> None:
        most = BACKED_OFF * 2 ** max(0, self._timeouts - PERSISTENT)
        timeout = min(max(self.rto, min(self.rto * 2**self._timeouts, most)), MOST_RTO)
        self._timeout_at, self._probe_at = now + timeout, math.inf
        if self._round_trip is not None:
            probe = self._round_trip.probe * 2**self._probes
            if probe < timeout:
                self._probe_at = now + probe


def is_lost(outstanding: int, reported: int, unsent: int) -> bool:
    """Whether the first of few packets is lost, as all behind it have arrived (RFC 5827).

    :param outstanding: packets from the first that is not there up to the last that was sent.
    :param reported: those of them that have arrived.
    :param unsent: packets that wait to be sent: they will show it.
    """
    return 1 < outstanding < FEW and reported == outstanding - 1 and not unsent
