"""Reads a record back, whatever has become of it: cut off, overwritten, or of a later version."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import attrs

from imgsync.core.protocol.signalling import Milliseconds
from imgsync.files import input_errors
from imgsync.journal.events import Event, Header
from imgsync.journal.lines import MAX_LINE, NewerSchema, decode_line


@attrs.frozen
class Entry:
    """What stands in one line.

    :param line: its number, from 1.
    :param at: when it was written, on the writer's clock.
    """

    line: int
    at: Milliseconds
    event: Event


@attrs.frozen
class Skipped:
    """A line that can't be read.

    :param line: its number, from 1.
    :param why: what is wrong with it; never holds what stands there.
    """

    line: int
    why: str


def read_journal(path: Path) -> Iterator[Entry | Skipped]:
    """All lines in their order, one at a time. Raises InputError for a file that can't be read.

    A last line without its line break counts if it is whole.
    """
    newer: NewerSchema | None = None
    for number, line in enumerate(_bounded_lines(path), start=1):
        try:
            # Editors put it there, and whoever puts files together takes it along.
            at, event = decode_line(line.removeprefix(BOM_UTF8))
        except ValueError as exc:
            if isinstance(exc, NewerSchema):
                newer = exc
            yield Skipped(number, str(exc))
            continue
        if isinstance(event, Header):
            newer = None
        # Fields may have kept their names and changed their meaning.
        yield Entry(number, at, event) if newer is None else Skipped(number, str(newer))


def _bounded_lines(path: Path) -> Iterator[bytes]:
    """Lines, of which those that are too long are cut off just behind the limit."""
    with _reading(path):
        file = path.open("rb")
    with file:
        while line := _read_line(file, path):
            rest = line
            while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
                rest = _read_line(file, path)
            yield line


def _read_line(file: BinaryIO, path: Path) -> bytes:
    with _reading(path):
        return file.readline(MAX_LINE + 1)


def _reading(path: Path) -> AbstractContextManager[None]:
    return input_errors(
        f"can't read the record {str(path)!r}", "name a file that a peer has written with --log"
    )
