"""A pseudo-terminal with a command on it, and what is to be read there."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import attrs

from tests.kit.forks import Forked, can_fork
from tests.kit.processes import EXIT_S

_TOKEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+")


@attrs.define
class Screen:
    """A terminal of one column of lines, as far as our commands use one.

    :param lines: what stands there; the last one is where the cursor is.
    :param erased: what stood on the last line each time that it was erased.
    :param codes: all escape sequences, in order.
    """

    lines: list[str] = attrs.field(factory=lambda: [""])
    erased: list[str] = attrs.field(factory=list)
    codes: list[str] = attrs.field(factory=list)
    _column: int = 0

    def feed(self, text: str) -> None:
        """It has to end with a whole sequence."""
        for token in _TOKEN.findall(text):
            match token:
                case "\r":
                    self._column = 0
                case "\n":
                    self.lines.append("")
                    self._column = 0
                case "\x1b[J":
                    self.erased.append(self.lines[-1])
                    self.lines[-1] = self.lines[-1][: self._column]
                case code if code.startswith("\x1b"):
                    self.codes.append(code)
                case words:
                    line = self.lines[-1]
                    end = self._column + len(words)
                    self.lines[-1] = line[: self._column].ljust(self._column) + words + line[end:]
                    self._column = end

    @property
    def settled(self) -> list[str]:
        """All but the line that may change."""
        return self.lines[:-1]


class Terminal:
    """A process whose stdin, stdout and stderr are one terminal."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], columns: int) -> None:
        self._master, self._slave = pty.openpty()
        self.device = os.ttyname(self._slave)
        self.resize(columns)
        self.before = termios.tcgetattr(self._slave)
        self.screen = Screen()
        self._unfed = b""
        # A read may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        streams = [self._slave] * 3
        self.process: subprocess.Popen[bytes] | Forked
        if can_fork(env):
            self.process = Forked(command, env, streams, leads=True)
        else:
            stdin, stdout, stderr = streams
            self.process = subprocess.Popen(
                command,
                env={**env},
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def resize(self, columns: int) -> None:
        """The process is told of it by whoever calls this."""
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    @property
    def modes(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_until(self, is_so: Callable[[Screen], bool], seconds: float = 30) -> None:
        """Read until something stands on the screen."""
        end = time.monotonic() + seconds
        while not is_so(self.screen):
            left = end - time.monotonic()
            assert left > 0, f"not on the screen within {seconds} s: {self.screen.lines}"
            self._read(min(left, 1))

    def wait_exit(self, seconds: float = 20) -> int:
        """The exit code, once all is read."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self.screen.lines}"
            self._read(0.1)
        self._read(0)
        assert self.process.returncode is not None
        return self.process.returncode

    def _read(self, seconds: float) -> None:
        while select.select([self._master], [], [], seconds)[0]:
            data = self._unfed + os.read(self._master, 1 << 16)
            # What is whole for sure: up to the last sequence, which may be cut.
            head, escape, tail = data.rpartition(b"\x1b")
            is_cut = bool(escape) and re.match(rb"\[[0-9;?]*[A-Za-z]", tail) is None
            whole, self._unfed = (head, escape + tail) if is_cut else (data, b"")
            self.screen.feed(self._decoder.decode(whole))
            seconds = 0

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(EXIT_S)
        os.close(self._slave)
        os.close(self._master)


@contextmanager
def open_terminal(
    command: Sequence[str], env: Mapping[str, str], columns: int = 120
) -> Iterator[Terminal]:
    """The process is gone when the block is left."""
    terminal = Terminal(command, env, columns)
    try:
        yield terminal
    finally:
        terminal.close()
