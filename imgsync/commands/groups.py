"""Processes that each have a group of their own, with all that they start.

Ctrl-C is not for them, and one signal reaches the whole group. Windows has no signals for groups:
there the process alone is reached, and asking it to end is ending it.
"""

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

import trio

LOOK_AGAIN = 0.02
"""Seconds. Nothing can be waited for when the last process of a group goes."""

OWN_GROUP: dict[str, Any] = {"start_new_session": True}
"""Options of `trio.lowlevel.open_process`."""
if hasattr(subprocess, "CREATE_NEW_PROCESS_GROUP"):
    OWN_GROUP = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}


def terminate_group(process: trio.Process) -> None:
    """Ask for the end of it, and of all that it has started."""
    if not hasattr(os, "killpg"):
        process.terminate()
        return
    # Once nobody is left, the system might give the number to others; that takes it far longer
    # than we take to look again.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)


def kill_group(process: trio.Process) -> None:
    """End it at once, and all that it has started."""
    if not (hasattr(os, "killpg") and hasattr(signal, "SIGKILL")):
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def wait_group_gone(process: trio.Process) -> None:
    """Wait for the last of those that a process has started, once it is gone itself."""
    if not hasattr(os, "killpg"):
        return
    with suppress(ProcessLookupError, PermissionError):
        while True:
            os.killpg(process.pid, 0)
            await trio.sleep(LOOK_AGAIN)
