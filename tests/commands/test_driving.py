"""A person drives an evaluator: by lines on its stdin, or by keys on a terminal.

Each test has users of its own on one relay.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import attrs
import pytest

from imgsync.commands.evaluator.steering import HELP
from imgsync.core.protocol.signalling import EndReason
from tests.kit.command_lines import HERE, evaluator, events, named
from tests.kit.forks import open_fork, shared_relay
from tests.kit.onlookers import open_onlooker
from tests.kit.processes import SAMPLES, SESSION_S, STRICT, Child, Outcome, run_to_end, wait_until


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    with shared_relay() as url:
        yield url


async def wait_ack(child: Child) -> int:
    index: int = (await child.wait_event("acked", SESSION_S))["imageIndex"]
    return index


async def test_lines_on_stdin_drive_the_session_and_what_makes_no_sense_is_refused(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "lines", *HERE, "--json", str(SAMPLES))
    async with (
        open_onlooker(relay_url, "lines") as onlooker,
        open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        for line, index in [("next", 0), ("next", 1), ("prev", 0), ("goto 3", 3), ("  next ", 4)]:
            await showing.write(f"{line}\n")
            assert await wait_ack(showing) == index
        for line, why in [
            ("goto 99", "there is no image 99; they go from 0 to 9"),
            ("again", f"unknown command 'again'; known are: {HELP}"),
        ]:
            await showing.write(f"{line}\n")
            assert (await showing.wait_event("refused"))["reason"] == why
        await showing.write("\nend\nnext\n")
        outcome = await showing.wait_outcome()

    assert onlooker.indices == [0, 1, 0, 3, 4]
    assert onlooker.end_reason is EndReason.ENDED
    assert outcome.code == 0
    assert outcome.errors == []
    [summary] = named("summary", events(outcome.lines))
    assert (summary["event"], summary["sent"], summary["acked"]) == ("summary", 5, 5)


async def test_lines_that_come_together_are_obeyed_in_their_order(relay_url: str) -> None:
    show = evaluator(relay_url, "burst", *HERE, "--json", str(SAMPLES))
    series = [0, 1, 2]
    async with (
        open_onlooker(relay_url, "burst") as onlooker,
        open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        await showing.wait_event("connected")
        # More than once, because Trio takes tasks that are ready together in any order.
        for _ in range(8):
            await showing.write("".join(f"goto {index}\n" for index in series))
            acked = [await wait_ack(showing) for _ in series]
            assert sorted(acked) == series
        await showing.close_stdin()
        assert (await showing.wait_outcome()).code == 0

    assert onlooker.indices == 8 * series


async def test_closing_stdin_ends_the_session_after_a_last_line_without_its_end(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "eof", *HERE, str(SAMPLES))
    async with (
        open_onlooker(relay_url, "eof") as onlooker,
        open_fork("evaluator", *show, env=STRICT, stdin=subprocess.PIPE) as showing,
    ):
        await showing.write("goto 2\nnext")
        await showing.close_stdin()
        outcome = await showing.wait_outcome()

    assert onlooker.indices == [2, 3]
    assert onlooker.end_reason is EndReason.ENDED
    assert outcome.code == 0
    assert outcome.errors == []
    assert outcome.lines[-1].startswith("2 images sent, 2 shown, 2 acked; ")


async def test_an_evaluator_without_any_stdin_shows_nothing_and_ends_in_good_order(
    relay_url: str,
) -> None:
    show = evaluator(relay_url, "no-stdin", *HERE, str(SAMPLES))
    async with open_onlooker(relay_url, "no-stdin") as onlooker:
        outcome = await run_to_end("evaluator", "sh", "-c", 'exec "$@" <&-', "sh", *show)

    assert onlooker.end_reason is EndReason.ENDED
    assert outcome == Outcome(0, ["connected to no-stdin; 10 images", "0 images sent, 0 acked"], [])


@attrs.frozen
class Terminal:
    """A terminal with a person's end, where keys are pressed, and a program's."""

    keys: int
    program: int
    as_it_was: list[Any]

    def press(self, keys: str) -> None:
        os.write(self.keys, keys.encode())

    @property
    def attributes(self) -> list[Any]:
        return termios.tcgetattr(self.program)

    @property
    def gives_single_keys(self) -> bool:
        return not self.attributes[3] & termios.ICANON


@contextmanager
def open_terminal() -> Iterator[Terminal]:
    keys, program = pty.openpty()
    try:
        yield Terminal(keys, program, termios.tcgetattr(program))
    finally:
        os.close(keys)
        os.close(program)


@asynccontextmanager
async def open_at_terminal(url: str, user: str) -> AsyncIterator[tuple[Child, Terminal]]:
    """An evaluator that waits for keys."""
    show = evaluator(url, user, *HERE, "--json", str(SAMPLES))
    with open_terminal() as terminal:
        async with open_fork("evaluator", *show, env=STRICT, stdin=terminal.program) as showing:
            await showing.wait_event("connected")
            # Keys that are pressed before would be thrown away.
            await wait_until(lambda: terminal.gives_single_keys, "a terminal for single keys")
            yield showing, terminal


async def test_single_keys_drive_the_session_on_a_terminal_which_is_left_as_it_was(
    relay_url: str,
) -> None:
    async with (
        open_onlooker(relay_url, "keys") as onlooker,
        open_at_terminal(relay_url, "keys") as (showing, terminal),
    ):
        for keys, index in [("n", 0), (" ", 1), ("p", 0), ("3\n", 3), ("x\n", 4)]:
            terminal.press(keys)
            assert await wait_ack(showing) == index
        terminal.press("99\n")
        await showing.wait_event("refused")
        terminal.press("q")
        outcome = await showing.wait_outcome()
        assert terminal.attributes == terminal.as_it_was

    assert onlooker.indices == [0, 1, 0, 3, 4]
    assert outcome.code == 0
    assert outcome.errors == []
    assert events(outcome.lines)[-1]["event"] == "summary"


async def test_ctrl_c_ends_the_session_and_leaves_the_terminal_as_it_was(
    relay_url: str,
) -> None:
    async with (
        open_onlooker(relay_url, "ctrl-c") as onlooker,
        open_at_terminal(relay_url, "ctrl-c") as (showing, terminal),
    ):
        terminal.press("n")
        assert await wait_ack(showing) == 0
        showing.process.send_signal(signal.SIGINT)
        outcome = await showing.wait_outcome()
        assert terminal.attributes == terminal.as_it_was

    assert onlooker.end_reason is EndReason.ENDED
    assert outcome.code == 130
    assert outcome.errors == []
    assert events(outcome.lines)[-1]["event"] == "summary"
