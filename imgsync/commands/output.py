"""A command's stdout: events, as prose for people or as one JSON object per line for programs.

An event is an attrs class, which stands for its JSON: its fields are the members, in their order,
with names in camelCase. Metadata of a field names the exceptions.
"""

import codecs
import enum
import errno
import io
import json
import os
import select
import stat
import sys
from functools import partial
from typing import Any, Protocol

import attrs
import trio

from imgsync.core.protocol.errors import ImgsyncError
from imgsync.lines import LineWriter, write_below

_SPELT = {"\N{PLUS-MINUS SIGN}": "+/-"}
"""Signs of our own, where an encoding does not have them."""

_SPELL = "imgsync.spell"

MAX_UNREAD = 16 * 1024 * 1024
"""Characters that wait for whoever reads, some 50,000 events."""

FOR_PEOPLE = {"member": "never"}
"""Metadata of a field that only the prose needs."""

IF_KNOWN = {"member": "if known"}
"""Metadata of a field that is left out as long as it is None."""

ROUNDED, TO_A_TENTH = {"digits": 3}, {"digits": 1}
"""Metadata of figures; prose has digits of its own."""


class Event(Protocol):
    """An attrs class that `Output` can write."""

    EVENT: str

    @property
    def prose(self) -> str | None:
        """For people; None if they need not know."""


class Output:
    """A command's stdout: prose for people, or one JSON object per line."""

    def __init__(self, *, as_json: bool) -> None:
        #: Programs read it, and no people.
        self.as_json = as_json

    def write(self, event: Event) -> None:
        """Print an event for whoever reads it. Raises OutputLost."""
        line = dump_event(event) if self.as_json else event.prose
        if line is not None:
            print_line(line)

    def begin_image(self, index: int) -> None:
        """An image goes out; events follow. For a live view, which this is not."""

    def show_typing(self, text: str) -> None:
        """What is typed and not complete. Likewise."""


class OutputLost(ImgsyncError):
    """What a command prints can't be written to stdout.

    :param reader_left: whether that is because nobody reads it any more, and no complaint is due.
    """

    def __init__(self, exc: OSError) -> None:
        super().__init__(f"can't write to stdout: {exc.strerror}")
        self.reader_left = isinstance(exc, BrokenPipeError)


class LinePrinter:
    """Prints to stdout, where a pipe that nobody reads for now holds up nothing but its lines.

    They are written where they are printed, as long as that takes no time; else by a thread, until
    it has written all.

    :param max_unread: characters that wait for whoever reads.
    """

    def __init__(self, max_unread: int = MAX_UNREAD) -> None:
        self._failure: OSError | None = None
        self._behind = LineWriter(self._write, None, max_unread)

    def print_line(self, text: str) -> None:
        """Print one. Raises OutputLost, also for one before that a thread could not write."""
        if self._failure is not None:
            raise OutputLost(self._failure) from self._failure
        if self._behind.flush(0) and not _holds_up(text):
            try:
                print(text, flush=True)
            except OSError as exc:
                raise OutputLost(exc) from exc
        elif not self._behind.put(text):
            raise OutputLost(OSError(errno.ENOBUFS, "nobody reads it"))

    def finish(self, seconds: float | None) -> None:
        """Wait for what is not written yet. Raises OutputLost.

        :param seconds: at most; None for as long as whoever reads takes.
        """
        self._behind.flush(seconds)
        if self._failure is not None:
            raise OutputLost(self._failure) from self._failure

    def _write(self, text: str) -> None:
        try:
            if self._failure is None:
                write_below(sys.stdout, text)
        except OSError as exc:
            self._failure = exc
            raise


def _holds_up(text: str) -> bool:
    """Whether a line would be waited for, as it goes to a pipe without room for it.

    One that has room for anything has it for PIPE_BUF bytes (pipe(7)).
    """
    if sys.platform == "win32" or sys.stdout is None:  # Windows does not tell
        return False
    try:
        descriptor = sys.stdout.fileno()
    except OSError:  # io.UnsupportedOperation
        return False
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return len(text.encode(errors="replace")) >= select.PIPE_BUF or not poll.poll(0)


def accept_any_text() -> None:
    """Let stdout take signs that its encoding does not have, in other words or as numbers.

    The name of a file that is no text keeps its bytes.
    """
    codecs.register_error(_SPELL, _spell)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_SPELL)


def _spell(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign, error.end = error.object[error.start], error.start + 1
    if "\udc80" <= sign <= "\udcff":  # what PEP 383 makes of a byte
        return bytes([ord(sign) - 0xDC00]), error.end
    return (_SPELT[sign], error.end) if sign in _SPELT else codecs.backslashreplace_errors(error)


_stdout = LinePrinter()


def print_line(text: str) -> None:
    """To stdout, at once, or as soon as somebody reads what came before. Raises OutputLost."""
    _stdout.print_line(text)


def finish_stdout(seconds: float | None) -> None:
    """Wait for what was printed and is not read yet, for so long at most. Raises OutputLost."""
    _stdout.finish(seconds)


async def announce_line(text: str) -> None:
    """As `print_line`, while everything else goes on, if nobody reads it. Raises OutputLost."""
    if sys.stdout is None:
        return
    write = partial(write_below, sys.stdout, f"{text}\n")
    try:
        await trio.to_thread.run_sync(write, abandon_on_cancel=True)
    except OSError as exc:
        raise OutputLost(exc) from exc


def dump_event(event: Event) -> str:
    """The line for programs."""
    return json.dumps({"event": event.EVENT, **_members(event)})


def camel(name: str) -> str:
    """A name as it is on the wire and in files."""
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def _members(value: Any) -> dict[str, object]:
    """Of the JSON object that an attrs instance stands for."""
    members: dict[str, object] = {}
    for field in attrs.fields(type(value)):
        item = getattr(value, field.name)
        match field.metadata:
            case {"member": "never"}:
                continue
            case {"member": "if known"} if item is None:
                continue
            case {"digits": digits} if item is not None:
                item = round(item, digits)
        members[camel(field.name)] = _plain(item)
    return members


def _plain(value: Any) -> object:
    """What JSON has."""
    if attrs.has(type(value)):
        return _members(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value
