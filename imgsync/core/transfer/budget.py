"""How much each of those may have on its way and in memory who send pictures from one process.

They share its processor and, as a rule, its way out: what each has on the way delays the talk of
all. `web/js/core/transfer/budget.js` has the same rule.
"""

from imgsync.core.protocol.numbers import (
    LARGEST_WINDOW,
    READ_BLOCK,
    SHARED_WINDOW,
    SMALL_CHUNK,
    SMALLEST_BLOCK,
)


class Budget:
    """One for a process: what there is is divided among those that are sending now."""

    def __init__(self) -> None:
        self._senders = 0

    @property
    def share(self) -> int:
        """Bytes that each may have on the way: a small chunk at least."""
        if self._senders <= 1:
            return LARGEST_WINDOW
        return max(SHARED_WINDOW // self._senders, SMALL_CHUNK)

    @property
    def block(self) -> int:
        """Bytes that each reads at a time."""
        return max(READ_BLOCK // max(self._senders, 1), SMALLEST_BLOCK)

    def join(self) -> None:
        """One more begins to send."""
        self._senders += 1

    def leave(self) -> None:
        """One of them has nothing more to send."""
        self._senders -= 1
