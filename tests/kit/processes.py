"""Processes for end-to-end tests: started, read line by line, and ended by their handle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import attrs
import trio

import imgsync

if TYPE_CHECKING:
    from tests.kit.forks import Fork

SAMPLES = Path(imgsync.__file__).parent / "samples"

# A process on a loaded machine: to its first line, to the end of a session, to its exit.
START_S = 30
SESSION_S = 60
EXIT_S = 10

# For what is waited for without a figure of its own: as long as a browser has for an answer.
WAIT_S = 20

# Of the stderr of each process that a failed test shows; Chromium's alone is long.
NOTE_CHARS = 4000

# Between two looks at what nothing tells us of, such as another process's table of files.
LOOK_AGAIN_S = 0.02

# What stands before the URL in a relay's first line.
LISTENING = "listening on "

# Output buffered, as it is by default; and warnings as errors, which stderr shows if nothing else.
STRICT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
STRICT["PYTHONWARNINGS"] = "error"
# What the tests import is what the processes run, wherever they start.
STRICT["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(SAMPLES.parents[1]), os.environ.get("PYTHONPATH")])
)

JSON = dict[str, Any]


@attrs.frozen
class Outcome:
    """How a process ended: its exit code, and the lines that it wrote."""

    code: int
    lines: list[str]
    errors: list[str]


Job = Callable[[], Awaitable[Outcome]]


@attrs.define
class Child:
    """A process whose stdout is read as lines.

    Every wait is bounded; one that takes too long, or an early end of the output, fails the test.
    """

    name: str
    process: trio.Process | Fork
    stderr: IO[bytes]
    unread: bytes = b""

    def read_errors(self) -> str:
        """What it has written to stderr so far."""
        # Not by seek: the process has the same file position and may still write.
        return os.pread(self.stderr.fileno(), 1 << 20, 0).decode(errors="replace")

    async def write(self, text: str) -> None:
        """To its stdin, which has to be a pipe."""
        assert self.process.stdin is not None
        with self._bounded(EXIT_S, "its reading"):
            await self.process.stdin.send_all(text.encode())

    async def close_stdin(self) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.aclose()

    async def close_stdout(self) -> None:
        """Read no more of it, as a `head` does that has seen enough."""
        assert self.process.stdout is not None
        await self.process.stdout.aclose()

    async def wait_exit(self, seconds: float = EXIT_S) -> int:
        """Its exit code; -N where signal N ended it. Its output is not read."""
        with self._bounded(seconds, "its exit"):
            return await self.process.wait()

    async def wait_outcome(self, seconds: float = SESSION_S) -> Outcome:
        """How it ended, with the lines that were not read before."""
        lines: list[str] = []
        with self._bounded(seconds, "the end of its output"):
            while (line := await self._read_line()) is not None:
                lines.append(line)
        code = await self.wait_exit()
        return Outcome(code, lines, self.read_errors().splitlines())

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
        code = await self.wait_exit()
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
    name: str,
    *command: str,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> AsyncIterator[Child]:
    """A process that is gone when the block is left.

    :param env: all of its environment; ours by default.
    :param stdin: a file descriptor, or subprocess.PIPE to write to it.
    """
    with tempfile.TemporaryFile() as stderr:
        process = await trio.lowlevel.open_process(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, env=env
        )
        async with tend(Child(name, process, stderr)) as child:
            yield child


@asynccontextmanager
async def tend(child: Child) -> AsyncIterator[Child]:
    """Its process is gone when the block is left; an error tells what it wrote to stderr."""
    try:
        yield child
    except Exception as exc:
        text = child.read_errors()[-NOTE_CHARS:]
        exc.add_note(f"stderr of the {child.name}, its end:\n{text or '(empty)'}")
        raise
    finally:
        with trio.CancelScope(shield=True):
            await _end(child.process)


async def run_to_end(
    name: str, *command: str, env: Mapping[str, str] | None = None, seconds: float = SESSION_S
) -> Outcome:
    """Run a process to its end by itself."""
    async with open_child(name, *command, env=env) as child:
        return await child.wait_outcome(seconds)


async def run_together(jobs: Mapping[str, Job], at_once: int | None = None) -> dict[str, Outcome]:
    """The outcome of each job, by its name.

    :param at_once: of those that mostly wait; as many as there are cores by default.
    """
    limit = trio.CapacityLimiter(at_once or max(2, os.cpu_count() or 1))
    outcomes: dict[str, Outcome] = {}

    async def run(name: str, job: Job) -> None:
        async with limit:
            outcomes[name] = await job()

    async with trio.open_nursery() as nursery:
        for name, job in jobs.items():
            nursery.start_soon(run, name, job)
    return outcomes


async def wait_until(is_so: Callable[[], bool], awaited: str, seconds: float = WAIT_S) -> None:
    """Look again and again until something is so that nothing tells us of."""
    with trio.move_on_after(seconds):
        while not is_so():  # noqa: ASYNC110 (nobody sets an event)
            await trio.sleep(LOOK_AGAIN_S)
        return
    raise AssertionError(f"{awaited} was not so within {seconds} s")


async def _end(process: trio.Process | Fork) -> None:
    if process.returncode is None:
        process.terminate()
        with trio.move_on_after(EXIT_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    if process.stdin is not None:
        await process.stdin.aclose()
    assert process.stdout is not None
    # Its own children hold stdout too, and until they are gone they use the files we remove next.
    with trio.move_on_after(EXIT_S), suppress(trio.ClosedResourceError):
        async for _chunk in process.stdout:
            pass
    await process.stdout.aclose()


def our_relay(*options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "imgsync.relay", "--port", "0", "--stun", "none", *options)


def our_evaluator(relay_url: str) -> tuple[str, ...]:
    peers = ("--relay", relay_url, "--user", "E", "--client", "C")
    command = (sys.executable, "-m", "imgsync.evaluator", *peers)
    return (*command, "--every", "0.05", "--json", str(SAMPLES))


def our_client(relay_url: str) -> tuple[str, ...]:
    command = (sys.executable, "-m", "imgsync.client", "--relay", relay_url, "--user", "C")
    return (*command, "--once", "--json")
