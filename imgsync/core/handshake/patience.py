"""How long the other side is waited for: in all, for one attempt, and for its word on an offer.

The first connection has CONNECT_DEADLINE. An attempt that comes to nothing, or an offer (or the
request for one) that stays without an answer, takes its time of it; the rest is for the next one. A
repair has no end here, so that only its attempts and answers are bounded. Times are seconds on a
clock that only goes forward.
"""

import math

from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.numbers import (
    ANSWER_DEADLINES,
    ATTEMPT_DEADLINE,
    CONNECT_DEADLINE,
    EXPLAIN_FIRST,
    FIRST_BACKOFF,
    MAX_ASKED,
    MAX_BACKOFF,
)


def pause_after(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row: doubling, with half of it left to chance.

    All peers of a relay that restarts come back at once, and are not to come at the same moment.

    :param chance: from 0 to 1.
    """
    limit: float = min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 10))
    return limit * (0.5 + chance / 2)


class Patience:
    """Of one side in one session.

    :param offers: whether this is the evaluator's side; the client's waits in one go.
    """

    def __init__(self, *, offers: bool) -> None:
        self._offers = offers
        #: Whether there was a connection.
        self.is_repair = False
        #: Whether the other side is there to be waited for.
        self._has_begun = False
        #: When the first connection has to be there.
        self._connect_by = math.inf
        #: When to say what is in the way: the evaluator does not wait longer with each offer.
        self._explain_by = math.inf
        #: Attempts that the other side asked for, since the last connection or repair of ours.
        self._asked = 0
        self._unanswered = 0
        #: Whether there is something to say of why no connection comes about.
        self.can_explain = False

    def attempt_due(self, now: float) -> float:
        """When an attempt that begins now has come to nothing."""
        if not self._has_begun:
            return math.inf
        if self._offers or self.is_repair:
            return min(now + ATTEMPT_DEADLINE, self._connect_by)
        return min(self._connect_by, self._explain_by) if self.can_explain else self._connect_by

    def answer_due(self, now: float) -> float:
        """When the answer to what is said now is late; infinity where the attempt's own will do."""
        left = ANSWER_DEADLINES[self._unanswered :] if self._has_begun else ()
        return now + left[0] if left and now + left[0] < self._connect_by else math.inf

    def has_time(self, now: float) -> bool:
        """Whether another attempt to make the first connection may follow."""
        return self._offers and now < self._connect_by

    def unanswered(self) -> None:
        """What was said had its time to be answered."""
        self._unanswered += 1

    def asked(self, now: float) -> None:
        """The other side asks for another attempt. Raises NegotiationError where it is too many."""
        self._asked += 1
        if self._asked > MAX_ASKED:
            raise NegotiationError(f"{MAX_ASKED} attempts to connect came to nothing")
        explain_by = self._explain_by
        self.begin(now)
        if now < explain_by:
            self._explain_by = explain_by

    def begin(self, now: float) -> None:
        """The other side is there, so that all begins anew."""
        self._has_begun = True
        self._unanswered = 0
        if not self.is_repair:
            self._connect_by = now + CONNECT_DEADLINE
            self._explain_by = self._connect_by - EXPLAIN_FIRST

    def repairing(self) -> None:
        """Our side begins an attempt, or waits for one."""
        self._asked = 0

    def connected(self) -> None:
        """What follows is a repair."""
        self.is_repair = True
        self._asked = self._unanswered = 0
        self._connect_by = math.inf
