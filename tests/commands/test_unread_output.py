"""What a command prints waits for whoever reads it, and its session for nobody."""

import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import pytest
import trio

from imgsync import ImageRef, open_evaluator
from imgsync.commands.output import LinePrinter, OutputLost, accept_any_text
from imgsync.core.protocol.numbers import LOST_AFTER
from tests.kit.command_lines import HERE, LOOPBACK, client
from tests.kit.forks import open_fork
from tests.kit.processes import SESSION_S, STRICT
from tests.test_lines import WITHIN, fill, read_line

PAGE = 4096
"""The least that a pipe holds."""

IMAGES = 40


async def test_a_client_whose_output_nobody_reads_takes_images_and_loses_no_line(
    relay_url: str,
) -> None:
    command = client(relay_url, "unread", *HERE, "--json", "--once")
    urls = [f"http://127.0.0.1:9/{number}" for number in range(IMAGES)]
    with trio.fail_after(SESSION_S):
        async with (
            open_fork("client", *command, env=STRICT) as following,
            open_evaluator(relay_url, user_id="E", ice_addresses=[LOOPBACK]) as evaluator,
        ):
            await following.wait_event("registered")
            stdout = following.process.stdout
            assert isinstance(stdout, trio.lowlevel.FdStream)
            fcntl.fcntl(stdout.fileno(), fcntl.F_SETPIPE_SZ, PAGE)
            async with evaluator.open_session("unread") as session:
                with trio.fail_after(LOST_AFTER):
                    for number, url in enumerate(urls):
                        await session.show(ImageRef(number, url, url, str(number)))
            told = await following.wait_success()
    assert [one["imageUrl"] for one in told if one["event"] == "image"] == urls


# ── the pipe ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def open_full_stdout() -> Iterator[int]:
    """The other end of our stdout, which is a pipe that nobody has read."""
    reader, writer = os.pipe()
    fill(writer)
    with (
        os.fdopen(reader, "rb", buffering=0) as end,
        os.fdopen(writer, "w") as stream,
        redirect_stdout(stream),
    ):
        yield end.fileno()


def test_lines_that_nobody_reads_come_in_their_order_once_somebody_does() -> None:
    printer = LinePrinter()
    with open_full_stdout() as reader:
        for number in range(100):
            printer.print_line(str(number))
        found = [read_line(reader) for _ in range(100)]
        printer.finish(WITHIN)
        printer.print_line("at once")
        printer.finish(0)
        assert read_line(reader) == "at once\n"
    assert found == [f"{number}\n" for number in range(100)]


def test_whose_reader_goes_is_told_so_with_the_next_line_or_at_the_end() -> None:
    printer = LinePrinter()
    with open_full_stdout() as reader, open(os.devnull) as nothing:
        printer.print_line("nobody reads this")
        os.dup2(nothing.fileno(), reader)  # the pipe has no reader any more
        for _ in range(2):
            with pytest.raises(OutputLost) as lost:
                printer.finish(WITHIN)
            assert lost.value.reader_left
            with pytest.raises(OutputLost):
                printer.print_line("nor this")


def test_what_an_encoding_does_not_have_is_spelt_and_ends_no_command() -> None:
    # As "\udce4" Python has a byte in the name of a file that is no text.
    told = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with redirect_stdout(told):
        accept_any_text()
        LinePrinter().print_line("1.5 \N{PLUS-MINUS SIGN} 0.2 ms, f\udce4ces \u20ac \U0001f600")
    buffer = told.buffer
    assert isinstance(buffer, io.BytesIO)
    assert buffer.getvalue() == b"1.5 +/- 0.2 ms, f\xe4ces \\u20ac \\U0001f600\n"


def test_what_nobody_reads_is_no_more_than_there_is_room_for() -> None:
    printer = LinePrinter(max_unread=10)

    def print_all() -> None:
        for _ in range(10):
            printer.print_line("12345")

    with open_full_stdout() as reader:
        with pytest.raises(OutputLost, match="can't write to stdout: nobody reads it"):
            print_all()
        found = read_line(reader)
        printer.finish(WITHIN)
        printer.print_line("last")
        while read_line(reader) != "last\n":
            pass
    assert found == "12345\n"
