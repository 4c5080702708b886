"""Nodes that are killed, stopped, drained: their users come back at others, and nothing ends."""

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio

from imgsync.core.protocol.errors import UpgradeRefused
from tests.kit.node_relays import (
    HASTY,
    PATIENT,
    WITHIN_S,
    Node,
    User,
    open_node,
    open_nodes,
    open_pair,
    start_pair,
    wait_health,
)
from tests.kit.ports import find_free_port
from tests.kit.processes import wait_until
from tests.kit.redis_servers import Redis, needs_redis, run_redis
from tests.kit.relays import open_peer
from tests.kit.side_by_side import side_by_side
from tests.relay.test_limits import scrape

pytestmark = needs_redis

EXIT_S = 5.0
"""The relay's promise of how soon it is gone."""

SESSIONS = 20


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    """Each test has a prefix of its own."""
    with run_redis() as redis:
        yield redis


async def has_had_troubles(node: Node) -> bool:
    figures = await scrape(node.port)
    return any(value for names, value in figures.items() if names[0] == "node_troubles_total")


# ── killed ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("whose", ["evaluator", "client"])
@pytest.mark.parametrize("when", ["handshake", "session"])
@side_by_side(4)
async def test_users_of_a_node_that_is_killed_come_back_at_another_and_the_session_goes_on(
    folder: Path, redis: Redis, whose: str, when: str
) -> None:
    opened = open_nodes(2, redis.url, pace=HASTY, prefix=f"killed-{whose}-{when}")
    async with opened as (a, b), trio.open_nursery() as nursery:
        pair = await start_pair(nursery, [a.url, b.url], [b.url, a.url])
        if when == "session":
            await pair.exchange()
        killed, other = (a, pair.client) if whose == "evaluator" else (b, pair.evaluator)
        before = len(other.events)
        await killed.kill()
        start = trio.current_time()
        await pair.exchange()
        # Within the lease at worst, and what it takes to have the dead one's sockets taken out.
        assert trio.current_time() - start < HASTY.lease + 3
        assert pair.has_gone_on
        assert other.lost == 0
        told = {name for name, _ in other.events[before:]}
        assert "session_started" in told or {"peer_away", "peer_back"} <= told
        nursery.cancel_scope.cancel()


# ── stopped for longer than its lease ────────────────────────────────────────────────────────────


@side_by_side(6)
async def test_a_node_that_wakes_after_its_lease_keeps_its_sockets_and_no_session_of_others(
    folder: Path, redis: Redis
) -> None:
    opened = open_nodes(2, redis.url, pace=HASTY, prefix="frozen")
    async with opened as (a, b), trio.open_nursery() as nursery:
        async with open_peer(a.port, "c") as old:
            evaluator = User("e", [b.url], "c")
            nursery.start_soon(evaluator.run)
            session_id = (await old.wait_for("session_started"))["sessionId"]
            old.post("webrtc_signal", targetUserId="e", signal="mine", sessionId=session_id)
            await evaluator.until(lambda: evaluator.has_heard("mine"))
            a.freeze()
            # Nobody has taken this by then, and nobody is told of it when it is.
            old.post("webrtc_signal", targetUserId="e", signal="late", sessionId=session_id)
            async with open_peer(b.port, "c") as new:
                resumed = await new.wait_for("session_started")
                assert (resumed["sessionId"], resumed.get("resumed")) == (session_id, True)
                new.post("webrtc_signal", targetUserId="e", signal="new", sessionId=session_id)
                await evaluator.until(lambda: evaluator.has_heard("new"))
                a.thaw()
                with trio.fail_after(WITHIN_S):
                    assert (await old.wait_for("error"))["code"] == "unavailable"
                    ended = await old.wait_for("session_ended")
                assert (ended["sessionId"], ended["reason"]) == (session_id, "claimed_elsewhere")
                old.post("webrtc_signal", targetUserId="e", signal="late", sessionId=session_id)
                assert (await old.wait_for("error"))["code"] == "no_session"
                async with open_pair([a.url], [b.url], "-more"), open_pair([a.url], [a.url], "-2"):
                    evaluator.say("webrtc_signal", targetUserId="c", signal="still here")
                    assert (await new.wait_for("webrtc_signal"))["signal"] == "still here"
            assert not evaluator.has_heard("late")
            assert not evaluator.told("session_ended")
            assert (await scrape(a.port))["node_troubles_total", "began_again"] == 1
            assert not await has_had_troubles(b)
        nursery.cancel_scope.cancel()


