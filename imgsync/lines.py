"""Lines for stdout and stderr that nobody here waits for.

A pipe that nobody reads takes some 64 KiB, and then holds up whoever writes to it: a loop that
wrote its log itself would stand still with all that it serves. So a thread writes. What it can't
write yet waits, and what would be too much is dropped and counted; the count stands where it would
have stood. It writes below Python's buffers: whoever is held up inside of one holds its lock, and
the interpreter wants that at its end.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TextIO

MAX_WAITING = 1 << 20
"""Characters, some ten thousand lines. As many again may be on their way."""

FLUSH_DEADLINE = 0.5
"""Seconds that the end of a process waits for whoever reads; a relay has 5 for its whole end."""

_LOOK_AGAIN = 0.05
"""Seconds, where somebody else has made a pipe of ours one that is not waited for."""


def write_below(stream: TextIO, text: str) -> None:
    """Write to the file of a text stream, past its buffer. Raises OSError.

    It takes as long as whoever reads lets it.
    """
    encoded = text.replace("\n", os.linesep).encode(stream.encoding, stream.errors or "strict")
    left = memoryview(encoded)
    with open(stream.fileno(), "wb", buffering=0, closefd=False) as file:
        while left:
            written = file.write(left)
            if written is None:
                time.sleep(_LOOK_AGAIN)
            else:
                left = left[written:]


class LineWriter:
    """Writes lines in the order in which they are put, by a thread that ends with the process.

    What can't be written at all, as whoever read has gone or a disk is full, counts as lost, and
    the next line is tried anew.

    :param write: takes whole lines, and may take its time; may raise OSError.
    :param tell_lost: the line for so many that were lost; None where whoever puts them tells of it.
    :param max_waiting: characters.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        tell_lost: Callable[[int], str] | None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._write = write
        self._tell_lost = tell_lost
        self._max_waiting = max_waiting
        #: Guards all that follows, and tells of each change of it.
        self._changed = threading.Condition()
        self._waiting: list[str] = []
        self._size = 0
        self._lost = 0
        self._is_writing = False
        #: Not before it is needed: most commands write none, and a fork would lose it.
        self._thread: threading.Thread | None = None

    def put(self, line: str) -> bool:
        """Have a line written, if there is room; never waits. Returns whether there was."""
        with self._changed:
            if self._size + len(line) > self._max_waiting:
                self._lost += 1
                return False
            self._waiting.append(line)
            self._size += len(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="imgsync-lines")
                self._thread.start()
            self._changed.notify_all()
            return True

    def flush(self, seconds: float | None) -> bool:
        """Wait until all is written, or has turned out to be lost; whether that was in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._is_writing), seconds)

    def _run(self) -> None:
        unwritten = 0
        while True:
            lines, lost = self._take()
            whole = (*self._told(unwritten), *lines, *self._told(lost))
            try:
                self._write("".join(f"{line}\n" for line in whole))
                unwritten = 0
            except OSError:
                unwritten += len(lines) + lost

    def _told(self, lost: int) -> list[str]:
        return [self._tell_lost(lost)] if lost and self._tell_lost is not None else []

    def _take(self) -> tuple[list[str], int]:
        """All that waits, once something does, and how many were lost behind it."""
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
            while not self._waiting:
                self._changed.wait()
            taken = self._waiting, self._lost
            self._waiting, self._size, self._lost = [], 0, 0
            self._is_writing = True
            return taken


class LineHandler(logging.Handler):
    """Has records written to a stream by a thread, and ends with a bounded wait for it.

    They are formatted where they are logged: what waits is text, as short and as discreet as its
    formatter makes it, and no frames and arguments, which may be others by then.

    :param stream: None where the process has none; then nothing is written.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream
        self._writer = LineWriter(self._write, self._tell_lost)

    def emit(self, record: logging.LogRecord) -> None:
        """Have it written; never waits."""
        try:
            self._writer.put(self.format(record))
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait for what is to be written, for FLUSH_DEADLINE at most."""
        self._writer.flush(FLUSH_DEADLINE)

    def _write(self, text: str) -> None:
        if self._stream is not None:
            write_below(self._stream, text)

    def _tell_lost(self, count: int) -> str:
        lost = "1 line of the log was" if count == 1 else f"{count} lines of the log were"
        said = {
            "name": __name__,
            "levelno": logging.WARNING,
            "levelname": logging.getLevelName(logging.WARNING),
            "msg": f"{lost} lost, as nobody read what came before",
        }
        return self.format(logging.makeLogRecord(said))
