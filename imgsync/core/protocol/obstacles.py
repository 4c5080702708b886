"""What is in the way where something answers, and no WebSocket to a relay comes of it.

A relay says one word at `/health`, which is beside its WebSocket: `ok`, or `origin` where pages of
the origin that asks, or that `?origin=` names, may not connect; `degraded` where it is there and
can't reach what it shares with other nodes; `draining`, with 503, while it goes away. All else that
is answered there, or in place of a WebSocket, comes of something in between, or of another server,
and goes by its status alone. The pages have the same rule in `web/js/core/protocol/obstacles.js`.
"""

import enum


class Obstacle(enum.Enum):
    """What keeps a WebSocket to a relay from coming about."""

    UNREACHABLE = "unreachable"
    ORIGIN = "origin"
    FULL = "full"
    DRAINING = "draining"
    TOO_MANY = "too_many"
    UPGRADE = "upgrade"
    MOVED = "moved"
    PORTAL = "portal"
    MALFORMED = "malformed"
    SIGN_IN = "sign_in"
    BARRED = "barred"
    NOT_FOUND = "not_found"
    PROXY_SIGN_IN = "proxy_sign_in"
    TOO_LARGE = "too_large"
    NO_RELAY = "no_relay"
    UNAVAILABLE = "unavailable"
    TOO_LATE = "too_late"
    BROKEN = "broken"
    OTHER = "other"

    @property
    def may_pass(self) -> bool:
        """Those that are over by themselves, sooner or later; of the others somebody has to be
        told."""
        return self in _PASSING


_PASSING = (
    Obstacle.UNREACHABLE,
    Obstacle.FULL,
    Obstacle.DRAINING,
    Obstacle.TOO_MANY,
    Obstacle.NO_RELAY,
    Obstacle.UNAVAILABLE,
    Obstacle.TOO_LATE,
    Obstacle.BROKEN,
)

_BY_STATUS = {
    400: Obstacle.MALFORMED,
    401: Obstacle.SIGN_IN,
    403: Obstacle.BARRED,
    404: Obstacle.NOT_FOUND,
    407: Obstacle.PROXY_SIGN_IN,
    408: Obstacle.TOO_LATE,
    410: Obstacle.NOT_FOUND,
    413: Obstacle.TOO_LARGE,
    414: Obstacle.TOO_LARGE,
    426: Obstacle.UPGRADE,
    429: Obstacle.TOO_MANY,
    431: Obstacle.TOO_LARGE,
    502: Obstacle.NO_RELAY,
    503: Obstacle.UNAVAILABLE,
    504: Obstacle.TOO_LATE,
    511: Obstacle.PORTAL,
}

_WORDS = {
    (200, "origin"): Obstacle.ORIGIN,
    (503, "draining"): Obstacle.DRAINING,
}

HEALTHY = "ok"

DEGRADED = "degraded"
"""Whoever is registered goes on, and who comes now is told `unavailable`, and tries again."""


def obstacle_of(status: int) -> Obstacle:
    """What an answer means that came in place of a WebSocket."""
    if status < 300:
        return Obstacle.PORTAL
    if status < 400:
        return Obstacle.MOVED
    return _BY_STATUS.get(status, Obstacle.BROKEN if status >= 500 else Obstacle.OTHER)


def obstacle_at_health(status: int, text: str) -> Obstacle | None:
    """What the answer of `/health` means; None where the relay is there and lets us in."""
    word = text.strip(" \t\r\n")
    if status == 200 and word in (HEALTHY, DEGRADED):
        return None
    return _WORDS.get((status, word)) or obstacle_of(status)
