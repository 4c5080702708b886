"""A program of the user's that runs while an image is shown: `--exec`.

It is started when an image comes and gets SIGTERM when the image's time is over, with everything
that it has started: when the next one comes, or when it was up for as long as was asked. What is
still there EXIT_DEADLINE later is killed. Nobody waits for that: the next image has a process of
its own. Without a shell, and with what there is to know of the image in its environment.
"""

import math
import os
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from imgsync.client.client import ReceivedImage
from imgsync.commands.groups import OWN_GROUP, kill_group, terminate_group, wait_group_gone
from imgsync.core.protocol.numbers import EXPOSURE_OVER, SUPERSEDED
from imgsync.core.study.running import exposure_of
from imgsync.tasks import open_background

EXIT_DEADLINE = 5.0
"""Seconds from SIGTERM to SIGKILL; a recorder has its file to finish."""

KILL_DEADLINE = 1.0
"""Seconds for what was killed to be gone: a process that waits for a dead disk may never be."""

MAX_ENDING = 8
"""Processes that may take their time to end; if there are more, the oldest is killed at once."""

_NOT_FOR_OTHERS = "IMGSYNC_TOKEN"
"""Whoever has it is this user, at the relay."""

Complain = Callable[[ReceivedImage, str, str], None]
"""Called with the image, a short word for programs, and the same for people."""


class Run:
    """The program while one image is shown. Made by `Program.show`."""

    def __init__(self, image: ReceivedImage, *, needs_file: bool) -> None:
        self.image = image
        #: The image's time is over.
        self.over = trio.Event()
        #: It can be started.
        self.startable = trio.Event()
        self.path: Path | None = None
        #: While it runs, or what it has started does.
        self.process: trio.Process | None = None
        self._is_terminated = False
        #: Why the image is hidden, where its own time was over.
        self.reason: str | None = None
        if not needs_file:
            self.startable.set()

    def file_is_there(self, path: Path) -> None:
        """The image is in this file."""
        self.path = path
        self.startable.set()

    def hide(self) -> None:
        """The image's time is over: SIGTERM has been sent when this returns."""
        self.over.set()
        self.terminate()

    async def hide_in_time(self) -> None:
        """Hide the image once it was up for as long as is asked; a frame is one of 60 Hz."""
        asked = exposure_of(self.image.trial)
        if asked is not None:
            await trio.sleep(asked / 1000)
            self.reason = EXPOSURE_OVER
            self.hide()

    def terminate(self) -> None:
        """Send SIGTERM, once: many programs take a second one for impatience."""
        if self.process is not None and not self._is_terminated:
            self._is_terminated = True
            terminate_group(self.process)


class Program:
    """Made by `open_program`."""

    def __init__(self, words: Sequence[str], complain: Complain, *, needs_file: bool) -> None:
        self._words = list(words)
        self._complain = complain
        self._needs_file = needs_file
        # Unbounded, as `show` can't wait; it is emptied at once.
        self._begun, self._runs = trio.open_memory_channel[Run](math.inf)
        self._current: Run | None = None
        self._ending: deque[trio.CancelScope] = deque()

    def show(self, image: ReceivedImage) -> Run:
        """Hide the image before, and begin a run for this one."""
        if self._current is not None:
            self._current.hide()
        run = self._current = Run(image, needs_file=self._needs_file)
        self._begun.send_nowait(run)
        return run

    async def run_all(self) -> None:
        """Run the program for each image that is shown, for ever."""
        async with trio.open_nursery() as nursery:
            async for run in self._runs:
                nursery.start_soon(self._run, run)

    async def _run(self, run: Run) -> None:
        await _wait_for_any(run.startable, run.over)
        if run.over.is_set():
            run.image.failed(SUPERSEDED)
            return
        try:
            process = run.process = await trio.lowlevel.open_process(
                self._words,
                env=_environment(run),
                stdin=subprocess.DEVNULL,
                # Our stdout is for whoever reads our events; theirs goes where complaints go.
                stdout=2,
                **OWN_GROUP,
            )
        except OSError as exc:
            run.image.failed("exec")
            self._complain(run.image, "not_started", f"can't be started: {exc.strerror}")
            return
        run.image.shown()
        if run.over.is_set():  # since before there was a process to terminate
            run.terminate()
        try:
            await self._wait_exit(run, process)
        finally:
            await self._end(run, process)
            run.process = None

    async def _wait_exit(self, run: Run, process: trio.Process) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_after, run.over, nursery.cancel_scope)
            nursery.start_soon(run.hide_in_time)
            code = await process.wait()
            nursery.cancel_scope.cancel()
        if not run.over.is_set() and code != 0:
            how = f"exit code {code}" if code > 0 else f"signal {-code}"
            word = f"exit_{code}" if code > 0 else f"signal_{-code}"
            self._complain(run.image, word, f"ended with {how}")

    async def _end(self, run: Run, process: trio.Process) -> None:
        """Have it gone, with all that it has started, at the latest when the deadlines say so."""
        run.terminate()
        with trio.move_on_after(EXIT_DEADLINE, shield=True) as patience:
            self._ending.append(patience)
            if len(self._ending) > MAX_ENDING:
                self._ending[0].cancel()
            await process.wait()
            run.image.hidden(reason=run.reason)
            await wait_group_gone(process)
        self._ending.remove(patience)
        if not patience.cancelled_caught:
            return
        was_running = process.returncode is None
        kill_group(process)
        # What is left of the group may be dead already, and nobody has asked what became of it.
        if was_running:
            with trio.move_on_after(KILL_DEADLINE, shield=True):
                await process.wait()
            run.image.hidden(reason=run.reason)
            self._complain(run.image, "killed", "had to be killed: it did not end on SIGTERM")


def variables_of(run: Run) -> dict[str, str]:
    """What the program learns of its image, from its environment."""
    image = run.image
    variables = {
        "IMGSYNC_EVENT": "show",
        "IMGSYNC_IMAGE_INDEX": str(image.index),
        "IMGSYNC_IMAGE_URL": image.image_url,
        "IMGSYNC_SIGNED_URL": image.signed_url or "",
        "IMGSYNC_SENT_AT": str(image.sent_at),
        "IMGSYNC_RECEIVED_AT": str(image.received_at),
    }
    if run.path is not None:
        variables["IMGSYNC_FILE"] = str(run.path)
    return variables


def _environment(run: Run) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != _NOT_FOR_OTHERS}
    return inherited | variables_of(run)


async def _wait_for_any(*events: trio.Event) -> None:
    async with trio.open_nursery() as nursery:
        for event in events:
            nursery.start_soon(_cancel_after, event, nursery.cancel_scope)


async def _cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


@asynccontextmanager
async def open_program(
    words: Sequence[str], complain: Complain, *, needs_file: bool
) -> AsyncIterator[Program]:
    """Run a program for each image; none of its processes outlives the block.

    :param words: the program and its arguments.
    :param needs_file: it is started when `Run.file_is_there` is called, and not before.
    """
    program = Program(words, complain, needs_file=needs_file)
    async with open_background() as nursery:
        nursery.start_soon(program.run_all)
        yield program
