"""Commands of ours without their start, for tests of what comes after it.

Importing is the better part of what a short session costs: half a second of CPU time for each peer.
So it is done once, by a process that others are forked from. Each is a process like any other from
there on: of its own pid, files, signals and end. How a command starts and what it imports for that
is for tests that use `open_child`, as most of those of the commands themselves do.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Self

import trio

from tests.kit.processes import (
    EXIT_S,
    LISTENING,
    SESSION_S,
    START_S,
    STRICT,
    Child,
    Outcome,
    our_relay,
    tend,
)


class Fork:
    """Has what a `trio.Process` has, as far as tests use it. Made by `open_fork`."""

    def __init__(
        self, pid: int, told: int, stdin: trio.lowlevel.FdStream | None, stdout: int
    ) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = trio.lowlevel.FdStream(stdout)
        self._code: int | None = None
        self._told = told

    @property
    def returncode(self) -> int | None:
        if self._code is None and select.select([self._told], [], [], 0)[0]:
            self._code = int(os.read(self._told, 32))
        return self._code

    async def wait(self) -> int:
        while self.returncode is None:
            await trio.lowlevel.wait_readable(self._told)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: signal.Signals | int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forked:
    """Has what a `subprocess.Popen` has, as far as tests without Trio use it."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        streams: Sequence[int],
        leads: bool = False,
    ) -> None:
        """:param leads: whether it leads a session of its own, as `start_new_session` has it."""
        self._told, tell = os.pipe()
        try:
            _ask(command, env, [*streams, tell], leads=leads)
        finally:
            os.close(tell)
        self.pid = int(self._read_line())
        self.returncode: int | None = None

    def _read_line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            line += (one := os.read(self._told, 1))
            assert one, "the process that commands are forked from has ended"
        return line.decode()

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        if (code := self._look(timeout)) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return code

    def _look(self, seconds: float) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            self.returncode = int(self._read_line())
        return self.returncode

    def send_signal(self, number: signal.Signals | int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    @contextmanager
    def tended(self) -> Iterator[Self]:
        """It is gone when the block is left."""
        try:
            yield self
        finally:
            self.terminate()
            if self._look(EXIT_S) is None:
                self.kill()
                self._look(EXIT_S)
            os.close(self._told)


@functools.cache
def _template(*loaded: str) -> socket.socket:
    """Where to ask for forks, until this process ends.

    :param loaded: "report" for one that has loaded what reports are made with, and nothing else.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = (sys.executable, "-m", "tests.kit.fork_template", str(theirs.fileno()), *loaded)
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=quiet, stdout=quiet, env=STRICT, pass_fds=[theirs.fileno()]
    )
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


@asynccontextmanager
async def open_fork(
    name: str,
    *command: str,
    env: Mapping[str, str] = STRICT,
    stdin: int = subprocess.DEVNULL,
    network: str | None = None,
) -> AsyncIterator[Child]:
    """As `open_child`, for a command of the form `sys.executable -m MODULE WORDS`.

    :param env: of what is for Python itself, it has what STRICT has.
    :param network: the name of a network namespace to run in, instead of ours.
    """
    with tempfile.TemporaryFile() as stderr:
        told, tell = os.pipe()
        stdout, write_stdout = os.pipe()
        read_stdin, write_stdin = os.pipe() if stdin == subprocess.PIPE else (None, None)
        if stdin == subprocess.DEVNULL:
            read_stdin = os.open(os.devnull, os.O_RDONLY)
        descriptors = [stdin if read_stdin is None else read_stdin]
        descriptors += [write_stdout, stderr.fileno(), tell]
        try:
            _ask(command, env, descriptors, network)
        finally:
            for descriptor in (tell, write_stdout, read_stdin):
                if descriptor is not None:
                    os.close(descriptor)
        with trio.CancelScope(shield=True):  # who has a pid, has to be ended
            pid = await _read_pid(told)
        feed = None if write_stdin is None else trio.lowlevel.FdStream(write_stdin)
        try:
            async with tend(Child(name, Fork(pid, told, feed, stdout), stderr)) as child:
                yield child
        finally:
            os.close(told)


def _ask(
    command: Sequence[str],
    env: Mapping[str, str],
    descriptors: Sequence[int],
    network: str | None = None,
    leads: bool = False,
) -> None:
    """:param descriptors: stdin, stdout, stderr, and the pipe that is to be told."""
    executable, option, *words = command
    assert (executable, option) == (sys.executable, "-m")
    assert can_fork(env)
    asked = {"command": words, "env": dict(env), "network": network, "leads": leads}
    loaded = ("report",) if words[:2] == ["imgsync", "report"] else ()
    socket.send_fds(_template(*loaded), [json.dumps(asked).encode()], descriptors)


async def _read_pid(told: int) -> int:
    """One byte after the other: the line that follows is for later."""
    line = b""
    while not line.endswith(b"\n"):
        await trio.lowlevel.wait_readable(told)
        line += (one := os.read(told, 1))
        assert one, "the process that commands are forked from has ended"
    return int(line)


def can_fork(env: Mapping[str, str]) -> bool:
    """Whether it says to Python what STRICT does: that has been obeyed already."""
    ours, usual = (
        {name: value for name, value in given.items() if name.startswith("PYTHON")}
        for given in (env, STRICT)
    )
    return ours == usual


async def run_fork_to_end(
    name: str, *command: str, env: Mapping[str, str] = STRICT, seconds: float = SESSION_S
) -> Outcome:
    """Run one to its end by itself."""
    async with open_fork(name, *command, env=env) as child:
        return await child.wait_outcome(seconds)


@asynccontextmanager
async def open_relay(*options: str) -> AsyncIterator[str]:
    """A relay of ours on a free port and without STUN; yields its URL."""
    async with open_fork("relay", *our_relay(*options)) as relay:
        line = await relay.wait_line(START_S)
        assert line.startswith(LISTENING)
        yield line.removeprefix(LISTENING)


@contextmanager
def shared_relay(*options: str) -> Iterator[str]:
    """As `open_relay`, without Trio, for the tests of a whole file."""
    stdout, write_stdout = os.pipe()
    with open(os.devnull, "r+b") as nowhere, open(stdout) as said:
        quiet = nowhere.fileno()
        try:
            relay = Forked(our_relay(*options), STRICT, [quiet, write_stdout, quiet])
        finally:
            os.close(write_stdout)
        with relay.tended():
            assert select.select([said], [], [], START_S)[0], "the relay does not start"
            line = said.readline().strip()
            assert line.startswith(LISTENING)
            yield line.removeprefix(LISTENING)
