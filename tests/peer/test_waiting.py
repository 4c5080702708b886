"""Waiting for a client that is not there yet, busy, or behind a lost relay: `--wait`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from imgsync import open_evaluator
from imgsync.core.protocol.signalling import PresenceState
from imgsync.testing import MemoryNetwork
from tests.kit.forks import open_fork, run_fork_to_end
from tests.kit.processes import LISTENING, SAMPLES, START_S, Child, our_relay, wait_until
from tests.peer.test_sessions import URL, FollowingClient, image

# ── the library ───────────────────────────────────────────────────────────────────────────────────


async def test_a_client_that_is_waited_for_may_come_later_or_become_free(
    autojump_clock: MockClock,
) -> None:
    network, follower = MemoryNetwork(), FollowingClient()

    async def come_later() -> None:
        await trio.sleep(100)
        await follower.run(network)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(come_later)
        async with (
            open_evaluator(URL, user_id="e1", network=network) as first,
            open_evaluator(URL, user_id="e2", network=network) as second,
        ):
            await first.wait_available("c")
            assert trio.current_time() == pytest.approx(100)
            async with first.open_session("c"):
                # Of whom the relay has not told yet, nothing is known.
                await trio.testing.wait_all_tasks_blocked()
                with trio.move_on_after(50) as waiting:
                    await second.wait_available("c")
                assert waiting.cancelled_caught
            await second.wait_available("c")
            assert trio.current_time() == pytest.approx(150)
            async with second.open_session("c") as session:
                await session.show(image(0))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0]


async def test_while_the_relay_is_lost_no_client_is_available(autojump_clock: MockClock) -> None:
    network, follower = MemoryNetwork(), FollowingClient()
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.run, network)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            await evaluator.wait_available("c")
            network.relay.go_down()
            await trio.testing.wait_all_tasks_blocked()
            assert evaluator.clients == {"c": PresenceState.AVAILABLE}
            with trio.move_on_after(60) as waiting:
                await evaluator.wait_available("c")
            assert waiting.cancelled_caught
            network.relay.come_back()
            with trio.fail_after(8):  # the longest backoff is 7 s
                await evaluator.wait_available("c")
                async with evaluator.open_session("c") as session:
                    await session.show(image(0))
        nursery.cancel_scope.cancel()
    assert [seen.index for seen in follower.seen] == [0]


# ── the command ───────────────────────────────────────────────────────────────────────────────────


# Each test has a client of its own on one relay, and evaluators that are named after it.


def client(url: str, user: str, *options: str) -> tuple[str, ...]:
    command = (sys.executable, "-m", "imgsync.client", "--relay", url, "--user", user, "--json")
    return (*command, *options)


def evaluator(url: str, user: str, client: str, *options: str) -> tuple[str, ...]:
    peers = ("--relay", url, "--user", f"{user} of {client}", "--client", client)
    return (sys.executable, "-m", "imgsync.evaluator", *peers, "--json", *options)


def waiting(url: str, user: str, client: str) -> tuple[str, ...]:
    return evaluator(url, user, client, "--wait", "--every", "0.05", str(SAMPLES))


async def assert_shows_all(child: Child) -> None:
    lines = await child.wait_success()
    assert [line["event"] for line in lines].count("acked") == 10
    assert (lines[-1]["event"], lines[-1]["sent"], lines[-1]["acked"]) == ("summary", 10, 10)


@asynccontextmanager
async def open_relay_on(port: int) -> AsyncIterator[str]:
    async with open_fork("relay", *our_relay("--port", str(port))) as relay:
        yield (await relay.wait_line(START_S)).removeprefix(LISTENING)


async def test_without_it_a_client_that_is_not_there_is_the_end(relay: str) -> None:
    outcome = await run_fork_to_end("evaluator", *evaluator(relay, "E", "nobody", str(SAMPLES)))
    assert outcome.code == 1
    [error] = outcome.errors
    assert "No client 'nobody' is online" in error


async def test_a_client_may_come_later(relay: str) -> None:
    async with (
        open_fork("evaluator", *waiting(relay, "E", "late")) as showing,
    ):
        assert (await showing.wait_event("waiting"))["clientId"] == "late"
        async with open_fork("client", *client(relay, "late", "--once")) as following:
            await assert_shows_all(showing)
            await following.wait_success()
        assert showing.read_errors() == ""


async def test_a_client_that_is_there_is_not_waited_for(relay: str) -> None:
    async with (
        open_fork("client", *client(relay, "there", "--once")) as following,
    ):
        await following.wait_event("registered")
        outcome = await run_fork_to_end("evaluator", *waiting(relay, "E", "there"))
        assert outcome.code == 0
        assert not any('"waiting"' in line for line in outcome.lines)


async def test_all_who_wait_for_a_busy_client_have_it_one_after_the_other(relay: str) -> None:
    # Once it is free, all of them ask for it at the same moment, and one is the first.
    async with (
        open_fork("client", *client(relay, "busy")) as following,
        AsyncExitStack() as stack,
    ):
        await following.wait_event("registered")
        steered = evaluator(relay, "first", "busy", str(SAMPLES))
        opening = open_fork("first", *steered, stdin=subprocess.PIPE)
        first = await stack.enter_async_context(opening)
        await first.wait_event("connected")
        others = [
            await stack.enter_async_context(open_fork(user, *waiting(relay, user, "busy")))
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


async def test_an_evaluator_does_not_wait_for_the_end_of_its_own_lost_session(relay: str) -> None:
    async with (
        open_fork("client", *client(relay, "own")) as following,
    ):
        await following.wait_event("registered")
        async with open_fork(
            "evaluator",
            *evaluator(relay, "E", "own", str(SAMPLES)),
            stdin=subprocess.PIPE,
        ) as killed:
            await killed.wait_event("connected")
            killed.process.kill()
            await killed.wait_exit()
        async with open_fork("evaluator", *waiting(relay, "E", "own")) as showing:
            await assert_shows_all(showing)


async def test_a_relay_that_is_lost_meanwhile_is_waited_for_too() -> None:
    async with AsyncExitStack() as stack:
        async with open_relay_on(0) as url:
            port = int(url.removesuffix("/ws").rpartition(":")[2])
            opening = open_fork("evaluator", *waiting(url, "E", "lost"))
            showing = await stack.enter_async_context(opening)
            await showing.wait_event("waiting")
        await wait_until(lambda: "the relay was lost" in showing.read_errors(), "word of the loss")
        async with (
            open_relay_on(port) as url,
            open_fork("client", *client(url, "lost", "--once")) as following,
        ):
            await assert_shows_all(showing)
            await following.wait_success()
