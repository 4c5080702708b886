"""`imgsync evaluator --wait`: for a client that is not there yet, busy, or behind a lost relay."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import trio

from tests.processes import (
    LISTENING,
    SAMPLES,
    START_S,
    STRICT,
    Child,
    open_child,
    open_relay,
    our_relay,
    run_to_end,
    wait_until,
)


def client(url: str, *options: str) -> tuple[str, ...]:
    command = (sys.executable, "-m", "imgsync.client", "--relay", url, "--user", "C", "--json")
    return (*command, *options)


def evaluator(url: str, user: str, *options: str) -> tuple[str, ...]:
    peers = ("--relay", url, "--user", user, "--client", "C")
    return (sys.executable, "-m", "imgsync.evaluator", *peers, "--json", *options)


def waiting(url: str, user: str) -> tuple[str, ...]:
    return evaluator(url, user, "--wait", "--every", "0.05", str(SAMPLES))


async def assert_shows_all(child: Child) -> None:
    lines = await child.wait_success()
    assert [line["event"] for line in lines].count("acked") == 10
    assert (lines[-1]["event"], lines[-1]["shown"], lines[-1]["acked"]) == ("summary", 10, 10)


@asynccontextmanager
async def open_relay_on(port: int) -> AsyncIterator[str]:
    async with open_child("relay", *our_relay("--port", str(port))) as relay:
        yield (await relay.wait_line(START_S)).removeprefix(LISTENING)


async def test_without_it_a_client_that_is_not_there_is_the_end() -> None:
    async with open_relay() as url:
        outcome = await run_to_end("evaluator", *evaluator(url, "E", str(SAMPLES)), env=STRICT)
    assert outcome.code == 1
    [error] = outcome.errors
    assert "No client 'C' is online" in error


async def test_a_client_may_come_later() -> None:
    async with (
        open_relay() as url,
        open_child("evaluator", *waiting(url, "E"), env=STRICT) as showing,
    ):
        assert (await showing.wait_event("waiting"))["clientId"] == "C"
        async with open_child("client", *client(url, "--once"), env=STRICT) as following:
            await assert_shows_all(showing)
            await following.wait_success()
        assert showing.read_errors() == ""


async def test_a_client_that_is_there_is_not_waited_for() -> None:
    async with (
        open_relay() as url,
        open_child("client", *client(url, "--once"), env=STRICT) as following,
    ):
        await following.wait_event("registered")
        outcome = await run_to_end("evaluator", *waiting(url, "E"), env=STRICT)
        assert outcome.code == 0
        assert not any('"waiting"' in line for line in outcome.lines)


async def test_all_who_wait_for_a_busy_client_have_it_one_after_the_other() -> None:
    # Once it is free, all of them ask for it at the same moment, and one is the first.
    async with (
        open_relay() as url,
        open_child("client", *client(url), env=STRICT) as following,
        AsyncExitStack() as stack,
    ):
        await following.wait_event("registered")
        steered = evaluator(url, "first", str(SAMPLES))
        opening = open_child("first", *steered, env=STRICT, stdin=subprocess.PIPE)
        first = await stack.enter_async_context(opening)
        await first.wait_event("connected")
        others = [
            await stack.enter_async_context(open_child(user, *waiting(url, user), env=STRICT))
            for user in ("second", "third")
        ]
        for other in others:
            await other.wait_event("waiting")
        await first.write("end\n")
        await first.wait_success()
        async with trio.open_nursery() as nursery:
            for other in others:
                nursery.start_soon(assert_shows_all, other)
        assert [other.read_errors() for other in others] == ["", ""]


async def test_an_evaluator_does_not_wait_for_the_end_of_its_own_lost_session() -> None:
    async with (
        open_relay() as url,
        open_child("client", *client(url), env=STRICT) as following,
    ):
        await following.wait_event("registered")
        async with open_child(
            "evaluator", *evaluator(url, "E", str(SAMPLES)), env=STRICT, stdin=subprocess.PIPE
        ) as killed:
            await killed.wait_event("connected")
            killed.process.kill()
            await killed.wait_exit()
        async with open_child("evaluator", *waiting(url, "E"), env=STRICT) as showing:
            await assert_shows_all(showing)


async def test_a_relay_that_is_lost_meanwhile_is_waited_for_too() -> None:
    async with AsyncExitStack() as stack:
        async with open_relay_on(0) as url:
            port = int(url.removesuffix("/ws").rpartition(":")[2])
            opening = open_child("evaluator", *waiting(url, "E"), env=STRICT)
            showing = await stack.enter_async_context(opening)
            await showing.wait_event("waiting")
        await wait_until(lambda: "the relay was lost" in showing.read_errors(), "word of the loss")
        async with (
            open_relay_on(port) as url,
            open_child("client", *client(url, "--once"), env=STRICT) as following,
        ):
            await assert_shows_all(showing)
            await following.wait_success()
