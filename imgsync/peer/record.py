"""The record of a peer's sessions, where one is kept, and the steps of our wall clock in it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from imgsync.core.protocol.signalling import Role
from imgsync.journal.events import ClockStep
from imgsync.journal.writer import open_journal
from imgsync.peer.session_journal import Write, forget
from imgsync.tasks import open_background
from imgsync.wallclock import clock_skew

LOOK_INTERVAL = 2.0
"""Seconds between two looks at the wall clock."""

STEP = 100.0
"""Milliseconds. NTP slews what is less than 128 (RFC 5905, STEPT), at 0.5 ms a second at most; what
changes by more from one look to the next was set."""


@asynccontextmanager
async def open_record(
    path: str | os.PathLike[str] | None, role: Role, user_id: str
) -> AsyncIterator[Write]:
    """What takes the events of a process; without a path it forgets them. Raises InputError."""
    if path is None:
        yield forget
        return
    async with (
        open_journal(path, role=role, user_id=user_id) as journal,
        open_background() as nursery,
    ):
        nursery.start_soon(_watch_wall_clock, journal.write)
        yield journal.write


async def _watch_wall_clock(write: Write) -> None:
    """Write down its steps; our times do not follow them."""
    known = clock_skew()
    while True:
        await trio.sleep(LOOK_INTERVAL)
        skew = clock_skew()
        if abs(skew - known) > STEP:
            write(ClockStep(None, skew - known, "ours"))
        known = skew
