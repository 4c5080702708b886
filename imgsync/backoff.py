"""How long to wait after failures in a row."""

import random

from imgsync.core.protocol.numbers import FIRST_BACKOFF, MAX_BACKOFF


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, with half of it left to chance."""
    limit: float = min(MAX_BACKOFF, FIRST_BACKOFF * 2 ** min(failures, 10))
    return limit * random.uniform(0.5, 1.0)
