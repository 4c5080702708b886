"""A line on the evaluator's terminal that shows how far a series is, and is kept up to date.

What stays (failures, changes of state) is printed above it. All of it is written by one thread: a
terminal that is stopped, or far away, holds up nobody but that thread, and never an image. The
cursor stays as it is, so that there is nothing to restore, whatever ends the process.
"""

import logging
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TextIO

import attrs
import trio

from imgsync.commands.events import STAGE_WORDS, Acked, NotAcked, Preloaded, Stage, State
from imgsync.commands.output import Event, Output, OutputLost
from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.numbers import SUPERSEDED
from imgsync.core.protocol.states import SessionState
from imgsync.tasks import open_background

if TYPE_CHECKING:
    from rich.console import Console

REFRESH_INTERVAL = 0.125
"""Seconds. Nobody reads quicker, and what changes in between is not drawn."""

LAST_DRAW_DEADLINE = 1.0
"""Seconds for what was to be printed when a series ends; a terminal that is stopped may not take
it at all."""

ERASE = "\r\x1b[J"
"""The line, and what a terminal that was made narrower has left of it below."""

GAP = "  "

TYPED = 20
"""Columns for the end of what is typed, where there is no room for all of it."""

_STATE_STYLES = {
    SessionState.CONNECTED: "green",
    SessionState.RESUMED: "green",
    SessionState.SUSPECT: "yellow",
    SessionState.INTERRUPTED: "bold red",
}


@attrs.frozen
class Fate:
    """What has become of an image; of a lower rank is what comes about before."""

    rank: int
    words: str
    style: str = ""


SENT, NOT_ACKED, ACKED = Fate(0, "sent"), Fate(1, "not acked", "bold red"), Fate(2, "acked")
PASSED_OVER = Fate(4, SUPERSEDED)

_FATE_OF_STAGE = {
    StageKind.FETCHED: Fate(3, STAGE_WORDS[StageKind.FETCHED]),
    StageKind.SHOWN: Fate(4, STAGE_WORDS[StageKind.SHOWN], "green"),
    StageKind.HIDDEN: Fate(4, STAGE_WORDS[StageKind.HIDDEN]),
    StageKind.FAILED: Fate(4, STAGE_WORDS[StageKind.FAILED], "bold red"),
}


@attrs.define
class Progress:
    """What is known of a series, as far as it fits on a line."""

    count: int
    state: SessionState = SessionState.CONNECTED
    index: int | None = None
    #: Of the image that was shown last.
    fate: Fate | None = None
    last_ack: Acked | None = None
    #: Of what was announced; None where all of it is there.
    preloaded: Preloaded | None = None
    typing: str = ""

    def begin_image(self, index: int) -> None:
        """An image goes out."""
        self.index, self.fate = index, SENT

    def add(self, event: Event) -> None:
        """Show it, as far as there is a place for it on the line."""
        match event:
            case State():
                self.state = event.state
            case Preloaded(announced, there):
                self.preloaded = event if there < announced else None
            case Acked():
                self.last_ack = event
                self._become(event.image_index, ACKED)
            case NotAcked():
                is_superseded = event.reason == SUPERSEDED
                self._become(event.image_index, PASSED_OVER if is_superseded else NOT_ACKED)
            case Stage(reason=reason) if reason == SUPERSEDED:
                self._become(event.image_index, PASSED_OVER)
            case Stage():
                self._become(event.image_index, _FATE_OF_STAGE[event.stage])
            case _:
                pass

    def _become(self, index: int, fate: Fate) -> None:
        if index == self.index and (self.fate is None or fate.rank >= self.fate.rank):
            self.fate = fate

    @property
    def parts(self) -> list["Part"]:
        """All that there is to show now, in the order of the line."""
        place = "-" if self.index is None else str(self.index + 1)
        state, style = self.state.value, _STATE_STYLES.get(self.state, "")
        parts = [
            Part(0, f"image {place} of {self.count}", f"{place}/{self.count}", "bold"),
            Part(1, state, state, style),
        ]
        if self.fate is not None:
            parts.append(Part(2, self.fate.words, self.fate.words, self.fate.style))
        if self.preloaded is not None:
            short = f"{self.preloaded.there}/{self.preloaded.announced} there"
            parts.append(Part(5, self.preloaded.words, short))
        if self.last_ack is not None:
            way = f"{self.last_ack.latency_ms:.1f} ± {self.last_ack.bound_ms:.1f} ms"
            trip = f"round trip {self.last_ack.round_trip_ms:.1f} ms"
            parts += [Part(3, f"one way {way}", way), Part(4, trip, trip)]
        if self.typing:
            parts.append(Part(0, f"{self.typing}_", f"{self.typing[-TYPED:]}_", "bold"))
        return parts


@attrs.frozen
class Part:
    """A part of the line.

    :param rank: those of the highest go first where there is no room.
    :param text: with words.
    :param short: without.
    """

    rank: int
    text: str
    short: str
    style: str = ""


def fit(parts: Sequence[Part], width: int) -> list[Part]:
    """What of them fits into so many columns: some shortened, then some left out."""

    def is_too_long() -> bool:
        return len(GAP.join(part.text for part in fitted)) > width

    fitted = list(parts)
    dispensable = sorted(range(len(parts)), key=lambda place: -parts[place].rank)
    for place in dispensable:
        if is_too_long():
            fitted[place] = attrs.evolve(fitted[place], text=fitted[place].short)
    for place in dispensable:
        if is_too_long():
            fitted.remove(attrs.evolve(parts[place], text=parts[place].short))
    return fitted


