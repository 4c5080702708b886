"""How many bytes of pictures may be on their way on one channel, sent and not acknowledged.

What is sent on a connection goes out in the order in which it was given, over all its channels. So
whatever is in flight, or waits somewhere on the way, delays what is said beside it; and only
acknowledgements tell how much that is. The window follows the best delay of each round trip: a lost
packet delays some acknowledgements, a queue delays all.

    starting ── acknowledgements are as quick as ever ──▶ twice as large
    starting ── they come later ──▶ following
    following ──▶ smaller by as much as they are late, and STANDING_QUEUE larger

Where they are not late at all, and the way is not narrow, it grows by as much for each
GROWTH_PERIOD of a round trip: a long way has few of those.

Bytes are counted from the first of the channel on, over all pictures. `now` is on a clock that only
goes forward, s. `web/js/core/transfer/window.js` has the same rule.
"""

import math
from collections import deque

from imgsync.core.protocol.numbers import (
    FREE_DELAY,
    FREE_PART,
    GROWTH_PERIOD,
    LARGE_CHUNK,
    LARGE_CHUNKS_FROM,
    MAX_SAMPLES,
    SMALL_CHUNK,
    SMALLEST_WINDOW,
    STANDING_QUEUE,
)

_LATE = 1.25
"""Times the best delay: a queue has begun to grow, and starting is over."""


def chunk_size(window: int, share: int) -> int:
    """Bytes of a chunk in a window of so many.

    Where it is others that leave no more, and not a narrow way, a small one would only cost more.

    :param share: bytes that the window may have.
    """
    is_wide = window >= min(LARGE_CHUNKS_FROM, share) and share >= SMALLEST_WINDOW
    return LARGE_CHUNK if is_wide else SMALL_CHUNK


class Window:
    """Of one channel."""

    def __init__(self) -> None:
        #: Whoever begins knows nothing of the way, and SCTP lets no more out at once.
        self.size = SMALL_CHUNK
        #: Bytes in all.
        self.sent = 0
        self._acked = 0
        #: Where each chunk ends, and when it was sent, of those that are not acknowledged. Where
        #: there are too many, as of pictures that were stopped, the oldest are of no use.
        self._chunks: deque[tuple[int, float]] = deque(maxlen=MAX_SAMPLES)
        self._is_starting = True
        #: What the round trip of now is over with.
        self._round_ends = 0
        #: Seconds from a chunk to its acknowledgement: ever, and in this round.
        self._best = self._best_of_round = math.inf

    @property
    def in_flight(self) -> int:
        """Bytes that were sent and are not acknowledged."""
        return self.sent - self._acked

    def send(self, count: int, now: float) -> None:
        """So many bytes go out."""
        self.sent += count
        self._chunks.append((self.sent, now))

    def acked(self, position: int, most: int, now: float) -> None:
        """All bytes below this one have come.

        :param most: bytes that the window may have, as others are sending, too.
        """
        self._acked = max(self._acked, position)
        while self._chunks and self._chunks[0][0] <= position:
            _, sent_at = self._chunks.popleft()
            self._best_of_round = min(self._best_of_round, now - sent_at)
        if position >= self._round_ends and self._best_of_round < math.inf:
            self._follow(most)
            self._round_ends, self._best_of_round = self.sent, math.inf

    def _follow(self, most: int) -> None:
        """A round trip is over."""
        self._best = min(self._best, self._best_of_round)
        took, free = self._best_of_round, self._best + FREE_DELAY
        self._is_starting = self._is_starting and took < _LATE * free
        late = max(1.0, took / (free + FREE_PART * self._best))
        is_free = took <= free and self.size >= LARGE_CHUNKS_FROM
        steps = max(1.0, self._best / GROWTH_PERIOD) if is_free else 1.0
        wanted = 2 * self.size if self._is_starting else self.size / late + STANDING_QUEUE * steps
        self.size = int(min(max(wanted, SMALLEST_WINDOW), most))
