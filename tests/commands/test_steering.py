"""What a person types, and how it is read from a pipe and from a terminal."""

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgsync.commands.evaluator.steering import (
    HELP,
    Command,
    End,
    Keys,
    Note,
    Refused,
    Show,
    parse_line,
)

COUNT = 5

LAW = settings(deadline=None, derandomize=True)

WITHIN = 30.0
"""Seconds for a process on a loaded machine; it needs a small part of one."""


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "current", "command"),
    [
        ("", None, None),
        ("  \t\r", 3, None),
        ("next", None, Show(0)),
        ("next", 0, Show(1)),
        ("next", 3, Show(4)),
        ("next\r", 3, Show(4)),
        ("  next  ", 3, Show(4)),
        ("prev", None, Show(0)),
        ("prev", 4, Show(3)),
        ("prev", 1, Show(0)),
        ("goto 0", None, Show(0)),
        ("goto 4", 2, Show(4)),
        ("goto\t2", 2, Show(2)),
        ("goto 002", None, Show(2)),
        ("mark blurred,  not sharp \r", 3, Note(None, "blurred,  not sharp")),
        ("score 2", None, Note(2.0, None)),
        ("  score -1.5  worse than before\r", 3, Note(-1.5, "worse than before")),
        ("end", None, End()),
        ("end", 4, End()),
    ],
)
def test_a_line_means_an_image_or_the_end(
    line: str, current: int | None, command: Command | None
) -> None:
    assert parse_line(line, current, COUNT) == command


@pytest.mark.parametrize(
    ("line", "current", "why"),
    [
        ("next", 4, "there is no image 5; they go from 0 to 4"),
        ("prev", 0, "there is no image -1; they go from 0 to 4"),
        ("goto 5", 0, "there is no image 5; they go from 0 to 4"),
        ("goto 999999999", 0, "there is no image 999999999; they go from 0 to 4"),
    ],
)
def test_an_image_that_is_not_there_is_refused_with_those_that_are(
    line: str, current: int, why: str
) -> None:
    assert parse_line(line, current, COUNT) == Refused(why)


@pytest.mark.parametrize(
    "line",
    [
        "NEXT",
        "nxt",
        "next next",
        "next 1",
        "end now",
        "goto",
        "goto one",
        "goto 1 2",
        "goto -1",
        "goto +1",
        "goto 1.0",
        "goto 1e0",
        "goto 0x1",
        "goto ²",
        "mark",
        "score",
        "goto 1234567890",
        "goto " + "1" * 10_000,
        "\x1b[A",
        "\x00",
        "quit" * 10_000,
    ],
    ids=lambda line: ascii(line)[:30],
)
def test_what_is_no_command_is_refused_with_those_that_are(line: str) -> None:
    command = parse_line(line, 2, COUNT)
    assert isinstance(command, Refused)
    assert command.why.isprintable()
    assert command.why.endswith(f"known are: {HELP}")
    assert len(command.why) < 300


@pytest.mark.parametrize("number", ["good", "nan", "inf", "1,5", "1e999"])
def test_a_score_is_a_number(number: str) -> None:
    refused = parse_line(f"score {number} text", 2, COUNT)
    assert refused == Refused(f"a score is a number, and not {number!r}")


