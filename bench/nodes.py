"""What several nodes on one Redis do in time: how soon users of a node that is killed are back,
what a signal takes across nodes, and for how long nodes with nothing to do are left alone.

    python bench/nodes.py [IDLE_SECONDS]

All at full length: leases of 10 s, and ten minutes of nothing.
"""

from __future__ import annotations

import statistics
import sys

import trio

from tests.kit.node_relays import Node, User, get, open_nodes, open_pair
from tests.kit.redis_servers import Redis, run_redis
from tests.kit.relays import Peer, open_peer

SIGNALS = 2000

FREEZE_S = 10.0


async def time_signals(a: Node, b: Node) -> None:
    """From the sender's socket to the receiver's, one at a time, by turns."""
    async with (
        open_peer(a.port, "e", "evaluator") as evaluator,
        open_peer(a.port, "here") as here,
        open_peer(b.port, "there") as there,
    ):
        took: dict[str, list[float]] = {"here": [], "there": []}
        ways = {"here": here, "there": there}
        for client_id, client in ways.items():
            evaluator.post("start_session", clientId=client_id)
            await client.wait_for("session_started")
            client.post("webrtc_signal", targetUserId="e", signal="first")
            await evaluator.wait_for("webrtc_signal")
        for number in range(SIGNALS):
            client_id = ("here", "there")[number % 2]
            took[client_id].append(await time_signal(evaluator, ways[client_id], client_id))
        here_ms, there_ms = (1000 * statistics.median(times) for times in took.values())
        print(
            f"a signal, p50: {here_ms:.2f} ms at one node, {there_ms:.2f} ms across two:"
            f" {there_ms - here_ms:.2f} ms more"
        )


async def time_signal(sender: Peer, receiver: Peer, target: str) -> float:
    start = trio.current_time()
    sender.post("webrtc_signal", targetUserId=target, signal={"candidate": "x" * 200})
    await receiver.wait_for("webrtc_signal")
    return trio.current_time() - start


async def time_kill(redis: Redis, whose: str) -> None:
    async with (
        open_nodes(2, redis.url, prefix=f"kill-{whose}") as (a, b),
        open_pair([a.url, b.url], [b.url, a.url]) as pair,
    ):
        start = trio.current_time()
        await (a if whose == "evaluator" else b).kill()
        await pair.exchange(60)
        seconds = trio.current_time() - start
        print(f"the {whose}'s node is killed: {seconds:.1f} s until signals go both ways again")
        assert pair.has_gone_on


async def freeze_redis(redis: Redis) -> None:
    async with (
        open_nodes(2, redis.url, prefix="freeze") as (a, b),
        open_pair([a.url, b.url], [b.url, a.url]) as pair,
    ):
        redis.freeze()
        await trio.sleep(FREEZE_S)
        redis.thaw()
        start = trio.current_time()
        await pair.exchange(60)
        seconds = trio.current_time() - start
        lost = sum(user.lost for user in pair.users)
        print(
            f"Redis is stopped for {FREEZE_S:g} s: {seconds:.1f} s until signals go again,"
            f" {lost} sockets lost"
        )
        assert pair.has_gone_on


async def idle(redis: Redis, seconds: float) -> None:
    async with open_nodes(3, redis.url, prefix="idle") as nodes, trio.open_nursery() as nursery:
        users = [User(f"c{number}", [node.url]) for number, node in enumerate(nodes)]
        for user in users:
            nursery.start_soon(user.run)
        await trio.sleep(seconds)
        for node in nodes:
            _, text = await get(node.port, "/metrics")
            lines = [line for line in text.splitlines() if "node_troubles_total{" in line]
            assert all(line.endswith(" 0.0") for line in lines), lines
        assert not any(user.lost for user in users)
        print(f"nothing to do for {seconds:g} s: no node began anew, no socket was lost")
        nursery.cancel_scope.cancel()


async def main(seconds: float) -> None:
    with run_redis() as redis:
        async with open_nodes(2, redis.url, "--rate-limit", "0", prefix="signals") as (a, b):
            await time_signals(a, b)
        for whose in ("evaluator", "client"):
            await time_kill(redis, whose)
        await freeze_redis(redis)
        await idle(redis, seconds)


if __name__ == "__main__":
    trio.run(main, float(sys.argv[1]) if sys.argv[1:] else 600.0)
