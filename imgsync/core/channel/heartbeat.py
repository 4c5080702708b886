"""The heartbeat of one channel: pings while it is open, and a verdict on the other side.

    QUIET ── the other side speaks ping ──▶ ALIVE ── 4 s ──▶ SUSPECT ── 8 s without a pong ──▶ LOST
                                              ▲──── pong ──────┘

Whoever says then that it speaks no ping is QUIET again.

Only a pong counts as an answer: other messages show that the way here works, and not the way back.
Where they go on while no pong comes, the other side does not hear us: most often a large message of
ours is lost again and again, and all that we say waits behind it.
As pings also measure how far the two clocks are apart, it begins with a burst of them.
Times are seconds on a clock that only goes forward.
"""

import enum
import math

import attrs

from imgsync.core.protocol.numbers import (
    LOST_AFTER,
    PING_BURST,
    PING_BURST_INTERVAL,
    PING_INTERVAL,
    SLEPT,
    SUSPECT_AFTER,
)

_ONE_WAY = PING_INTERVAL
"""Seconds for which the other side goes on speaking and answers nothing, until it does not hear us:
it pings as often, and what it sent before the answers ended is no sign."""


@attrs.frozen
class SendPing:
    """Send a ping with this id."""

    id: int


@attrs.frozen
class Judged:
    """The verdict has changed."""

    health: "Health"


HeartbeatOutput = SendPing | Judged


class Health(enum.Enum):
    """What is thought of the other side."""

    QUIET = enum.auto()
    ALIVE = enum.auto()
    SUSPECT = enum.auto()
    LOST = enum.auto()


class Heartbeat:
    """Of one channel; a new one has a new heartbeat."""

    def __init__(self) -> None:
        self.health = Health.QUIET
        self._last_id = 0
        self._next_ping = math.inf
        self._pinged = -math.inf
        #: When the last pong came, or the heartbeat began.
        self._heard = math.inf

    def is_one_way(self, spoke: float) -> bool:
        """Whether what the other side says comes here, and what we say does not get there.

        :param spoke: when any message of it came.
        """
        is_unanswered = self.health in (Health.SUSPECT, Health.LOST)
        return is_unanswered and spoke > self._heard + _ONE_WAY

    @property
    def due(self) -> float:
        """When to call `tick`."""
        if self.health in (Health.QUIET, Health.LOST):
            return math.inf
        patience = LOST_AFTER if self.health is Health.SUSPECT else SUSPECT_AFTER
        return min(self._next_ping, self._heard + patience)

    def begin(self, now: float) -> list[HeartbeatOutput]:
        """The other side is known to speak ping, or has sent one."""
        if self.health is not Health.QUIET:
            return []
        self.health = Health.ALIVE
        self._heard = now
        return self._ping_unless_just_done(now)

    def greeted(self, now: float) -> list[HeartbeatOutput]:
        """The other side says that it speaks ping, and may wait for one: it is pinged at once.

        Not beside one that has just gone out, or it could have us send as much as it likes.
        """
        if self.health in (Health.ALIVE, Health.SUSPECT):
            return self._ping_unless_just_done(now)
        return self.begin(now)

    def rest(self) -> list[HeartbeatOutput]:
        """The other side says that it does not speak ping: nothing follows from its silence."""
        if self.health in (Health.QUIET, Health.LOST):
            return []
        cleared = self._judge(Health.ALIVE)
        self.health = Health.QUIET
        return cleared

    def tick(self, now: float) -> list[HeartbeatOutput]:
        """`due` has come."""
        late = now - self.due
        if late < 0:
            return []
        if late > SLEPT:
            self._heard = min(now, self._heard + late)
        outputs = self._ping(now) if now >= self._next_ping else []
        # The very sums that `due` is made of, or rounding would call for the same tick for ever.
        if now >= self._heard + LOST_AFTER:
            return [*outputs, *self._judge(Health.LOST)]
        is_suspect = now >= self._heard + SUSPECT_AFTER
        return [*outputs, *(self._judge(Health.SUSPECT) if is_suspect else [])]

    def has_sent(self, id: int | str) -> bool:
        """Whether a pong with this id answers a ping of ours."""
        return isinstance(id, int) and 0 < id <= self._last_id

    def answer(self, id: int | str, now: float) -> list[HeartbeatOutput]:
        """A pong came in."""
        if not self.has_sent(id) or self.health in (Health.QUIET, Health.LOST):
            return []
        self._heard = now
        return self._judge(Health.ALIVE)

    def _ping_unless_just_done(self, now: float) -> list[HeartbeatOutput]:
        soonest = self._pinged + PING_BURST_INTERVAL
        if now >= soonest:
            return self._ping(now)
        self._next_ping = min(self._next_ping, soonest)
        return []

    def _ping(self, now: float) -> list[HeartbeatOutput]:
        self._last_id += 1
        self._pinged = now
        is_burst = self._last_id < PING_BURST
        self._next_ping = now + (PING_BURST_INTERVAL if is_burst else PING_INTERVAL)
        return [SendPing(self._last_id)]

    def _judge(self, health: Health) -> list[HeartbeatOutput]:
        if health is self.health:
            return []
        self.health = health
        return [Judged(health)]