@LAW
@given(st.text(), st.none() | st.integers(0, COUNT - 1))
def test_no_line_leads_outside_the_series(line: str, current: int | None) -> None:
    command = parse_line(line, current, COUNT)
    assert not isinstance(command, Show) or 0 <= command.index < COUNT


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("n", ["next"]),
        (" ", ["next"]),
        ("\n", ["next"]),
        ("\r", ["next"]),
        ("p", ["prev"]),
        ("q", ["end"]),
        ("\x04", ["end"]),
        ("0\n", ["goto 0"]),
        ("12\r", ["goto 12"]),
        ("1\n2\n", ["goto 1", "goto 2"]),
        ("12n\n", ["next", "next"]),
        ("1x2\n", ["goto 2"]),
        ("12\x7f3\n", ["goto 3"]),
        ("nnp q", ["next", "next", "prev", "next", "end"]),
        ("m", []),
        ("mno, \n", ["mark no, "]),
        ("msharp\x7f\x7f\x7fort\rn", ["mark short", "next"]),
        ("m  \rn", ["next"]),
        ("mlost\x1bn", ["next"]),
        ("m12\x04q", ["end"]),
        ("s4 dim\n5\n", ["score 4 dim", "goto 5"]),
        ("1m2\n", ["mark 2"]),
        ("N", []),
        ("x", []),
        ("\x1b[A\x1b[B\x1b[1;5C\x1b[3~", []),
        ("\x1b[3~\n", ["next"]),
        ("²\n", ["next"]),
        ("\u0661\n", ["next"]),
        ("123", []),
    ],
)
def test_keys_stand_for_lines(typed: str, lines: list[str]) -> None:
    keys = Keys()
    assert [line for key in typed if (line := keys.press(key)) is not None] == lines


@LAW
@given(st.text())
def test_every_line_that_keys_stand_for_is_a_command(typed: str) -> None:
    keys = Keys()
    for key in typed:
        line = keys.press(key)
        command = None if line is None else parse_line(line, 2, 10**9)
        assert line is None or command is not None
        if isinstance(command, Refused):
            assert line is not None
            assert len(line) > len("goto 999999999")


# ── a process that reads its stdin ───────────────────────────────────────────────────────────────

READER = """
import gc
import sys
import trio
from imgsync.commands.evaluator.keyboard import open_lines

class OwnError(Exception): pass

async def read():
    with open_lines(lambda _: None) as lines:
        print("reading", flush=True)
        async for line in lines:
            print(ascii(line), flush=True)
            if line == "end":
                return
            if line == "prev":
                raise OwnError
            if line == "goto 9":
                await trio.sleep_forever()
    print("no more", flush=True)

async def main():
    try:
        with trio.move_on_after(SECONDS):
            await read()
    except OwnError:
        print("an error", flush=True)
    # An iterator that was left and not closed would be complained of now, on stderr.
    gc.collect()
    await trio.lowlevel.checkpoint()

trio.run(main)
"""


def reader_command(seconds: float = 1e6) -> list[str]:
    return [sys.executable, "-W", "error", "-c", READER.replace("SECONDS", str(seconds))]


def read_from(text: bytes) -> list[str]:
    """What a process reads that is given this on a pipe."""
    done = subprocess.run(reader_command(), input=text, capture_output=True, timeout=WITHIN)
    assert done.stderr == b""
    assert done.returncode == 0
    begin, *lines = done.stdout.decode().splitlines()
    assert begin == "reading"
    return lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", ["no more"]),
        (b"next\n\nprev", ["'next'", "''", "'prev'", "an error"]),
        (b"next\r\ngoto 3", ["'next\\r'", "'goto 3'", "no more"]),
        (b"next\nend\nnext\n", ["'next'", "'end'"]),
        (b"\xff\x00\n\xc3\xa4\n", ["'\\ufffd\\x00'", "'\\xe4'", "no more"]),
        (b"x" * 10_000 + b"\nend\n", [repr("x" * 10_000), "'end'"]),
    ],
    ids=["nothing", "no last line break", "from Windows", "the end", "no UTF-8", "long"],
)
def test_lines_come_from_a_pipe(text: bytes, lines: list[str]) -> None:
    assert read_from(text) == lines


