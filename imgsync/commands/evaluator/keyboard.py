"""Lines from stdin, or single keys where it is a terminal, without holding up the event loop."""

import errno
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import trio

from imgsync.commands.evaluator.steering import Keys
from imgsync.tasks import Pull

try:
    import termios
    import tty
except ImportError:  # no such terminals here; lines work everywhere
    termios = None  # type: ignore[assignment]


def is_terminal() -> bool:
    """Whether single keys can be read."""
    return termios is not None and sys.stdin is not None and sys.stdin.isatty()


@contextmanager
def open_lines(typing: Callable[[str], None]) -> Iterator[AsyncIterator[str]]:
    """Complete lines until the end of input. On a terminal, those that single keys stand for.

    :param typing: is told there of what is not complete, as the terminal itself shows no keys.
    """
    if sys.platform == "win32" or not is_terminal():
        yield Pull(_Lines().next)
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield Pull(_KeyedLines(typing).next)
    finally:
        with suppress(termios.error):  # the terminal may have gone
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


class _Lines:
    """Lines from pieces of text."""

    def __init__(self) -> None:
        self._complete: deque[str] = deque()
        self._rest = ""
        self._ended = False

    async def next(self) -> str | None:
        """The next one; None at the end of input."""
        while not self._complete:
            if self._ended:
                return None
            text = await _read_chunk()
            self._ended = not text
            self._split(text)
        return self._complete.popleft()

    def _split(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        self._complete += lines
        if self._ended and self._rest:
            self._complete.append(self._rest)


class _KeyedLines(_Lines):
    """The same from single keys."""

    def __init__(self, typing: Callable[[str], None]) -> None:
        super().__init__()
        self._keys = Keys()
        self._typing = typing

    def _split(self, text: str) -> None:
        lines = map(self._keys.press, text)
        self._complete += [line for line in lines if line is not None]
        self._typing(self._keys.typed)


async def _read_chunk() -> str:
    """What has been typed or piped; nothing at the end of input, or without any."""
    if sys.stdin is None:
        return ""
    # In a thread, because a regular file as stdin can't be waited for; abandoned at the end,
    # because nothing ends a read from a terminal.
    read = partial(os.read, sys.stdin.fileno(), 4096)
    try:
        data = await trio.to_thread.run_sync(read, abandon_on_cancel=True)
    except OSError as exc:
        if exc.errno != errno.EIO:
            raise
        return ""  # a terminal that hangs up at this very moment
    return data.decode(errors="replace")
