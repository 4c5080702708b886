"""How long to wait after failures in a row, by these dice."""

import random

from imgsync.core.handshake.patience import pause_after


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return pause_after(failures, random.random())