def test_a_line_comes_when_it_is_complete_and_not_before() -> None:
    with subprocess.Popen(
        reader_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        for part, line in ((b"ne", None), (b"xt\nen", b"'next'\n"), (b"d\n", b"'end'\n")):
            process.stdin.write(part)
            if line is not None:
                assert process.stdout.readline() == line
        assert process.wait(WITHIN) == 0


def test_lines_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"next\nend\n")
    with (tmp_path / "lines").open("rb") as file:
        done = subprocess.run(reader_command(), stdin=file, capture_output=True, timeout=WITHIN)
    assert (done.stdout, done.stderr) == (b"reading\n'next'\n'end'\n", b"")


def test_a_closed_stdin_is_the_end_of_input() -> None:
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *reader_command()]
    done = subprocess.run(command, capture_output=True, timeout=WITHIN)
    assert (done.stdout, done.stderr) == (b"reading\nno more\n", b"")


# ── a terminal ───────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """A pseudo-terminal with a process that reads from it. Its stdout is a pipe."""

    def __init__(self, seconds: float) -> None:
        self.master, slave = pty.openpty()
        self.device = os.ttyname(slave)
        self._slave = slave
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            reader_command(seconds),
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def next_line(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], WITHIN)
        assert ready, "the process says nothing"
        return self.process.stdout.readline().decode().rstrip("\n")

    @property
    def modes(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def hang_up(self) -> None:
        os.close(self._slave)
        os.close(self.master)
        self._slave = self.master = -1

    def wait_exit(self) -> int:
        """The exit code, once nothing was complained of."""
        _, err = self.process.communicate(timeout=WITHIN)
        assert err == b""
        return self.process.returncode

    def close(self) -> None:
        for descriptor in (self.master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextmanager
def open_terminal(seconds: float = 1e6) -> Iterator[Terminal]:
    terminal = Terminal(seconds)
    try:
        assert terminal.next_line() == "reading"
        yield terminal
    finally:
        terminal.close()


def test_keys_of_a_terminal_count_at_once_and_are_not_echoed() -> None:
    with open_terminal() as terminal:
        assert terminal.modes != terminal.before
        for keys, line in ((b"n", "'next'"), (b"1", None), (b"2\n", "'goto 12'"), (b"q", "'end'")):
            terminal.press(keys)
            if line is not None:
                assert terminal.next_line() == line
        assert terminal.wait_exit() == 0
        assert terminal.modes == terminal.before
        os.set_blocking(terminal.master, False)
        with pytest.raises(BlockingIOError):
            os.read(terminal.master, 1)


def test_keys_that_come_in_one_piece_are_one_line_each() -> None:
    with open_terminal() as terminal:
        terminal.press(b"n n7\r\x04")
        lines = [terminal.next_line() for _ in range(5)]
        assert lines == ["'next'", "'next'", "'next'", "'goto 7'", "'end'"]
        assert terminal.wait_exit() == 0


def test_the_terminal_is_restored_after_an_error() -> None:
    with open_terminal() as terminal:
        terminal.press(b"p")
        assert [terminal.next_line() for _ in range(2)] == ["'prev'", "an error"]
        assert terminal.wait_exit() == 0
        assert terminal.modes == terminal.before


def test_the_terminal_is_restored_after_a_cancellation() -> None:
    # While a thread waits for a key that is never pressed.
    with open_terminal(seconds=0.1) as terminal:
        assert terminal.wait_exit() == 0
        assert terminal.modes == terminal.before


def test_ctrl_c_restores_the_terminal() -> None:
    with open_terminal() as terminal:
        terminal.process.send_signal(2)
        _, err = terminal.process.communicate(timeout=WITHIN)
        assert b"KeyboardInterrupt" in err
        assert b"termios" not in err
        assert terminal.modes == terminal.before


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.05])
def test_a_terminal_that_hangs_up_is_the_end_of_input(pause: float) -> None:
    """Whether it is just being read from or not."""
    with open_terminal() as terminal:
        terminal.press(b"n")
        assert terminal.next_line() == "'next'"
        time.sleep(pause)
        terminal.hang_up()
        assert terminal.next_line() == "no more"
        assert terminal.wait_exit() == 0
