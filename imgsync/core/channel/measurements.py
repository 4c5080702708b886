"""How long things take between the two sides, each with its own clock.

A ping and its pong tell how far the clocks are apart, and so do an image and its ack. Whatever the
clocks say, an image was on its way between its showing and its ack.
"""

from imgsync.core.channel.clocks import Bounded, ClockOffset, Probe, Remark
from imgsync.core.protocol.channel import Pong
from imgsync.core.protocol.numbers import COARSE
from imgsync.core.protocol.signalling import Milliseconds


class Measurements:
    """Of one session; they outlive connections, as the two peers' clocks do."""

    def __init__(self) -> None:
        self._clock = ClockOffset()

    def connected(self) -> None:
        """A channel is open; on its other side may be another process, with another clock."""
        self._clock.reconnected()

    def ponged(self, pong: Pong, at: Milliseconds) -> Remark | None:
        """A ping of ours was answered, and the answer came in at this time of ours."""
        return self._clock.take(Probe(pong.t0, pong.t1, pong.t2, at))

    def acked(
        self, sent_at: Milliseconds, received_at: Milliseconds, at: Milliseconds
    ) -> tuple[Remark | None, Bounded]:
        """The ack of an image came in at this time of ours. How long the image took to the client.

        :param received_at: when it came in there, on the client's clock.
        """
        # When the ack left is not told: it is taken as if it had left at once.
        remark = self._clock.take(Probe(sent_at, received_at, received_at, at))
        round_trip = at - sent_at
        latency = self._clock.since(sent_at, received_at)
        if latency is None:  # the two clocks contradict each other
            latency = Bounded(round_trip / 2, round_trip / 2 + COARSE)
        return remark, latency.within(0, round_trip)

    def since(self, ours: Milliseconds, theirs: Milliseconds) -> Bounded | None:
        """How long after a time of ours a time of theirs was; None where nothing is known."""
        return self._clock.since(ours, theirs)
