"""When a relay looks for garbage: a little at a time, while nobody waits.

There is hardly any: closed connections leave none, and all else is freed when its last reference
goes. But Python counts what is made, and then searches all that is young at once, where nobody is
heard meanwhile. With thousands of connections, whose pings make new objects in the place of old
ones and so count for nothing, that is a hundred thousand objects, and a tenth of a second; the old
ones are a multiple of that.
"""

import gc
import time
from collections.abc import Callable

import trio

YOUNG_EVERY = 0.02
"""Seconds between two looks at what is young, at least: what is made meanwhile takes about 1 ms."""

ALL_EVERY = 3600.0
"""Seconds between two looks at all there is: with thousands of connections one takes a third of a
second, and finds what has become garbage since it was young."""


class Collector(trio.abc.Instrument):
    """Looks for garbage when Trio's loop is about to wait; costs nothing where nothing happens.

    :param clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        now = clock()
        self._young_at = now
        self._all_at = now + ALL_EVERY

    def before_io_wait(self, timeout: float) -> None:
        """Called by Trio."""
        now = self._clock()
        if now < self._young_at:
            return
        if now < self._all_at:
            gc.collect(0)
        else:
            gc.collect()
            self._all_at = now + ALL_EVERY
        self._young_at = now + YOUNG_EVERY


def collect_between() -> None:
    """From now on in this process; to be called in Trio. What is there stays for good."""
    gc.freeze()
    gc.disable()
    trio.lowlevel.add_instrument(Collector())
