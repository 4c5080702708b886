"""A short soak: after sixty sessions in the same processes, everything is as it was before them.

`bench/soak.py` run by hand has a thousand.
"""

import json
import sys

from tests.kit.processes import SAMPLES, STRICT, run_to_end

SOAK = SAMPLES.parents[1] / "bench" / "soak.py"

SESSIONS = 60

MAX_GROWTH = 2
"""MiB: what 35 kB in each session make; a process grows by a third of a MiB meanwhile."""


async def test_sixty_sessions_leave_no_thread_task_timer_file_or_memory_behind() -> None:
    bounds = ("--sessions", str(SESSIONS), "--max-growth", str(MAX_GROWTH))
    outcome = await run_to_end("soak", sys.executable, str(SOAK), *bounds, "--json", env=STRICT)
    assert outcome.errors == []
    assert outcome.code == 0
    assert json.loads(outcome.lines[-1])["sessions"] == SESSIONS
