"""One live session on the relay: a task of its own, which holds the grace timers of its sides.

The timers die with the session's cancel scope, so that none can outlive it or hit its successor.
"""

import math
from collections.abc import Callable

import trio

from imgsync.core.protocol.signalling import Role


class SessionLifetime:
    """Grace timers of one session.

    :param grace: seconds that a side may be away.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._deadlines: dict[Role, float] = {}
        #: Set when a timer was started or stopped; made anew by `run`.
        self._changed = trio.Event()
        self._scope = trio.CancelScope()
        #: When the session began, on Trio's clock.
        self.began = trio.current_time()

    def begin_grace(self, role: Role) -> None:
        """A side is away from now on."""
        self._deadlines[role] = trio.current_time() + self._grace
        self._changed.set()

    def end_grace(self, role: Role) -> None:
        """The side is back."""
        del self._deadlines[role]
        self._changed.set()

    def end(self) -> None:
        """The session is over."""
        self._scope.cancel()

    async def run(self, grace_over: Callable[[Role], None]) -> None:
        """Watch the timers until the session is over.

        :param grace_over: told which side did not come back; it ends the session.
        """
        with self._scope:
            while True:
                self._changed = trio.Event()
                role = min(self._deadlines, key=self._deadlines.__getitem__, default=None)
                deadline = math.inf if role is None else self._deadlines[role]
                # Asked of the clock, and not of the scope below: a side can come back in the very
                # tick in which that was cancelled.
                if role is not None and deadline <= trio.current_time():
                    grace_over(role)
                    return
                with trio.move_on_at(deadline):
                    await self._changed.wait()
