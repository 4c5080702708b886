"""Ctrl-C while a command still loads: nothing is to be ended in good order, so it just leaves.

Imported first of all, so that no traceback can show; once Trio runs, `imgsync.cli` takes over.
"""

import os
import signal

EXIT_INTERRUPTED = 128 + signal.SIGINT


def leave_on_ctrl_c() -> None:
    """From now on Ctrl-C ends the process at once, as a shell would report it."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(EXIT_INTERRUPTED))
