"""Whether the other side still takes what is sent to it, as RFC 7675 has it asked.

It is asked every few seconds, and 30 s without any answer end the connection. Each question is one
packet, and its answer another, so that on a bad network six questions in a row are lost within the
hour, with all else well: at 20 % each way, one in 700. So a question is sent again before the next
one is due, as STUN has it (RFC 8489, section 6.2.1).

Times are seconds on a clock that only goes forward.
"""

EXPIRES = 30.0
"""RFC 7675, section 5.1, as the two below."""

PERIOD = 5.0

SPREAD = 0.2
"""By this share a pause is shorter or longer, so that not all ask at the same time."""

REPEATED = 2
"""How often a question is sent again: after 0.5 s and 1.5 s; all is over after 3.5 s, and the next
one begins 4 s after this one at the earliest."""


class Consent:
    """Of one connection, from when it is there."""

    def __init__(self, now: float) -> None:
        self._answered_at = now
        #: When to ask next.
        self.due = now

    def asked(self, now: float, place: float) -> None:
        """A question goes out; the next one is for later.

        :param place: where in the spread, from 0 to 1, by chance.
        """
        self.due = now + PERIOD * (1 + SPREAD * (2 * place - 1))

    def answered(self, now: float) -> None:
        """By who has to."""
        self._answered_at = now

    @property
    def expires_at(self) -> float:
        """When it is over, unless there is an answer until then."""
        return self._answered_at + EXPIRES
