"""Processes for end-to-end tests: started, read line by line, and ended by their handle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

import imgsync

SAMPLES = Path(imgsync.__file__).parent / "samples"

# A process on a loaded machine: to its first line, to the end of a session, to its exit.
START_S = 30
SESSION_S = 60
EXIT_S = 10

# Of the stderr of each process that a failed test shows; Chromium's alone is long.
NOTE_CHARS = 4000

JSON = dict[str, Any]


@attrs.define
class Child:
    """A process whose stdout is read as lines.

    Every wait is bounded; one that takes too long, or an early end of the output, fails the test.
    """

    name: str
    process: trio.Process
    unread: bytes = b""

    async def wait_line(self, seconds: float) -> str:
        """The next line of stdout."""
        with self._bounded(seconds, "a line"):
            return await self._demand_line()

    async def wait_event(self, event: str, seconds: float = START_S) -> JSON:
        """The next JSON line with this event; other lines are passed over."""
        with self._bounded(seconds, f"the event {event!r}"):
            while True:
                message: JSON = json.loads(await self._demand_line())
                if message.get("event") == event:
                    return message

    async def wait_success(self, seconds: float = SESSION_S) -> list[JSON]:
        """The rest of the JSON lines, once the process has exited with 0."""
        messages: list[JSON] = []
        with self._bounded(seconds, "the end of its output"):
            while (line := await self._read_line()) is not None:
                messages.append(json.loads(line))
        with self._bounded(EXIT_S, "its exit"):
            code = await self.process.wait()
        assert code == 0, f"the {self.name} exited with {code}"
        return messages

    async def _demand_line(self) -> str:
        line = await self._read_line()
        if line is None:
            raise AssertionError(f"the {self.name} ended its output too early")
        return line

    async def _read_line(self) -> str | None:
        assert self.process.stdout is not None
        while b"\n" not in self.unread:
            chunk = await self.process.stdout.receive_some()
            if not chunk:
                return None
            self.unread += chunk
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode()

    @contextmanager
    def _bounded(self, seconds: float, awaited: str) -> Iterator[None]:
        try:
            with trio.fail_after(seconds):
                yield
        except trio.TooSlowError:
            message = f"the {self.name} let us wait {seconds} s for {awaited}"
            raise AssertionError(message) from None


@asynccontextmanager
async def open_child(
    name: str, *command: str, env: dict[str, str] | None = None
) -> AsyncIterator[Child]:
    with tempfile.TemporaryFile() as stderr:
        process = await trio.lowlevel.open_process(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, env=env
        )
        try:
            yield Child(name, process)
        except Exception as exc:
            # Not by seek: the process has the same file position and may still write.
            text = os.pread(stderr.fileno(), 1 << 20, 0).decode(errors="replace")
            exc.add_note(f"stderr of the {name}, its end:\n{text[-NOTE_CHARS:] or '(empty)'}")
            raise
        finally:
            with trio.CancelScope(shield=True):
                await _end(process)


async def _end(process: trio.Process) -> None:
    if process.returncode is None:
        process.terminate()
        with trio.move_on_after(EXIT_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    assert process.stdout is not None
    # Its own children hold stdout too, and until they are gone they use the files we remove next.
    with trio.move_on_after(EXIT_S):
        async for _chunk in process.stdout:
            pass
    await process.stdout.aclose()


@asynccontextmanager
async def open_relay(*options: str) -> AsyncIterator[str]:
    """A relay of ours on a free port and without STUN; yields its URL."""
    command = (sys.executable, "-m", "imgsync.relay", "--port", "0", "--stun", "none", *options)
    async with open_child("relay", *command) as relay:
        line = await relay.wait_line(START_S)
        assert line.startswith("listening on ws://")
        yield line.removeprefix("listening on ")


def our_evaluator(relay_url: str) -> tuple[str, ...]:
    peers = ("--relay", relay_url, "--user", "E", "--client", "C")
    command = (sys.executable, "-m", "imgsync.evaluator", *peers)
    return (*command, "--every", "0.05", "--json", str(SAMPLES))


def our_client(relay_url: str) -> tuple[str, ...]:
    command = (sys.executable, "-m", "imgsync.client", "--relay", relay_url, "--user", "C")
    return (*command, "--once", "--json")
