"""Signals before a command has begun and after it is over; in between, `run_command` hears them.

Imported first of all, so that Ctrl-C shows no traceback while the rest is loaded.
"""

import os
import signal
import sys
from typing import NoReturn

EXIT_INTERRUPTED = 128 + signal.SIGINT


def leave_on_ctrl_c() -> None:
    """From now on Ctrl-C ends the process at once, as a shell would report it."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(EXIT_INTERRUPTED))


def leave_with(code: int) -> NoReturn:
    """Exit with a code that is settled: whoever asks for the end now gets this one.

    The interpreter takes its handlers away while it shuts down, but leaves alone what is ignored.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.exit(code)
