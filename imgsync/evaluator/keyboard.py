"""Lines from stdin, or single keys where it is a terminal, without holding up the event loop."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import trio

from imgsync.evaluator.steering import Keys

try:
    import termios
    import tty
except ImportError:  # no such terminals here; lines work everywhere
    termios = None  # type: ignore[assignment]


def is_terminal() -> bool:
    """Whether single keys can be read."""
    return termios is not None and sys.stdin.isatty()


@contextmanager
def open_lines() -> Iterator[AsyncIterator[str]]:
    """Complete lines until the end of input. On a terminal, those that single keys stand for."""
    if not is_terminal():
        yield _lines()
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield _keys()
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


async def _lines() -> AsyncIterator[str]:
    rest = ""
    async for text in _read_chunks():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line
    if rest:
        yield rest


async def _keys() -> AsyncIterator[str]:
    keys = Keys()
    async for text in _read_chunks():
        for key in text:
            line = keys.press(key)
            if line is not None:
                yield line


async def _read_chunks() -> AsyncIterator[str]:
    # In a thread, because a regular file as stdin can't be waited for; abandoned at the end,
    # because nothing ends a read from a terminal.
    while True:
        data = await trio.to_thread.run_sync(
            os.read, sys.stdin.fileno(), 4096, abandon_on_cancel=True
        )
        if not data:
            return
        yield data.decode(errors="replace")
