"""A relay whose output nobody reads serves as ever, and ends as ever."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.kit.ports import find_free_port
from tests.kit.processes import LOOK_AGAIN_S, STRICT, our_relay
from tests.relay.test_limits import get, open_pair
from tests.test_lines import fill

WITHIN = 40.0
"""Seconds for one test on a loaded machine, the start of a process included."""

EXIT_S = 5.0
"""The relay's promise of how soon it is gone."""


@asynccontextmanager
async def open_relay(stdout: int, stderr: int) -> AsyncIterator[tuple[trio.Process, int]]:
    """Its process and its port, once it answers; what it prints can't be waited for."""
    port = find_free_port()
    command = our_relay("--port", str(port))
    with trio.fail_after(WITHIN):
        process = await trio.lowlevel.open_process(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=STRICT
        )
        try:
            while not await answers(port):
                assert process.returncode is None
                await trio.sleep(LOOK_AGAIN_S)
            yield process, port
        finally:
            with trio.CancelScope(shield=True):
                process.kill()
                await process.wait()


async def answers(port: int) -> bool:
    try:
        return await get(port, "/health") == (200, b"ok\n")
    except OSError:
        return False


@pytest.mark.parametrize(
    ("unread", "number"),
    [
        ("stderr", signal.SIGTERM),
        ("stdout and stderr", signal.SIGINT),
        ("stderr that is closed", signal.SIGTERM),
    ],
)
async def test_a_relay_whose_output_nobody_reads_serves_and_ends_as_ever(
    unread: str, number: signal.Signals
) -> None:
    reader, writer = os.pipe()
    fill(writer)
    if unread == "stderr that is closed":
        os.close(reader)
    stdout = writer if unread == "stdout and stderr" else subprocess.DEVNULL
    try:
        async with open_relay(stdout, writer) as (process, port):
            async with open_pair(port) as pair:
                assert await pair.is_undisturbed()
                process.send_signal(number)
                assert (await pair.client.wait_close()).code == 1001
            with trio.fail_after(EXIT_S):
                assert await process.wait() == 0
    finally:
        os.close(writer)
        if unread != "stderr that is closed":
            os.close(reader)


async def test_what_a_relay_has_logged_comes_once_somebody_reads() -> None:
    reader, writer = os.pipe()
    fill(writer)
    async with (
        trio.lowlevel.FdStream(reader) as stream,
        open_relay(subprocess.DEVNULL, writer) as (process, port),
    ):
        os.close(writer)
        async with open_pair(port) as pair:
            assert await pair.is_undisturbed()
        process.terminate()
        said = b"".join([chunk async for chunk in stream]).strip(b"\0").decode()
        assert await process.wait() == 0
    told = [line.split()[2] for line in said.splitlines()]
    assert told[:3] == ["registered", "registered", "session"]
    assert told[-1] == "draining:"
    assert "lost" not in said
