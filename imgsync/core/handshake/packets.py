"""How large the packets of a connection may be, where routers drop larger ones without a word.

    SEARCHING ── the largest is answered ──▶ SETTLED
        └─ 0.4 s, then 1 s more, then 2 ──▶ SETTLED: the largest that was answered, if any was

A router that can't pass on a packet says so by ICMP, which VPNs and firewalls like to swallow. So a
connection begins with packets that get through everywhere, and larger ones are sent as probes, with
nothing in them, which the other side answers (RFC 8899): the largest one at once, so that on most
paths no message is sent in small ones, and then one of each size. Only what was answered is used.
What does not get through later on is lost with its connection; the next one begins anew.

Sizes are bytes of SCTP packets; times are seconds on a clock that only goes forward.
"""

import math

import attrs

SMALLEST = 400
"""What is sent before anything is known: with all that is wrapped around it, below the 576 bytes
that every host takes (RFC 791, section 3.1)."""

LARGEST = 1188
"""The largest that WebRTC sends, on any path: it fits the 1,280 bytes of each that has IPv6."""

SIZES = (SMALLEST, 500, 600, 700, 800, 900, 1000, 1100, LARGEST)

WRAPPED = 65
"""Bytes that DTLS, UDP and IPv4 add with the cipher suites that are used first; IPv6 adds 20 more,
and a TURN server's channel 4."""

WAITS = (0.4, 1.0, 2.0)
"""Seconds from one round of probes to the next, and from the last one to the verdict. A probe may
be lost like anything else, and on the slowest paths an answer takes a second."""


@attrs.frozen
class PathMeasured:
    """How large packets may be is settled.

    :param largest: bytes that get through.
    :param lost: of the next size, which do not; 0 where the largest does get through.
    """

    largest: int
    lost: int = 0


class PacketSize:
    """Of one connection."""

    def __init__(self) -> None:
        #: Of the probes that were answered; 0 while none is.
        self._known = 0
        #: When to call `tick`.
        self.due = math.inf
        self._rounds = 0

    @property
    def usable(self) -> int:
        """What may be sent."""
        return max(SMALLEST, self._known)

    def opened(self, now: float) -> list[int]:
        """The connection is there. Returns the sizes of the probes to send."""
        self.due = now + WAITS[0]
        return [LARGEST]

    def answered(self, size: int) -> PathMeasured | None:
        """A probe has got through, and its answer came back. Tells where that settles it."""
        if size not in SIZES or size <= self._known:
            return None
        self._known = size
        if size < LARGEST or self.due == math.inf:
            return None
        self.due = math.inf
        return PathMeasured(LARGEST)

    def tick(self, now: float) -> list[int] | PathMeasured:
        """`due` has come: the sizes of more probes, or what has come of them.

        Who answers none says nothing of the path: it knows no probes, or is gone.
        """
        if now < self.due:
            return []
        self._rounds += 1
        larger = [size for size in SIZES if size > self._known]
        if self._rounds < len(WAITS):
            self.due = now + WAITS[self._rounds]
            # Twice, as it decides: that it is lost by chance each time is no verdict on the path.
            return [*larger, LARGEST]
        self.due = math.inf
        return PathMeasured(self._known, larger[0]) if self._known else []
