"""The one place that reads the wall clock."""

import time


def now_ms() -> float:
    """Milliseconds since the Unix epoch, to the microsecond."""
    return round(time.time() * 1000, 3)
