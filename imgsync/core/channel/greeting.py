"""The client's `ready`, which is said again until it is answered.

What a page sends inside its `datachannel` event is lost in some two of a hundred connections:
Chromium takes it and never puts it on the wire. Only a ping counts as an answer: an image is sent
when a channel opens, whatever came of `ready`. Who never pings hears it a few times and no more.
"""

import math

from imgsync.core.protocol.numbers import READY_AGAIN


class Greeting:
    """Of one channel; a new one has a new greeting. Times are seconds on a clock that only goes
    forward."""

    def __init__(self) -> None:
        #: When it is to be said again.
        self._times: list[float] = []

    @property
    def due(self) -> float:
        """When to call `tick`."""
        return self._times[0] if self._times else math.inf

    def begin(self, now: float) -> None:
        """It is said for the first time."""
        self._times = [now + pause for pause in READY_AGAIN]

    def answered(self) -> None:
        """A ping came in."""
        self._times = []

    def tick(self, now: float) -> bool:
        """`due` has come; whether it is to be said again. What was slept through is one."""
        is_due = now >= self.due
        self._times = [time for time in self._times if time > now]
        return is_due