@side_by_side(6)
async def test_nodes_that_have_nothing_to_do_go_on(folder: Path, redis: Redis) -> None:
    async with open_nodes(2, redis.url, pace=HASTY, prefix="idle") as nodes:
        a, b = nodes
        async with open_pair([a.url], [b.url]) as pair:
            await trio.sleep(2.5 * HASTY.lease)
            for node in nodes:
                assert not await has_had_troubles(node)
            await pair.exchange()
            assert pair.evaluator.lost == pair.client.lost == 0


# ── restarted, one after the other ───────────────────────────────────────────────────────────────


@asynccontextmanager
async def replaced(redis: Redis, port: int) -> AsyncIterator[Node]:
    """A node at this port."""
    async with open_node(redis.url, "--port", str(port), pace=PATIENT, prefix="rolling") as node:
        yield node


@side_by_side(16)
async def test_all_nodes_are_restarted_one_after_the_other_and_all_sessions_go_on(
    folder: Path, redis: Redis
) -> None:
    ports = [find_free_port() for _ in range(3)]
    urls = [f"ws://127.0.0.1:{port}/ws" for port in ports]
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        nodes = [await stack.enter_async_context(replaced(redis, port)) for port in ports]
        pairs = []
        for number in range(SESSIONS):
            ways = [[*urls[at % 3 :], *urls[: at % 3]] for at in (number, number + number // 3)]
            pairs.append(await start_pair(nursery, ways[0], ways[1], f"-{number}"))
        for pair in pairs:
            await pair.exchange()
        for port, node in zip(ports, nodes, strict=True):
            await end_watched(node, [user for pair in pairs for user in pair.users])
            await stack.enter_async_context(replaced(redis, port))
        for pair in pairs:
            await pair.exchange()
        assert all(pair.has_gone_on for pair in pairs)
        assert all(user.lost for pair in pairs for user in pair.users)
        nursery.cancel_scope.cancel()


async def end_watched(node: Node, users: list[User]) -> None:
    """It sends its users away over two seconds, takes in nobody, and is gone in time."""
    there = [user for user in users if user.url == node.url]
    assert len(there) > SESSIONS // 4
    left: list[float] = []

    async def watch(user: User) -> None:
        lost = user.lost
        await user.until(lambda: user.lost > lost)
        left.append(trio.current_time() - start)

    async with trio.open_nursery() as nursery:
        for user in there:
            nursery.start_soon(watch, user)
        start = trio.current_time()
        node.send(signal.SIGTERM)
        await wait_health(node, 503, "draining")
        with pytest.raises(UpgradeRefused, match="503"):
            async with open_peer(node.port):
                pass
        assert await node.child.wait_exit(EXIT_S) == 0
        assert "Traceback" not in node.child.read_errors()
    assert max(left) - min(left) > 1
    middle = sorted(left)[len(left) // 2]
    # Half of them are to be away after one second, and all after four.
    assert 0.3 < middle < 4


# ── what is left ─────────────────────────────────────────────────────────────────────────────────


def keys_of(redis: Redis, prefix: str) -> list[str]:
    return redis.call("--scan", "--pattern", f"{{{prefix}}}:*")


@side_by_side(6)
async def test_nothing_is_left_of_nodes_that_are_gone_and_nothing_stays_for_ever(
    folder: Path, redis: Redis
) -> None:
    prefix = "left"
    async with open_nodes(3, redis.url, pace=HASTY, prefix=prefix) as (a, b, c):
        async with (
            open_pair([a.url], [b.url, a.url]) as one,
            open_pair([c.url, a.url], [a.url], "-2"),
        ):
            await b.end(EXIT_S)
            await c.kill()
            await one.exchange()

            def has_one_boot() -> bool:
                names = keys_of(redis, prefix)
                boots = {name.rpartition(":")[2] for name in names if ":inbox:" in name}
                boots |= {name.rpartition(":")[2] for name in names if ":held:" in name}
                return len(boots) == 1

            await wait_until(has_one_boot, "one boot alone", WITHIN_S)
        await a.end(EXIT_S)
    kept = keys_of(redis, prefix)
    assert kept
    assert not any(":inbox:" in name or ":held:" in name for name in kept)
    for name in kept:
        assert int(redis.call("PTTL", name)[0]) > 0, name
