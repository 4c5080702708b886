"""The one place that reads a clock.

The wall clock is read once and carried on by a steady one: a step of the wall clock in the middle
of a session must not turn into a latency. Where there is one, that is the clock that goes on while
the machine sleeps (Linux), or a lid that was closed for an hour would make us an hour late.
Elsewhere it is the finest one: before Python 3.13, `time.monotonic` of Windows has steps of 16 ms.
"""

import sys
import time
from collections.abc import Callable
from functools import partial

_steady_ns: Callable[[], int] = time.perf_counter_ns
if sys.platform != "win32" and hasattr(time, "CLOCK_BOOTTIME"):
    _steady_ns = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)

TRIES = 3
"""Readings of both clocks, of which the quickest counts: in the middle of one, others may run."""


def _skew_ns() -> int:
    """How far the wall clock is ahead of the steady one."""
    readings = []
    for _ in range(TRIES):
        before, wall, after = _steady_ns(), time.time_ns(), _steady_ns()
        readings.append((after - before, wall - (before + after) // 2))
    return min(readings)[1]


_EPOCH_NS = _skew_ns()


def now_ms() -> float:
    """Milliseconds since the Unix epoch, to the microsecond."""
    return round((_EPOCH_NS + _steady_ns()) / 1e6, 3)


def clock_skew() -> float:
    """How far the wall clock is ahead of `now_ms`, in milliseconds: by steps and by slews."""
    return (_skew_ns() - _EPOCH_NS) / 1e6


def read_clocks() -> tuple[float, float]:
    """What the wall clock and the monotonic clock say at one moment, in milliseconds.

    `now_ms` differs from the first by as much as the wall clock was set since the process began.
    """
    return round(time.time_ns(), -3) / 1e6, round(time.monotonic_ns(), -3) / 1e6
