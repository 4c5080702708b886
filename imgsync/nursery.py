"""A nursery that callers never see: its tasks live as long as the block, and errors come out alone.

Every `open_x` that owns background tasks is built on this one function, so that a caller's
`except SomeError` works whether the error was raised by his own code or by a task behind it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def open_background() -> AsyncIterator[trio.Nursery]:
    """A nursery that cancels its tasks when the block is left.

    A lone exception comes out as itself; several that happened together stay a group.
    """
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        lone = find_lone(group)
        if lone is group:
            raise
        # The group would be chained as the context of what it holds.
        raise lone from lone.__cause__


def find_lone(exc: BaseException) -> BaseException:
    """The one exception inside nested groups, or the group itself where there are several."""
    while isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc
