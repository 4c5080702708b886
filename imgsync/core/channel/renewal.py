"""When a manifest is to be read again: its URLs may have expired, and been signed anew since."""

import math

from imgsync.core.protocol.numbers import EXPIRY_REASONS, RENEWAL_PAUSE
from imgsync.core.protocol.signalling import Milliseconds


class Renewal:
    """Of one series in one session."""

    def __init__(self) -> None:
        self._read_at = -math.inf

    def failed(self, reason: str, now: Milliseconds) -> bool:
        """A client could not fetch an image: whether the manifest is to be read again now.

        What is refused although it was read again just now is refused for something else.
        """
        if reason not in EXPIRY_REASONS or now - self._read_at < RENEWAL_PAUSE * 1000:
            return False
        self._read_at = now
        return True
