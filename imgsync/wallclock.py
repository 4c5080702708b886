"""The one place that reads a clock.

The wall clock is read once and carried on by the monotonic one: a step of the wall clock in the
middle of a session must not turn into a latency.
"""

import time

_EPOCH_NS = time.time_ns() - time.monotonic_ns()


def now_ms() -> float:
    """Milliseconds since the Unix epoch, to the microsecond."""
    return round((_EPOCH_NS + time.monotonic_ns()) / 1e6, 3)
