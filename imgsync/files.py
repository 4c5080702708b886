"""Files: what goes wrong with those that somebody named, as a sentence for people; how many may be
open."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

from imgsync.core.protocol.errors import InputError

_ENOUGH_FILES = 8192
"""Where the system sets no limit."""


def max_open_files() -> int:
    """How many files, sockets among them, this process may have open at a time."""
    if sys.platform == "win32" or resource is None:
        return _ENOUGH_FILES
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft


def why_of(exc: OSError) -> str:
    """The system's own words."""
    return exc.strerror or str(exc)


@contextmanager
def input_errors(what: str, advice: str) -> Iterator[None]:
    """Stands around file operations: what the system refuses is an InputError.

    :param what: what can't be done, as the start of a sentence.
    :param advice: what to do instead, as its end.
    """
    try:
        yield
    except OSError as exc:
        raise InputError(f"{what}: {why_of(exc)}; {advice}") from exc
