"""How much of a window each of those has who send pictures from one process.

They share its processor and, as a rule, its way out: what each has on the way delays the talk of
all. `web/js/core/transfer/budget.js` has the same rule.
"""

from imgsync.core.protocol.numbers import LARGEST_WINDOW, SMALL_CHUNK


class Budget:
    """One for a process. The largest window is divided among those that are sending now."""

    def __init__(self) -> None:
        self._senders = 0

    @property
    def share(self) -> int:
        """Bytes that each may have on the way: a small chunk at least."""
        return max(LARGEST_WINDOW // max(1, self._senders), SMALL_CHUNK)

    def join(self) -> None:
        """One more begins to send."""
        self._senders += 1

    def leave(self) -> None:
        """One of them has nothing more to send."""
        self._senders -= 1
