"""Lines that a thread writes: in order, waited for by nobody, and counted where they are lost."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import pytest

from imgsync.lines import LineHandler, LineWriter, write_below

WITHIN = 10.0
"""Seconds for what a thread does on a loaded machine."""


class Reader:
    """Takes what is written, once it is let; whoever writes is held up meanwhile."""

    def __init__(self, *, reads: bool = True) -> None:
        self.text = ""
        self.is_held_up = threading.Event()
        self.reads = threading.Event()
        self.fails = False
        if reads:
            self.reads.set()

    def take(self, text: str) -> None:
        self.is_held_up.set()
        assert self.reads.wait(WITHIN)
        if self.fails:
            raise BrokenPipeError
        self.text += text


def writer_to(reader: Reader, max_waiting: int = 1000) -> LineWriter:
    return LineWriter(reader.take, lambda count: f"{count} lost", max_waiting)


def test_lines_are_written_in_the_order_in_which_they_are_put() -> None:
    reader = Reader()
    writer = writer_to(reader, 10_000)
    for number in range(1000):
        writer.put(str(number))
    assert writer.flush(WITHIN)
    assert reader.text == "".join(f"{number}\n" for number in range(1000))


def test_what_there_is_no_room_for_is_lost_and_counted_where_it_would_have_stood() -> None:
    reader = Reader(reads=False)
    writer = writer_to(reader, 10)
    writer.put("first")
    assert reader.is_held_up.wait(WITHIN)
    for line in ("12345", "6789", "too long", "long too"):
        writer.put(line)
    writer.put("!")  # for which there is room again
    assert not writer.flush(0.01)
    reader.reads.set()
    assert writer.flush(WITHIN)
    writer.put("last")
    assert writer.flush(WITHIN)
    assert reader.text == "first\n12345\n6789\n!\n2 lost\nlast\n"


def test_what_can_not_be_written_is_counted_before_what_can_again() -> None:
    reader = Reader()
    reader.fails = True
    writer = writer_to(reader)
    for line in ("a", "b", "c"):
        writer.put(line)
        assert writer.flush(WITHIN)
    reader.fails = False
    writer.put("d")
    writer.put("e")
    assert writer.flush(WITHIN)
    assert reader.text == "3 lost\nd\ne\n"


def test_nothing_waits_for_what_nobody_has_put() -> None:
    threads = threading.active_count()
    assert writer_to(Reader(reads=False)).flush(0)
    assert threading.active_count() == threads


# ── pipes ────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def open_full_pipe() -> Iterator[tuple[int, TextIO]]:
    """Its end to read from, and one to write to, on which whoever writes is held up."""
    reader, writer = os.pipe()
    fill(writer)
    with os.fdopen(reader, "rb"), os.fdopen(writer, "w") as stream:
        yield reader, stream


def fill(writer: int) -> None:
    os.set_blocking(writer, False)
    for size in (4096, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(size))
    os.set_blocking(writer, True)


def read_line(reader: int) -> str:
    """The next line, without what the pipe was filled with."""
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(reader, 1).strip(b"\0")
    return line.decode()


def test_a_record_is_written_as_it_was_when_it_was_logged() -> None:
    with open_full_pipe() as (reader, stream):
        handler = LineHandler(stream)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        log = logging.Logger("of the test")
        log.addHandler(handler)
        what = ["before"]
        log.warning("it was %s", what)
        what[0] = "behind"
        assert read_line(reader) == "WARNING it was ['before']\n"
        handler.flush()


@pytest.mark.parametrize("way", ["nobody reads", "there is none"])
def test_where_it_can_not_be_written_nothing_is_said(
    way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_full_pipe() as (reader, stream):
        handler = LineHandler(stream if way == "nobody reads" else None)
        log = logging.Logger("of the test")
        log.addHandler(handler)
        if way == "nobody reads":
            with open(os.devnull) as nothing:
                os.dup2(nothing.fileno(), reader)  # the pipe has no reader any more
        log.warning("gone")
        handler.flush()
    assert capfd.readouterr() == ("", "")


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    with open_full_pipe() as (reader, stream):
        os.set_blocking(stream.fileno(), False)
        writing = threading.Thread(target=write_below, args=(stream, "é\n"))
        writing.start()
        assert read_line(reader) == "é\n"
        writing.join(WITHIN)
        assert not writing.is_alive()
