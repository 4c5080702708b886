"""What comes in on a channel before our own side of it is open.

Who answers a channel may speak at once (RFC 8832, section 6), and its first words can be here
before our stack calls the channel open. They wait until we can answer, as many as an honest client
may say then: its `ready`, its last stages, and the answers that were not acknowledged.
"""

from imgsync.core.protocol.numbers import MAX_EARLY, MAX_EARLY_TEXT
from imgsync.core.protocol.signalling import Milliseconds

Came = tuple[str, Milliseconds]
"""A text, and when it came in on our clock."""


class Early:
    """Of one channel; a new one keeps anew."""

    def __init__(self) -> None:
        self._is_open = False
        self._kept: list[Came] = []
        #: Characters of what is kept.
        self._size = 0

    def come(self, text: str | bytes, at: Milliseconds) -> list[tuple[str | bytes, Milliseconds]]:
        """A message came in. Returns what is to be read now: it, or nothing."""
        if self._is_open:
            return [(text, at)]
        size = self._size + len(text)
        has_room = len(self._kept) < MAX_EARLY and size <= MAX_EARLY_TEXT
        if has_room and isinstance(text, str):
            self._size = size
            self._kept.append((text, at))
        return []

    def opened(self) -> list[Came]:
        """Our side is open. Returns what is to be read now, in the order in which it came."""
        self._is_open = True
        kept, self._kept = self._kept, []
        return kept
