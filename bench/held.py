"""What this process holds at a moment: threads, tasks, open files, memory. Linux only."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from pathlib import Path
from types import CoroutineType
from typing import Any, cast

import trio

COUNTS = ("threads", "trio tasks", "asyncio tasks", "asyncio timers", "files")


def measure() -> dict[str, Any]:
    """Can be called on any thread; takes tenths of a second, because it collects garbage.

    :return: COUNTS; `memory_kb`, which is resident, before the collection; `blocks`, those that
        Python's allocator has given out, and `garbage`, objects, after it; `cpu`, s so far.
    """
    cpu, memory = time.process_time(), _resident_kb()
    garbage = gc.collect()
    trio_tasks = asyncio_tasks = asyncio_timers = 0
    for one in gc.get_objects():
        # By the type itself: a proxy may run code when it is asked what it is.
        if type(one) is trio.lowlevel.Task:
            trio_tasks += cast("CoroutineType[Any, Any, Any]", one.coro).cr_frame is not None
        elif type(one) is asyncio.Task:
            asyncio_tasks += not one.done()
        elif type(one) is asyncio.TimerHandle:
            asyncio_timers += not one.cancelled()
    files = len(os.listdir("/proc/self/fd"))
    counts = _threads(), trio_tasks, asyncio_tasks, asyncio_timers, files
    return {
        **dict(zip(COUNTS, counts, strict=True)),
        "memory_kb": memory,
        "blocks": sys.getallocatedblocks(),
        "garbage": garbage,
        "cpu": cpu,
    }


def _threads() -> int:
    # Trio keeps a thread that is idle for 10 s, and calls it so.
    idle = sum(one.name.startswith("Trio thread ") for one in threading.enumerate())
    return len(os.listdir("/proc/self/task")) - idle


def _resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("VmRSS is missing")
