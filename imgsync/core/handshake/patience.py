"""How long the other side is waited for: in all, for one attempt, and for its word on an offer.

The first connection has CONNECT_DEADLINE. An attempt that comes to nothing, or an offer (or the
request for one) that stays without an answer, takes its time of it; the rest is for the next one. A
repair has no end here, so that only its attempts and answers are bounded.
"""

from imgsync.core.protocol.errors import NegotiationError
from imgsync.core.protocol.numbers import (
    ANSWER_DEADLINES,
    ATTEMPT_DEADLINE,
    CONNECT_DEADLINE,
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
        self._is_repair = False
        #: Attempts that the other side asked for, since the last connection or repair of ours.
        self._asked = 0
        self._unanswered = 0
        #: Seconds of CONNECT_DEADLINE that have passed.
        self._waited = 0.0

    @property
    def for_attempt(self) -> float:
        """Seconds for an attempt that begins now."""
        if self._is_repair:
            return ATTEMPT_DEADLINE
        left = CONNECT_DEADLINE - self._waited
        return min(ATTEMPT_DEADLINE, left) if self._offers else left

    @property
    def for_answer(self) -> float | None:
        """Seconds for the answer to what is said now; None where the attempt's own will do."""
        left = ANSWER_DEADLINES[self._unanswered :]
        if not left or (not self._is_repair and self._waited + left[0] >= CONNECT_DEADLINE):
            return None
        return left[0]

    def attempt_over(self) -> bool:
        """An attempt had its time. Returns whether there is some left for another one."""
        self._waited += self.for_attempt
        return self._waited < CONNECT_DEADLINE

    def unanswered(self) -> None:
        """What was said had its time to be answered."""
        self._waited += sum(ANSWER_DEADLINES[self._unanswered : self._unanswered + 1])
        self._unanswered += 1

    def asked(self) -> None:
        """The other side asks for another attempt. Raises NegotiationError where it is too many."""
        self._asked += 1
        if self._asked > MAX_ASKED:
            raise NegotiationError(f"{MAX_ASKED} attempts to connect came to nothing")
        self.is_back()

    def is_back(self) -> None:
        """The other side is there, so that all begins anew."""
        self._unanswered, self._waited = 0, 0.0

    def repairing(self) -> None:
        """Our side begins an attempt, or waits for one."""
        self._asked = 0

    def connected(self) -> None:
        """What follows is a repair."""
        self._is_repair = True
        self._asked = 0
        self.is_back()
