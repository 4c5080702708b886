"""What several nodes on one Redis do in time: what a signal takes across nodes, how soon users are
back whose node is killed, stopped or restarted, or whose Redis is lost, and what they are told.

    python bench/nodes.py [NAME...] [--idle SECONDS]

All at full length, with the leases, renewals and deadlines of people's relays: half an hour for all
of it. Where a session is lost or doubled, or a socket lost that should not be, it says so, goes on,
and exits with 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import node_lives
import node_redis
import trio
from node_sessions import Wrong

from tests.kit.node_relays import Node, open_nodes
from tests.kit.redis_servers import run_redis
from tests.kit.relays import Peer, open_peer

SIGNALS = 2000


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


async def signals() -> None:
    with run_redis() as redis:
        async with open_nodes(2, redis.url, "--rate-limit", "0", pace=None) as (a, b):
            await time_signals(a, b)


SCENARIOS: dict[str, Callable[[], Awaitable[None]]] = {
    "signals": signals,
    "many": node_lives.start_many,
    "killed": node_lives.kill,
    "stopped": node_lives.stop_under_idle_peers,
    "stopped_and_left": node_lives.stop_under_peers_that_leave,
    "restarted": node_lives.restart,
    "redis_emptied": node_redis.empty,
    "redis_replaced": node_redis.replace,
    "redis_stopped": node_redis.freeze,
    "redis_fails_over": node_redis.fail_over,
    **node_redis.BAD_WAYS,
}
"""By the names on the command line, in their order; `idle` is the last."""


async def run_all(names: Sequence[str], idle_s: float) -> list[str]:
    """Each in its turn; those in which something was wrong."""
    scenarios = SCENARIOS | {"idle": partial(node_lives.idle, idle_s)}
    wrong = []
    for name in names or scenarios:
        print(f"── {name}", flush=True)
        try:
            await scenarios[name]()
        except Wrong as exc:
            wrong.append(name)
            print(f"WRONG: {exc}", flush=True)
        except Exception as exc:
            wrong.append(name)
            traceback.print_exception(exc)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*SCENARIOS, "idle"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--idle", type=float, default=600.0, metavar="SECONDS")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in names]:
        parser.error(f"nothing is called {', '.join(unknown)}; there are {', '.join(names)}")
    if wrong := trio.run(run_all, args.names, args.idle):
        sys.exit(f"something was wrong: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
