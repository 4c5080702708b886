"""Writes the record of what happens while it happens.

An event is one `os.write` of one whole line to a file opened with O_APPEND, in the caller's task.
That is a system call that copies some 200 bytes into the page cache, tens of microseconds in all
(bench/report.py has the figure); a hand-over to a worker thread costs more than that, and what
waited for the thread would be lost with the process. What is in the page cache survives a kill -9
of the process; to survive the loss of power it is fsynced, which can take long and therefore has a
thread: every FSYNC_INTERVAL where something was written, and at the end.

What can't be written (the disk is full) costs the events, never the session: they are counted, and
a `lost` line says how many as soon as a line fits again.
"""

import logging
import os
import platform
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from imgsync.core.protocol.errors import InputError
from imgsync.core.protocol.numbers import SCHEMA
from imgsync.core.protocol.signalling import Role
from imgsync.distribution import installed_version, version_of
from imgsync.files import input_errors, why_of
from imgsync.journal.events import Event, Header, Lost
from imgsync.journal.lines import encode_line
from imgsync.tasks import open_background
from imgsync.wallclock import now_ms, read_clocks

try:
    import fcntl
except ImportError:  # no locks of this kind here; everything else works
    fcntl = None  # type: ignore[assignment]

# Else Windows would end lines with two characters.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)

log = logging.getLogger(__name__)

FSYNC_INTERVAL = 1.0
"""Seconds: what a loss of power can cost."""

FSYNC_DEADLINE = 3.0
"""Seconds for the last one; a disk that takes longer must not hold up the end."""

MODE = 0o600
"""Of a new file: who was shown what, and when, is nobody else's affair."""

_LIBRARIES = ("aiortc", "aioice", "trio")


class Journal:
    """The record that is being written. Made by `open_journal`; for the Trio thread alone."""

    def __init__(
        self, path: Path, fd: int, *, is_whole: bool, complain: Callable[[str], None]
    ) -> None:
        self.path = path
        #: None after the end.
        self._fd: int | None = fd
        #: Whether the file ends with a line break, so that a line can begin.
        self._is_whole = is_whole
        self._complain = complain
        self._lost = 0
        self._lost_why = ""
        #: Something waits for its fsync.
        self._unsynced = trio.Event()

    def write(self, event: Event) -> None:
        """Add an event, as of now. Never waits and never raises; nothing happens after the end."""
        if self._fd is None:
            return
        try:
            line = encode_line(event, now_ms())
        except (TypeError, ValueError) as exc:
            self._lose(str(exc), "an application has given a time that is none")
            return
        try:
            self._write_lost()
            self._append(line)
        except OSError as exc:
            self._lose(why_of(exc), "make room for it, or see to its disk")

    def begin(self, header: Header) -> None:
        """The first line. Raises OSError."""
        self._append(encode_line(header, now_ms()))

    def _write_lost(self) -> None:
        if self._lost:
            self._append(encode_line(Lost(count=self._lost, why=self._lost_why), now_ms()))
            log.warning("%s is written again; %d events were lost", self.path, self._lost)
            self._lost = 0

    def _append(self, line: bytes) -> None:
        """Raises OSError unless all of the line is written, but for its line break at most."""
        assert self._fd is not None
        # What stands there of another line has to end before this one begins.
        unwritten = memoryview(line if self._is_whole else b"\n" + line)
        try:
            while unwritten:
                written = os.write(self._fd, unwritten)
                self._is_whole = unwritten[written - 1] == ord("\n")
                unwritten = unwritten[written:]
        except OSError:
            if len(unwritten) > 1:  # the last byte is the line break
                raise
        self._unsynced.set()

    def _lose(self, why: str, advice: str) -> None:
        self._lost += 1
        if self._lost > 1:
            return
        self._lost_why = why
        self._complain(
            f"can't write the record {str(self.path)!r}: {why}; the session goes on without it:"
            f" {advice}"
        )

    async def sync_forever(self) -> None:
        """Have what is written fsynced, not more often than FSYNC_INTERVAL."""
        while True:
            await self._unsynced.wait()
            self._unsynced = trio.Event()
            await self._sync()
            await trio.sleep(FSYNC_INTERVAL)

    async def _sync(self) -> None:
        assert self._fd is not None
        try:
            # Abandoned on cancel: a network disk that is gone may never answer.
            await trio.to_thread.run_sync(os.fsync, self._fd, abandon_on_cancel=True)
        except OSError as exc:
            log.warning("%s may not survive a loss of power: %s", self.path, why_of(exc))

    async def close(self) -> None:
        """Write how much was lost, and have all of it fsynced, under a deadline."""
        try:
            self._write_lost()
        except OSError:
            log.warning("%d events are not in %s: %s", self._lost, self.path, self._lost_why)
        with trio.move_on_after(FSYNC_DEADLINE, shield=True):
            await self._sync()
        fd, self._fd = self._fd, None
        assert fd is not None
        os.close(fd)


@asynccontextmanager
async def open_journal(
    path: str | os.PathLike[str],
    *,
    role: Role,
    user_id: str,
    complain: Callable[[str], None] = log.error,
) -> AsyncIterator[Journal]:
    """The record of one process, begun with its header; what the file holds already stays there.

    Raises InputError where nothing can be written there.

    :param complain: called with a sentence for people when events begin to be lost; the session
        goes on. It must not raise.
    """
    journal = await trio.to_thread.run_sync(_begin, Path(path), role, user_id, complain)
    try:
        async with open_background() as nursery:
            nursery.start_soon(journal.sync_forever)
            yield journal
    finally:
        await journal.close()


def _begin(path: Path, role: Role, user_id: str, complain: Callable[[str], None]) -> Journal:
    with input_errors(f"can't write the record {str(path)!r}", "name another file for it"):
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            # A pipe or a terminal could have a write wait for whoever reads it.
            raise InputError(f"the record {str(path)!r} is no file; name a file for it")
        fd = os.open(path, _FLAGS, MODE)
        try:
            _lock(fd, path)
            journal = Journal(path, fd, is_whole=_is_whole(fd), complain=complain)
            journal.begin(_header(role, user_id))
        except BaseException:
            os.close(fd)
            raise
        return journal


def _lock(fd: int, path: Path) -> None:
    """Two processes in one file would each take the other's lines for its own."""
    if sys.platform == "win32" or fcntl is None:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"another process writes its record to {str(path)!r}; name another file for this one"
        ) from None
    except OSError:
        log.debug("the file system of %s has no locks", path)


def _is_whole(fd: int) -> bool:
    """Whether a line can begin here; not so where a process was killed in the middle of one."""
    if os.fstat(fd).st_size == 0:
        return True
    os.lseek(fd, -1, os.SEEK_END)
    return os.read(fd, 1) == b"\n"


def _header(role: Role, user_id: str) -> Header:
    wall_clock, monotonic_clock = read_clocks()
    return Header(
        schema=SCHEMA,
        role=role,
        user_id=user_id,
        version=installed_version(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        libraries={name: version_of(name) for name in _LIBRARIES},
        wall_clock=wall_clock,
        monotonic_clock=monotonic_clock,
    )