class LiveOutput(Output):
    """An `Output` for people, of which most becomes of a line that is kept up to date.

    Made by `open_progress`.
    """

    def __init__(self, count: int, console: "Console") -> None:
        super().__init__(as_json=False)
        self._progress = Progress(count)
        self._console = console
        #: To be printed above the line, and where. As many as a session has failures; other
        #: threads may add what they log.
        self._permanent: deque[tuple[TextIO, str]] = deque()
        self._news = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        #: One that was left alone may still draw when the next one begins.
        self._drawing = threading.Lock()
        self._is_over = False

    def write(self, event: Event) -> None:
        """See Output; it is printed within REFRESH_INTERVAL."""
        self._progress.add(event)
        prose = event.prose
        if prose is not None and not isinstance(event, Acked | Preloaded):
            self._permanent.append((sys.stdout, prose + "\n"))
        self._news.set()

    def begin_image(self, index: int) -> None:
        """See Output."""
        self._progress.begin_image(index)
        self._news.set()

    def show_typing(self, text: str) -> None:
        """See Output."""
        self._progress.typing = text
        self._news.set()

    def add_text(self, stream: TextIO, text: str) -> None:
        """Print this above the line, too. For any thread."""
        if self._is_over:
            stream.write(text)
            return
        self._permanent.append((stream, text))
        self._token.run_sync_soon(self._set_news, idempotent=True)

    def _set_news(self) -> None:
        self._news.set()

    async def draw_forever(self) -> None:
        """Draw the line, and again whenever there is something new. Raises OutputLost."""
        self._news.set()
        while True:
            await self._news.wait()
            self._news = trio.Event()
            # A thread that can't write is left alone; its terminal may never be read again.
            await trio.to_thread.run_sync(self._draw, self._line(), abandon_on_cancel=True)
            await trio.sleep(REFRESH_INTERVAL)

    async def watch_size(self) -> None:
        """Fit the line into a terminal whose size changes."""
        if not hasattr(signal, "SIGWINCH"):
            return
        with trio.open_signal_receiver(signal.SIGWINCH) as resizes:
            async for _ in resizes:
                self._news.set()

    async def finish(self) -> None:
        """Print what is left, and take the line away. Raises OutputLost."""
        with trio.move_on_after(LAST_DRAW_DEADLINE, shield=True):
            await trio.to_thread.run_sync(self._draw, None, abandon_on_cancel=True)

    def _line(self) -> str:
        # The last column stays free: some terminals move on to the next line once it is written.
        parts = fit(self._progress.parts, self._console.width - 1)
        with self._console.capture() as capture:
            for place, part in enumerate(parts):
                self._console.print(GAP if place else "", end="", markup=False)
                self._console.print(part.text, style=part.style, end="", markup=False)
        return capture.get()

    def _draw(self, line: str | None) -> None:
        """In a thread; None: for the last time."""
        with self._drawing:
            if self._is_over:
                return
            self._is_over = line is None
            self._write(line or "")

    def _write(self, line: str) -> None:
        unwritten = ERASE
        while self._permanent:
            stream, text = self._permanent.popleft()
            if stream is sys.stdout:
                unwritten += text
            else:
                _write_all(sys.stdout, unwritten)
                _write_all(stream, text)
                unwritten = ""
        # In one piece, or it would flicker.
        _write_all(sys.stdout, unwritten + line)


def _write_all(stream: TextIO, text: str) -> None:
    """Past the buffer: its lock would be held for as long as a terminal is stopped, and the end of
    the process waits for it. Raises OutputLost."""
    unwritten = text.encode(stream.encoding, "replace")
    try:
        while unwritten:
            unwritten = unwritten[os.write(stream.fileno(), unwritten) :]
    except OSError as exc:
        raise OutputLost(exc) from exc


class _Above:
    """A stream for log records, whose lines come to stand above the live line."""

    def __init__(self, live: LiveOutput, stream: TextIO) -> None:
        self._live = live
        self._stream = stream

    def write(self, text: str) -> None:
        self._live.add_text(self._stream, text)

    def flush(self) -> None:
        """They are flushed as they are printed."""


@asynccontextmanager
async def open_progress(
    output: Output, console: "Console | None", count: int
) -> AsyncIterator[Output]:
    """Where to write the events of a series: on a terminal a live view, else the output itself.

    Raises OutputLost.

    :param console: what `find_console` has found.
    :param count: images in the series.
    """
    if console is None:
        yield output
        return
    live = LiveOutput(count, console)
    with _logs_above(live):
        try:
            async with open_background() as nursery:
                nursery.start_soon(live.draw_forever)
                nursery.start_soon(live.watch_size)
                yield live
        finally:
            await live.finish()


def find_console(output: Output) -> "Console | None":
    """The terminal; None where lines are all that can be shown, or nobody looks.

    For the start of a command: it may load rich, which takes a tenth of a second.
    """
    if output.as_json or sys.stdout is None or not sys.stdout.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    console = Console(highlight=False)
    if console.is_dumb_terminal or console.legacy_windows:
        return None
    with console.capture():
        console.print()  # the first time, it loads more
    return console


@contextmanager
def _logs_above(live: LiveOutput) -> Iterator[None]:
    """What is logged to the same terminal would tear the line apart."""
    stderr = sys.stderr
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler)
        and handler.stream is stderr
        and stderr.isatty()
    ]
    for handler in handlers:
        handler.setStream(_Above(live, stderr))
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(stderr)
